"""Cutouts of the Legacy Surveys from a server that answers like their viewer, or wrongly."""

import numpy as np
import pytest
from loopback_server import Answer, Loopback
from survey_services import FAST, cutout, respond

from astroclip_kit.download import Client
from astroclip_kit.errors import UsageError
from astroclip_kit.settings import Cutouts
from astroclip_kit.surveys import LegacySurveyCutouts, LegacySurveyService
from astroclip_kit.surveys.services.targets import Target

ASKED = {"ra": "150.1", "dec": "2.2", "size": "16", "bands": "griz", "pixscale": "0.262"}
TARGET = Target("x", 150.1, 2.2)


@pytest.fixture
def server():
    loopback = Loopback(respond)
    yield loopback
    loopback.close()


def fetch(server, root, *targets, layer="legacy-dr10", **settings):
    service = LegacySurveyService(layer, Cutouts(**{"size": 16, **settings}), f"{server.url}/viewer")
    with Client(FAST) as client:
        return [one for task in service.tasks(targets, client, root) for one in task()]


def test_the_question_is_what_the_service_documents(server, tmp_path):
    (outcome,) = fetch(server, tmp_path, TARGET)
    assert server.asked[0].address == (
        "/viewer/fits-cutout?ra=150.1000000&dec=2.2000000&layer=ls-dr10&pixscale=0.262&size=16&bands=griz"
    )
    assert outcome.status == "done" and outcome.file == "cutouts/x.fits" and len(outcome.sha256) == 64
    (sample,) = LegacySurveyCutouts(tmp_path).read(tmp_path / outcome.file)
    assert sample.object_id == "x" and (sample.ra, sample.dec) == (150.1, 2.2)
    assert sample.views["image"].shape == (3, 16, 16) and np.allclose(sample.views["image"], 152.3)


def test_inverse_variances_come_along(server, tmp_path):
    (outcome,) = fetch(server, tmp_path, TARGET, ivar=True, bands="g,r")
    assert server.asked[0].query["invvar"] == "" and server.asked[0].query["bands"] == "gr"
    (sample,) = LegacySurveyCutouts(tmp_path, bands=("g", "r"), ivar=True).read(tmp_path / outcome.file)
    image = sample.views["image"]
    assert image.shape == (4, 16, 16) and (image[2:] == 4).all() and np.allclose(image[:2], 152.3)
    server.fail("fits-cutout", *[Answer(cutout({**ASKED, "bands": "gr"}))] * 3)  # the option was not understood
    (outcome,) = fetch(server, tmp_path, Target("y", 150.1, 2.2), ivar=True, bands="gr")
    assert outcome.status == "failed" and "has 1 HDUs, HDU 1 was expected" in outcome.reason


@pytest.mark.parametrize("name", ["NGC 224", "it's/one", "x" * 59 + "/"])
def test_the_id_is_written_where_the_file_name_does_not_say_it(server, tmp_path, name):
    for _ in range(2):  # the second time the file is there
        (outcome,) = fetch(server, tmp_path, Target(name, 1.0, 2.0))
    path = tmp_path / outcome.file
    (sample,) = LegacySurveyCutouts(tmp_path).read(path)
    assert sample.object_id == name and path.stat().st_size % 2880 == 0 and server.count() == 1
    assert np.allclose(sample.views["image"], 3)


