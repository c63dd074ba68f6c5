"""Properties that are read off neighbours."""

import numpy as np
import pytest

from astroclip_kit.embeddings import EmbeddingStore
from astroclip_kit.embeddings.queries import Asked
from astroclip_kit.explorer.objects import properties
from astroclip_kit.explorer.objects.properties import read_file, read_properties, rounded
from astroclip_kit.explorer.space import Space

COUNT = 300


def space_of(root, count=COUNT, **more):
    """Objects on a circle: z grows along it, and the class changes half way; the first has a wrong z and class."""
    angle = np.linspace(0.1, 3, count)
    z, kind = angle / 10, np.where(angle > 1.5, "QSO", "STAR")
    z[0], kind[0] = 5.0, "QSO"
    labels = {"z": z, "class": kind, "name": [f"n{number}" for number in range(count)]}
    labels |= {"half": np.where(np.arange(count) % 2 == 0, z, np.nan), "none": np.full(count, np.nan)}
    vectors = {"image": np.stack([np.cos(angle), np.sin(angle)], axis=1)}
    return Space(EmbeddingStore.write(root / "s", vectors, np.arange(count).astype(str), labels=labels, **more))


@pytest.fixture(scope="module")
def space(tmp_path_factory):
    return space_of(tmp_path_factory.mktemp("circle"))


def test_a_number_and_a_class_are_what_the_neighbours_have_with_what_holds_the_truth(space):
    found, problem = read_properties(space, 200, "image")
    low, high = (float(end) for end in found["z"].interval.split(" to "))
    assert low < space.store.labels["z"][200] < high and float(found["z"].value) == pytest.approx(0.204, abs=0.01)
    assert found["class"].value == "QSO" and found["class"].share == 1 and found["class"].interval == "QSO"
    assert found["z"].holds and found["class"].holds and found["z"].supported and not problem


def test_a_catalogue_that_says_otherwise_is_seen_and_the_object_is_not_its_own_neighbour(space):
    found, _ = read_properties(space, 0, "image")
    assert not found["z"].holds and not found["class"].holds
    assert float(found["z"].value) < 0.05 and found["class"].value == "STAR"


def test_it_says_on_how_many_objects_it_stands_and_names_are_no_classes(space):
    found, _ = read_properties(space, 10, "image")
    assert found["z"].known == COUNT and found["half"].known == COUNT // 2
    assert set(found) == {"z", "class", "half"}


def test_no_interval_of_a_redshift_is_below_zero_and_one_of_a_logarithm_is(tmp_path):
    angle = np.linspace(0.0, 3, COUNT)
    z = np.where(np.arange(COUNT) % 3 == 0, 0.0, angle / 10)
    vectors = {"image": np.stack([np.cos(angle), np.sin(angle)], axis=1)}
    store = EmbeddingStore.write(tmp_path / "s", vectors, np.arange(COUNT), labels={"z": z, "log": z - 0.2})
    found, _ = read_properties(Space(store), 3, "image")
    assert found["z"].interval.startswith("0.00") and not found["z"].interval.endswith(" to 0.00")
    assert found["log"].interval.startswith("-0.2")


def asked(store, row, label="nobody", rows=()):
    return Asked("image", store.vectors("image")[[row]], [label], [np.array(rows, dtype=int)])


def test_a_new_observation_is_read_as_an_object_is(space):
    found, problem = read_file(space, asked(space.store, 200), {})
    low, high = (float(end) for end in found["z"].interval.split(" to "))
    assert low < space.store.labels["z"][200] < high and not problem
    assert found["class"].value == "QSO" and found["z"].known == COUNT and found["z"].holds and found["class"].holds
    told = {"z": np.array([3.0]), "class": np.array(["QSO"])}
    found, _ = read_file(space, asked(space.store, 200), told)
    assert not found["z"].holds and found["class"].holds


@pytest.mark.parametrize(
    ("who", "group"), [({"label": "0"}, "0"), ({"rows": [0]}, "0"), ({"label": "nobody"}, "nobody")]
)
def test_a_new_observation_of_a_known_object_is_not_read_off_itself(space, monkeypatch, who, group):
    real, asking = properties.predict_properties, []
    monkeypatch.setattr(
        properties, "predict_properties", lambda question, chosen: asking.append(question) or real(question, chosen)
    )
    found, _ = read_file(space, asked(space.store, 0, **who), {})
    assert {str(question.groups[0]) for question in asking} == {group} and found["class"].value == "STAR"


