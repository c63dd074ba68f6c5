import numpy as np
import pytest

from astroclip_kit.mock.cadence import FAINTEST, FIRST_NIGHT, SPAN_DAYS, draw_epochs, measure, visual_error
from astroclip_kit.mock.eclipses import draw_orbits, eclipse_light, roche_radius
from astroclip_kit.mock.light_curve_features import catalogue_periods, features
from astroclip_kit.mock.long_period import draw_wander, long_period_light
from astroclip_kit.mock.pulsation import draw_pulsation, pulsation
from astroclip_kit.mock.spots import draw_spots, spot_light
from astroclip_kit.mock.variable_population import draw_variables

PHASE = np.linspace(0, 1, 400, endpoint=False)


@pytest.fixture(scope="module")
def stars():
    return draw_variables(6000, np.random.default_rng(5))


def of(rows, index):
    """One row's values for every point."""
    return {name: np.repeat(values[index : index + 1], len(PHASE), axis=0) for name, values in rows.items()}


def folded(stars, kind, most=60):
    """Light curves [N, phase] of eclipsing binaries of a class."""
    rows = np.flatnonzero(stars["class"] == kind)[:most]
    return np.array([eclipse_light(of(stars, row), PHASE) for row in rows])


def test_roche_lobes_are_those_of_eggleton():
    ratio = np.array([0.1, 1.0, 10.0])
    np.testing.assert_allclose(roche_radius(ratio), [0.2054, 0.3789, 0.5782], atol=2e-3)


def test_detached_pairs_are_flat_out_of_eclipse_and_contact_ones_never(stars):
    detached, contact = folded(stars, "EA"), folded(stars, "EW")

    def still(curves):
        """Share of the phases within a fiftieth of a magnitude of the brightest."""
        return np.mean(curves < np.quantile(curves, 0.02, axis=1, keepdims=True) + 0.02, axis=1)

    assert np.median(still(detached)) > 0.6 > 0.35 > np.median(still(contact))


def test_minima_of_contact_pairs_are_alike_and_those_of_near_ones_are_not(stars):
    def difference(curves):
        first, second = (curves[:, near].max(axis=1) for near in (slice(0, 20), slice(190, 210)))
        return np.median(np.abs(first - second) / np.maximum(first, second))

    assert difference(folded(stars, "EW")) < 0.3 < 0.35 < difference(folded(stars, "EB"))


def test_a_total_eclipse_of_equal_stars_takes_half_of_the_light():
    pair = {"eccentricity": 0.0, "argument": 0.0, "cos_inclination": 0.0, "radius_1": 0.1, "radius_2": 0.1,
            "mass_ratio": 1.0, "share_2": 0.5, "oconnell": 0.0}  # fmt: skip
    light = eclipse_light({name: np.full(3, value) for name, value in pair.items()}, np.array([0, 0.5, 0.25]))
    assert light[0] == pytest.approx(2.5 * np.log10(2), abs=0.01) and light[1] == pytest.approx(light[0], abs=1e-3)
    assert abs(light[2]) < 0.01


def test_eccentric_orbits_move_the_second_minimum():
    orbit = draw_orbits(np.full(200, "EA"), np.full(200, 30.0), np.full(200, 6000.0), np.random.default_rng(0))
    assert np.median(orbit["eccentricity"]) > 0.1
    close = draw_orbits(np.full(200, "EW"), np.full(200, 0.3), np.full(200, 6000.0), np.random.default_rng(0))
    assert not close["eccentricity"].any()


def test_rrab_rise_faster_than_they_fall_and_rrc_do_not():
    rng, kind = np.random.default_rng(2), np.repeat(["RRAB", "RRC"], 50)
    shapes = draw_pulsation(kind, rng) | {"blazhko": np.zeros(100)}
    star = {"period": np.full(100, 0.5), "amplitude": np.ones(100), "offset": np.zeros(100)}
    curves = np.array([pulsation(of(star, k), of(shapes, k), 0.5 * PHASE) for k in range(100)])
    rising = ((curves.argmin(axis=1) - curves.argmax(axis=1)) % len(PHASE)) / len(PHASE)
    assert np.median(rising[:50]) < 0.25 and 0.35 < np.median(rising[50:]) < 0.55
    assert np.median(np.ptp(curves, axis=1)) == pytest.approx(1.0, abs=0.15)


def test_amplitudes_of_rrab_fall_with_the_period_as_bailey_found(stars):
    rows = stars["class"] == "RRAB"
    assert np.corrcoef(stars["period"][rows], stars["amplitude"][rows])[0, 1] < -0.7
    periods = {
        name: stars["period"][stars["class"] == name] for name in ("RRAB", "RRC", "DSCT", "HADS", "EW", "M", "SR")
    }
    inside = {"RRAB": (0.37, 0.96), "RRC": (0.2, 0.46), "DSCT": (0.03, 0.29), "HADS": (0.03, 0.25),
              "EW": (0.21, 0.96), "M": (100, 640), "SR": (12, 800)}  # fmt: skip
    for name, (low, high) in inside.items():
        assert low <= periods[name].min() and periods[name].max() <= high


