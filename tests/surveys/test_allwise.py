"""Atlas images of AllWISE and unWISE tiles, as they are downloaded."""

import numpy as np
import pytest
from layout_images import FLUX, STARS, write_positions, write_tile
from layout_wise import SKY, ZERO_POINT, atlas, write_atlas
from synthetic_images import drops_of, items_of, views_of, write_image

from astroclip_kit.errors import FileError, UsageError
from astroclip_kit.pipeline import info
from astroclip_kit.surveys import FITSImages, TableReader, WithoutSky
from astroclip_kit.surveys.recognition import recognise
from astroclip_kit.types import Drop

AB = {1: 2.699, 2: 3.339, 3: 5.174}
ALONE = {"1": STARS["1"]}


def test_counts_become_nanomaggies_by_the_zero_point_of_the_header_and_the_sky_goes(tmp_path):
    for band in (1, 2, 3):
        write_atlas(tmp_path, band, noise=0.1, stars=ALONE)
    view = views_of(WithoutSky(atlas(tmp_path, ivar=True)))["1"]
    for row, band in enumerate((1, 2, 3)):
        expected = FLUX * 10 ** (0.4 * (22.5 - ZERO_POINT[band] - AB[band]))
        assert view[row].sum() == pytest.approx(expected, rel=0.1)
        sky = SKY[band] * expected / FLUX
        assert np.median(np.abs(view[row])) < 0.05 * sky


def test_errors_beside_the_image_become_inverse_variances(tmp_path):
    write_atlas(tmp_path, 1, noise=0.5)
    view = views_of(atlas(tmp_path, bands=(1,), size=8, pixel_scale_arcsec=None, ivar=True))["1"]
    factor = 10 ** (0.4 * (22.5 - 20.5 - AB[1]))
    np.testing.assert_allclose(view[1], 4 / factor**2, rtol=1e-5)


def test_both_surveys_on_the_same_pixels_have_the_same_light(tmp_path):
    for survey, write, pattern in (("allwise", write_atlas, "*-int-3.fits"), ("unwise", write_tile, "*-img-m.fits")):
        folder = tmp_path / survey
        folder.mkdir()
        write(folder, 1)
        positions, where = write_positions(folder), {"w1": f"{folder}/{pattern}"}
        reader = FITSImages(positions, where, size=80, pixel_scale_arcsec=0.625)
        assert reader.modality.pixel_scale_arcsec == 0.625
        assert reader.modality.source_pixel_scale_arcsec == {"allwise": 1.375, "unwise": 2.75}[survey]
        assert sorted(views_of(WithoutSky(reader))) == ["1", "2", "3"]


def test_a_missing_band_a_small_cutout_and_nan_are_told_apart(tmp_path):
    write_atlas(tmp_path, 1)
    with pytest.raises(FileError, match=r"w2-int-3.fits: no file has such a name"):
        items_of(atlas(tmp_path, bands=(1, 2)))
    write_atlas(tmp_path, 2, centre=(150.5, 2.5))
    reasons = {drop.reason for drop in drops_of(atlas(tmp_path, bands=(1, 2)))}
    assert reasons == {"no image of band w2 shows it."}
    small = tmp_path / "small"
    small.mkdir()
    write_atlas(small, 1, shape=(24, 24))
    drops = {drop.source.rpartition(" ")[2]: drop.reason for drop in drops_of(atlas(small, bands=(1,)))}
    assert drops["1"].startswith("band 'w1' covers 4") and "small" in drops["1"]  # 33 of 50 arcsec


def test_a_wrong_pixel_scale_is_refused(tmp_path):
    write_image(tmp_path / "a.fits", scale=1.375)
    write_image(tmp_path / "b.fits", scale=2.75)
    reader = FITSImages(write_positions(tmp_path), {"g": f"{tmp_path}/*.fits"}, size=18)
    with pytest.raises(FileError, match=r"b.fits: 2.7500 arcsec per pixel, expected 1.3750 of the first image"):
        list(reader.read(tmp_path / "b.fits"))


def test_a_sky_that_cannot_be_known_is_a_drop(tmp_path):
    write_atlas(tmp_path, 1)
    reader = WithoutSky(atlas(tmp_path, bands=(1,), size=2, pixel_scale_arcsec=None))
    dropped = [item for item in items_of(reader) if isinstance(item, Drop)]
    assert dropped and all("too few good pixels to know the sky in band 'w1'" in drop.reason for drop in dropped)


def test_a_table_has_no_sky(tmp_path):
    table = tmp_path / "table.csv"
    table.write_text("name,g\na,1\n")
    with pytest.raises(UsageError, match=r"WithoutSky: TableReader.* reads no images"):
        _ = WithoutSky(TableReader(table, columns=["g"], id_column="name")).modality


def test_info_names_the_survey(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    write_atlas(tmp_path / "a", 1)
    write_tile(tmp_path / "b", 1)
    assert [one.survey.name for one in recognise(tmp_path / "a")] == ["AllWISE atlas images"]
    assert [one.survey.name for one in recognise(tmp_path / "b")] == ["unWISE tiles"]
    assert "AllWISE atlas images" in info(str(tmp_path / "a"))
