"""DESI spectra by TARGETID and by position, from a server that answers like SPARCL."""

import json

import numpy as np
import pytest
from loopback_server import Answer, Loopback
from survey_services import DESI, FAST, FIELDS, WAVELENGTH, respond, sparcl_record

from astroclip_kit.download import Client
from astroclip_kit.errors import UsageError
from astroclip_kit.surveys import DESIService, DESISpectra
from astroclip_kit.surveys.services.targets import Target

FIRST, WRAPPED, POLAR = DESI
TARGET = Target("a", targetid=FIRST)
INTERNAL = [{"redshift": "z", "redshift_err": "zerr", "redshift_warning": "zwarn"}.get(name, name) for name in FIELDS]


@pytest.fixture
def server():
    loopback = Loopback(respond)
    yield loopback
    loopback.close()


def fetch(server, root, *targets, **arguments):
    service = DESIService(**arguments, url=server.url)
    with Client(FAST) as client:
        return [one for task in service.tasks(targets, client, root) for one in task()]


def test_spectra_by_targetid(server, tmp_path):
    outcomes = fetch(server, tmp_path, TARGET, Target("b", targetid=WRAPPED), Target("c", targetid=5))
    found = {one.status: one for one in outcomes}
    assert found["absent"].reason == "DESI-DR1 has no spectrum of TARGETID 5."
    assert found["done"].file == f"spectra/coadd-{WRAPPED}.fits" and server.count() == 3
    reader = DESISpectra(tmp_path, grid=(3700, 9700, 62.24))
    samples = {sample.object_id: sample for path in reader.files() for sample in reader.read(path)}
    assert samples.keys() == {str(FIRST), str(WRAPPED)}
    sample = samples[str(FIRST)]
    assert (sample.ra, sample.dec) == DESI[FIRST] and sample.labels["z"] == 0.25 and sample.labels["class"] == "GALAXY"
    assert np.allclose(sample.views["spectrum"][0, 5:-5], 1.5)


def test_the_questions_are_those_of_the_services_own_client(server, tmp_path):
    """As sparclclient 1.3.1 sends them for the same search, but for the format of the answer."""
    fetch(server, tmp_path, TARGET)
    fields, find, retrieve = server.asked
    assert (fields.method, fields.address) == ("GET", "/api/datafields/")
    assert (find.method, find.address) == ("POST", "/api/find/?limit=5000")
    assert find.body == (
        b'{"outfields": ["sparcl_id", "specid", "ra", "dec", "specprimary"], '
        b'"search": [["specid", 39627785520416361], ["data_release", "DESI-DR1"]]}'
    )
    assert retrieve.path == "/api/spectras/" and retrieve.query["format"] == "json"
    names = "sparcl_id specid wavelength flux ivar mask z zerr zwarn spectype".split()
    assert sorted(retrieve.query["include"].split(",")) == sorted(names)
    assert retrieve.body == b'["uuid-39627785520416361"]'


def test_spectra_by_position_also_where_right_ascension_begins_and_at_the_pole(server, tmp_path):
    places = (
        Target("a", 150.1 + 1e-4, 2.2),
        Target("b", 359.99995, 0.5),
        Target("c", 200.0, 90.0),
        Target("d", 1.0, 1.0),
    )
    by_id = {one.asked: one for one in fetch(server, tmp_path, *places, radius_arcsec=40.0)}
    assert sorted(one.file for one in by_id.values() if one.status == "done") == [
        f"spectra/coadd-{one}.fits" for one in sorted(DESI)
    ]
    assert [one.reason for one in by_id.values() if one.status == "absent"] == [
        "DESI-DR1 has no spectrum within 40.0 arcsec."
    ]


def test_the_primary_spectrum_is_chosen_then_the_nearest(server, tmp_path):
    def record(key, ra, primary):
        return {"sparcl_id": key, "specid": FIRST, "ra": ra, "dec": 2.2, "specprimary": primary}

    some = [record("near", 150.1, False), record("far", 150.1002, True), record("nearer", 150.1001, True)]
    server.fail("/find/", Answer(json.dumps([{}, *some]).encode()))
    fetch(server, tmp_path, Target("a", 150.1, 2.2))
    assert server.asked[2].json == ["nearer"]


def test_a_spectrum_that_is_there_is_not_fetched_again(server, tmp_path):
    fetch(server, tmp_path, TARGET)
    before = server.count("/spectras/")
    assert fetch(server, tmp_path, TARGET)[0].status == "done" and server.count("/spectras/") == before
    (tmp_path / f"spectra/coadd-{FIRST}.fits").write_bytes(b"half")
    assert fetch(server, tmp_path, TARGET)[0].status == "done" and server.count("/spectras/") == before + 1