def test_an_unknown_value_lies_outside_of_nothing(space):
    assert np.isnan(space.store.labels["half"][11]) and read_properties(space, 11, "image")[0]["half"].holds


def test_it_is_kept_for_when_one_comes_back(space):
    assert read_properties(space, 33, "image") is read_properties(space, 33, "image")


def test_too_few_objects_are_said_in_a_sentence(tmp_path):
    found, problem = read_properties(space_of(tmp_path, 10), 3, "image")
    assert found == {} and problem == "Too few other objects have z, class, half to read them off neighbours."


def test_few_objects_have_a_value_but_no_interval(tmp_path):
    found, problem = read_properties(space_of(tmp_path, 40), 20, "image")
    assert found["z"].value and not found["z"].interval and found["z"].holds and "half" not in problem


def test_a_number_beyond_all_sense_is_unknown_and_takes_no_other_reading_away(tmp_path):
    angle = np.linspace(0.1, 3, COUNT)
    z = np.where(np.arange(COUNT) % 5 == 1, np.finfo(float).max, angle / 10)
    labels = {"z": z, "big": np.geomspace(1e300, 1e308, COUNT), "large": np.geomspace(1e140, 1e153, COUNT)}
    vectors = {"image": np.stack([np.cos(angle), np.sin(angle)], axis=1)}
    store = EmbeddingStore.write(tmp_path / "s", vectors, np.arange(COUNT), labels={**labels, "true": angle})
    found, problem = read_properties(Space(store), 200, "image")
    assert set(found) == {"z", "true", "large"} and not problem
    assert found["z"].known == COUNT - COUNT // 5 and float(found["z"].value) == pytest.approx(0.204, abs=0.02)
    assert found["true"].interval and 1e140 < float(found["large"].value) < 1e153


def test_a_property_that_fails_takes_no_other_reading_away(space, monkeypatch):
    real = properties.predict_properties

    def failing(question, chosen):
        if any(one.name == "z" for one in chosen):
            raise ArithmeticError("no such number")
        return real(question, chosen)

    monkeypatch.setattr(properties, "predict_properties", failing)
    found, problem = read_properties(space, 123, "image")
    assert set(found) == {"class", "half"} and problem == "z cannot be read: no such number."


def test_a_space_without_labels_has_nothing_to_read(tmp_path):
    store = EmbeddingStore.write(tmp_path / "s", {"image": np.eye(3)}, ["a", "b", "c"])
    assert read_properties(Space(store), 0, "image") == ({}, "")


def test_other_observations_of_the_object_do_not_answer(tmp_path):
    groups = ["0", "0", *np.arange(2, COUNT).astype(str)]
    found, _ = read_properties(space_of(tmp_path, catalog={"group": groups}), 1, "image")
    assert float(found["z"].value) < 0.1  # its sibling, which is nearest, says 5


def test_of_a_large_store_some_labelled_objects_are_asked(tmp_path, monkeypatch):
    monkeypatch.setattr(properties, "MEMORY", 200)
    found, _ = read_properties(space_of(tmp_path), 200, "image")
    assert found["z"].known == 200 and float(found["z"].value) == pytest.approx(0.204, abs=0.01)


def test_a_large_store_without_labels_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(properties, "MEMORY", 2)
    store = EmbeddingStore.write(tmp_path / "s", {"image": np.eye(3)}, ["a", "b", "c"])
    with pytest.raises(properties.InputError, match="no object of this space has a label"):
        read_properties(Space(store), 0, "image")


def test_two_modalities_side_by_side(tmp_path):
    z = np.random.default_rng(0).standard_normal((100, 4))
    labels = {"first": z[:, 0]}
    store = EmbeddingStore.write(tmp_path / "s", {"image": z, "spectrum": z[:, ::-1]}, np.arange(100), labels=labels)
    found, _ = read_properties(Space(store), 4, "image+spectrum")
    assert found["first"].known == 100


@pytest.mark.parametrize(
    ("number", "off", "text"),
    [
        (0.0, 0.0, "0"),
        (-0.0012345, 1e-5, "-0.001234"),
        (1e12, 1e10, "1e+12"),
        (2.0, 0.5, "2.00"),
        (-5.0, 30, "-5"),
        (-0.001, 0.5, "0.00"),
    ],
)
def test_numbers_have_the_digits_that_mean_something(number, off, text):
    assert rounded(number, off) == text
