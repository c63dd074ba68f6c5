"""How alike answers are to who asked, against a slow loop."""

import numpy as np
import pytest

from astroclip_kit.downstream.answers import answer_differences
from astroclip_kit.downstream.space import Space
from astroclip_kit.errors import UsageError

N = 60
rng = np.random.default_rng(1)
Z = rng.uniform(0, 1, N)


@pytest.fixture
def space():
    """Vectors on a half circle, in the order of z, of objects of which half are held out; two are one object."""
    angle = np.pi * Z
    turned = np.stack([np.cos(angle + 0.02), np.sin(angle + 0.02)], axis=1).astype(np.float32)
    vectors = {"image": np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32), "spectrum": turned}
    present = {"image": np.ones(N, dtype=bool), "spectrum": np.arange(N) != 5}
    groups = np.array([f"g{max(i, 1)}" for i in range(N)])
    z = np.where(np.arange(N) == 7, np.nan, Z)
    labels = {"z": z, "class": np.where(Z > 0.5, "a", "b"), "angle": z * 360}
    source = {"seed": 0, "dataset": "circle", "origin": "mock"}
    split = np.where(np.arange(N) < 40, "test", "train")
    return Space("aligned", vectors, present, groups, split, labels, source)


def slow(space, query, target, k):
    held = [row for row in space.rows(target, held_out=True) if np.isfinite(space.labels["z"][row])]
    apart = []
    for row in space.rows(query, held_out=True):
        if not np.isfinite(space.labels["z"][row]):
            continue
        others = [other for other in held if space.groups[other] != space.groups[row]]
        near = sorted(others, key=lambda other: -float(space.vectors[query][row] @ space.vectors[target][other]))[:k]
        apart.append(np.median([abs(Z[other] - Z[row]) for other in near]))
    return np.median(apart), len(apart)


def test_all_directions_equal_a_slow_loop(space):
    found = {(one.query, one.target): one for one in answer_differences(space, "z", k=4, n_boot=50)}
    assert len(found) == 4
    for (query, target), one in found.items():
        expected, count = slow(space, query, target, 4)
        assert one.value == pytest.approx(expected, rel=1e-5) and one.n == count
        assert one.low <= one.value <= one.high < one.chance
        assert (one.task, one.metric, one.property, one.origin) == ("answers", "difference@4", "z", "mock")


def test_few_objects_give_few_answers_and_angles_go_the_short_way(space):
    [one, *_] = answer_differences(space, "circular(angle, 360)", k=500, n_boot=10)
    assert one.chance <= 180 and one.metric == "difference@500"


def test_of_classes_there_is_no_difference_and_of_unknown_labels_an_error(space):
    assert list(answer_differences(space, "class")) == []
    with pytest.raises(UsageError, match="no property 'mass' among the labels: z, class, angle"):
        list(answer_differences(space, "mass"))
