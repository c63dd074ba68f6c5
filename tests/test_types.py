from dataclasses import replace

import numpy as np
import pytest
import torch

import astroclip_kit as ak
from astroclip_kit.contracts import check_encoder, check_reader, check_sample, random_views
from astroclip_kit.errors import FileError, InputError
from astroclip_kit.types import LIGHTCURVE_CHANNELS, Batch, Drop, Modality, Sample

SPECTRUM = Modality("spectrum", "spectrum", ("flux", "ivar"), (2, 3), "", (1.0, 2.0, 3.0))


def sample(view, name="spectrum"):
    return Sample("a", {name: view})


def test_modality_survives_json():
    import json

    curve = Modality("lc", "lightcurve", ("time", "value", "error", "band"), (-1, 4), "mag", bands=("g", "r"))
    for modality in (SPECTRUM, curve):
        assert Modality.from_dict(json.loads(json.dumps(modality.to_dict()))) == modality
    assert curve.ragged and not SPECTRUM.ragged


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("x", "sound", ("a",), (1,)), "kind 'sound' is not one of"),
        (("x", "image", ("g", "r"), (3, 8, 8)), "no image of 2 channels has shape"),
        (("x", "spectrum", ("flux",), (1, 3), "", (1.0,)), "1 wavelengths in the grid for 3 pixels"),
    ],
)
def test_modality_refuses_what_contradicts_itself(arguments, words):
    with pytest.raises(InputError, match=words):
        Modality(*arguments)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (sample(np.zeros((2, 3), np.float32), "image"), "has no view 'spectrum'"),
        (sample(np.zeros((3, 2), np.float32)), r"has shape \(3, 2\), expected \(2, 3\)"),
        (sample(np.zeros((2, 3))), "is float64, expected float32"),
        (sample(np.full((2, 3), np.nan, np.float32)), "holds no finite value"),
    ],
)
def test_check_sample_says_what_is_wrong(given, words):
    with pytest.raises(InputError, match=words):
        check_sample(given, SPECTRUM)


class Reader:
    modality = SPECTRUM

    def __init__(self, items):
        self.items = items

    def files(self):
        return list(range(len(self.items)))

    def read(self, path):
        return [self.items[path]]


@pytest.mark.parametrize(
    ("items", "words"),
    [
        ([], "finds no files"),
        ([Drop("a", "bad")], "gives no sample"),
        ([sample(np.zeros((2, 4), np.float32))], "has shape"),
    ],
)
def test_check_reader_says_what_is_wrong(items, words):
    with pytest.raises(InputError, match=words):
        check_reader(Reader(items))
    with pytest.raises(InputError, match="it has no 'modality'"):
        check_reader(object())


def spectrum(flux, ivar):
    return {"views": {"spectrum": np.array([flux, ivar], np.float32)}}


FAULTS = {
    "wavelengths do not ascend": ({"grid": (3.0, 2.0, 1.0)}, {}),
    "'blorp' is no unit that astropy knows": ({"unit": "blorp"}, {}),
    "its id is 123, expected text": ({}, {"object_id": 123}),
    "its id is ' a', expected text": ({}, {"object_id": " a"}),
    "its group is 5, expected text": ({}, {"group": 5}),
    "ra 400.0, dec 0.0 are no degrees": ({}, {"ra": 400.0, "dec": 0.0}),
    "ra 10.0, dec nan are no degrees": ({}, {"ra": 10.0}),
    "label 'z' is nan, expected a number or text": ({}, {"labels": {"z": float("nan")}}),
    "label 'z' is None, expected": ({}, {"labels": {"z": None}}),
    "channel 'ivar' of view 'spectrum' is negative": ({}, spectrum([1, 1, 1], [1, -1, 1])),
    "or 0 everywhere": ({}, spectrum([1, 1, 1], [0, 0, 0])),
    "view 'spectrum' holds NaN": ({}, spectrum([1, np.nan, 1], [1, 1, 1])),
    "is not contiguous": ({}, {"views": {"spectrum": np.ones((3, 2), np.float32).T}}),
}


