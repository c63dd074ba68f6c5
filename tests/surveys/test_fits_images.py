import numpy as np
import pandas as pd
import pytest
from astropy.io import fits
from astropy.nddata import Cutout2D
from astropy.wcs import WCS
from layout_images import (
    FLUX,
    gzipped,
    make_bricks,
    make_sdss_frames,
    make_unwise,
    write_frame,
    write_positions,
)
from synthetic_images import STAR, drops_of, items_of, middle_of_light, views_of, write_image, write_three

from astroclip_kit.errors import FileError
from astroclip_kit.surveys import FITSImages, TableReader


@pytest.mark.parametrize(("size", "scale"), [(64, 0.4), (65, 0.5), (24, 1.9)])
def test_a_star_is_in_the_middle_of_every_band_with_all_its_flux(tmp_path, size, scale):
    reader = FITSImages(write_positions(tmp_path, STAR), write_three(tmp_path), size, pixel_scale_arcsec=scale)
    view = views_of(reader)["1"]
    assert view.shape == reader.modality.shape == (3, size, size)
    for plane in view:
        np.testing.assert_allclose(middle_of_light(plane), (size - 1) / 2, atol=0.02)
        assert plane.sum() == pytest.approx(FLUX, rel=2e-3)


def test_other_bands_are_brought_to_the_pixels_of_the_first(tmp_path):
    bands = write_three(tmp_path)
    view = views_of(FITSImages(write_positions(tmp_path, STAR), bands, size=64))["1"]
    with fits.open(bands["g"]) as hdus:
        wcs = WCS(hdus[0].header)
        expected = Cutout2D(hdus[0].data, wcs.wcs_world2pix([STAR["1"]], 0)[0], 64)
        np.testing.assert_array_equal(view[0], expected.data)
    for plane in view[1:]:
        np.testing.assert_allclose(middle_of_light(plane), middle_of_light(view[0]), atol=0.02)
        assert plane.sum() == pytest.approx(FLUX, rel=2e-3)


def test_north_is_up_and_east_is_left(tmp_path):
    stars = {"1": (150.0, 2.0), "north": (150.0, 2.0 + 6 / 3600), "east": (150.0 + 4 / 3600, 2.0)}
    write_image(tmp_path / "g.fits", stars={"n": stars["north"]}, rotation_deg=130)
    write_image(tmp_path / "r.fits", stars={"e": stars["east"]}, rotation_deg=-40, mirrored=True)
    bands = {band: f"{tmp_path}/{band}.fits" for band in "gr"}
    reader = FITSImages(write_positions(tmp_path, {"1": stars["1"]}), bands, 65, pixel_scale_arcsec=0.5)
    north, east = views_of(reader)["1"]
    np.testing.assert_allclose(middle_of_light(north), (32, 32 + 12), atol=0.05)
    np.testing.assert_allclose(middle_of_light(east), (32 - 8 * np.cos(np.radians(2)), 32), atol=0.05)
    assert reader.north_up and not FITSImages(reader.positions, bands, 65).north_up


def test_bands_shifted_by_whole_pixels_are_not_interpolated(tmp_path):
    first = fits.getdata(write_image(tmp_path / "g.fits"))
    with fits.open(tmp_path / "g.fits") as hdus:
        header = hdus[0].header
        header["CRPIX1"], header["CRPIX2"] = header["CRPIX1"] - 7, header["CRPIX2"] - 3
        fits.writeto(tmp_path / "r.fits", first[3:, 7:], header)
    view = views_of(FITSImages(write_positions(tmp_path, STAR), {b: f"{tmp_path}/{b}.fits" for b in "gr"}, 32))["1"]
    np.testing.assert_array_equal(view[0], view[1])


def test_every_position_once_from_the_image_that_shows_it_best(tmp_path):
    stars = {name: (150 + x / 3600 / np.cos(np.radians(2)), 2.0) for name, x in zip("abc", (-30, 0, 4), strict=True)}
    for name, x in (("one", -10), ("two", 10)):
        centre = (150 + x / 3600 / np.cos(np.radians(2)), 2.0)
        write_image(tmp_path / f"g-{name}.fits", stars=stars, centre=centre)
    reader = FITSImages(write_positions(tmp_path, stars), {"g": f"{tmp_path}/g-*.fits"}, 16)
    seen = {path.name: [item.object_id for item in reader.read(path)] for path in reader.files()}
    assert seen == {"a-positions.csv": [], "g-one.fits": ["a", "b"], "g-two.fits": ["c"]}


def test_what_is_not_covered_is_listed_with_the_band_that_lacks(tmp_path):
    stars = {"1": (150.0, 2.0), "far": (151.0, 2.0), "edge": (150.006, 2.0), "": (150.0, 2.0)}
    write_image(tmp_path / "g.fits", shape=(120, 200), stars=stars)
    write_image(tmp_path / "r.fits", shape=(120, 60), stars=stars)
    reader = FITSImages(write_positions(tmp_path, stars), {b: f"{tmp_path}/{b}.fits" for b in "gr"}, 16)
    table = str(tmp_path / "a-positions.csv")
    assert {drop.source.removeprefix(f"{table}: "): drop.reason for drop in drops_of(reader)} == {
        "far": "no image of band g, r shows it.",
        "edge": "no image of band r shows it.",
        "row 4": "no id",
    }
    assert list(views_of(reader)) == ["1"]


