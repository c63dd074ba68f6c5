"""What a training batch holds: a function of (seed, epoch, object)."""

import numpy as np
import pytest
import torch

from astroclip_kit.alignment.batches import FeatureBatches, SampleBatches, plain_batch
from astroclip_kit.alignment.draw import Draw
from astroclip_kit.settings import Sampling

NAMES = ["image", "spectrum"]


def moments(features):
    return {name: (torch.zeros(features.out_features(name)), torch.ones(features.out_features(name))) for name in NAMES}


def make(features, sampling=None, seed=0, rows=None, device=None):
    rows = np.arange(len(features.object_ids)) if rows is None else rows
    draw = Draw(features, features.names, rows, sampling or Sampling(), seed)
    return FeatureBatches(features, moments(features), draw, device)


@pytest.fixture
def views(space):
    """Three views that tell by their value which they are."""
    base = space.correlated(40)
    return space.Features({name: np.stack([m + 10000 * k for k in range(3)]) for name, m in base.items()})


@pytest.mark.parametrize("device", [None, torch.device("cpu")])
def test_the_view_drawn_depends_on_seed_epoch_and_object_only(views, device):
    rows = np.arange(40)
    batches = make(views, device=device)
    one, other = batches.batch(rows, 0), batches.batch(rows[::-1][:7], 0)
    assert torch.equal(one.views["image"].flip(0)[:7], other.views["image"])
    drawn = (one.views["image"].mean(dim=1) - torch.from_numpy(views.matrix("image").mean(axis=1))) / 10000
    assert set(drawn.round().long().tolist()) == {0, 1, 2}
    assert not torch.equal(batches.batch(rows, 1).views["image"], one.views["image"])
    assert not torch.equal(make(views, seed=1).batch(rows, 0).views["image"], one.views["image"])


def test_memory_and_disk_give_the_same_batch(views):
    rows, chosen = np.arange(5, 35), np.array([3, 1, 8, 20])
    sampling = Sampling(feature_noise=0.5, feature_dropout=0.2)
    held = make(views, sampling, rows=rows, device=torch.device("cpu")).batch(chosen, 4)
    read = make(views, sampling, rows=rows).batch(chosen, 4)
    assert all(torch.equal(held.views[name], read.views[name]) for name in NAMES)


def test_rows_say_which_objects_have_the_modality(space):
    present = np.arange(20) % 2 == 0
    features = space.Features(space.correlated(20), {"spectrum": present})
    batch = make(features).batch(np.array([4, 5, 6]), 0)
    assert batch.rows["spectrum"].tolist() == [0, 2] and batch.rows["image"].tolist() == [0, 1, 2]
    np.testing.assert_array_equal(batch.views["spectrum"], features.matrix("spectrum")[[4, 6]])
    assert len(batch) == 3


def test_noise_and_dropout_have_the_size_asked_for(space):
    features = space.Features({name: np.zeros((400, 50), np.float16) for name in NAMES})
    noisy = make(features, Sampling(feature_noise=0.3)).batch(np.arange(400), 0)
    assert float(noisy.views["image"].std()) == pytest.approx(0.3, rel=0.05)
    assert not torch.equal(noisy.views["image"], noisy.views["spectrum"])
    ones = space.Features({name: np.ones((400, 50), np.float16) for name in NAMES})
    dropped = make(ones, Sampling(feature_dropout=0.25)).batch(np.arange(400), 0)
    assert float((dropped.views["image"] == 0).float().mean()) == pytest.approx(0.25, abs=0.02)


def test_modality_dropout_leaves_two(space):
    features = space.Features(space.correlated(200, {"a": 2, "b": 2, "c": 2}))
    draw = Draw(features, features.names, np.arange(200), Sampling(modality_dropout=0.4), 0)
    kept = draw.keep(np.arange(200), draw.seeds(np.arange(200), 0))
    assert set(kept.sum(axis=1)) == {2, 3}


def test_one_row_of_each_group_per_epoch(space):
    groups = np.repeat(np.arange(10), 3)
    features = space.Features(space.correlated(30), groups=groups)
    batches = make(features, Sampling(one_per_group=True))
    epochs = [batches.order(epoch) for epoch in range(20)]
    assert len(batches) == 10
    assert all(sorted(groups[order]) == list(range(10)) for order in epochs)
    assert set(np.concatenate(epochs)) == set(range(30))
    np.testing.assert_array_equal(batches.order(3), epochs[3])


def test_order_is_a_permutation_of_seed_and_epoch(space):
    batches = make(space.Features(space.correlated(30)))
    assert sorted(batches.order(0)) == list(range(30))
    assert list(batches.order(0)) == list(batches.order(0)) != list(batches.order(1))


def test_raw_samples_are_augmented_by_object(space):
    samples = space.Samples(space.correlated(12), {"image": np.arange(12) != 1})
    draw = Draw(samples, NAMES, np.arange(12), Sampling(), 0)

    def augment(x, seeds):
        return x + (seeds % 1000)[:, None].float()

    batches = SampleBatches(samples, NAMES, draw, {"image": augment})
    one, other = batches.batch(np.array([0, 1, 2]), 0), batches.batch(np.array([2, 5]), 0)
    assert one.rows["image"].tolist() == [0, 2]
    assert torch.equal(one.views["image"][1], other.views["image"][0])
    assert not torch.equal(batches.batch(np.array([2, 5]), 1).views["image"], other.views["image"])
    assert torch.equal(one.views["spectrum"], samples.batch([0, 1, 2]).views["spectrum"])


def test_plain_batch_keeps_ids_and_takes_the_first_view(views):
    batch = plain_batch(views, NAMES, np.array([3, 9]))
    assert batch.object_ids == ["object-3", "object-9"] == batch.groups
    np.testing.assert_array_equal(batch.views["image"], views.matrix("image")[[3, 9]])
