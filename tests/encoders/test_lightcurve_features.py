import pickle
import sys

import numpy as np
import pytest
import torch

from astroclip_kit.encoders import LightCurveFeatures, lightcurve_features
from astroclip_kit.errors import InputError, UsageError
from astroclip_kit.types import LIGHTCURVE_CHANNELS, Modality


def variable(period=5.0, amplitude=0.3, mean=14.0, points=200, seed=0):
    rng = np.random.default_rng(seed)
    time = np.sort(rng.uniform(0, 300, points))
    value = mean + amplitude * np.sin(2 * np.pi * time / period) + 0.01 * rng.normal(size=points)
    rows = np.stack([time, value, np.full(points, 0.01), np.zeros(points)], axis=1)
    return torch.from_numpy(rows).float()[None]


def names():
    return [*lightcurve_features._statistics().names]


def test_statistics_are_those_of_the_package_and_the_period_is_found():
    x = variable()
    features = LightCurveFeatures()(x)[0].numpy()
    found = dict(zip(names(), features[:34], strict=True))
    value = x[0, :, 1].double().numpy()
    assert found["amplitude"] == pytest.approx(np.arcsinh(np.ptp(value) / 2), rel=1e-4)
    assert found["standard_deviation"] == pytest.approx(np.arcsinh(np.std(value, ddof=1)), rel=1e-4)
    assert 10 ** features[34] == pytest.approx(5, rel=1e-3) and features[35] > 0.99
    assert features[36] == pytest.approx(2**0.5, rel=0.05)  # of the sine, in units of the scatter


def test_brightness_upper_limits_and_covariates_do_not_enter():
    x = variable()
    encoder = LightCurveFeatures(("V", "V_limit"))
    limits = x[:, :50].clone()
    limits[..., 1:] += torch.tensor([5.0, 0.0, 1.0])
    wide = torch.cat([torch.cat([x, limits], dim=1), torch.ones(1, 250, 2)], dim=2)
    plain = LightCurveFeatures()(x)
    torch.testing.assert_close(encoder(wide), plain)
    torch.testing.assert_close(LightCurveFeatures()(variable(mean=9.0)), plain, rtol=1e-2, atol=2e-3)


def test_bands_are_side_by_side_and_a_band_without_points_is_0():
    x = variable()
    x[:, 100:, 3] = 1
    features = LightCurveFeatures(("g", "r", "i"))(x)[0].reshape(3, -1)
    assert features[0].any() and features[1].any() and not features[2].any()
    alone = x[:, 100:].clone()
    alone[..., 3] = 0
    torch.testing.assert_close(features[1], LightCurveFeatures()(alone)[0])


def test_empty_constant_and_repeated_measurements_are_finite():
    x = variable()
    constant, empty, once = x.clone(), torch.full_like(x, torch.nan), x.clone()
    constant[..., 1] = 14.0
    once[..., 0] = 3.0
    for strange in (constant, empty, once):
        assert not LightCurveFeatures()(strange).any()
    no_errors = x.clone()
    no_errors[..., 2] = torch.nan
    twice = torch.cat([x, x], dim=1)
    assert LightCurveFeatures()(no_errors).isfinite().all()
    torch.testing.assert_close(LightCurveFeatures()(twice), LightCurveFeatures()(x))


def test_says_what_it_takes_and_needs(monkeypatch):
    with pytest.raises(InputError, match="LightCurveFeatures encodes data of kind 'lightcurve', and 'table' is of"):
        LightCurveFeatures.for_modality(Modality("table", "table", ("u",), (1,)))
    with pytest.raises(InputError, match="light curves are"):
        LightCurveFeatures()(torch.zeros(2, 3))
    lightcurve_features._statistics.cache_clear()
    monkeypatch.setitem(sys.modules, "light_curve", None)
    with pytest.raises(UsageError, match=r"light-curve is not installed: pip install astroclip_kit\[baselines\]"):
        LightCurveFeatures()


def test_travels_to_worker_processes():
    modality = Modality("lightcurve", "lightcurve", LIGHTCURVE_CHANNELS, (-1, 4), "mag", bands=("V",))
    encoder = LightCurveFeatures.for_modality(modality, highest_frequency=2.0)
    torch.testing.assert_close(pickle.loads(pickle.dumps(encoder))(variable()), encoder(variable()))