def test_a_row_without_coordinates_is_listed(tmp_path):
    write_image(tmp_path / "g.fits")
    table = pd.DataFrame({"id": ["1", "2"], "ra": [150.0, np.nan], "dec": [2.0, np.nan]})
    table.to_csv(tmp_path / "p.csv", index=False)
    (drop,) = drops_of(FITSImages(tmp_path / "p.csv", {"g": f"{tmp_path}/g.fits"}, 16))
    assert drop.source.endswith("2") and drop.reason == "no coordinates."


def test_cutouts_over_the_edge_are_kept_above_a_share(tmp_path):
    star = {"1": (150.0, 2.0 + 22 / 3600)}  # 5 pixels below the upper edge
    write_image(tmp_path / "g.fits", stars=star)
    table, bands = write_positions(tmp_path, star), {"g": f"{tmp_path}/g.fits"}
    (drop,) = drops_of(FITSImages(table, bands, 20))
    assert drop.reason.startswith("band 'g' covers 75% of the cutout (")
    view = views_of(FITSImages(table, bands, 20, min_coverage=0.7))["1"]
    assert (view[0, -5:] == 0).all() and (view[0, :-5] != 0).all()


def test_nan_is_zero_and_a_blank_band_no_image(tmp_path):
    path = write_image(tmp_path / "g.fits")
    data = fits.getdata(path)
    data[60, 58] = np.nan
    fits.update(path, data, fits.getheader(path))
    table, bands = write_positions(tmp_path, STAR), {"g": str(path)}
    view = views_of(FITSImages(table, bands, 16))["1"]
    assert np.isfinite(view).all() and (view == 0).sum() == 1
    fits.update(path, data * 0, fits.getheader(path))
    (drop,) = drops_of(FITSImages(table, bands, 16))
    assert drop.reason.startswith("band 'g' is blank (0 everywhere)")


def test_labels_and_column_names_of_a_table_reader(tmp_path):
    write_image(tmp_path / "g.fits")
    table = pd.DataFrame({"star": [7], "lon": ["10:00:00"], "lat": [2.0], "z": [0.5]})
    table.to_csv(tmp_path / "p.csv", index=False)
    positions = TableReader(tmp_path / "p.csv", (), "star", "lon", "lat", ["z"])
    (sample,) = [item for item in items_of(FITSImages(positions, {"g": f"{tmp_path}/g.fits"}, 16))]
    assert (sample.object_id, sample.ra, sample.labels) == ("7", 150.0, {"z": 0.5})


def test_sdss_frames_have_the_noise_of_their_photons(tmp_path):
    reader = make_sdss_frames(tmp_path)
    assert reader.modality.channels == ("g", "r", "i", "ivar_g", "ivar_r", "ivar_i")
    view = views_of(reader)["1"]
    counts = view[0] / 0.005 + 200
    variance = (counts / 3.32 + 15.6025) * 0.005**2  # gain and dark variance of g in camera column 1
    np.testing.assert_allclose(view[3], 1 / variance, rtol=1e-4)


def test_gain_of_the_camera_before_it_was_rebuilt(tmp_path):
    path = write_frame(tmp_path, "u")
    with fits.open(path) as hdus:
        for run, gain in ((1000, 1.595), (2000, 1.825)):
            hdus[0].header["CAMCOL"], hdus[0].header["RUN"] = 2, run
            name = tmp_path / f"{run}.fits"
            hdus.writeto(name)
            view = views_of(FITSImages(write_positions(tmp_path), {"u": str(name)}, 16, ivar=True))["1"]
            variance = ((view[0] / 0.005 + 200) / gain + 12.6025) * 0.005**2
            np.testing.assert_allclose(view[1], 1 / variance, rtol=1e-4)


def test_a_frame_without_its_sky_has_no_noise(tmp_path):
    write_image(tmp_path / "g.fits", header={"RUN": 1, "CAMCOL": 1, "FILTER": "g", "NMGY": 0.005})
    reader = FITSImages(write_positions(tmp_path), {"g": f"{tmp_path}/g.fits"}, 16, ivar=True)
    with pytest.raises(FileError, match=r"calibration \(HDU 1\) and sky \(HDU 2\) was expected"):
        items_of(reader)


def test_unwise_tiles_become_ab_nanomaggies(tmp_path):
    view = views_of(make_unwise(tmp_path))["1"]
    stored = fits.getdata(tmp_path / "unwise-1500p020-w2-img-m.fits")
    vega = 10 ** (-0.4 * 3.339)
    assert view[1].max() == pytest.approx(vega * stored.max(), rel=1e-5)
    np.testing.assert_allclose(view[4], 4 / vega**2, rtol=1e-5)
    bands = {"W2": f"{tmp_path}/*-w2-img-m.fits"}
    plain = FITSImages(write_positions(tmp_path), bands, 16, unit="", ivar=("-img-", "-invvar-"))
    assert views_of(plain)["1"][0].max() == stored.max() and plain.modality.unit == ""


