"""AstroM3's preprocessing of catalogue columns against its formulae, one object at a time."""

import numpy as np
import pytest
import torch
from astrom3_release import metadata_columns

from astroclip_kit.errors import InputError, UsageError
from astroclip_kit.transforms import CatalogueColumns
from astroclip_kit.transforms.astrom3_columns import MAGNITUDES, METADATA
from astroclip_kit.types import Modality


def catalogue(count=50):
    rng = np.random.default_rng(0)
    rows = rng.uniform(5, 18, (count, 34))
    rows[:, METADATA.index("parallax")] = rng.normal(1, 1, count)
    rows[:, METADATA.index("l")] = rng.uniform(0, 360, count)
    rows[:, METADATA.index("b")] = rng.uniform(-90, 90, count)
    return rows.astype(np.float32)


def test_the_columns_are_those_of_the_release():
    assert len(METADATA) == len(set(METADATA)) == 34 and len(MAGNITUDES) == 11 and set(MAGNITUDES) < set(METADATA)
    rows = catalogue()
    assert (rows[:, 8] <= 0).any()
    expected = np.array([metadata_columns(METADATA, MAGNITUDES, row) for row in rows])
    np.testing.assert_allclose(CatalogueColumns()(torch.from_numpy(rows)), expected, rtol=1e-5, atol=1e-6)
    measured = CatalogueColumns().measured_on(torch.from_numpy(rows[:30]))
    expected = (expected - expected[:30].mean(axis=0)) / expected[:30].std(axis=0)
    np.testing.assert_allclose(measured(torch.from_numpy(rows)), expected, rtol=1e-4, atol=1e-5)
    assert measured.measured_on(torch.zeros(3, 34)) == measured


def test_a_missing_value_is_the_mean():
    rows = torch.from_numpy(catalogue())
    rows[0, 0], rows[1, METADATA.index("parallax")], rows[2] = torch.nan, torch.nan, torch.nan
    measured = CatalogueColumns().measured_on(rows)
    got = measured(rows)
    places = [METADATA.index(name) for name in (*MAGNITUDES, "parallax")]
    assert got[0, 0] == 0 and (got[1, places] == 0).all() and (got[2] == 0).all()
    assert (got[1] != 0).sum() == 34 - 12 and got.isfinite().all()
    known = measured(rows.where(rows.isfinite(), 5.0))
    torch.testing.assert_close(got[3:], known[3:])


def test_other_columns_are_standardised_alone():
    modality = Modality("t", "table", ("period", "scaled_pm", "colour", "w1_mag"), (4,))
    rows = torch.tensor([[10.0, 3.0, 1.0, 12.0], [1000.0, 4.0, 3.0, 14.0], [-1.0, 5.0, 2.0, 13.0]])
    measured = CatalogueColumns.for_modality(modality).measured_on(rows)
    assert measured.columns == modality.channels and measured.std[1] == 1 and measured.mean[1] == 0
    spread = 1.5**0.5
    expected = [[-1, 3, -spread, -spread], [1, 4, spread, spread], [0, 5, 0, 0]]  # no parallax: an apparent magnitude
    np.testing.assert_allclose(measured(rows), expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: CatalogueColumns()(torch.zeros(2, 33)), InputError, r"takes \[B, 34\], found \(2, 33\)"),
        (lambda: CatalogueColumns(["a"], std=[1.0]), UsageError, "CatalogueColumns: mean and std are one number for"),
        (
            lambda: CatalogueColumns.for_modality(Modality.spectrum("s", [4000.0, 5000.0])),
            InputError,
            "CatalogueColumns takes tables, and 's' is of kind 'spectrum'",
        ),
    ],
)
def test_what_cannot_be_done(call, error, words):
    with pytest.raises(error, match=words):
        call()
