"""What of a table is to be fetched, and under which names."""

import numpy as np
import pandas as pd
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import Table

from astroclip_kit.errors import FileError, UsageError
from astroclip_kit.surveys.services.targets import Target, safe_name, separation_arcsec, targets_of


def table(folder, **columns):
    path = folder / "table.csv"
    pd.DataFrame(columns).to_csv(path, index=False)
    return path


def test_ids_and_positions_by_the_names_that_columns_have(tmp_path):
    path = table(tmp_path, NAME=["a", "b"], RAJ2000=["10:00:00", "150.5"], DEJ2000=[2.5, -3.0])
    targets, left_out = targets_of(path)
    assert targets == [Target("a", 150.0, 2.5), Target("b", 150.5, -3.0)] and not left_out


def test_large_ids_keep_every_digit(tmp_path):
    ids = np.array([39627785520416361, 39627785520416363])
    Table({"TARGETID": ids, "TARGET_RA": [1.0, 2.0], "TARGET_DEC": [3.0, 4.0]}).write(tmp_path / "t.fits")
    targets, _ = targets_of(tmp_path / "t.fits")
    assert [one.targetid for one in targets] == ids.tolist()
    assert [one.object_id for one in targets] == ids.astype(str).tolist()
    targets, _ = targets_of(table(tmp_path, object_id=["x", "y"], targetid=["39627785520416361", ""]))
    assert [one.targetid for one in targets] == [39627785520416361, None]


def test_sdss_spectra_by_columns_or_by_id(tmp_path):
    targets, _ = targets_of(table(tmp_path, id=["266-51602-31", "NGC 1-2"], ra=[1, 2], dec=[3, 4]))
    assert [one.sdss for one in targets] == [(266, 51602, 31), ()]
    path = table(tmp_path, specObjID=[1, 2], id=["a", "b"], PLATE=[266, 4055], MJD=[51602, 55359], FIBERID=[31, 7],
                 run2d=["26", "v5_13_2"])  # fmt: skip
    targets, _ = targets_of(path)
    assert [(one.sdss, one.run2d) for one in targets] == [((266, 51602, 31), "26"), ((4055, 55359, 7), "v5_13_2")]


def test_objects_without_ids_are_named_by_their_place(tmp_path):
    targets, left_out = targets_of(table(tmp_path, ra=[150.1, 0.5, 150.1, 400], dec=[2.2, -1, 2.2, 0]))
    assert [one.object_id for one in targets] == ["150.100000+2.200000", "0.500000-1.000000"]
    assert left_out == {3: "duplicated id 150.100000+2.200000", 4: "neither an id nor coordinates"}


def test_rows_that_name_no_object_are_left_out(tmp_path):
    targets, left_out = targets_of(table(tmp_path, id=["a", "a", None], ra=[1, 2, 3], dec=[1, 2, 3]))
    assert len(targets) == 1 and left_out == {2: "duplicated id a", 3: "neither an id nor coordinates"}
    with pytest.raises(FileError, match="none of its 1 rows can be used; the first: neither an id nor coordinates"):
        targets_of(table(tmp_path, ra=[400], dec=[1]))
    with pytest.raises(UsageError, match="no column is called like an id"):
        targets_of(table(tmp_path, z=[0.1]))


def test_a_target_out_of_range_has_no_place():
    assert not Target("a", 400, 2).is_placed and not Target("a").is_placed and Target("a", 360, -90).is_placed
    assert Target("a", 1.0, 2.0).key == Target("a", 1.0, 2.0).key != Target("a", 1.0, 2.1).key


@pytest.mark.parametrize("name", ["NGC 224", "a/b", "..", ".hidden", "über", "x" * 300, "a\nb", "-rf", "a:b", "", "*"])
def test_names_of_files_are_safe_and_stay_different(name):
    safe = safe_name(name)
    assert safe != safe_name(name + "?") and len(safe) < 120
    assert safe.isascii() and not safe.startswith((".", "-")) and not set(safe) & set(" /\\\n*:?")
    assert safe_name(safe) == safe or len(name) > 90


def test_separations_are_those_of_astropy():
    rng = np.random.default_rng(0)
    ra, dec = rng.uniform(0, 360, (2, 50)), np.rad2deg(np.arcsin(rng.uniform(-1, 1, (2, 50))))
    one, two = (SkyCoord(ra[n], dec[n], unit="deg") for n in (0, 1))
    assert np.allclose(separation_arcsec(ra[0], dec[0], ra[1], dec[1]), one.separation(two).arcsec, rtol=1e-9)
    assert np.allclose(separation_arcsec(10, 89.9999, 190, 89.9999), 0.72)