@pytest.mark.parametrize("words", FAULTS)
def test_check_reader_finds_what_ingest_would_take(words):
    of_modality, of_sample = FAULTS[words]
    reader = Reader([replace(sample(np.ones((2, 3), np.float32)), **of_sample)])
    reader.modality = replace(SPECTRUM, **of_modality)
    with pytest.raises(InputError, match=words):
        check_reader(reader)


def test_check_reader_asks_for_light_curves_in_order_and_unique_ids():
    rows = np.array([[0, 1, 1, 0], [2, 1, 1, 0], [1, 1, 1, 0]], np.float32)
    reader = Reader([Sample("a", {"lightcurve": rows})])
    channels = ("time", "value", "error", "band")
    reader.modality = Modality("lightcurve", "lightcurve", channels, (-1, 4), bands=("g",))
    with pytest.raises(InputError, match="not in order of time, or has a band that is none of g"):
        check_reader(reader)
    reader.items = [Sample("a", {"lightcurve": np.sort(rows, axis=0)})] * 2
    with pytest.raises(InputError, match="gives the id 'a' to several samples"):
        check_reader(reader)
    assert ak.check_reader is check_reader


def test_check_reader_accepts_a_good_one():
    check_reader(Reader([Drop("x", "bad"), sample(np.ones((2, 3), np.float32))]))


class MeanEncoder(torch.nn.Module):
    def __init__(self, out_features=4, given=4, value=1.0):
        super().__init__()
        self.out_features, self.given, self.value = out_features, given, value

    def forward(self, x):
        return x.new_full((len(x), self.given), self.value)


@pytest.mark.parametrize(
    ("encoder", "words"),
    [
        (MeanEncoder(given=5), r"gives \(2, 5\) for 2 views"),
        (MeanEncoder(value=float("nan")), "not finite"),
        (torch.nn.Sequential(), "is no encoder"),
    ],
)
def test_check_encoder_says_what_is_wrong(encoder, words):
    with pytest.raises(InputError, match=words):
        check_encoder(encoder, SPECTRUM)


def test_check_encoder_reports_a_failing_forward_and_keeps_the_mode():
    encoder = MeanEncoder()
    check_encoder(encoder, SPECTRUM)
    assert encoder.training
    encoder.preprocess = lambda x: x.reshape(7)
    with pytest.raises(InputError, match="MeanEncoder cannot encode 'spectrum'"):
        check_encoder(encoder, SPECTRUM)


def test_batch_counts_rows_and_moves_only_tensors():
    batch = Batch(["a", "b"], ["a", "b"], {"x": torch.ones(1, 2)}, {"x": torch.tensor([1])})
    moved = batch.to("meta")
    assert len(moved) == 2 and moved.views["x"].is_meta and not batch.views["x"].is_meta


def test_a_file_error_travels_between_processes():
    import pickle

    error = pickle.loads(pickle.dumps(FileError("a.fits", "is empty")))
    assert str(error) == "a.fits: is empty" and error.problem == "is empty"


def test_a_spectrum_has_flux_inverse_variance_and_its_covariates():
    plain = Modality("s", "spectrum", ("flux", "ivar", "phase_day"), (3, 2), "Jy", (4000.0, 4001.0))
    assert Modality.spectrum("s", [4000, 4001], "Jy", ["phase_day"]) == plain
    assert plain.covariates == ("phase_day",)


def test_a_light_curve_may_have_covariates_after_its_four_columns():
    channels = (*LIGHTCURVE_CHANNELS, "period")
    curve = Modality("c", "lightcurve", channels, (-1, 5), "mag", bands=("g", "r"))
    assert curve.covariates == ("period",) and Modality.from_dict(curve.to_dict()) == curve
    assert replace(curve, channels=LIGHTCURVE_CHANNELS, shape=(-1, 4)).covariates == ()
    x = random_views(curve, 3)
    assert x.shape == (3, 32, 5) and (x[..., 4] == x[:, :1, 4]).all() and x[:, 0, 4].unique().numel() == 3
    with pytest.raises(InputError, match="no lightcurve of 5 channels has shape"):
        replace(curve, shape=(-1, 4))
