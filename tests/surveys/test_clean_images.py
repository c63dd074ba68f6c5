import numpy as np
import pytest
from layout_clean_images import write_star

from astroclip_kit.data import ingest
from astroclip_kit.errors import UsageError
from astroclip_kit.surveys import CleanImages, LegacySurveyCutouts, TableReader
from astroclip_kit.types import Drop, Sample


def spoil(places, flux=None, ivar=None, band=1):
    def change(image, inverse):
        for array, value in ((image, flux), (inverse, ivar)):
            if value is not None:
                array[(band, *places)] = value

    return change


MIDDLE, EDGE, CORNER = np.s_[5:6, 5:6], np.s_[:, :2], np.s_[0:1, 0:1]
EVERYWHERE = np.s_[:, :]


def read(folder, ivar=True, **settings):
    reader = CleanImages(LegacySurveyCutouts(folder, bands=("u", "g"), ivar=ivar), **settings)
    [item] = [item for path in reader.files() for item in reader.read(path)]
    return item


@pytest.mark.parametrize(
    ("change", "settings", "reason"),
    [
        (spoil(EDGE, ivar=0), {}, "less than 90% of its pixels are good in band 'g'."),
        (spoil(EDGE, flux=np.nan), {"ivar": False}, "less than 90% of its pixels are good in band 'g'."),
        (spoil(MIDDLE, ivar=0), {}, "the object itself has a bad or saturated pixel in band 'g'."),
        (spoil(MIDDLE, flux=900, band=0), {"saturation": 800}, "the object itself has a bad or saturated pixel"),
        (spoil(EVERYWHERE, flux=900), {"core": 0, "saturation": {"g": 800}}, "less than 90% of its pixels are good"),
    ],
)  # fmt: skip
def test_what_is_spoiled_is_left_out_with_its_reason(tmp_path, change, settings, reason):
    write_star(tmp_path, "star", change)
    item = read(tmp_path, **settings)
    assert isinstance(item, Drop) and item.reason.startswith(reason) and item.source.endswith("star.fits: star")


@pytest.mark.parametrize(
    ("change", "settings"),
    [
        (spoil(CORNER, ivar=0), {}),
        (spoil(EDGE, ivar=0), {"min_good": 0.8}),
        (spoil(MIDDLE, flux=900, band=0), {"saturation": {"g": 800}}),
        (spoil(MIDDLE, ivar=0), {"core": 0}),
    ],
)
def test_what_is_good_enough_is_kept_as_it_is(tmp_path, change, settings):
    path = write_star(tmp_path, "star", change)
    item = read(tmp_path, **settings)
    [plain] = LegacySurveyCutouts(tmp_path, bands=("u", "g"), ivar=True).read(path)
    assert isinstance(item, Sample)
    np.testing.assert_array_equal(item.views["image"], plain.views["image"])


def faint(image, ivar):
    image[:, 5:7, 5:7] = 0.1


def test_what_shows_nothing_in_the_middle_is_left_out(tmp_path):
    write_star(tmp_path, "star", faint)
    item = read(tmp_path, significance=5)
    assert isinstance(item, Drop) and item.reason == "no source in the middle: less than 5 sigma in every band."
    assert isinstance(read(tmp_path), Sample)


def test_one_band_is_enough_to_see_a_source_and_the_level_of_the_sky_is_none(tmp_path):
    def change(image, ivar):
        image[0, 5:7, 5:7] = 0.1
        image += 40

    write_star(tmp_path, "star", change)
    assert isinstance(read(tmp_path, significance=5), Sample)


def test_ingest_counts_those_that_share_a_reason(tmp_path):
    (tmp_path / "cutouts").mkdir()
    for name in ("a", "bb", "ccc", "dddd"):
        write_star(tmp_path / "cutouts", name, spoil(MIDDLE if len(name) < 3 else CORNER, ivar=0))
    images = CleanImages(LegacySurveyCutouts(tmp_path / "cutouts", bands=("u", "g"), ivar=True))
    made = ingest({"image": images}, tmp_path / "data", workers=1, quiet=True)
    assert sorted(made.object_ids) == ["ccc", "dddd"]
    reason = "the object itself has a bad or saturated pixel in band 'g'."
    assert made.manifest["drops"] == [{"source": "image", "reason": reason, "count": 2}]


def test_what_makes_no_sense(tmp_path):
    write_star(tmp_path, "star")
    images = LegacySurveyCutouts(tmp_path, bands=("u", "g"))
    for settings, problem in (
        ({"min_good": 1.5}, "min_good: expected a share between 0 and 1, found 1.5"),
        ({"core": -1}, "core: expected 0 or more pixels, found -1"),
        ({"significance": -1}, "significance: expected 0 or more, and a core to look at, found -1 and core=5"),
        ({"significance": 5, "core": 0}, "significance: expected 0 or more, and a core to look at, found 5 and core=0"),
    ):
        with pytest.raises(UsageError, match=problem):
            CleanImages(images, **settings)
    with pytest.raises(UsageError, match="saturation: there is no band 'r'"):
        repr(CleanImages(images, saturation={"r": 10}).modality)
    table = tmp_path / "t.csv"
    table.write_text("name,g\na,1\n")
    with pytest.raises(UsageError, match=r"CleanImages: TableReader.* reads no images"):
        repr(CleanImages(TableReader(table, columns=["g"], id_column="name")).modality)
