"""Catalogues of one's own are matched by position and by id."""

import numpy as np
import pytest
from astropy import units as u
from astropy.table import Table
from own_catalogue import IDS, TABLE, written
from small_sky import DEC, RA, small_session

from astroclip_kit.embeddings import EmbeddingStore
from astroclip_kit.errors import InputError
from astroclip_kit.explorer.overlays.catalogue_file import CatalogueFile
from astroclip_kit.explorer.overlays.counterparts import by_id, by_position, counterparts
from astroclip_kit.explorer.space import Space


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.fits", "fits"),
        ("a.vot", "votable"),
        ("a.xml", "votable"),
        ("a.csv", "ascii.csv"),
        ("a.ecsv", "ascii.ecsv"),
        ("a.parquet", "parquet"),
        ("no ending", "fits"),
        ("wrong.csv", "votable"),
    ],
)
def test_a_file_of_any_format_is_matched_by_position(session, name, kind):
    catalogue = CatalogueFile.read(name, written(TABLE, kind))
    assert (catalogue.ra, catalogue.dec, catalogue.id_columns) == ("RAJ2000", "DEJ2000", ("main_id",))
    found = counterparts(session.space, catalogue, 1.0)
    assert found.rows.tolist() == [3, 9, -1, -1, 1]
    assert found.separation_arcsec[[0, 1]] == pytest.approx([0, 0.5 * np.cos(np.radians(DEC[9]))], abs=1e-6)
    assert str(found).startswith("5 rows read, 3 matched by position (RAJ2000, DEJ2000) within 1 arcsec, 2 without a")
    assert "1 row without a position." in str(found)


def test_in_a_large_space_only_those_near_are_compared(session, monkeypatch):
    monkeypatch.setattr("astroclip_kit.explorer.overlays.counterparts.MOST_IN_TREE", 10)
    found = counterparts(session.space, CatalogueFile.read("a.fits", written(TABLE, "fits")), 1.0)
    assert found.rows.tolist() == [3, 9, -1, -1, 1] and "positions" not in vars(session.space)


@pytest.mark.parametrize("separator", [";", "\t"])
def test_other_separators_and_sexagesimal_positions_are_read(session, separator):
    text = "name,ra,dec\nx,01:49:09.1525,-53:53:53.9\n".replace(",", separator)
    found = counterparts(session.space, CatalogueFile.read("a.csv", text.encode()), 1.0)
    assert found.rows.tolist() == [3]


def test_hours_are_no_degrees(session):
    table = Table({"ra": [RA[3] / 15] * u.hourangle, "dec": [np.radians(DEC[3])] * u.rad})
    catalogue = CatalogueFile.read("a.vot", written(table, "votable"))
    assert by_position(session.space, catalogue, "ra", "dec", 0.1).rows.tolist() == [3]


def test_hours_without_a_unit_are_known_by_their_matches(session):
    text = f"ra,dec\n{RA[3] / 15},{DEC[3]}\n{RA[9] / 15},{DEC[9]}\n".encode()
    catalogue = CatalogueFile.read("a.csv", text)
    for found in (counterparts(session.space, catalogue, 1.0), by_position(session.space, catalogue, "ra", "dec", 1)):
        assert found.rows.tolist() == [3, 9]
        assert str(found).endswith("No unit is stated, and none matched in degrees: ra was taken as hours.")
    nowhere = CatalogueFile.read("a.csv", b"ra,dec\n1.5,80\n")
    assert str(counterparts(session.space, nowhere, 1.0)).endswith("1 without a counterpart.")


def test_right_ascensions_beyond_the_circle_are_turned(session):
    text = f"ra,dec\n{RA[0] + 360},{DEC[0]}\n{RA[59] - 360},{DEC[59]}\n-99,-99\n-999,5\n"
    found = counterparts(session.space, CatalogueFile.read("a.csv", text.encode()), 1.0)
    assert found.rows.tolist() == [0, 59, -1, -1]
    assert "2 right ascensions below 0 or above 360 degrees, turned by 360. 2 rows without a position." in str(found)


def test_each_object_has_one_row_the_nearest(session):
    text = f"ra,dec\n{RA[3]},{DEC[3] + 0.0002}\n{RA[3]},{DEC[3] + 0.0001}\n"
    found = counterparts(session.space, CatalogueFile.read("a.csv", text.encode()), 1.0)
    assert found.rows.tolist() == [-1, 3]
    assert "1 of an object that another row has, 0 without a counterpart." in str(found)
    assert "Of several rows near one object the nearest is taken." in str(found)
    assert "1 row had another candidate within the radius; the nearest was taken." in str(found)


def test_ids_are_matched_the_first_of_those_repeated(session):
    found = counterparts(session.space, CatalogueFile.read("ids.csv", IDS), 1.0)
    assert found.rows.tolist() == [5, -1, -1, -1, 59]
    assert "5 rows read, 2 matched by id (obj_name), 1 of an object that another row has, 2 without" in str(found)
    assert "An id is repeated in 1 row; the first of each counts. 1 row without an id." in str(found)


def test_ids_in_common_count_where_no_position_fits(session):
    text = "source_id,name,ra,dec\n1,obj-3,0,0\n2,obj-4,1,1\n"
    found = counterparts(session.space, CatalogueFile.read("a.csv", text.encode()), 1.0)
    assert found.rows.tolist() == [3, 4] and found.column == "name"
    assert "None lies within 1 arcsec of an object." in str(found)


def test_ids_that_are_not_in_common_are_told(session):
    found = by_id(session.space, CatalogueFile.read("a.csv", b"id\nx1\nx2\n"), "id")
    assert "No id is in common: those of id look like 'x1', those here like 'obj-0'." in str(found)


def test_a_space_without_coordinates_is_matched_by_id_alone(tmp_path):
    space = small_session(tmp_path / "space", placed=False).space
    catalogue = CatalogueFile.read("a.csv", b"name,ra,dec\nobj-3,1,2\n")
    found = counterparts(space, catalogue, 1.0)
    assert found.rows.tolist() == [3]
    assert "This space has no coordinates, so that ids alone can tell." in str(found)
    with pytest.raises(InputError, match="This space has no coordinates: match by id"):
        by_position(space, catalogue, "ra", "dec", 1.0)
    with pytest.raises(InputError, match=r"b\.csv: this space has no coordinates, and no column is called like an id"):
        counterparts(space, CatalogueFile.read("b.csv", b"ra,dec\n1,2\n"), 1.0)


def test_coordinates_that_are_no_place_are_none(tmp_path):
    catalog = {"ra": np.full(4, -999.0), "dec": np.full(4, -999.0)}
    store = EmbeddingStore.write(tmp_path / "s", {"image": np.eye(4)}, ["a", "b", "c", "d"], catalog=catalog)
    found = counterparts(Space(store), CatalogueFile.read("a.csv", b"name,ra,dec\nb,1,2\n"), 1.0)
    assert found.rows.tolist() == [1] and "This space has no coordinates" in str(found)
