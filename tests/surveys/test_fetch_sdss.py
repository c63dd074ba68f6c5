"""SDSS spectra by their numbers and by position, from servers that answer like SkyServer and the archive."""

import sys
from dataclasses import replace

import numpy as np
import pytest
from loopback_server import Answer, Loopback
from survey_services import FAST, respond, sdss_spectrum

from astroclip_kit.download import Client
from astroclip_kit.errors import UsageError
from astroclip_kit.surveys import SDSSService, SDSSSpectra
from astroclip_kit.surveys.services.sdss_service import COLUMNS
from astroclip_kit.surveys.services.targets import Target

LEGACY, BOSS, SEGUE = (
    Target("a", 150.1, 2.2, (266, 51602, 31)),
    Target("b", 150.3, 2.4, (4055, 55359, 7)),
    Target("c", 10.0, 0.5, (1960, 53289, 5)),
)


@pytest.fixture
def server():
    loopback = Loopback(respond)
    yield loopback
    loopback.close()


def fetch(server, root, *targets, radius_arcsec=1.0):
    service = SDSSService(radius_arcsec, 17, f"{server.url}/sas", f"{server.url}/sky")
    with Client(FAST) as client:
        return [one for task in service.tasks(targets, client, root) for one in task()]


def test_spectra_by_their_numbers(server, tmp_path):
    outcomes = fetch(server, tmp_path, LEGACY, BOSS, SEGUE)
    assert [one.status for one in outcomes] == ["done"] * 3
    tree = "/sas/dr17/sdss/spectro/redux"
    assert [one.path for one in server.asked] == [
        f"{tree}/26/spectra/lite/0266/spec-0266-51602-0031.fits",
        f"{tree}/v5_13_2/spectra/lite/4055/spec-4055-55359-0007.fits",
        f"{tree}/26/spectra/lite/1960/spec-1960-53289-0005.fits",  # the reduction is not known: guessed
        f"{tree}/103/spectra/lite/1960/spec-1960-53289-0005.fits",
    ]
    reader = SDSSSpectra(tmp_path)
    ids = [reader.read(tmp_path / one.file)[0].object_id for one in outcomes]
    assert ids == ["266-51602-31", "4055-55359-7", "1960-53289-5"]
    assert np.allclose([reader.read(tmp_path / one.file)[0].ra for one in outcomes], [150.1, 150.3, 10.0])


def test_a_reduction_that_is_given_is_not_guessed(server, tmp_path):
    assert fetch(server, tmp_path, replace(SEGUE, run2d="103"))[0].status == "done" and server.count() == 1


def test_a_spectrum_that_there_is_none_of(server, tmp_path):
    (outcome,) = fetch(server, tmp_path, Target("x", sdss=(267, 51608, 1)))
    assert outcome.status == "absent" and server.count() == 3
    assert outcome.reason.endswith("267-51608-0001.fits: the service does not have it (status 404).")


def test_spectra_by_position_are_looked_up_together(server, tmp_path):
    places = [Target("a", 150.1 + 1e-4, 2.2), Target("none", 200, 60), Target("b", 150.3, 2.4), SEGUE]
    outcomes = fetch(server, tmp_path, *places, radius_arcsec=2.0)
    assert [one.status for one in outcomes] == ["done", "absent", "done", "done"]
    assert outcomes[1].reason == "no SDSS spectrum within 2.0 arcsec."
    assert [one.file for one in outcomes][::2] == [
        "spectra/spec-0266-51602-0031.fits",
        "spectra/spec-4055-55359-0007.fits",
    ]
    assert sum(one.method == "POST" for one in server.asked) == 1
    assert server.count("spec-0266") == server.count("spec-4055") == 1  # SkyServer knows the reduction


def test_a_spectrum_outside_of_the_radius_is_none(server, tmp_path):
    (outcome,) = fetch(server, tmp_path, Target("a", 150.1 + 1e-3, 2.2))
    assert outcome.status == "absent"


