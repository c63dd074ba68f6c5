import numpy as np
import pytest
from layout_wise import cutouts, write_cutout
from synthetic_images import middle_of_light

from astroclip_kit.contracts import check_alike
from astroclip_kit.data import ingest
from astroclip_kit.embeddings.observations import read_observations
from astroclip_kit.errors import FileError, InputError, UsageError
from astroclip_kit.pipeline import info
from astroclip_kit.surveys import CleanImages, LegacySurveyCutouts, Resampled, TableReader
from astroclip_kit.transforms import ImageQuality
from astroclip_kit.types import Drop, Modality


def view_of(reader):
    [item] = [item for path in reader.files() for item in reader.read(path)]
    return item.views["image"]


@pytest.mark.parametrize("scale", [1.375, 2.75])
def test_surveys_of_other_pixels_become_alike(tmp_path, scale):
    write_cutout(tmp_path, "a", size=round(60 / scale), scale=scale)
    reader = Resampled(cutouts(tmp_path), size=80, size_arcsec=50)
    image = view_of(reader)[0]
    assert image.shape == (80, 80)
    assert image.sum() == pytest.approx(500, rel=0.05)
    np.testing.assert_allclose(middle_of_light(np.where(image > 0.5, image, 0)), [39.5, 39.5], atol=0.6)
    assert reader.modality.pixel_scale_arcsec == 0.625 and reader.modality.source_pixel_scale_arcsec == scale


def test_a_plane_of_constant_brightness_stays_so_and_its_errors_follow_the_area(tmp_path):
    def flat(image, ivar):
        image[:], ivar[:] = 2.0, 4.0

    write_cutout(tmp_path, "a", change=flat)
    view = view_of(Resampled(cutouts(tmp_path), size=40, size_arcsec=50))
    area = (1.25 / 1.375) ** 2
    np.testing.assert_allclose(view[:3], 2.0 * area, rtol=1e-5)
    assert (view[3:] >= 4.0 / area**2 * (1 - 1e-5)).all()  # an average of pixels is never noisier than one


def test_bad_pixels_do_not_bleed(tmp_path):
    def hole(image, ivar):
        image[1, 10:16, 10:16], ivar[1, 10:16, 10:16] = 1e6, 0

    write_cutout(tmp_path, "a", change=hole)
    view = view_of(Resampled(cutouts(tmp_path), size=80, size_arcsec=50))
    lost = view[4] == 0
    assert lost.any() and not (view[[3, 5]] == 0).any()
    assert (view[1][lost] == 0).all() and np.abs(view[1]).max() < 100


def test_without_inverse_variances_exact_zeros_are_bad(tmp_path):
    def hole(image, ivar):
        image[1, 10:16, 10:16] = np.nan

    write_cutout(tmp_path, "a", change=hole)
    view = view_of(Resampled(cutouts(tmp_path, ivar=False), size=80, size_arcsec=50))
    assert (view[1] == 0).sum() > 30 and not (view[0] == 0).any()


def test_the_scale_that_was_read_is_in_the_dataset(tmp_path):
    (tmp_path / "cutouts").mkdir()
    for name in ("a", "bb"):
        write_cutout(tmp_path / "cutouts", name)
    reader = Resampled(cutouts(tmp_path / "cutouts"), size=80, size_arcsec=50)
    made = ingest({"image": reader}, tmp_path / "data", workers=1, quiet=True)
    assert made.modalities["image"].grid == (0.625, 1.375)
    assert "0.625 arcsec per pixel (resampled from 1.375)" in info(str(tmp_path / "data"))


def test_a_model_refuses_images_of_other_source_pixels():
    def modality(*grid):
        return Modality("image", "image", ("w1",), (1, 80, 80), "nmgy", grid)

    check_alike(modality(0.625), modality(0.625, 2.75), "the encoder")  # it did not tell
    with pytest.raises(InputError, match=r"has pixels of 0.625 arcsec, from ones of 2.75 arcsec, and the encoder was "
                       r"trained on pixels of 0.625 arcsec, from ones of 1.375 arcsec"):  # fmt: skip
        check_alike(modality(0.625, 1.375), modality(0.625, 2.75), "the encoder")


def test_a_cutout_smaller_than_asked_for_is_refused(tmp_path):
    write_cutout(tmp_path, "a", size=36)
    assert Resampled(cutouts(tmp_path), 80, 50).modality.shape == (6, 80, 80)  # 49.5 arcsec: what the services give
    with pytest.raises(UsageError, match=r"images of 36 pixels of 1.375 arcsec are 49.5 arcsec wide, expected "
                       r"size_arcsec=60 or more. Get larger ones"):  # fmt: skip
        _ = Resampled(cutouts(tmp_path), 80, 60).modality


