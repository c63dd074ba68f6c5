"""AstroM3's preprocessing of light curves against a loop that follows its steps one by one."""

import numpy as np
import pytest
import torch
from astrom3_release import photometry_steps

from astroclip_kit.contracts import check_augmentation, random_views
from astroclip_kit.errors import InputError, UsageError
from astroclip_kit.transforms import LightCurveSteps, RandomWindow
from astroclip_kit.transforms.lightcurves import is_padding, pad
from astroclip_kit.types import LIGHTCURVE_CHANNELS, Modality

NAMES = ("amplitude", "period", "lksl_statistic", "rfr_score")
NAN = float("nan")


def curve(points, seed=0, covariates=(0.3, 2.5, 0.9, 0.8), magnitudes=True):
    """A light curve [points, 4 + C] in one band."""
    rng = np.random.default_rng(seed)
    time = np.sort(rng.uniform(0, 1500, points)) + 30
    value = (13 if magnitudes else 5) + rng.normal(0, 0.4, points)
    rows = [time, value, rng.uniform(0.01, 0.05, points), np.zeros(points), *(np.full(points, c) for c in covariates)]
    return np.stack(rows, axis=1).astype(np.float32)


def published(view, length, start=None):
    """What the release makes of a light curve without a hazard; NaN where it pads with 0."""
    numbers = view[0, 4:].astype(np.float64)
    numbers[1:2] = np.log10(numbers[1:2])
    steps = photometry_steps(view[:, :3], numbers, length, start)
    return np.concatenate([steps, np.full((length - len(steps), steps.shape[1]), NAN, np.float32)])


def steps(views, **settings):
    return LightCurveSteps(**settings)(torch.from_numpy(pad(views))).numpy()


@pytest.mark.parametrize("points", [2, 3, 199, 200, 201, 202, 555])
@pytest.mark.parametrize("magnitudes", [True, False])
def test_the_steps_are_those_of_the_release(points, magnitudes):
    views = [curve(points, seed, magnitudes=magnitudes) for seed in range(3)] + [curve(77)]
    for got, view in zip(steps(views), views, strict=True):
        np.testing.assert_allclose(got, published(view, 200), rtol=2e-5, atol=2e-6)


def test_unsorted_and_repeated_measurements_change_nothing():
    view = curve(230)
    mixed = np.concatenate([view, view[40:90], view[3:4], view[3:4]])
    mixed = mixed[np.random.default_rng(1).permutation(len(mixed))]
    got = steps([mixed, curve(50, 1)])
    np.testing.assert_allclose(got[0], published(mixed, 200), rtol=2e-5, atol=2e-6)
    np.testing.assert_array_equal(got[0], steps([view])[0])


def test_measurements_of_one_time_are_no_duplicates_unless_all_is_the_same():
    view = curve(6)
    view[1:4, 0] = view[1, 0]
    view[1:4, 1], view[1:4, 2] = [12, 13, 12], 0.02
    got = steps([view], length=6)[0]
    np.testing.assert_allclose(got, published(view, 6), rtol=2e-5, atol=2e-6)
    assert np.isfinite(got[:, 0]).sum() == 5
    other_band = view.copy()
    other_band[3, 3] = 1
    assert np.isfinite(steps([other_band], length=6, bands=2)[0, :, 0]).all()
    unknown_error = view.copy()
    unknown_error[1:4, 2] = NAN
    assert np.isfinite(steps([unknown_error], length=6)[0, :, 0]).sum() == 5


def test_hazards_of_the_scaling():
    same, mostly_same, single = curve(5), curve(5), curve(1)
    same[:, 1], mostly_same[:, 1] = 13.0, [13, 13, 13, 13, 14]
    got = steps([same, mostly_same, single], length=5)
    assert (got[0, :, 1] == 0).all() and (got[0, :, 7] == 0).all()
    np.testing.assert_allclose(got[0, :, 2], same[:, 2])
    np.testing.assert_allclose(got[1, :, 1], (mostly_same[:, 1] - 13.2) / 0.2, rtol=1e-5)
    np.testing.assert_allclose(got[1, :, 7], np.log10(0.2), rtol=1e-5)
    np.testing.assert_allclose(got[2, 0, (0, 1, 7, 8)], 0)
    assert got[2, 0, 2] == single[0, 2] and np.isnan(got[2, 1:]).all()


