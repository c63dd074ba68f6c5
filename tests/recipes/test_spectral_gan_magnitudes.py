"""What the star / QSO experiment makes of magnitudes that are missing, and of those of test objects."""

from types import SimpleNamespace

import numpy as np
import pytest

from astroclip_kit.recipes.spectral_gan_judging import _by_magnitudes, _information, _magnitudes, _no_magnitudes


def with_magnitudes(labels):
    """A seed of ten objects of two classes, of which these are the labels."""
    rows = {"train": np.arange(8), "test": np.arange(8, 10)}
    return SimpleNamespace(
        seed=0,
        experiment={"magnitudes": ["mag_u", "mag_g"]},
        settings=SimpleNamespace(class_weights="balanced"),
        dataset=SimpleNamespace(labels=labels),
        divided=(("qso", "star"), np.arange(10) % 2, rows),
    )


def test_objects_that_lack_a_magnitude_have_the_median_of_training_objects_and_are_marked():
    u, g = np.arange(10.0), np.full(10, 5.0)
    u[3], u[9] = np.nan, np.inf
    one = with_magnitudes({"mag_u": u, "mag_g": g})
    found = _magnitudes(one)
    assert found.shape == (10, 4) and np.isfinite(found).all() and _no_magnitudes(one) == ""
    assert found[3].tolist() == found[9].tolist() == [4.0, 5.0, -1.0, 1.0]  # the median of 0, 1, 2, 4, 5, 6, 7
    assert found[2].tolist() == [2.0, 5.0, -3.0, 0.0]
    assert np.isfinite(_by_magnitudes(one)(np.arange(8, 10))).all()


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        ({"mag_u": np.ones(10)}, "the data have no mag_g"),
        ({"mag_u": np.ones(10), "mag_g": np.full(10, np.nan)}, "no training object has mag_g"),
    ],
)
def test_magnitudes_that_the_data_lack_are_not_run_and_the_reason_is_kept(labels, reason):
    one = with_magnitudes(labels)
    assert _magnitudes(one) is _by_magnitudes(one) is None and _no_magnitudes(one) == reason
    one.experiment["magnitudes"] = []
    assert _no_magnitudes(one) == "experiment.magnitudes names none"


def test_magnitudes_are_standardised_by_training_objects():
    rng = np.random.default_rng(0)
    labels = {"mag_u": rng.normal(size=10), "mag_g": rng.normal(size=10)}
    seen = []
    for far in (0.0, 1000.0):
        one = with_magnitudes({name: value + far * (np.arange(10) == 9) for name, value in labels.items()})
        found = SimpleNamespace(one=one, rows=one.divided[2], image=np.zeros((10, 1)))
        found.explained = lambda x, judged: seen.append(x) or 0.0
        source = {"seed": 0, "dataset": "sky", "origin": "mock"}
        assert [result.query for result in _information(found, np.arange(8, 10), source)] == ["image", "magnitudes"]
    np.testing.assert_allclose(seen[1][:9], seen[3][:9])