QUESTION = "X_Results.aspx"
NO_TABLE = "the answer is no table of spectra, it begins with "
UNABLE = {
    "busy": (Answer(b"", 503), "status 503 Service Unavailable"),
    "words": (Answer(b"<html>maintenance</html>"), f"{NO_TABLE}'<html>maintenance"),
    "the name of a file": (Answer(b"/etc/hostname"), f"{NO_TABLE}'/etc/hostname'"),
    "another table": (Answer(b"#Table1\nra,dec\n1,2\n"), f"{NO_TABLE}'#Table1"),
    "no number": (
        Answer((",".join(COLUMNS) + "\n1,2,3,4,5,6,seven\n").encode()),
        "the answer has a value that is no number",
    ),
    "hung up": (Answer(b"", cut=0, length=10), "no connection|the connection broke off"),
    "nothing": (Answer(b""), f"{NO_TABLE}''"),
}


@pytest.mark.parametrize(("answer", "reason"), UNABLE.values(), ids=UNABLE)
def test_skyserver_answers_wrongly(server, tmp_path, answer, reason):
    server.fail(QUESTION, answer)
    assert fetch(server, tmp_path, Target("a", 150.1, 2.2))[0].status == "done"
    server.fail(QUESTION, *[answer] * 3)
    (outcome,) = fetch(server, tmp_path, Target("b", 150.3, 2.4))
    assert outcome.status == "failed"
    with pytest.raises(RuntimeError, match=reason):
        raise RuntimeError(outcome.reason)


def test_skyserver_finds_nothing(server, tmp_path):
    server.fail(QUESTION, Answer(b"#Table1\nra,dec,plate,mjd,fiberID,run2d,sciencePrimary,type\n"))
    assert fetch(server, tmp_path, Target("a", 150.1, 2.2))[0].status == "absent"


WHOLE = sdss_spectrum(266, 51602, 31)
WRONG = {
    "another": (Answer(sdss_spectrum(4055, 55359, 7)), "is spectrum 4055-55359-7, expected 266-51602-31"),
    "half": (Answer(WHOLE[:9000]), "truncated: HDU 1 needs"),
    "end missing": (Answer(WHOLE[:-10]), "truncated inside the header of HDU 3|the file ends inside a block"),
    "page": (Answer(b"<html>"), "not a FITS file"),
    "no spectrum": (Answer(WHOLE.replace(b"'loglam", b"'lamlog")), "HDU 1 has no column 'loglam'"),
}


@pytest.mark.parametrize(("answer", "reason"), WRONG.values(), ids=WRONG)
def test_the_archive_answers_wrongly(server, tmp_path, answer, reason):
    server.fail("spec-0266", *[answer] * 3)
    (outcome,) = fetch(server, tmp_path, replace(LEGACY, run2d="26"))
    assert outcome.status == "failed" and not list((tmp_path / "spectra").iterdir())
    with pytest.raises(RuntimeError, match=reason):
        raise RuntimeError(outcome.reason)
    assert fetch(server, tmp_path, LEGACY)[0].status == "done"


@pytest.mark.shared_data
def test_real_spectra_are_what_was_asked(server, tmp_path, shared_data):
    files = sorted((shared_data / "sdss-spectra" / "spectra").glob("spec-*.fits"))[:5]
    server.respond = lambda asked: Answer(next(path for path in files if asked.path.endswith(path.name)).read_bytes())
    keys = [tuple(map(int, path.stem.split("-")[1:])) for path in files]
    outcomes = fetch(server, tmp_path, *(Target(str(key), sdss=key) for key in keys))
    assert [one.status for one in outcomes] == ["done"] * 5
    assert [one.size for one in outcomes] == [path.stat().st_size for path in files]


def test_releases_and_radii_that_there_are_none_of(monkeypatch):
    with pytest.raises(UsageError, match=r"services\.sdss_release is 9, expected 16 to 18"):
        SDSSService(release=9)
    with pytest.raises(UsageError, match="radius_arcsec is 0, expected more than 0 and at most 180"):
        SDSSService(0)


def test_positions_need_the_extra(server, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "astroquery", None)
    with pytest.raises(UsageError, match="SDSS spectra by position need the extra 'fetch'"):
        fetch(server, tmp_path, Target("a", 150.1, 2.2))
    assert fetch(server, tmp_path, LEGACY)[0].status == "done"
