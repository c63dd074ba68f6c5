"""Two processes train as one does, and go on exactly when both were killed."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from training_cases import PLAIN, Points, check_same, everything, loss, plain_net, run_killed, run_whole, validate

from astroclip_kit.training import fit
from astroclip_kit.training.processes import average_gradients

CASES = Path(__file__).with_name("training_cases.py")


def test_two_processes_equal_one(tmp_path, pids):
    run_whole(tmp_path / "two", pids, num_workers=0, world=2, plain=True)
    module = plain_net()
    history = fit(module, Points(), loss, PLAIN, tmp_path / "one", validate=validate)
    two = everything(tmp_path / "two")
    for name, tensor in two["best"]["module"].items():  # batches of 7: shares of 4 and 3
        torch.testing.assert_close(tensor, module.state_dict()[name], rtol=1e-4, atol=1e-6)
    for ours, theirs in zip(two["last"]["state"]["rows"], history, strict=True):
        for name in ("epoch", "step", "lr", "loss", "val_loss"):
            assert ours[name] == pytest.approx(theirs[name], rel=1e-4)


@pytest.mark.parametrize("world", [2, pytest.param(3, marks=pytest.mark.slow)])
def test_kill_9_of_several_processes(tmp_path, pids, world):
    run_whole(tmp_path / "whole", pids, num_workers=0, world=world)
    run_killed(tmp_path / "killed", pids, kills=2, num_workers=0, world=world)
    check_same(tmp_path / "killed", tmp_path / "whole")


class TwoProcesses:
    """A fabric whose other process has the gradients `others`."""

    world_size = 2
    device = torch.device("cpu")

    def __init__(self, others):
        self.others = others

    def all_reduce(self, flat, reduce_op):
        assert reduce_op == "mean"
        return (flat + self.others) / 2


def test_a_weight_that_one_process_did_not_use_counts_as_zero_there():
    module = torch.nn.ParameterList([torch.zeros(2), torch.zeros(1), torch.zeros(3)])
    module[0].grad = torch.tensor([1.0, 2.0])
    others = torch.tensor([3.0, 4.0, 5.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0])  # their gradients, then which they have
    average_gradients(TwoProcesses(others), module)
    assert module[0].grad.tolist() == [2.0, 3.0] and module[1].grad.tolist() == [2.5] and module[2].grad is None


@pytest.mark.slow
def test_torchrun(tmp_path, pids):
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", str(CASES)]
    subprocess.run([*torchrun, str(tmp_path / "torchrun"), str(pids)], check=True)
    run_whole(tmp_path / "ours", pids, num_workers=0, world=2)
    check_same(tmp_path / "torchrun", tmp_path / "ours")