def spectrum(**changes):
    record = {**sparcl_record(FIRST, INTERNAL), **changes}
    return Answer(json.dumps([{"status": {}}, record]).encode())


LINE = [1.0] * len(WAVELENGTH)
LASTING = {  # the answer is whole, and no spectrum
    "none": (Answer(b"[{}]"), f"was asked for the spectrum of TARGETID {FIRST} and sent none"),
    "another": (spectrum(specid=7), f"was asked for the spectrum of TARGETID {FIRST} and sent one of 7"),
    "shapes": (spectrum(flux=LINE[:5]), r"sent wavelength, flux, ivar and mask of shapes \[\(101,\), \(5,\)"),
    "words": (spectrum(flux=["x"] * 101), "sent arrays that are no numbers"),
    "no length": (spectrum(flux=3), "sent wavelength, flux, ivar and mask of shapes|sent arrays that are no numbers"),
    "backwards": (spectrum(wavelength=WAVELENGTH[::-1].tolist()), "sent wavelengths that do not ascend"),
    "all masked": (spectrum(mask=[1] * 101), "sent a spectrum without a good pixel"),
    "all missing": (spectrum(ivar=[None] * 101), "sent a spectrum without a good pixel"),
}
PASSING = {  # what cannot be understood is asked for again
    "html": ("/spectras/", Answer(b"<html>"), "the answer is no JSON, it begins with b'<html>'"),
    "half": ("/spectras/", Answer(b"[{}, {"), "the answer is no JSON"),
    "empty": ("/spectras/", Answer(b"[]"), "SPARCL's answer cannot be understood"),
    "error": ("/find/", Answer(b'{"errorMessage": "x"}'), "SPARCL's answer cannot be understood"),
    "lacking": ("/spectras/", spectrum(ivar=None), "SPARCL's answer has no ivar"),
    "no id": ("/find/", Answer(b'[{}, {"sparcl_id": "a", "specid": "b", "ra": 1, "dec": 2}]'), "that is no number"),
    "no fields": ("/datafields/", Answer(b"[]"), "SPARCL's list of fields is empty"),
    "other fields": ("/datafields/", Answer(b'["a"]'), "SPARCL's list of fields cannot be understood"),
    "500": ("/find/", Answer(b"", 500), "status 500 Internal Server Error"),
}


@pytest.mark.parametrize(("answer", "reason"), LASTING.values(), ids=LASTING)
def test_an_answer_that_is_no_spectrum_is_listed(server, tmp_path, answer, reason):
    server.fail("/spectras/", answer)
    (outcome,) = fetch(server, tmp_path, TARGET)
    assert outcome.status == "failed" and not list((tmp_path / "spectra").glob("*"))
    with pytest.raises(RuntimeError, match=reason):
        raise RuntimeError(outcome.reason)


@pytest.mark.parametrize(("address", "answer", "reason"), PASSING.values(), ids=PASSING)
def test_an_answer_that_cannot_be_understood(server, tmp_path, address, answer, reason):
    server.fail(address, answer)
    assert fetch(server, tmp_path, TARGET)[0].status == "done"
    (tmp_path / f"spectra/coadd-{FIRST}.fits").unlink()
    server.fail(address, *[answer] * 3)
    (outcome,) = fetch(server, tmp_path, TARGET)
    assert outcome.status == "failed"
    with pytest.raises(RuntimeError, match=reason):
        raise RuntimeError(outcome.reason)


def test_a_pixel_without_a_number_is_masked(server, tmp_path):
    fetch(server, tmp_path, TARGET)
    (sample,) = DESISpectra(tmp_path, grid=tuple(WAVELENGTH)).read(tmp_path / f"spectra/coadd-{FIRST}.fits")
    flux, ivar = sample.views["spectrum"]
    assert ivar[0] == 0 and (ivar[2:-1] > 0).all() and np.isfinite(flux).all()


def test_releases_and_radii_that_there_are_none_of(server, tmp_path):
    with pytest.raises(UsageError, match=r"services\.desi_release is 'DESI-DR9', SPARCL has DESI-DR1"):
        fetch(server, tmp_path, TARGET, release="DESI-DR9")
    with pytest.raises(UsageError, match="radius_arcsec is 200, expected more than 0 and at most 180"):
        DESIService(200)
