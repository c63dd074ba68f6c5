"""Two gloo processes have the gradients of one process on the whole batch."""

import subprocess
import sys
from datetime import timedelta

import numpy as np
import pytest
import torch
from torch import distributed as dist
from torch.nn.parallel import DistributedDataParallel

from astroclip_kit.alignment import ContrastiveModel, ProjectionHead
from astroclip_kit.alignment.batches import AlignmentBatch
from astroclip_kit.alignment.objective import BatchLoss
from astroclip_kit.losses import InfoNCE, SigLIP
from astroclip_kit.settings import Objective

NAMES = ["image", "spectrum", "lightcurve"]
# presence [rows, modalities] and rows of each process
CASES = {
    "complete": (np.ones((6, 3), bool), ([0, 2, 4], [1, 3, 5])),
    "other numbers of rows": (
        np.array([[1, 1, 1], [1, 0, 1], [1, 1, 0], [0, 1, 1], [1, 1, 0], [1, 0, 1]], bool),
        ([0, 2, 4], [1, 3, 5]),
    ),
    "one process has none": (
        np.array([[1, 1, 0], [1, 1, 1], [1, 1, 0], [1, 1, 1], [1, 0, 0], [0, 1, 1]], bool),
        ([0, 2, 4], [1, 3, 5]),
    ),
    "short last batch": (np.ones((5, 3), bool), ([0, 2, 4], [1, 3])),
    "a process without a row": (np.ones((3, 3), bool), ([0, 1, 2], [])),
    "no usable pair": (np.eye(3, dtype=bool), ([0, 2], [1])),
}


def make_model(siglip):
    torch.manual_seed(0)
    heads = {name: ProjectionHead(4, 3, (5,)) for name in NAMES}
    return ContrastiveModel(heads, learnable_scale=True, logit_bias=-3.0 if siglip else None).double()


def make_batch(present, rows, groups):
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(len(present), len(NAMES), 4, generator=generator, dtype=torch.float64)
    views, index = {}, {}
    for column, name in enumerate(NAMES):
        here = np.flatnonzero(present[rows, column]) if rows else np.zeros(0, np.int64)
        index[name] = torch.from_numpy(here)
        views[name] = x[torch.tensor(rows, dtype=torch.int64)[here], column]
    return AlignmentBatch([], [], views, index, group_numbers=torch.tensor(groups)[torch.tensor(rows).long()])


def gradients(model, module, batch, siglip):
    settings = Objective(pair_weights=[1.0, 0.25, 2.0], reduction="mean" if siglip else "published")
    objective = BatchLoss(model, SigLIP() if siglip else InfoNCE(), 10, settings)
    loss = objective(module, batch)
    loss.backward()
    return float(loss.detach()), [weight.grad.clone() for weight in model.parameters()]


def work(rank, folder):
    dist.init_process_group(
        "gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2, timeout=timedelta(seconds=600)
    )
    torch.set_num_threads(1)
    found = {}
    for name, (present, shares) in CASES.items():
        for siglip in (False, True):
            model = make_model(siglip)
            batch = make_batch(present, shares[rank], [0, 1, 2, 3, 1, 4])
            found[name, siglip] = gradients(model, DistributedDataParallel(model), batch, siglip)
    torch.save({str(key): value for key, value in found.items()}, f"{folder}/{rank}.pt")
    dist.destroy_process_group()


@pytest.fixture(scope="module")
def by_two(tmp_path_factory):
    folder = tmp_path_factory.mktemp("two")
    command = [sys.executable, __file__, str(folder)]  # pytest's own modules cannot be imported by a spawned process
    workers = [subprocess.Popen([*command, str(rank)]) for rank in range(2)]
    assert [worker.wait(timeout=600) for worker in workers] == [0, 0]
    return [torch.load(folder / f"{rank}.pt", weights_only=True) for rank in range(2)]


@pytest.mark.parametrize("siglip", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_gradients_equal_those_of_one_process(by_two, case, siglip):
    present, shares = CASES[case]
    model = make_model(siglip)
    whole = make_batch(present, list(range(len(present))), [0, 1, 2, 3, 1, 4])
    loss, expected = gradients(model, model, whole, siglip)
    assert sorted(shares[0] + shares[1]) == list(range(len(present)))
    assert any(gradient.abs().sum() > 0 for gradient in expected) == (case != "no usable pair")
    for found in by_two:
        other_loss, other = found[str((case, siglip))]
        assert other_loss == pytest.approx(loss, abs=1e-9)
        for one, two in zip(expected, other, strict=True):
            torch.testing.assert_close(two, one, rtol=0, atol=1e-9)


if __name__ == "__main__":
    work(int(sys.argv[2]), sys.argv[1])
