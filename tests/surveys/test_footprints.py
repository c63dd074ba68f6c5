import numpy as np
import pytest
from astropy.io import fits
from layout_images import wcs_of

from astroclip_kit.surveys.images.footprints import best_tiles
from astroclip_kit.surveys.images.image_files import Tile


def tiles_at(folder, centres, shape=(100, 100), scale=36.0, **place):
    """Images of 1 degree across."""
    tiles = []
    for number, centre in enumerate(centres):
        path = folder / f"{number}.fits"
        fits.writeto(path, np.zeros(shape, "f4"), wcs_of(shape, scale, centre=centre, **place).to_header())
        tiles.append(Tile.of(path))
    return tiles


def test_no_image_and_no_position(tmp_path):
    assert best_tiles([], [1.0, 2.0], [0.0, 0.0], 60).tolist() == [-1, -1]
    assert best_tiles(tiles_at(tmp_path, [(0.0, 0.0)]), [], [], 60).tolist() == []


def test_the_edge_of_the_sky_and_its_poles(tmp_path):
    tiles = tiles_at(tmp_path, [(0.0, 0.0), (180.0, 0.0), (0.0, 90.0), (0.0, -90.0)])
    ra, dec = [359.8, 0.2, 180.0, 77.0, 200.0, 90.0], [0.1, -0.1, 0.4, 89.8, -89.7, 0.0]
    assert best_tiles(tiles, ra, dec, 60).tolist() == [0, 0, 1, 2, 3, -1]


@pytest.mark.parametrize("rotation", [0.0, 45.0])
def test_the_image_with_the_wider_margin(tmp_path, rotation):
    tiles = tiles_at(tmp_path, [(10.0, 0.0), (10.5, 0.0)], rotation_deg=rotation)
    assert best_tiles(tiles, [10.05, 10.2, 10.3, 10.45], np.zeros(4), 60).tolist() == [0, 0, 1, 1]


def test_of_equal_images_the_first(tmp_path):
    tiles = tiles_at(tmp_path, [(10.0, 0.0), (10.0, 0.0)])
    assert best_tiles(tiles, [10.1], [0.1], 60).tolist() == [0]


def test_a_cutout_larger_than_any_margin_goes_where_most_of_it_is(tmp_path):
    tiles = tiles_at(tmp_path, [(10.0, 0.0), (10.5, 0.2)])
    assert best_tiles(tiles, [10.3], [-0.28], 0.8 * 3600).tolist() == [0]
    assert best_tiles(tiles, [10.4], [0.3], 0.8 * 3600).tolist() == [1]


def test_a_position_just_outside_is_not_shown(tmp_path):
    tiles = tiles_at(tmp_path, [(10.0, 0.0)])
    assert best_tiles(tiles, [10.0, 10.0], [0.4999, 0.5001], 60).tolist() == [0, -1]


def test_thousands_of_positions_as_one_by_one(tmp_path):
    rng = np.random.default_rng(0)
    tiles = tiles_at(tmp_path, [(10.0, 20.0), (10.6, 20.1), (10.3, 20.7)], rotation_deg=20)
    ra, dec = rng.uniform(9, 12, 300), rng.uniform(19, 21.5, 300)
    together = best_tiles(tiles, ra, dec, 60)
    alone = [int(best_tiles(tiles, ra[row : row + 1], dec[row : row + 1], 60)[0]) for row in range(300)]
    assert together.tolist() == alone and set(alone) == {-1, 0, 1, 2}