def test_a_smaller_one_among_others_a_wrong_scale_and_a_missing_band_are_named(tmp_path):
    write_cutout(tmp_path, "a")
    small, coarse = write_cutout(tmp_path, "small", size=30), write_cutout(tmp_path, "unwise", scale=2.75)
    reader = Resampled(cutouts(tmp_path), 80, 50)
    with pytest.raises(FileError, match=r"small.fits: \(30, 30\) pixels, expected \(40, 40\) of the first file"):
        list(reader.read(small))
    with pytest.raises(FileError, match=r"unwise.fits: 2.7500 arcsec per pixel, expected 1.3750"):
        list(reader.read(coarse))
    four = Resampled(LegacySurveyCutouts(tmp_path, bands=("w1", "w4")), 80, 50)
    with pytest.raises(FileError, match="'w4'"):
        list(four.read(tmp_path / "a.fits"))


def test_what_is_spoiled_stays_a_drop(tmp_path):
    def saturated(image, ivar):
        ivar[0, 19:21, 19:21] = 0

    write_cutout(tmp_path, "a", change=saturated)
    [item] = Resampled(CleanImages(cutouts(tmp_path)), 80, 50).read(tmp_path / "a.fits")
    assert isinstance(item, Drop) and "the object itself has a bad or saturated pixel in band 'w1'" in item.reason


@pytest.mark.parametrize(("limit", "expected"), [(4.84, 1.0), ({"w1": 4.84}, {"w1": 1.0}), (None, None)])
def test_what_was_asked_of_images_is_kept_in_terms_of_the_new_pixels(tmp_path, limit, expected):
    write_cutout(tmp_path, "a")
    asked = Resampled(CleanImages(cutouts(tmp_path), saturation=limit, significance=5), 80, 50).image_quality
    assert (asked["core"], asked["significance"], asked["min_good"]) == (11, 5, 0.9)
    assert asked["saturation"] == (expected if expected is None else pytest.approx(expected))
    assert Resampled(cutouts(tmp_path), 80, 50).image_quality == {}


def test_new_cutouts_are_resampled_as_those_of_a_model_were(tmp_path):
    write_cutout(tmp_path, "a")
    bands = ("w1", "w2", "w3")
    trained_on = Modality("image", "image", bands, (3, 80, 80), "nmgy", (0.625, 1.375))
    [sample], _ = read_observations([tmp_path], None, trained_on)
    [alike] = Resampled(cutouts(tmp_path, ivar=False), 80, 50).read(tmp_path / "a.fits")
    np.testing.assert_array_equal(sample.views["image"], alike.views["image"])
    coarse = Modality("image", "image", bands, (3, 80, 80), "nmgy", (0.625, 2.75))
    with pytest.raises(InputError, match=r"resampled from 1.3750 arcsec per pixel, the model was trained on ones of 2"):
        read_observations([tmp_path], None, coarse)


def test_what_makes_no_sense(tmp_path):
    write_cutout(tmp_path, "a")
    table = tmp_path / "table.csv"
    table.write_text("name,g\na,1\n")
    for settings, problem in (
        ((1, 50), "size: 1 pixels make no image"),
        ((80, 0), "size_arcsec: expected more than 0"),
    ):
        with pytest.raises(UsageError, match=problem):
            Resampled(cutouts(tmp_path), *settings)
    with pytest.raises(UsageError, match=r"Resampled: TableReader.* reads no images"):
        _ = Resampled(TableReader(table, columns=["g"], id_column="name"), 80, 50).modality

    class Unscaled(LegacySurveyCutouts):
        modality = Modality("image", "image", ("w1",), (1, 40, 40))

    with pytest.raises(UsageError, match="does not know the size of its pixels"):
        _ = Resampled(Unscaled(tmp_path), 80, 50).modality


def test_blank_cutouts_and_faint_sources_are_judged_alike_before_and_after(tmp_path):
    def kept(signal):
        folder = tmp_path / f"{signal}"
        folder.mkdir()
        for number in range(12):

            def change(image, ivar, seed=number):
                offset = np.arange(40) - 19.5
                image[:] = np.random.default_rng(seed).normal(0, 0.3, image.shape)
                image += signal * np.exp(-(offset[:, None] ** 2 + offset**2) / 2 / 1.9**2)

            write_cutout(folder, f"{number:02d}", change=change)
        plain = cutouts(folder)
        clean = Resampled(CleanImages(plain, significance=5), 80, 50)
        items = [item for path in plain.files() for item in clean.read(path)]
        raw = Resampled(plain, 80, 50)
        quality = ImageQuality(**clean.image_quality)
        new = [quality.spoiled(item.views["image"], raw.modality) for p in plain.files() for item in raw.read(p)]
        return sum(not isinstance(item, Drop) for item in items), new.count("")

    assert kept(0.0) == (0, 0) and kept(2.0) == (12, 12)
