"""Which classes there are, and what is refused."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from astroclip_kit.classifiers import absent_classes, check_classes, class_codes
from astroclip_kit.classifiers.classes import class_loss, class_weighting, shown_codes
from astroclip_kit.data import splits
from astroclip_kit.errors import InputError, UsageError
from astroclip_kit.settings import Classification, LabelShare, Split


def codes_of(values, label="class"):
    return class_codes(SimpleNamespace(labels={label: np.array(values)}), label)


def test_classes_are_texts_or_whole_numbers():
    names, codes = codes_of(["b", "", "a", "b"])
    assert names == ("a", "b") and codes.tolist() == [1, -1, 0, 1] and codes.dtype == np.int64
    names, codes = codes_of([2.0, np.nan, 0.0])
    assert names == ("0", "2") and codes.tolist() == [1, -1, 0]
    assert codes_of(["a", "a"])[0] == ("a",) and codes_of(["", ""])[0] == ()


def test_a_label_that_is_no_class_is_refused():
    with pytest.raises(UsageError, match="there is no 'kind' in the data; it has class"):
        class_codes(SimpleNamespace(labels={"class": np.array(["a"])}), "kind")
    with pytest.raises(UsageError, match="'teff' is a measurement, not a class"):
        codes_of([7000.5, 8000.0], "teff")
    with pytest.raises(UsageError, match="has 1,001 different values, expected at most 1,000 classes"):
        codes_of([f"star {number}" for number in range(1001)])


def test_labels_that_are_kept_back_count_as_unknown(stars):
    settings = Classification(split=Split(test=0.25, valid=0.25, seed=3), labelled=LabelShare(0.5, "level"))
    names, codes = class_codes(stars, "class")
    same, shown = shown_codes(stars, settings)
    sides = splits.divide(stars, settings.split)
    assert same == names and (shown[sides == "test"] == codes[sides == "test"]).all()
    assert ((shown == codes) | (shown < 0)).all()
    for side in ("train", "valid"):
        known = (codes >= 0) & (sides == side)
        assert abs((shown[known] >= 0).sum() - known.sum() / 2) <= len(names)
    assert (shown_codes(stars, replace(settings, labelled=LabelShare()))[1] == codes).all()
    with pytest.raises(
        UsageError, match=r"labelled\.fraction: stages 'simulated' learns from all labels\. Leave it at 1"
    ):
        shown_codes(stars, replace(settings, stages="simulated"))


def check(values, sides, **arguments):
    return check_classes(*codes_of(values), np.array(sides), **arguments)


def test_classes_that_cannot_be_learned_are_refused():
    with pytest.raises(InputError, match=r"none of the 2 objects has a class\. Check that the ids of the labels"):
        check(["", ""], ["train", "valid"])
    with pytest.raises(InputError, match="all labelled objects are of the class 'bhb', expected two classes"):
        check(["bhb", "bhb", ""], ["train", "train", "train"])
    with pytest.raises(InputError, match="no training object is of the class 'other'"):
        check(["bhb", "bhb", "other"], ["train", "train", "valid"])


def test_an_imbalance_is_said_with_its_remedy():
    values, sides = ["bhb"] * 2 + ["other"] * 2000, ["train"] * 2002
    with pytest.warns(UserWarning, match="2,000 training objects of the class 'other' and 2 of 'bhb'.*balanced"):
        note = check(values, sides)
    assert "set class_weights to balanced" in note
    assert check(values, sides, class_weights="balanced") == ""
    assert check(values[:202], sides[:202]) == ""


def test_classes_that_a_side_lacks_are_said_with_the_remedy():
    values, sides = ["a", "b", "c", "a", "b", "a", ""], ["train"] * 3 + ["valid"] * 2 + ["test"] * 2
    told = absent_classes(*codes_of(values), np.array(sides))
    assert [note.partition(":")[0] for note in told] == [
        "no validation object is of the class 'c'",
        "no test object is of the class 'b'",
        "no test object is of the class 'c'",
    ]
    assert all(note.endswith("Add objects, change split.seed, or judge in folds") for note in told)
    assert "macro numbers are of the other classes alone" in told[1]
    assert not absent_classes(*codes_of(["a", "b"] * 2), np.array(["valid", "valid", "test", "test"]))
    assert not absent_classes(*codes_of(["a", "b"] * 2), np.array(["train", "train", "test", "test"]))  # as asked for


def test_balanced_weights_make_every_class_count_the_same():
    codes = np.array([0, 0, 0, 1])
    weights = class_weighting(codes, 2, "balanced")
    assert weights[codes].mean() == 1 and weights[0] * 3 == weights[1]
    assert class_weighting(codes, 2, "") is None
    with pytest.raises(UsageError, match="class_weights is 'even', expected '' or 'balanced'"):
        class_weighting(codes, 2, "even")


def test_the_loss_is_a_mean_over_objects():
    logits, codes = torch.randn(6, 3, generator=torch.Generator().manual_seed(0)), torch.tensor([0, 1, 2, 2, 2, 0])
    plain = torch.nn.functional.cross_entropy(logits, codes)
    torch.testing.assert_close(class_loss(logits, codes), plain)
    torch.testing.assert_close(class_loss(logits, codes, torch.ones(3) * 2), 2 * plain)
