import numpy as np
import pytest
from sklearn import metrics as sk

from astroclip_kit.classifiers import class_table, misclassified_groups, unsure_but_right
from astroclip_kit.errors import InputError

CLASSES = ["galaxy", "qso", "star"]
PUBLISHED = np.array([[680, 16, 34], [9, 700, 12], [24, 9, 689]])  # true by predicted: IICnet's Figure 18
RNG = np.random.default_rng(0)
TRUE = np.array(CLASSES)[RNG.integers(0, 3, 90)]
P = RNG.dirichlet([1, 1, 1], 90) * 0.8 + 0.5 * (TRUE[:, None] == CLASSES)
P /= P.sum(axis=1, keepdims=True)
SAID = np.array(CLASSES)[P.argmax(axis=1)]


def test_the_table_is_that_of_the_published_confusion_matrix():
    true = np.repeat(CLASSES, PUBLISHED.sum(axis=1))
    said = np.concatenate([np.repeat(CLASSES, row) for row in PUBLISHED])
    table = class_table(true, said)
    found = {name: (100 * np.asarray(table[name][:3], dtype=float)).round(1).tolist() for name in table.colnames[1:6]}
    assert found == {  # Table 2 of Zhao et al. 2023, whose F1 (94.3, 96.8, 94.5) are of rounded precision and recall
        "precision": [95.4, 96.6, 93.7],
        "recall": [93.2, 97.1, 95.4],
        "specificity": [97.7, 98.3, 96.8],
        "f1": [94.2, 96.8, 94.6],
        "one_vs_rest_accuracy": [96.2, 97.9, 96.4],
    }
    assert list(table["class"]) == [*CLASSES, "all classes"] and list(table["n"]) == [730, 721, 722, 2173]
    assert table["accuracy"][3] == pytest.approx(2069 / 2173) and table["accuracy"].mask.tolist() == [1, 1, 1, 0]
    mean = float(np.mean(table["one_vs_rest_accuracy"][:3]))
    assert table["one_vs_rest_accuracy"][3] == pytest.approx(mean) == 1 - 2 * (1 - 2069 / 2173) / 3


def test_probabilities_count_by_the_largest_and_classes_keep_their_order():
    order = CLASSES[::-1]
    table = class_table(TRUE, P[:, ::-1], [*order])
    assert list(table["class"]) == [*order, "all classes"]
    assert table["balanced_accuracy"][3] == pytest.approx(sk.balanced_accuracy_score(TRUE, SAID))
    assert table["f1"][3] == pytest.approx(sk.f1_score(TRUE, SAID, average="macro"))


def test_one_class_alone_and_a_class_that_never_occurs():
    alone = class_table(["star"] * 4, ["star"] * 4)
    assert list(alone["recall"]) == [1, 1] and list(alone["specificity"]) == [0, 0]
    more = class_table(["star", "qso"], ["star", "star"], ["qso", "star", "nova"])
    assert list(more["n"]) == [1, 1, 0, 2] and more["recall"][3] == 0.5 and more["precision"][2] == 0


def test_groups_are_those_that_were_put_in_and_say_what_is_taken_for_what():
    centres = np.array([[0, 0], [9, 0], [0, 9]])
    group = np.arange(60) % 3
    x = centres[group] + RNG.normal(0, 0.5, (60, 2))
    true = np.where(group == 2, "qso", "star").astype("U6")
    said = np.where(np.arange(60) < 30, true, np.where(true == "qso", "star", "qso"))
    said[:3] = "galaxy"
    found = misclassified_groups(x, true, said, groups=3)
    assert sorted(np.concatenate([one.rows for one in found]).tolist()) == [0, 1, 2, *range(30, 60)]
    assert all(len(set(group[one.rows].tolist())) == 1 for one in found)
    assert {tuple(one.pairs.items()) for one in found} == {
        ((("star", "qso"), 10), (("star", "galaxy"), 1)),
        ((("qso", "star"), 10), (("qso", "galaxy"), 1)),
    }
    for one in found:
        scaled = (x / x[said != true].std(axis=0))[one.rows]
        far = np.linalg.norm(scaled - scaled.mean(axis=0), axis=1)
        assert (np.diff(far) >= 0).all()


def images(true):
    y, x = np.mgrid[:12, :12] - 5.5
    width = np.where(np.asarray(true) == "galaxy", 3.0, 1.2)[:, None, None]
    star = np.exp(-(x**2 + y**2) / 2 / width**2) * RNG.uniform(20, 40, (len(true), 1, 1))
    return (star[:, None] + RNG.normal(0, 1, (len(true), 2, 12, 12))).astype(np.float32)


