"""Momentum contrast in two processes: the same queue and the same encoder in both, and those of one process."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

SCRIPT = """
import sys
sys.path.insert(0, sys.argv[1])
import torch
from dataclasses import replace
from pathlib import Path
from test_moco import QUICK, SMALL, normalised, train
from astroclip_kit.pretraining import moco
from astroclip_kit.settings import Optimizer

made = []
plain = moco.MomentumContrast.__init__
moco.MomentumContrast.__init__ = lambda self, *given: (plain(self, *given), made.append(self))[0]
out = Path(sys.argv[2])
training = replace(QUICK, optimizer=Optimizer("sgd", 3e-2))
# of an epoch, so that whole batches are forgotten: of a part of one, each way to share rows forgets another part
train(out, settings=replace(SMALL, queue=1000), training=training)
train(out / "both", encoder=normalised(), settings=replace(SMALL, symmetric=True), training=QUICK)
several = torch.distributed.is_initialized()
rank = torch.distributed.get_rank() if several else 0
for number, module in enumerate(made):
    torch.save(module.state_dict(), out / f"{number}-of-{rank}.pt")
"""


@pytest.mark.slow
def test_two_processes_train_the_same_encoder_as_one_and_share_the_queue(tmp_path):
    script = tmp_path / "train.py"
    script.write_text(SCRIPT)
    several = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2", "--standalone"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    for name, start in (("one", [sys.executable]), ("two", several)):
        (tmp_path / name).mkdir()
        command = [*start, str(script), str(Path(__file__).parent), str(tmp_path / name)]
        subprocess.run(command, check=True, env=environment, timeout=300)
    for number in (0, 1):
        one, first, second = (
            torch.load(tmp_path / path / f"{number}-of-{rank}.pt", weights_only=True)
            for path, rank in (("one", 0), ("two", 0), ("two", 1))
        )
        for name, value in first.items():
            assert torch.equal(second[name], value), name
        if number == 0:
            check_the_same(one, first)


def check_the_same(one, first):
    for name in (name for name in one if name.startswith("query")):
        torch.testing.assert_close(first[name], one[name], rtol=1e-3, atol=1e-4)
    order_one, order_two = one["groups"].argsort(), first["groups"].argsort()
    assert torch.equal(one["groups"][order_one], first["groups"][order_two])
    torch.testing.assert_close(first["queue"][order_two], one["queue"][order_one], rtol=1e-2, atol=1e-3)