def test_bricks_are_read_tile_compressed_gzipped_and_plain(tmp_path):
    make_bricks(tmp_path)
    views = []
    for band in ("g", "r", "z"):
        path = next(tmp_path.glob(f"*-image-{band}.fits.fz"))
        if band == "r":
            with fits.open(path) as hdus:
                fits.writeto(path.with_suffix(""), hdus[1].data, hdus[1].header)
            path.unlink()
            path = gzipped(path.with_suffix(""))
        views.append(views_of(FITSImages(write_positions(tmp_path), {band: str(path)}, 32))["2"])
    np.testing.assert_allclose(views[0], views[1], atol=1e-3 * views[0].max())
    np.testing.assert_allclose(views[0], views[2], atol=1e-3 * views[0].max())


def test_other_pixel_scales_of_the_first_band(tmp_path):
    write_image(tmp_path / "g-1.fits", 0.4)
    write_image(tmp_path / "g-2.fits", 0.5)
    reader = FITSImages(write_positions(tmp_path), {"g": f"{tmp_path}/g-*.fits"}, 16)
    with pytest.raises(FileError, match=r"0\.5000 arcsec per pixel, expected 0\.4000 .* Give `pixel_scale_arcsec`"):
        list(reader.read(tmp_path / "g-2.fits"))


@pytest.mark.shared_data
def test_real_sdss_frame_at_the_positions_of_its_catalogue(shared_data):
    folder = shared_data / "format-examples"
    table = folder / "photoObj-001000-1-0100.fits"
    reader = FITSImages(table, {"r": f"{folder}/frame-r-*.fits.bz2"}, 24, ivar=True, min_coverage=0.5)
    views, drops = views_of(reader), drops_of(reader)
    assert len(views) + len(drops) == 19 and len(views) == 3  # the example keeps a corner of the frame
    for view in views.values():
        noise = 1 / np.sqrt(np.median(view[1][view[1] > 0]))
        assert 0.02 < noise < 0.06  # nanomaggies: SDSS reaches 22.2 mag in r over some 15 pixels


@pytest.mark.shared_data
def test_real_unwise_tiles(shared_data, tmp_path):
    folder = shared_data / "format-examples"
    with fits.open(folder / "unwise-3460p121-w1-img-m.fits") as hdus:
        wcs, stored = WCS(hdus[0].header), hdus[0].data
    ra, dec = wcs.wcs_pix2world([[4.5, 4.5]], 0)[0]
    bands = {band: f"{folder}/unwise-*-{band}-img-m.fits" for band in ("w1", "w2")}
    reader = FITSImages(write_positions(tmp_path, {"1": (ra, dec)}), bands, 8)
    np.testing.assert_allclose(views_of(reader)["1"][0], 10 ** (-0.4 * 2.699) * stored[1:9, 1:9], rtol=1e-5)
    inverse = FITSImages(write_positions(tmp_path, {"1": (ra, dec)}), {"w1": bands["w1"]}, 8, ivar=True)
    assert (views_of(inverse)["1"][1] > 0).all()


@pytest.mark.shared_data
def test_real_brick_and_mosaics(shared_data, tmp_path):
    folder = shared_data / "format-examples"
    brick = folder / "legacysurvey-0959p805-image-g.fits.fz"
    with fits.open(brick) as hdus:
        image, star = hdus[1].data, (296.2, 1003.4)
        inside, beyond = WCS(hdus[1].header).wcs_pix2world([star, (2500, 2500)], 0)
    table = write_positions(tmp_path, {"1": tuple(inside), "2": tuple(beyond)})
    sample, drop = items_of(FITSImages(table, {"g": str(brick)}, 64))
    np.testing.assert_array_equal(sample.views["image"][0], Cutout2D(image, star, 64).data)
    assert drop.reason.startswith("band 'g' is blank (0 everywhere)")
    table = write_positions(tmp_path, {"1": (313.17, -5.69)})
    mosaics = {b: {"files": f"{folder}/reprojected_sdss_{b}.fits.bz2", "filter": "g"} for b in "gri"}
    assert views_of(FITSImages(table, mosaics, 64))["1"].shape == (3, 64, 64)
    swapped = {band: f"{folder}/reprojected_sdss_{band}.fits.bz2" for band in "gr"}
    (drop,) = FITSImages(table, swapped, 64).read(table)
    assert "the header says band 'g', and the file is given as band 'r'" in drop.reason


def test_a_changed_image_of_another_band_is_noticed(tmp_path):
    reader = make_unwise(tmp_path)
    names = {path.name for path in reader.also_reads()}
    assert {"unwise-1500p020-w2-img-m.fits", "unwise-1500p020-w1-invvar-m.fits.gz"} <= names
    assert not names & {path.name for path in reader.files()}
