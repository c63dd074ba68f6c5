"""Encoders of stamps, of short light curves and of variable stars: they learn nothing, so each number has a meaning."""

import numpy as np
import pytest
import torch

from astroclip_kit.encoders import FoldedLightCurve, InterpolatedLightCurve, LightCurveStatistics, RingProfiles
from astroclip_kit.errors import InputError
from astroclip_kit.types import Modality

NAN = float("nan")
IMAGE = Modality("image", "image", ("science", "difference"), (2, 63, 63))
WITH_LIMITS = Modality(
    "lightcurve", "lightcurve", ("time", "value", "error", "band"), (-1, 4), "mag", (), ("g", "r", "g_limit", "r_limit")
)
G, R, G_LIMIT, R_LIMIT = range(4)


def stamp(sigma=2.0, flux=1000.0, noise=1.0):
    y, x = torch.meshgrid(torch.arange(63) - 31.0, torch.arange(63) - 31.0, indexing="ij")
    star = flux * torch.exp(-0.5 * (x**2 + y**2) / sigma**2)
    background = noise * torch.randn(1, 2, 63, 63, generator=torch.Generator().manual_seed(0))
    return star + background


def light_curve(*points):
    return torch.tensor([points], dtype=torch.float32)


def variable(period, shape, span=1500.0, points=300, scatter=0.02, seed=0):
    rng = np.random.default_rng(seed)
    time = np.sort(rng.uniform(0, span, points))
    value = 11 + shape(time / period % 1) + rng.normal(0, scatter, points)
    rows = np.stack([time, value, np.full(points, scatter), np.zeros(points)], axis=1)
    return torch.from_numpy(rows.astype(np.float32))[None]


def eclipses(phase):
    return 0.8 * (np.abs(phase - 0.2) < 0.05) + 0.4 * (np.abs(phase - 0.7) < 0.05)


def sine(phase):
    return 0.3 * np.sin(2 * np.pi * phase)


def test_rings_follow_the_width_of_a_source_and_not_the_way_it_is_turned():
    encoder = RingProfiles.for_modality(IMAGE)
    x = stamp()
    narrow, wide = encoder(x), encoder(stamp(4.0))
    torch.testing.assert_close(encoder(x.transpose(-1, -2).flip(-1)), narrow, rtol=1e-4, atol=1e-4)
    mean = narrow.reshape(2, -1)[:, :9]
    assert (mean.diff(dim=1)[:, :6] < 0.1).all() and mean[0, 0] == pytest.approx(np.arcsinh(950), rel=0.02)
    assert (wide.reshape(2, -1)[:, 4] > mean[:, 4] + 1).all()