def test_errors_that_are_missing_are_zero_and_rows_without_a_value_do_not_count():
    view = curve(9)
    view[2, 2], view[3, 2], view[4, 2] = NAN, -1, np.inf
    got = steps([view], length=9)[0]
    assert (got[2:5, 2] == 0).all() and np.isfinite(got).all()
    holes = np.insert(view, [0, 4, 9], np.full(8, NAN, np.float32), axis=0)
    holes[5, 0] = 4000.0
    np.testing.assert_array_equal(steps([holes], length=9)[0], got)


def test_nothing_measured_is_padding():
    empty = LightCurveSteps(4)(torch.full((2, 3, 8), NAN))
    assert empty.shape == (2, 4, 9) and empty.isnan().all()
    assert LightCurveSteps(4)(torch.zeros(2, 0, 8)).isnan().all()
    assert LightCurveSteps(4)(torch.zeros(0, 3, 8)).shape == (0, 4, 9)


def test_long_light_curves_are_cut_a_few_at_a_time(monkeypatch):
    views = [curve(points, points) for points in (2, 3000, 40, 1, 700)]
    whole = steps(views)
    x, seeds = torch.from_numpy(pad(views)), torch.arange(5)
    moved = RandomWindow()(x, seeds)
    monkeypatch.setattr("astroclip_kit.transforms.chronology.AT_ONCE", 100)
    np.testing.assert_array_equal(steps(views), whole)
    torch.testing.assert_close(RandomWindow()(x, seeds), moved, rtol=0, atol=0, equal_nan=True)


def test_a_hundred_thousand_points_and_two():
    views = [curve(100_000), curve(2)]
    for got, view in zip(steps(views), views, strict=True):
        np.testing.assert_allclose(got, published(view, 200), rtol=3e-5, atol=3e-6)


def test_covariates_are_standardised_by_training_objects():
    rng = np.random.default_rng(0)
    numbers = np.column_stack([rng.uniform(0, 1, 40), rng.lognormal(0, 1, 40), rng.normal(size=(40, 2))])
    numbers[3, 0], numbers[4, 1], numbers[5, 1] = NAN, 0.0, -3
    x = torch.from_numpy(pad([curve(9, covariates=row) for row in numbers]))
    measured = LightCurveSteps(9).measured_on(x)
    assert measured.measured_on(2 * x) == measured and LightCurveSteps(covariates=(), log=()).measured_on(x).mean == ()
    got = measured(x)[:, 0, 3:7].numpy()
    with np.errstate(invalid="ignore", divide="ignore"):
        numbers[:, 1] = np.where(numbers[:, 1] > 0, np.log10(numbers[:, 1]), NAN)
    expected = (numbers - np.nanmean(numbers, axis=0)) / np.nanstd(numbers, axis=0)
    np.testing.assert_allclose(got, np.nan_to_num(expected), rtol=1e-4, atol=1e-5)
    assert (got[[3, 4, 5], [0, 1, 1]] == 0).all()
    scaled = LightCurveSteps(9, ("scaled_period", "rfr_score", "a", "b"), ()).measured_on(x)
    assert (scaled.mean[0], scaled.std[0]) == (0, 1) and scaled.mean[1] != 0


def test_bands_follow_the_other_features():
    view = curve(5, covariates=())
    view[:, 3] = [0, 2, 1, 0, 2]
    modality = Modality("c", "lightcurve", LIGHTCURVE_CHANNELS, (-1, 4), "mag", bands=("g", "r", "i"))
    transform = LightCurveSteps.for_modality(modality, length=6)
    got = transform(torch.from_numpy(pad([view])))[0]
    assert got.shape == (6, transform.out_channels) == (6, 8)
    np.testing.assert_array_equal(got[:5, 5:], np.eye(3)[[0, 2, 1, 0, 2]])
    channels = (*LIGHTCURVE_CHANNELS, *NAMES)
    one = LightCurveSteps.for_modality(Modality("c", "lightcurve", channels, (-1, 8), "mag", bands=("V",)))
    assert one == LightCurveSteps() and one.out_channels == 9


