"""Order is a function of (seed, epoch); resuming skips; workers fail with a clear word."""

import os
import signal
from dataclasses import replace

import numpy as np
import pytest
from training_cases import SETTINGS, Points

from astroclip_kit.errors import TrainingError
from astroclip_kit.settings import Training
from astroclip_kit.training import epoch_batches
from astroclip_kit.training.checks import check_sizes
from astroclip_kit.training.order import Order, batches


class Local(Points):
    def __reduce__(self):
        raise TypeError("cannot pickle 'Local' object")


class Dying(Points):
    def batch(self, rows, epoch):
        os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize(("rows", "batch_size"), [(1, 8), (8, 8), (9, 8), (100, 8), (257, 256)])
def test_batches_hold_every_row_once_and_are_even(rows, batch_size):
    settings = Training(batch_size=batch_size)
    split = epoch_batches(Points(rows), 3, settings)
    assert sorted(np.concatenate(split)) == list(range(rows))
    sizes = [len(part) for part in split]
    assert max(sizes) <= batch_size and max(sizes) - min(sizes) <= 1


def test_order_is_a_function_of_seed_and_epoch():
    def rows(seed, epoch):
        return np.concatenate(epoch_batches(Points(), epoch, replace(SETTINGS, seed=seed))).tolist()

    assert rows(0, 0) == rows(0, 0)
    assert rows(0, 0) != rows(0, 1) and rows(0, 0) != rows(1, 0) and rows(0, 1) != rows(1, 0)


def test_data_may_choose_its_own_order():
    data = Points()
    data.order = lambda epoch: np.arange(epoch, 6)
    assert np.concatenate(epoch_batches(data, 2, SETTINGS)).tolist() == [2, 3, 4, 5]
    with pytest.raises(TrainingError, match=r"epoch 10 has no training objects\. Check the split"):
        epoch_batches(data, 9, SETTINGS)


def test_processes_share_every_batch_and_resuming_skips():
    def shares(rank, **start):
        return [(epoch, rows.tolist()) for epoch, rows in Order(Points(), SETTINGS, slice(rank, None, 2), **start)]

    first, second = shares(0, epoch=0, batch=0), shares(1, epoch=0, batch=0)
    whole = epoch_batches(Points(), 1, SETTINGS)[2].tolist()
    assert first[7][0] == 1 and sorted(first[7][1] + second[7][1]) == sorted(whole)
    assert shares(0, epoch=1, batch=2) == first[7:]


def test_a_batch_too_small_for_the_processes():
    with pytest.raises(TrainingError, match=r"batches of 2 objects cannot be shared by 3 .* batch_size \(now 2\)"):
        check_sizes([3, 2], 3, 2)


@pytest.mark.filterwarnings("ignore:Got pickle error")
def test_data_that_cannot_be_sent_to_workers():
    data = Local()
    with pytest.raises(TrainingError, match=r"the data cannot be sent to 1 workers .*Set num_workers=0"):
        next(batches(data, Order(data, SETTINGS, slice(None), 0, 0), 1))


@pytest.mark.slow
def test_a_worker_that_dies():
    data = Dying()
    with pytest.raises(TrainingError, match=r"a worker that loads data died .*set num_workers=0"):
        next(batches(data, Order(data, SETTINGS, slice(None), 0, 0), 1))
