"""The table of properties of an object."""

import numpy as np
import pytest
from odd_objects import COUNT, odd_space

from astroclip_kit.embeddings import EmbeddingStore
from astroclip_kit.explorer.objects import property_table
from astroclip_kit.explorer.objects.property_table import PropertyTable
from astroclip_kit.explorer.session import Session
from astroclip_kit.explorer.space import Space


def space_of(root, count=200, **more):
    z = np.random.default_rng(0).standard_normal((count, 4))
    labels = {"mass": np.where(np.arange(count) == 3, 99.0, z[:, 0]), "empty": np.full(count, np.nan)}
    split = np.where(np.arange(count) < count // 2, "train", "test")
    values = {"units": {"mass": "solMass"}}
    store = EmbeddingStore.write(
        root / "s", {"image": z}, np.arange(count), labels=labels, catalog={"split": split}, values=values
    )
    return Space(store)


@pytest.fixture
def table(tmp_path):
    return PropertyTable(Session(space_of(tmp_path)))


def test_the_catalogue_stands_beside_the_neighbours_with_units(table):
    table.show(150)
    text = table._table.text
    assert "mass <span class=small>[solMass]</span>" in text and "neighbours (90 %)" in text and ">200</span>" in text
    assert "hold the truth for 90 % of objects" in text and "trained on" not in text
    assert not table._by.visible  # there is one modality


def test_a_value_that_is_outside_is_marked_and_training_is_told(table):
    table.show(3)
    assert "▲ outside" in table._table.text and "The model was trained on this object" in table._table.text
    table.show(150)
    assert "99" not in table._table.text


def test_few_labels_give_values_without_intervals_and_it_says_so(tmp_path):
    table = PropertyTable(Session(space_of(tmp_path, 30)))
    table.show(20)
    assert "Too few objects are labelled to say how far" in table._table.text
    assert "<td><span class=small>30</span>" in table._table.text and "outside" not in table._table.text


def test_another_modality_can_be_asked(tmp_path):
    table = PropertyTable(Session(odd_space(tmp_path)))
    table.show(0)
    assert table._by.options == ["image", "spectrum", "lightcurve", "table", "image+spectrum+lightcurve+table"]
    table._by.value = "spectrum"
    table.show(1)
    assert table._by.value == "spectrum"
    table.show(COUNT - 1)
    assert table._by.options == ["image"] == [table._by.value]


def test_names_and_classes_are_text(tmp_path):
    table = PropertyTable(Session(odd_space(tmp_path)))
    table.show(0)
    assert "<script" not in table._table.text and "<img" not in table._table.text
    assert "&lt;script&gt;" in table._table.text and "&lt;img onerror" in table._table.text
    assert "Too few other objects have" in table._table.text


def test_a_name_that_turns_round_is_not_taken_for_another(tmp_path):
    labels = {"\u202eevil": np.arange(20.0), "kind": ["\u202ewols"] * 19 + ["b"]}
    store = EmbeddingStore.write(tmp_path / "s", {"image": np.eye(20)}, np.arange(20), labels=labels)
    table = PropertyTable(Session(Space(store)))
    table.show(2)
    assert "\u202e" not in table._table.text and "<td>\N{REPLACEMENT CHARACTER}evil" in table._table.text
    assert table._table.text.count("\N{REPLACEMENT CHARACTER}wols") >= 2  # of the catalogue, and of the neighbours


def test_a_large_space_reads_when_it_is_asked_to(table, monkeypatch):
    monkeypatch.setattr(property_table, "OFFERED", 100)
    table.show(150)
    assert table._button.visible and "neighbours (90 %)" not in table._table.text and "solMass" in table._table.text
    table._read()
    assert not table._button.visible and "neighbours (90 %)" in table._table.text


def test_what_was_asked_of_an_object_that_was_left_is_not_shown(table):
    waiting = []
    table._session.work = lambda job, then, lane: waiting.append((job, then))
    table.show(3)
    assert "Reading its properties off its neighbours by image" in table._table.text
    table.show(150)
    (first, shown), (second, then) = waiting
    assert first() is None
    shown(None)
    assert "neighbours (90 %)" not in table._table.text
    then(second())
    assert "neighbours (90 %)" in table._table.text


def test_a_column_that_was_saved_meanwhile_is_read_too(table):
    table.show(150)
    assert "fresh" not in table._table.text
    store = table._session.space.store
    store.save_column("fresh", np.where(store.vectors("image")[:, 0] > 0, "right", "left"))
    table._session.space.refresh()
    assert "<td>fresh" in table._table.text and table._table.text.count("left") + table._table.text.count("right") > 1


def test_a_problem_is_a_sentence_in_its_place(table, monkeypatch):
    def broken(*_):
        raise property_table.KitError("embeddings of <b>image</b> hold NaN.")

    monkeypatch.setattr(property_table, "read_properties", broken)
    table.show(150)
    assert "embeddings of &lt;b&gt;image&lt;/b&gt; hold NaN." in table._table.text


def test_what_nobody_foresaw_ends_the_waiting_with_a_sentence(table, monkeypatch, caplog):
    monkeypatch.setattr(property_table, "read_properties", lambda *_: 1 / 0)
    table.show(150)
    assert "That failed unexpectedly (ZeroDivisionError: division by zero)." in table._table.text
    assert "Reading its properties" not in table._table.text and "unexpected error in reading" in caplog.text


def test_an_object_in_no_modality_says_so(tmp_path):
    present = {"image": [True, False]}
    store = EmbeddingStore.write(tmp_path / "s", {"image": np.eye(2)}, ["a", "b"], present=present)
    table = PropertyTable(Session(Space(store)))
    table.show(1)
    assert "in no modality of the space" in table._table.text
    table.show(0)
    assert table._by.value == "image" and "Nothing is read off" in table._table.text


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (3.0, ">3<"),
        (0.1234567, '<span title="0.1234567">0.12346</span>'),
        (2457000.12345, '<span title="2457000.12345">2457000.12</span>'),
        (3962783512345678.0, ">3962783512345678<"),  # an id
        (39627835123456.0, ">39627835123456<"),
        (1e300, ">1e+300<"),
        (np.inf, '<span title="inf">-</span>'),
        (np.nan, ">-<"),
        ("", ">-<"),
        (True, ">True<"),
    ],
)
def test_values_are_told_as_one_reads_them(value, told):
    assert told in property_table.line("name", value, "", None) + "<"
