"""Columns that tell how an object was observed, and stand apart."""

import numpy as np
import pytest

from astroclip_kit.embeddings import EmbeddingStore
from astroclip_kit.explorer.objects.bookkeeping import bookkeeping, is_bookkeeping
from astroclip_kit.explorer.objects.properties import read_properties
from astroclip_kit.explorer.objects.property_table import PropertyTable
from astroclip_kit.explorer.session import Session
from astroclip_kit.explorer.space import Space

COUNT = 200
NUMBERS = np.random.default_rng(0).uniform(0.1, 3, COUNT)
MASSES = (1e11 * NUMBERS).astype(np.float32).astype(float)


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("plate", NUMBERS, True),
        ("MJD", NUMBERS, True),
        ("z_err", NUMBERS, True),
        ("e_teff", NUMBERS, True),
        ("sn_median", NUMBERS, True),
        ("snr_g", NUMBERS, True),
        ("sn_type", NUMBERS, False),
        ("e_bv", NUMBERS, False),
        ("sigma_v", NUMBERS, False),
        ("spectrum_mjd", NUMBERS, True),
        ("magnetic_field", NUMBERS, False),
        ("survey", np.array(["a", "b"] * 100), True),
        ("kind", np.array(["GALAXY", ""] * 100), True),
        ("limit", np.full(COUNT, 2.5), True),
        ("star", 1e9 + np.arange(COUNT), True),
        ("number", np.arange(COUNT), True),
        ("z", NUMBERS, False),
        ("mass", MASSES, False),
        ("vast", 1e200 * NUMBERS, False),
        ("count", np.arange(COUNT) % 50, False),
        ("few", np.arange(10.0), False),
        ("class", np.array(["A", "B"] * 100), False),
        ("unknown", np.full(COUNT, np.nan), False),
    ],
)
def test_names_constants_and_ids_are_bookkeeping(name, values, expected):
    assert is_bookkeeping(name, values, ["spectrum"]) == expected


def test_bookkeeping_is_folded_with_the_catalogue_s_values_alone(tmp_path):
    labels = {"z": NUMBERS, "plate": np.full(COUNT, 9000.0), "fiber": np.arange(COUNT) % 7, "star": np.arange(COUNT)}
    vectors = {"image": np.stack([np.cos(NUMBERS), np.sin(NUMBERS)], axis=1)}
    space = Space(EmbeddingStore.write(tmp_path / "s", vectors, np.arange(COUNT), labels=labels))
    assert bookkeeping(space.store) == {"plate", "fiber", "star"}
    assert set(read_properties(space, 3, "image")[0]) == {"z"}
    table = PropertyTable(Session(space))
    table.show(3)
    above, below = table._table.text.split("<details><summary>More columns of the catalogue</summary>")
    assert "<td>z" in above and "plate" not in above and "<td>plate<td>9000" in below and "<td>z" not in below
    assert below.count("<td>") == 6


def test_what_another_label_says_is_filed(tmp_path):
    labels = {"z": NUMBERS, "spectrum_z": NUMBERS, "spectrum_mass": NUMBERS, "image_z": NUMBERS}
    store = EmbeddingStore.write(tmp_path / "s", {"spectrum": np.ones((COUNT, 2))}, np.arange(COUNT), labels=labels)
    assert bookkeeping(store) == {"spectrum_z"}  # there is no modality "image"