def test_background_zero_point_and_missing_pixels_leave_a_profile_as_it_is():
    encoder = RingProfiles.for_modality(IMAGE)
    x = stamp()
    h = encoder(x).reshape(2, -1)
    other = encoder(50 * x + 300).reshape(2, -1)
    torch.testing.assert_close(other[:, :-1], h[:, :-1], rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(other[:, -1], h[:, -1] + np.log10(50), rtol=1e-3, atol=1e-3)
    x[..., 40:, :] = NAN
    assert (encoder(x).reshape(2, -1)[:, :4] - h[:, :4]).abs().max() < 0.1
    assert encoder(torch.full_like(x, NAN)).isfinite().all()


@pytest.mark.parametrize("edges", [(), (2, 2), (5, 3), (0, 2), (10, 31)])
def test_radii_that_make_no_rings_are_refused(edges):
    with pytest.raises(InputError, match=r"expected radii that ascend to at most 30.5 pixels"):
        RingProfiles(63, 1, edges)


def test_upper_limits_say_how_deep_nothing_was_seen_and_are_no_detection():
    encoder = LightCurveStatistics.for_modality(WITH_LIMITS, latest_bins=(15, 20))
    h = encoder(light_curve((0, 17.0, NAN, G_LIMIT), (10, 18.0, 0.1, R), (12, 18.4, 0.1, R), (14, 16.0, NAN, R_LIMIT)))
    g, r, g_limit, r_limit = h[0, :32].reshape(4, 8)
    assert not g.any() and h[0, 32:].tolist() == pytest.approx([0.32, 0.68])  # of 18.4, not of a limit that is brighter
    days = np.log1p([4, 2, 14, 14, 0, 0])
    assert r.tolist() == pytest.approx([1, np.log1p(2), *days[:2], -0.2, 0, -0.4, 0], abs=1e-5)
    assert g_limit.tolist() == pytest.approx([1, np.log1p(1), *days[2:4], -1.4, -1.4, -1.4, -1.4], abs=1e-5)
    assert r_limit.tolist() == pytest.approx([1, np.log1p(1), *days[4:], -2.4, -2.4, -2.4, -2.4], abs=1e-5)


def test_limits_alone_have_no_brightness():
    encoder = LightCurveStatistics.for_modality(WITH_LIMITS)
    h = encoder(light_curve((0, 20.0, NAN, G_LIMIT), (2, 20.5, NAN, G_LIMIT)))
    assert h.isfinite().all() and not h[0, 32:].any() and h[0, 16] == 1 and not h[0, 20:24].any()


@pytest.mark.parametrize("encoder_class", [InterpolatedLightCurve, FoldedLightCurve])
def test_limits_move_no_magnitude(encoder_class):
    encoder = encoder_class.for_modality(WITH_LIMITS)
    detections = variable(7.0, sine, span=60, points=40)
    limits = light_curve((1.0, 5.0, NAN, G_LIMIT), (30.0, 25.0, NAN, R_LIMIT))
    torch.testing.assert_close(encoder(torch.cat([detections, limits], dim=1)), encoder(detections))


@pytest.mark.parametrize(("period", "shape"), [(0.57, sine), (3.3, sine), (120.0, sine)])
def test_the_period_of_a_pulsating_star_is_found(period, shape):
    h = FoldedLightCurve()(variable(period, shape))[0]
    assert float(h[24:43] @ torch.linspace(-1.25, 3.25, 19)) == pytest.approx(np.log10(period), abs=0.01)
    curve = h[43:67]
    expected = 0.5 + 0.5 * torch.cos(2 * torch.pi * torch.arange(24) / 24)  # from the faintest phase
    assert (curve - expected).abs().max() < 0.15


def test_the_two_eclipses_of_a_binary_differ_at_twice_the_period():
    h = FoldedLightCurve()(variable(2.7, eclipses, points=600))[0]
    half, whole = h[43:67], h[68:92]
    assert float(10 ** (h[24:43] @ torch.linspace(-1.25, 3.25, 19))) == pytest.approx(1.35, rel=0.02)
    assert half[8:16].max() < 0.2 and 0.3 < whole[10:15].max() < 0.8 and whole[0] == 1


def test_brightness_does_not_enter_and_noise_has_little_power():
    encoder = FoldedLightCurve()
    x = variable(0.57, sine)
    shifted = x + torch.tensor([0.0, 3.0, 0.0, 0.0])
    torch.testing.assert_close(encoder(shifted), encoder(x), rtol=1e-2, atol=1e-2)
    flat = encoder(variable(1.0, lambda phase: 0 * phase))[0]
    assert flat[:24].max() < 0.2 < 0.9 < encoder(x)[0, :24].max()
    assert flat[93] == pytest.approx(np.log10(0.02), abs=0.1) and flat[94].abs() < 0.1


def test_too_few_points_give_zeros():
    encoder = FoldedLightCurve()
    assert not encoder(variable(1.0, sine, points=7)).any()
    assert not encoder(torch.full((2, 20, 4), NAN)).any()
    same = torch.ones(1, 20, 4) * torch.tensor([1.0, 1.0, 1.0, 0.0])
    assert not encoder(same).any()


def test_what_does_not_fit_is_refused():
    for encoder in (FoldedLightCurve(), LightCurveStatistics(("g",))):
        with pytest.raises(
            InputError, match=r"light curves are \[B, T, 4\] of time, value, error, band, or wider .*found \(1, 4\)"
        ):
            encoder(torch.ones(1, 4))
    with pytest.raises(InputError, match=r"images have shape \(1, 3, 63, 63\), expected \[B, 2, at least 63"):
        RingProfiles.for_modality(IMAGE)(torch.ones(1, 3, 63, 63))
    with pytest.raises(InputError, match="RingProfiles encodes data of kind 'image', and 'lightcurve' is of kind"):
        RingProfiles.for_modality(WITH_LIMITS)