def test_pixels_that_are_not_finite_do_not_rule_and_views_may_be_read_late():
    x, wrong = images(TRUE), np.flatnonzero(SAID != TRUE)
    x[wrong[0], 0, :3] = np.nan
    found = misclassified_groups(x, TRUE, P, CLASSES, groups=2, seed=1)
    seen = []
    late = misclassified_groups(lambda rows: seen.append(rows.tolist()) or x[rows], TRUE, P, CLASSES, groups=2, seed=1)
    assert seen == [wrong.tolist()]
    assert [one.rows.tolist() for one in late] == [one.rows.tolist() for one in found]
    wide = [set((TRUE[one.rows] == "galaxy").tolist()) for one in found]
    assert wide in ([{True}, {False}], [{False}, {True}])


def test_numbers_are_the_same_classes_however_they_are_written():
    table = class_table([0, 1, 1], [0.0, 1.0, 0.0])
    assert table["class"].tolist() == ["0", "1", "all classes"] and table["recall"].tolist() == [1.0, 0.5, 0.75]
    assert class_table([0, 1, 1], [[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]], [0.0, 1.0])["recall"].tolist() == [
        1.0,
        0.5,
        0.75,
    ]
    assert class_table([0.5, 1.0], [0.5, 1.0])["class"].tolist() == ["0.5", "1", "all classes"]


def test_fewer_misclassified_than_groups_and_none():
    x, true = np.arange(8.0).reshape(4, 2), ["a", "a", "b", "b"]
    assert [len(one.rows) for one in misclassified_groups(x, true, ["b", "a", "a", "b"], groups=5)] == [1, 1]
    same = misclassified_groups(np.ones((4, 2)), true, ["b", "b", "a", "a"])
    assert [one.rows.tolist() for one in same] == [[0, 1, 2, 3]]
    assert misclassified_groups(x, true, true) == []


def test_unsure_but_right_begins_with_the_least_sure_and_says_what_was_nearly_said():
    found = unsure_but_right(TRUE, P, CLASSES)
    right = TRUE == SAID
    expected = np.flatnonzero(right & (P.max(axis=1) < 0.6))
    assert sorted(found["row"]) == expected.tolist() and (np.diff(found["probability"]) >= 0).all()
    assert found.meta == {"below": 0.6, "right": int(right.sum())}
    first = found[0]
    ordered = np.sort(P[first["row"]])
    assert (first["probability"], first["probability_instead"]) == (ordered[-1], ordered[-2])
    assert first["class"] == TRUE[first["row"]] and P[first["row"], CLASSES.index(first["instead"])] == ordered[-2]
    assert not len(unsure_but_right(["a", "a"], [[1.0], [1.0]], ["a"]))


def test_of_two_classes_as_probable_the_other_one_was_nearly_said():
    [row] = unsure_but_right(["a"], [[0.4, 0.4, 0.2]], ["a", "b", "c"])
    assert (row["class"], row["instead"], row["probability_instead"]) == ("a", "b", 0.4)
    [row] = unsure_but_right(["b"], [[0.2, 0.4, 0.4]], ["a", "b", "c"])
    assert (row["class"], row["instead"]) == ("b", "c")


LOST = np.where(np.arange(90)[:, None] < 2, np.nan, P)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: class_table(TRUE, P), "classes: name the columns of the probabilities"),
        (lambda: class_table(TRUE, LOST, CLASSES), "probabilities: 2 of 90 objects have NaN. Leave them out first"),
        (lambda: class_table(TRUE, 2 * P, CLASSES), "expected numbers from 0 that add up to 1"),
        (lambda: class_table(TRUE, P, CLASSES[:2]), r"expected \(90, 2\) \(objects, classes\), found \(90, 3\)"),
        (lambda: class_table(TRUE[:5], SAID), r"equal lengths above 0, found shapes \(5,\) and \(90,\)"),
        (lambda: class_table([], []), "equal lengths above 0"),
        (lambda: class_table(["a", ""], ["a", "b"]), "1 of 2 objects have no class. Leave them out first"),
        (lambda: class_table(["a", "b"], ["a", "b"], ["a", "c"]), "the class 'b' is none of those given: a, c"),
        (lambda: misclassified_groups(P, TRUE, SAID, groups=0), "groups is 0, expected at least 1"),
        (lambda: misclassified_groups(P[:4], TRUE, SAID), "x: expected a row for each of 90 objects, found 4"),
        (
            lambda: unsure_but_right(TRUE, P, CLASSES, below=60),
            "below is 60, expected a probability above 0, at most 1",
        ),
        (
            lambda: misclassified_groups(lambda rows: P[rows[1:]], TRUE, SAID),
            r"x: expected what belongs to each of \d+ rows, found \d+",
        ),
        (lambda: misclassified_groups(LOST * 0 + np.nan, TRUE, SAID), "found NaN or infinity among the features"),
        (
            lambda: misclassified_groups(TRUE, TRUE, SAID),
            r"or views .* with finite values; found shape \(\d+,\)",
        ),
        (lambda: unsure_but_right(TRUE, P, CLASSES, below=0), "below is 0, expected a probability above 0, at most 1"),
        (lambda: unsure_but_right(TRUE, LOST, CLASSES), "2 of 90 objects have NaN"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()
