"""A small training with everything switched on that could break exact resuming, run in processes of its own."""

import multiprocessing
import os
import random
import signal
import socket
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from astroclip_kit.settings import Hardware, Optimizer, Schedule, Training
from astroclip_kit.training import checkpoint, fit

SETTINGS = Training(
    epochs=6,
    batch_size=8,
    accumulate=2,
    optimizer=Optimizer(learning_rate=0.02, factors={"layers.0": 0.5}),
    schedule=Schedule("cosine", warmup_steps=3),
    hardware=Hardware("cpu", "float32", checkpoint_seconds=0),
    seed=5,
)


PLAIN = replace(
    SETTINGS,
    optimizer=Optimizer("sgd", 0.01, 0.0, 1.0),
    schedule=Schedule("constant"),
    hardware=Hardware("cpu", "float32"),
)


class Points:
    """Rows of noise around a plane; the noise of a row is a function of (seed, epoch, row)."""

    def __init__(self, rows=37, noise=0.1, seed=0, pids=None):
        generator = np.random.default_rng(0)
        self.x = generator.normal(size=(rows, 5)).astype(np.float32)
        self.y = self.x.sum(1, keepdims=True)
        self.noise = noise
        self.seed = seed
        self.pids = pids

    def __len__(self):
        return len(self.x)

    def batch(self, rows, epoch):
        if self.pids is not None:
            (Path(self.pids) / str(os.getpid())).touch()
        noise = [np.random.default_rng([self.seed, epoch, row]).normal(size=5) for row in rows]
        x = self.x[rows] + self.noise * np.array(noise, dtype=np.float32)
        return {"x": torch.from_numpy(x), "y": torch.from_numpy(self.y[rows])}


class Net(nn.Module):
    def __init__(self, seed=0, dropout=0.2, norm=True):
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            layers = [nn.Linear(5, 16), nn.BatchNorm1d(16) if norm else nn.Identity(), nn.ReLU(), nn.Dropout(dropout)]
            self.layers = nn.Sequential(*layers, nn.Linear(16, 1))

    def forward(self, batch):
        return self.layers(batch["x"])


def loss(module, batch):
    return (module(batch) - batch["y"]).square().mean()


def slow_loss(module, batch):
    time.sleep(0.01)
    return loss(module, batch)


def validate(module):
    data = Points(noise=0.0)
    return {"loss": float(loss(module, data.batch(np.arange(len(data)), 0)))}


def everything(out):
    """All that a run leaves, but for the time it took."""
    last = checkpoint.read(Path(out) / checkpoint.LAST)
    for row in last["state"]["rows"]:
        del row["seconds"]
    del last["state"]["running"]["seconds"]
    log = [line.rsplit(",", 1)[0] for line in (Path(out) / "log.csv").read_text().splitlines()]
    best = Path(out) / checkpoint.BEST
    return {"last": last, "log": log, "best": checkpoint.read(best) if best.exists() else None}


def equal(one, other):
    """Whether two trees are the same to the last bit."""
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(equal(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(equal, one, other))
    return one == other


def plain_net(seed=0):
    return Net(seed, dropout=0.0, norm=False)


def train(out, pids, num_workers=2, rank=0, world=1, port=0, plain=False):
    """One process of a slow training; with several, set up as torchrun sets them up."""
    torch.set_num_threads(1)
    if world > 1:
        names = {"TORCHELASTIC_RUN_ID": "test", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "GROUP_RANK": 0}
        names |= {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": world, "LOCAL_WORLD_SIZE": world}
        os.environ.update({name: str(value) for name, value in names.items()})
    if plain:
        fit(plain_net(rank), Points(), loss, PLAIN, out, validate=validate)
        return
    hardware = replace(SETTINGS.hardware, num_workers=num_workers)
    fit(Net(rank), Points(pids=pids), slow_loss, replace(SETTINGS, hardware=hardware), out, validate=validate)


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def start(out, pids, world=1, num_workers=2, plain=False):
    """Starts the processes of one training."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["lightning_fabric", "torch.utils.tensorboard", "astroclip_kit.training.loop"])
    started, port = [], free_port()
    for rank in range(world):
        started.append(context.Process(target=train, args=(str(out), str(pids), num_workers, rank, world, port, plain)))
        started[-1].start()
    return started


def run_whole(out, pids, **arguments):
    """Runs a training to its end."""
    processes = start(out, pids, **arguments)
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * len(processes)


def run_killed(out, pids, kills, **arguments):
    """Starts a training again and again, kills it at random moments, lets the last one end."""
    moments = random.Random(kills)
    for _ in range(kills):
        processes = start(out, pids, **arguments)
        running = wait_for_changes(out / "checkpoint-last", moments.randint(1, 3), processes)
        time.sleep(moments.uniform(0, 0.02))  # in a step, in a write, in a validation
        running = running and all(process.is_alive() for process in processes)
        kill(processes, pids)
        assert running, "it ended before it could be killed"
    run_whole(out, pids, **arguments)


def check_same(one, other):
    """Checks that two runs came to the same, to the last bit."""
    one, other = everything(one), everything(other)
    assert one["last"]["state"]["finished"] and len(one["log"]) == 1 + SETTINGS.epochs
    assert equal(one, other)


def kill(processes, pids):
    """Ends processes as a power cut would, and the workers that they leave."""
    for process in processes:
        process.kill()
    for process in processes:
        process.join()
    for own in Path(pids).iterdir():
        try:
            os.kill(int(own.name), signal.SIGKILL)
        except ProcessLookupError:
            pass
        own.unlink()


def wait_for_changes(path, count, processes):
    """Waits until a file was replaced so many times, or a process ended; gives whether all still run."""
    before = path.stat().st_mtime_ns if path.exists() else 0
    while count and all(process.is_alive() for process in processes):
        now = path.stat().st_mtime_ns if path.exists() else 0
        count -= now != before
        before = now
        time.sleep(0.001)
    return count == 0


if __name__ == "__main__":
    import sys

    train(sys.argv[1], sys.argv[2], rank=int(os.environ.get("RANK", "0")))
