import numpy as np
import pytest
import torch
from scipy import stats

from astroclip_kit.storage import hash_ids
from astroclip_kit.transforms.randomness import fork, integers, normal, object_seeds, uniform

IDS = [f"object-{number}" for number in range(2000)]
SEEDS = object_seeds(0, 0, hash_ids(IDS))


def splitmix64(state):
    """The published generator in Python's unbounded integers: what `_mix` must equal."""
    z = state % 2**64
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB % 2**64
    return z ^ (z >> 31)


def test_the_hash_is_splitmix64():
    for seed in (0, 1, -1, 2**62 + 12345, -(2**63)):
        key = splitmix64(seed)
        expected = [(splitmix64(key + k * 0x9E3779B97F4A7C15) >> 40) / 2**24 for k in (1, 2, 3)]
        assert uniform(torch.tensor([seed]), (3,))[0].tolist() == expected


def test_uniform_numbers_are_uniform():
    draws = uniform(SEEDS, (50,)).numpy()
    assert draws.min() >= 0 and draws.max() < 1
    assert stats.kstest(draws.ravel(), "uniform").pvalue > 1e-3
    assert stats.kstest(draws[:, 0], "uniform").pvalue > 1e-3


@pytest.mark.parametrize("shape", [(50,), (7, 7), (1,)])
def test_normal_numbers_are_normal(shape):
    draws = normal(SEEDS, shape).numpy()
    assert draws.shape == (len(IDS), *shape)
    assert stats.kstest(draws.ravel(), "norm").pvalue > 1e-3


def test_numbers_of_a_row_and_of_neighbouring_rows_are_uncorrelated():
    draws = normal(SEEDS, (20,)).numpy()
    between_columns = np.corrcoef(draws.T)[~np.eye(20, dtype=bool)]
    between_rows = np.corrcoef(draws[:-1].ravel(), draws[1:].ravel())[0, 1]
    assert np.abs(between_columns).max() < 5 / np.sqrt(len(IDS))
    assert abs(between_rows) < 5 / np.sqrt(draws.size)


@pytest.mark.parametrize("draw", [uniform, normal])
def test_a_row_does_not_depend_on_its_batch(draw):
    whole = draw(SEEDS, (3, 5))
    shuffled = torch.randperm(len(SEEDS), generator=torch.Generator().manual_seed(0))
    assert torch.equal(draw(SEEDS[shuffled], (3, 5)), whole[shuffled])
    assert torch.equal(draw(SEEDS[10:11], (3, 5)), whole[10:11])


def test_seed_epoch_and_object_each_change_the_draws():
    first = uniform(SEEDS)
    for other in (object_seeds(1, 0, hash_ids(IDS)), object_seeds(0, 1, hash_ids(IDS)), fork(SEEDS, 0)):
        assert abs(np.corrcoef(first, uniform(other))[0, 1]) < 0.1
    assert len(SEEDS.unique()) == len(IDS)
    assert not torch.equal(object_seeds(0, 1, hash_ids(IDS)), object_seeds(1, 0, hash_ids(IDS)))


def test_integers_cover_their_range_evenly():
    counts = torch.bincount(integers(SEEDS, 8, (10,)).flatten(), minlength=8)
    assert stats.chisquare(counts.numpy()).pvalue > 1e-3


@pytest.mark.parametrize("device", ["cpu", *(f"cuda:{k}" for k in range(torch.cuda.device_count()))])
def test_every_device_draws_the_same(device):
    assert torch.equal(uniform(SEEDS.to(device), (9,)).cpu(), uniform(SEEDS, (9,)))
    torch.testing.assert_close(normal(SEEDS.to(device), (9,)).cpu(), normal(SEEDS, (9,)), rtol=1e-5, atol=1e-5)
