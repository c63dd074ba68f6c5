"""A dataset whose training images belong to other objects of the class."""

import numpy as np
import pytest

from astroclip_kit.data import ingest
from astroclip_kit.errors import InputError
from astroclip_kit.recipes.permuted import PermutedViews, permutation_inside
from astroclip_kit.surveys import TableReader

NAMES = ["a", "b", "c", "d", "e", "f"]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("table")
    lines = [f"{name},{number},{10 * number}" for number, name in enumerate(NAMES)]
    (folder / "stars.csv").write_text("\n".join(["name,g,w", *lines]) + "\n")
    readers = {
        name: TableReader(folder / "stars.csv", columns=[column], id_column="name", name=name)
        for name, column in (("image", "g"), ("spectrum", "w"))
    }
    return ingest(readers, folder / "data", quiet=True)


def test_a_permutation_stays_inside_the_class_and_moves_all_who_are_permuted():
    codes, rows = np.arange(100) % 3, np.arange(10, 90)
    order = permutation_inside(codes, rows, seed=4)
    assert sorted(order) == list(range(100)) and (codes[order] == codes).all()
    assert (order[rows] != rows).all()
    others = np.setdiff1d(np.arange(100), rows)
    np.testing.assert_array_equal(order[others], others)
    assert (permutation_inside(codes, rows, seed=5) != order).any()
    np.testing.assert_array_equal(permutation_inside(codes, rows, seed=4), order)


def test_images_are_those_of_others_and_all_else_stays(dataset):
    shown = [2, 0, 1, 3, 5, 4]
    permuted = PermutedViews(dataset, "image", shown)
    assert permuted.object_ids.tolist() == NAMES and len(permuted) == 6
    assert permuted.views("image")[:, 0].tolist() == shown
    assert permuted.views("image", [4, 0])[:, 0].tolist() == [5, 2]
    assert permuted.views("spectrum")[:, 0].tolist() == [0, 10, 20, 30, 40, 50]
    assert permuted.present("image").all() and permuted.modalities == dataset.modalities


def test_rows_that_are_chosen_keep_what_they_show(dataset):
    permuted = PermutedViews(dataset, "image", [2, 0, 1, 3, 5, 4])
    for rows in ([4, 0], np.array([True, False, False, False, True, False])):
        some = permuted.select(rows)
        assert sorted(some.views("image")[:, 0].tolist()) == [2, 5]
        assert sorted(some.views("spectrum")[:, 0].tolist()) == [0, 40]
    again = permuted.select([4, 0]).select([1])
    assert (again.object_ids.tolist(), again.views("image").tolist()) == (["a"], [[2]])


def test_what_was_learned_of_other_images_is_not_taken_for_the_same(dataset):
    one, other = (PermutedViews(dataset, "image", shown) for shown in ([1, 0, 2, 3, 4, 5], [2, 1, 0, 3, 4, 5]))
    assert len({one.data_hash("image"), other.data_hash("image"), dataset.data_hash("image")}) == 3
    assert one.data_hash("spectrum") == other.data_hash("spectrum")


def test_labels_are_given_to_the_dataset_beneath(dataset):
    with pytest.raises(InputError, match="labels class: give them to the dataset before its views are permuted"):
        PermutedViews(dataset, "image", np.arange(6)).with_labels({"class": np.array(NAMES)})