def test_a_header_without_room_for_the_id_grows(server, tmp_path):
    full = cutout(ASKED)
    end = full.index(b"END".ljust(80))
    cards = b"".join(f"HISTORY {number}".ljust(80).encode() for number in range(35 - end % 2880 // 80))
    server.fail("fits-cutout", Answer(full[:end] + cards + b"END".ljust(80) + full[end - end % 2880 + 2880 :]))
    (outcome,) = fetch(server, tmp_path, Target("NGC 1", 150.1, 2.2))
    (sample,) = LegacySurveyCutouts(tmp_path).read(tmp_path / outcome.file)
    assert sample.object_id == "NGC 1" and np.allclose(sample.views["image"], 152.3)
    (outcome,) = fetch(server, tmp_path, Target("Große Wolke", 80.0, -69.0))  # no header can hold this id
    assert LegacySurveyCutouts(tmp_path).read(tmp_path / outcome.file)[0].object_id.startswith("Gro_e_Wolke-")


def test_a_blank_cutout_is_not_there(server, tmp_path):
    (outcome,) = fetch(server, tmp_path, Target("north", 150.0, 85.0))
    assert (outcome.status, outcome.reason) == ("absent", "the cutout is blank in all bands: outside of the survey.")
    assert server.count() == 1 and not list((tmp_path / "cutouts").iterdir())


def other(**changes):
    return Answer(cutout({**ASKED, **changes}))


WHOLE = cutout(ASKED)
WRONG = {
    "error page": (Answer(b"<html>Internal error</html>"), r"not a FITS file: it begins with '<html>Internal"),
    "words": (Answer(b"no such layer"), "not a FITS file: it begins with 'no such layer'"),
    "empty": (Answer(b""), "not a FITS file: it is empty"),
    "another object": (other(ra="150.2"), r"is of ra 150.2, dec 2.2, 359.7 arcsec from what was asked"),
    "another size": (other(size="15"), r"HDU 0 has shape \(4, 15, 15\), expected \(4, 16, 16\)"),
    "default bands": (other(bands="grzi"), "has the bands 'grzi', expected 'griz'"),
    "another scale": (other(pixscale="0.3"), "has 0.3000 arcsec per pixel, expected 0.2620"),
    "half": (Answer(WHOLE[:4000]), "truncated: HDU 0 needs 4096 bytes, 1120 are there"),
    "end missing": (Answer(WHOLE[:-100]), "truncated: the file ends inside a block"),
    "no bands": (Answer(WHOLE.replace(b"BAND3 ", b"BOND3 ")), "damaged header"),
    "cut off": (Answer(WHOLE, cut=3000), "the connection broke off"),
}


@pytest.mark.parametrize(("answer", "reason"), WRONG.values(), ids=WRONG)
def test_a_wrong_answer_is_asked_for_again_and_then_listed(server, tmp_path, answer, reason):
    server.fail("fits-cutout", answer)
    assert fetch(server, tmp_path, TARGET)[0].status == "done" and server.count() == 2
    (tmp_path / "cutouts" / "x.fits").unlink()
    server.fail("fits-cutout", *[answer] * 3)
    (outcome,) = fetch(server, tmp_path, TARGET)
    assert outcome.status == "failed" and not list((tmp_path / "cutouts").iterdir())
    with pytest.raises(RuntimeError, match=reason):
        raise RuntimeError(outcome.reason)


def test_a_cutout_of_another_place_is_replaced(server, tmp_path):
    fetch(server, tmp_path, TARGET)
    fetch(server, tmp_path, Target("x", 10.0, 2.2))
    assert LegacySurveyCutouts(tmp_path).read(tmp_path / "cutouts/x.fits")[0].ra == 10.0


@pytest.mark.shared_data
def test_a_real_cutout_is_what_was_asked(server, tmp_path, shared_data):
    real = (shared_data / "format-examples" / "decals_grz_cutout_509.fits").read_bytes()
    server.respond = lambda asked: Answer(real)
    place = Target("SDSS J2359+0042", 359.995016101289, 0.701752936331996)
    (outcome,) = fetch(server, tmp_path, place, size=509, bands="grz")
    assert outcome.status == "done" and outcome.size == len(real)
    (sample,) = LegacySurveyCutouts(tmp_path).read(tmp_path / outcome.file)
    assert sample.object_id == place.object_id and (sample.ra, sample.dec) == (place.ra, place.dec)


BAD = {
    "layer": ({"layer": "sdss"}, "images: 'sdss' cannot be fetched; there is: legacy-dr10, legacy-dr9, legacy-dr8"),
    "size": ({"size": 3001}, "cutouts.size is 3001, expected 1 to 3000 pixels"),
    "scale": ({"pixel_scale_arcsec": 0.0}, "cutouts.pixel_scale_arcsec is 0.0, expected more than 0"),
    "one band": ({"bands": "r"}, "cutouts.bands is 'r', expected two or more different bands"),
    "a band twice": ({"bands": "grr"}, "cutouts.bands is 'grr', expected two or more different bands"),
}


@pytest.mark.parametrize(("arguments", "message"), BAD.values(), ids=BAD)
def test_cutouts_that_there_are_none_of(server, tmp_path, arguments, message):
    with pytest.raises(UsageError, match=message):
        fetch(server, tmp_path, TARGET, **arguments)
