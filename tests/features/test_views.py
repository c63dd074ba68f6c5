import numpy as np
import pytest
import torch
from fake_survey import Mean, run
from torch import nn

from astroclip_kit.data.splits import divide
from astroclip_kit.encoders import TabularMLP
from astroclip_kit.errors import InputError
from astroclip_kit.features.matrix import MatrixWriter
from astroclip_kit.settings import Split
from astroclip_kit.storage import hash_ids
from astroclip_kit.transforms import GaussianNoise
from astroclip_kit.transforms.randomness import object_seeds

HALF = Split(test=0.5, valid=0.0)


def test_views_are_augmented_per_object_except_the_first(survey, tmp_path):
    encoder, drawn = Mean(), {"augmentations": {"image": GaussianNoise(0.5)}, "views": 3, "seed": 4}
    features = run(survey, {"image": encoder, "table": TabularMLP(2, 5)}, tmp_path / "features", **drawn)
    present = survey.present("image")
    x = torch.from_numpy(survey.values["image"][present])
    assert (features.views("image"), features.views("table")) == (3, 1)
    for view in range(3):
        seeds = object_seeds(4, view, hash_ids(survey.object_ids[present]))
        expected = GaussianNoise(0.5)(x, seeds) if view else x
        np.testing.assert_allclose(
            features.matrix("image", view)[present], encoder.expected(expected.numpy()), atol=1e-3
        )


def test_more_views_keep_those_that_are_there(survey, tmp_path):
    encoder, drawn = {"image": Mean()}, {"augmentations": {"image": GaussianNoise(0.5)}}
    one = len(np.flatnonzero(survey.present("image")))
    run(survey, encoder, tmp_path / "features", views=2, **drawn)
    run(survey, encoder, tmp_path / "features", views=4, **drawn)
    assert len(survey.rows_read("image")) == 2 * one
    run(survey, encoder, tmp_path / "features", views=4, seed=1, **drawn)
    assert len(survey.rows_read("image")) == 3 * one


class Smaller:
    """Leaves the last rows and columns of an image out."""

    def __call__(self, x, seeds):
        return x[..., :-4, :-6]


def test_the_training_side_alone_may_be_augmented(survey, tmp_path):
    drawn = {"augmentations": {"image": GaussianNoise(0.5)}, "views": 3, "seed": 4}
    every = run(survey, {"image": Mean()}, tmp_path / "every", **drawn)
    features = run(survey, {"image": Mean()}, tmp_path / "features", augmented=HALF, **drawn)
    train, present = divide(survey, HALF) == "train", survey.present("image")
    assert 5 < (train & present).sum() < present.sum() - 5
    rows = survey.rows_read("image")
    assert len(rows) == present.sum() + 2 * (train & present).sum()
    for view in range(3):
        side = present & train
        assert np.array_equal(features.matrix("image", view)[side], every.matrix("image", view)[side])
        side = present & ~train
        assert np.array_equal(features.matrix("image", view)[side], features.matrix("image", 0)[side])
    assert features.manifest["augmented"]["test"] == 0.5 and every.manifest["augmented"] is None


def test_another_side_is_another_feature_and_the_observed_view_stays(survey, tmp_path):
    drawn = {"augmentations": {"image": GaussianNoise(0.5)}, "views": 2}
    run(survey, {"image": Mean()}, tmp_path / "features", **drawn)
    run(survey, {"image": Mean()}, tmp_path / "features", augmented=HALF, **drawn)
    trained = np.flatnonzero(survey.present("image") & (divide(survey, HALF) == "train"))
    assert survey.rows_read("image") == trained.tolist()
    run(survey, {"image": Mean()}, tmp_path / "features", augmented=HALF, **drawn)
    assert survey.reads == []


def test_an_interrupted_copy_of_the_observed_view_goes_on(survey, tmp_path, monkeypatch):
    drawn = {"augmentations": {"image": GaussianNoise(0.5)}, "views": 2, "augmented": HALF}
    whole = run(survey, {"image": Mean()}, tmp_path / "whole", **drawn)
    read = MatrixWriter.read

    def stops(self, rows):
        for first in read(self, rows, 3):
            yield first
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(MatrixWriter, "read", stops)
        with pytest.raises(KeyboardInterrupt):
            run(survey, {"image": Mean()}, tmp_path / "features", **drawn)
    features = run(survey, {"image": Mean()}, tmp_path / "features", **drawn)
    assert survey.reads == []
    for view in range(2):
        assert np.array_equal(features.matrix("image", view), whole.matrix("image", view))


def test_what_is_not_finite_stays_so_in_the_views_of_others(survey, tmp_path):
    present, sides = survey.present("image"), divide(survey, HALF)
    row = np.flatnonzero(present & (sides != "train"))[0]
    survey.values["image"][row, 0, 0, 0] = 77.0
    drawn = {"augmentations": {"image": GaussianNoise(0.5)}, "views": 2, "augmented": HALF}
    with pytest.warns(UserWarning, match="not finite for 1 of"):
        features = run(survey, {"image": Mean(bad=[77.0])}, tmp_path / "features", **drawn)
    assert not features.matrix("image", 1)[row].any() and not features.present("image")[row]


def test_views_may_be_smaller_if_the_encoder_takes_them(survey, tmp_path):
    drawn = {"augmentations": {"image": Smaller()}, "views": 2}
    features = run(survey, {"image": Mean()}, tmp_path / "features", **drawn)
    present = survey.present("image")
    expected = Mean().expected(survey.values["image"][present][..., :-4, :-6])
    np.testing.assert_allclose(features.matrix("image", 1)[present], expected, atol=1e-3)
    fixed = nn.Sequential(nn.Flatten(), nn.Linear(3 * 16 * 16, 2))
    fixed.out_features = 2
    with pytest.raises(InputError, match=r"Sequential cannot encode 'image': .*multiplied"):
        run(survey, {"image": fixed}, tmp_path / "fixed", **drawn)
