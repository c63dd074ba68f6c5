"""The period that a light curve itself shows."""

import math

import numpy as np
import pytest

from astroclip_kit.embeddings import EmbeddingStore
from astroclip_kit.explorer.objects.lightcurves import LightCurveView
from astroclip_kit.explorer.objects.measured import Measured
from astroclip_kit.explorer.objects.periods import period_of, period_shown
from astroclip_kit.explorer.space import Space
from astroclip_kit.types import Modality

BANDS = ("V", "g", "V_limit")
CURVES = Modality("lc", "lightcurve", ("time", "value", "error", "band"), (-1, 4), "mag", (), BANDS)
NIGHTS = 300


def at_night(value, noise=0.05, span=800.0):
    """One measurement in each of some nights, at about the same hour, in two bands; and limits that mean nothing."""
    random = np.random.default_rng(0)
    time = np.sort(random.choice(int(span), NIGHTS, replace=False) + random.uniform(0, 0.2, NIGHTS))
    band = np.arange(NIGHTS) % 3
    value = np.where(band == 2, 20 + 3 * random.uniform(size=NIGHTS), value(time) + band)
    return np.stack([time - time[0], value + noise * random.standard_normal(NIGHTS), 0 * time + noise, band], axis=1)


def period(rows):
    return period_shown(Measured(*rows[:, :3].T, rows[:, 3].astype(int)), BANDS)


def pulsation(days):
    return lambda time: 0.4 * np.abs(1 - 2 * (time / days % 1)) + 0.2 * np.sin(2 * np.pi * time / days)


def supernova(time):
    return 15 + np.where(time < 100, (100 - time) / 20, (time - 100) / 80)


@pytest.mark.parametrize("days", [0.57, 6.3, 120.0])
def test_what_pulsates_has_its_period(days):
    found = period(at_night(pulsation(days)))
    assert found.days == pytest.approx(days, rel=2e-3) and found.is_measured and "explains" in found.source


@pytest.mark.parametrize("value", [lambda time: 0 * time, supernova, lambda time: time / 100])
def test_noise_and_what_changes_once_have_none(value):
    assert math.isnan(period(at_night(value)).days)


def test_few_measurements_and_years_without_end_are_not_searched():
    assert math.isnan(period(at_night(pulsation(0.57))[:45]).days)
    assert math.isnan(period(at_night(pulsation(0.57)) * [1e4, 1, 1, 1]).days)
    assert math.isnan(period(np.empty((0, 4))).days)


def test_it_is_looked_for_once_where_the_catalogue_knows_none_and_the_page_says_so(tmp_path):
    store = EmbeddingStore.write(tmp_path / "s", {"image": np.eye(2)}, ["a", "b"], labels={"period": [np.nan, 3.0]})
    space, rows = Space(store), at_night(pulsation(6.3)).astype(np.float32)
    assert math.isnan(period_of(space, 0, CURVES, rows).days)
    assert period_of(space, 0, CURVES, rows, measure=True).days == pytest.approx(6.3, rel=2e-3)
    assert period_of(space, 0, CURVES, rows, measure=True) is period_of(space, 0, CURVES, rows, measure=True)
    assert period_of(space, 1, CURVES, rows, measure=True).days == 3
    shown = LightCurveView(space, CURVES)
    shown.show(0, rows)
    assert shown._way.active == 1 and "may be half or twice the true one" in shown._note.text
    shown.show(1, rows)
    assert "half or twice" not in shown._note.text