def test_a_light_curve_does_not_depend_on_its_batch():
    views = [curve(points, points) for points in (400, 30, 201)]
    views[1] = views[1][::-1].copy()
    whole = steps(views)
    for row, view in enumerate(views):
        np.testing.assert_array_equal(steps([view])[0], whole[row])


@pytest.mark.parametrize("points", [20, 21, 35])
def test_every_window_is_drawn_and_the_scaling_stays(points):
    view = curve(points)
    x = torch.from_numpy(pad([view] * 800, length=40))
    drawn = RandomWindow(20)(x, torch.arange(800))
    assert drawn.shape == x.shape and torch.equal(is_padding(drawn).sum(1), is_padding(x).sum(1))
    got = LightCurveSteps(20)(drawn).numpy()
    windows = {start: published(view, 20, start) for start in range(points - 20 + 1)}
    starts = np.abs(published(view, points)[:, 0] - got[:, :1, 0]).argmin(axis=1)
    assert set(starts.tolist()) == set(windows)  # the first and the last too
    for start, window in windows.items():
        np.testing.assert_allclose(got[starts == start][0], window, rtol=2e-5, atol=2e-6)
    assert np.bincount(starts).min() > 0.5 * 800 / len(windows)


def test_a_window_is_the_same_whatever_is_beside_it_and_after_duplicates():
    view = curve(300)
    seeds = torch.arange(7)
    x = torch.from_numpy(pad([view] * 7))
    mixed = np.concatenate([view, view[100:180]])[np.random.default_rng(0).permutation(380)]
    many = torch.from_numpy(pad([mixed] * 7))
    window, transform = RandomWindow(), LightCurveSteps()
    torch.testing.assert_close(transform(window(many, seeds)), transform(window(x, seeds)), rtol=0, atol=0)
    torch.testing.assert_close(window(x, seeds)[4:5], window(x[4:5], seeds[4:5]), rtol=0, atol=0)
    thinned = window(x, seeds)
    thinned[:, ::3] = NAN
    got = transform(thinned)[:, :, 0]
    assert (got.diff(dim=1) > 0).all()  # never a window that wraps around


def test_windows_as_an_augmentation():
    modality = Modality("c", "lightcurve", LIGHTCURVE_CHANNELS, (-1, 4), "mag", bands=("V",))
    assert check_augmentation(RandomWindow(20), modality) == modality
    x = random_views(modality, 2)
    shuffled = x[:, torch.randperm(32, generator=torch.Generator().manual_seed(0))]
    torch.testing.assert_close(RandomWindow(32)(shuffled, torch.arange(2)), x)
    assert RandomWindow(3)(torch.zeros(2, 0, 4), torch.arange(2)).shape == (2, 0, 4)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: LightCurveSteps(0), UsageError, "a length of at least 1 and the log10 of covariates; found 0"),
        (lambda: LightCurveSteps(covariates=("a",)), UsageError, "found 200, and log period of a"),
        (lambda: LightCurveSteps(mean=(1.0,)), UsageError, "one number for each of 4 columns.* found 1 and 0"),
        (lambda: LightCurveSteps(mean=[0] * 4, std=[1, 1, 0, 1]), UsageError, "std 0 and more"),
        (lambda: LightCurveSteps()(torch.zeros(2, 5, 4)), InputError, r"takes \[B, T, 8\] of .*rfr_score; found"),
        (lambda: RandomWindow(0), UsageError, "RandomWindow length is 0, expected at least 1"),
        (lambda: RandomWindow()(torch.zeros(2, 3), torch.arange(2)), InputError, r"light curves \[B, T, 4 or more\]"),
        (
            lambda: LightCurveSteps.for_modality(Modality("t", "table", ("a",), (1,))),
            InputError,
            "LightCurveSteps takes light curves, and 't' is of kind 'table'",
        ),
    ],
)
def test_what_cannot_be_done(call, error, words):
    with pytest.raises(error, match=words):
        call()