def test_contact_pairs_follow_the_period_colour_relation(stars):
    rows = stars["class"] == "EW"
    assert np.corrcoef(np.log(stars["period"][rows]), stars["teff"][rows])[0, 1] > 0.7


def test_miras_swing_by_magnitudes_and_semiregular_ones_wander(stars):
    rows = np.flatnonzero(np.isin(stars["class"], ("M", "SR")))
    some = {name: values[rows] for name, values in stars.items()}
    time = np.tile(np.arange(0, SPAN_DAYS, 5), len(rows))
    owner = np.repeat(np.arange(len(rows)), len(time) // len(rows))
    wander = draw_wander(some["class"], some["period"], np.random.default_rng(1))
    light = long_period_light(some, wander, owner, time).reshape(len(rows), -1)
    swing, mira = np.ptp(light, axis=1), some["class"] == "M"
    assert np.quantile(swing[mira], 0.1) > 2.3 and np.median(swing[~mira]) < 1.2
    nights = time[: light.shape[1]]

    def repeated(row):
        """Correlation of a light curve with itself, four periods later."""
        later = np.interp(nights + 4 * some["period"][row], nights, light[row], right=np.nan)
        both = np.isfinite(later)
        return np.corrcoef(light[row][both], later[both])[0, 1]

    fast = some["period"] < 300
    assert np.median([repeated(k) for k in np.flatnonzero(mira & fast)]) > 0.85
    assert np.median([repeated(k) for k in np.flatnonzero(~mira & fast)[:200]]) < 0.6


def test_spots_are_seen_once_a_turn_and_change_within_years():
    spots = draw_spots(40, np.random.default_rng(4))
    star = {"period": np.full(40, 10.0), "amplitude": np.full(40, 0.2)}
    early, late = (
        np.array([spot_light(of(star, k), of(spots, k), 10 * PHASE + start) for k in range(40)]) for start in (0, 700)
    )
    assert (early >= 0).all() and 0.08 < np.median(np.ptp(early, axis=1)) < 0.3
    assert np.median(np.abs(early - late).max(axis=1) / np.ptp(early, axis=1)) > 0.3


def test_nights_have_seasons_and_up_to_three_exposures():
    ra = np.full(30, 90.0)
    epochs = draw_epochs(ra, np.full(30, 20.0), np.random.default_rng(0))
    number = np.bincount(epochs.owner)
    assert 60 < number.min() and 150 < np.median(number) < 450 and number.max() < 900
    june = (epochs.time + FIRST_NIGHT - 2456293.5) % 365.25  # when the Sun stands in front of the field
    assert not ((june > 165) & (june < 180)).any()
    first = epochs.time[epochs.owner == 0]
    assert (np.diff(first) > 0).all()
    _, visits = np.unique(np.floor(first), return_counts=True)
    assert set(visits) == {1, 2, 3}


def test_errors_grow_with_magnitude_stated_ones_are_smaller_and_the_faintest_are_not_seen():
    error = visual_error(np.array([10.0, 12.5, 14.0, 16.5]))
    assert error[1] < 0.02 < error[2] < 0.05 < error[0] and 0.1 < error[3] < 0.25
    epochs = draw_epochs(np.full(60, 90.0), np.full(60, 20.0), np.random.default_rng(0))
    seen = measure(epochs, np.full(len(epochs.time), 14.0), 60, np.random.default_rng(1))
    off = np.array([np.std(seen.magnitude[seen.owner == k]) / np.mean(seen.error[seen.owner == k]) for k in range(60)])
    assert 1.15 < np.median(off) < 2.2 and np.mean(seen.magnitude) == pytest.approx(14.0, abs=0.02)
    faint = measure(epochs, np.full(len(epochs.time), 17.6), 60, np.random.default_rng(1))
    assert len(faint.time) < 0.5 * len(epochs.time) and (faint.magnitude <= FAINTEST + 0.51).all()
    assert np.bincount(faint.owner, minlength=60).min() >= 2


def test_features_tell_a_period_from_a_wrong_one():
    epochs = draw_epochs(np.full(20, 90.0), np.full(20, 20.0), np.random.default_rng(0))
    seen = measure(epochs, 13 + 0.3 * np.sin(2 * np.pi * epochs.time / 0.7), 20, np.random.default_rng(1))
    right, wrong = (features(seen, np.full(20, period)) for period in (0.7, 0.537))
    assert (right["lksl_statistic"] < 0.2).all() and (wrong["lksl_statistic"] > 0.7).all()
    assert (right["rfr_score"] > 0.8).all() and (wrong["rfr_score"] < 0.3).all()
    np.testing.assert_allclose(right["amplitude"], 0.62, atol=0.06)
    np.testing.assert_allclose(right["mean_vmag"], 13, atol=0.05)


def test_catalogues_give_some_pairs_half_of_their_period():
    kind, period = np.repeat(["EW", "M"], 4000), np.repeat([0.35, 300.0], 4000)
    found = catalogue_periods(kind, period, np.random.default_rng(0)) / period
    assert 0.03 < np.mean(np.abs(found[:4000] - 0.5) < 0.01) < 0.06
    assert np.mean(np.abs(found[:4000] - 1) < 1e-4) > 0.9 and np.mean(np.abs(found[4000:] - 1) < 0.03) > 0.98
