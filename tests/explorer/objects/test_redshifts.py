"""Which column says how far lines are shifted."""

import math

import numpy as np
import pytest

from astroclip_kit.embeddings import EmbeddingStore
from astroclip_kit.explorer.objects.redshifts import redshift_of
from astroclip_kit.explorer.space import Space


def space_with(root, units=None, **labels):
    vectors = {"image": np.eye(2)}
    return Space(EmbeddingStore.write(root / "s", vectors, ["a", "b"], labels=labels, values={"units": units or {}}))


@pytest.mark.parametrize("name", ["z", "Z", "redshift", "zspec", "Z_SPEC"])
def test_usual_names_are_known(tmp_path, name):
    assert redshift_of(space_with(tmp_path, **{name: [0.1, 0.2]}), 1) == (0.2, f"column {name}")


def test_a_measured_one_comes_before_a_photometric_one_where_it_is_known(tmp_path):
    space = space_with(tmp_path, z_phot=[0.3, 0.4], z_spec=[0.31, np.nan])
    assert redshift_of(space, 0) == (0.31, "column z_spec") and redshift_of(space, 1) == (0.4, "column z_phot")


def test_a_radial_velocity_in_km_per_s_is_one_too(tmp_path):
    shift, name = redshift_of(space_with(tmp_path, {"rv": "km / s"}, rv=[299.792458, 0.0]), 0)
    assert shift == pytest.approx(1e-3) and name == "column rv"


def test_a_radial_velocity_is_converted_or_none(tmp_path):
    units = {"rv": "m / s", "v_rad": "parsec", "vrad": "quux"}
    space = space_with(tmp_path, units, v_rad=[10.0, 10.0], vrad=[10.0, 10.0], rv=[150000.0, np.nan])
    shift, name = redshift_of(space, 0)
    assert shift == pytest.approx(150 / 299792.458) and name == "column rv"
    assert redshift_of(space, 1)[1] == ""


def test_a_logarithm_of_a_redshift_is_one_where_no_redshift_is_known(tmp_path):
    space = space_with(tmp_path, log10_z=[-1.0, -2.0], redshift=[np.nan, 0.3], rv=[100.0, 100.0])
    assert redshift_of(space, 0) == (pytest.approx(0.1), "column log10_z") and redshift_of(space, 1) == (
        0.3,
        "column redshift",
    )


def test_a_logarithm_that_is_missing_or_of_a_sentinel_is_none(tmp_path):
    space = space_with(tmp_path, log10_z=[np.nan, -9999.0])
    assert redshift_of(space, 0)[1] == redshift_of(space, 1)[1] == ""


def test_a_magnitude_in_the_band_z_is_none(tmp_path):
    assert redshift_of(space_with(tmp_path, z=[18.2, np.nan]), 0) == (pytest.approx(math.nan, nan_ok=True), "")
    assert redshift_of(space_with(tmp_path, {"z": "mag"}, z=[0.5, 1.0]), 0)[1] == ""


def test_text_and_nothing_are_none(tmp_path):
    assert redshift_of(space_with(tmp_path, z=["high", "low"]), 0)[1] == ""
    assert redshift_of(space_with(tmp_path), 0)[1] == ""
