"""Right ascensions from -180 to 180 degrees are positions: stored ones, those of overlays, and what is searched for."""

import numpy as np
import pytest

from astroclip_kit.data import ingest
from astroclip_kit.embeddings import EmbeddingStore
from astroclip_kit.embeddings.queries import find
from astroclip_kit.explorer.overlays.catalogue_file import CatalogueFile
from astroclip_kit.explorer.overlays.counterparts import counterparts
from astroclip_kit.explorer.space import Space
from astroclip_kit.surveys import TableReader

RA = np.array([-179.5, -60.0, -0.25, 0.25, 60.0, 179.5])
DEC = np.array([-60.0, -30.0, 0.0, 0.5, 30.0, 60.0])
IDS = [f"o{number}" for number in range(len(RA))]


@pytest.fixture
def store(tmp_path):
    return EmbeddingStore.write(tmp_path / "s", {"image": np.eye(len(RA))}, IDS, catalog={"ra": RA, "dec": DEC})


def test_all_stored_objects_have_a_position(store):
    np.testing.assert_allclose(store.ra, RA % 360)
    assert Space.open(store).positions[0].tolist() == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("turn", [0, 360])
def test_all_rows_of_an_overlay_have_a_position(store, turn):
    ra = np.where(RA < 0, RA + turn, RA)
    text = "ra,dec\n" + "".join(f"{one},{other}\n" for one, other in zip(ra, DEC, strict=True))
    found = counterparts(Space.open(store), CatalogueFile.read("a.csv", text.encode()), 1.0)
    assert found.rows.tolist() == [0, 1, 2, 3, 4, 5] and "without a position" not in str(found)


def test_an_object_is_found_by_either(store):
    assert find(store, ra=-60, dec=-30) == find(store, ra=300, dec=-30) == 1


def test_a_dataset_keeps_them_from_0_to_360(tmp_path):
    lines = [f"{name},{one},{other},1.5" for name, one, other in zip(IDS, RA, DEC, strict=True)]
    (tmp_path / "a.csv").write_text("\n".join(["id,ra,dec,flux", *lines]))
    data = ingest({"table": TableReader(tmp_path / "a.csv", ["flux"], "id", "ra", "dec")}, tmp_path / "d", quiet=True)
    np.testing.assert_allclose(data.ra, RA % 360)
