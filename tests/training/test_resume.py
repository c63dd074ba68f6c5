"""Killed at any moment and started again, a training ends exactly as if it had not been."""

import errno
import random
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from training_cases import (
    SETTINGS,
    Net,
    Points,
    check_same,
    equal,
    everything,
    kill,
    loss,
    run_killed,
    run_whole,
    validate,
)

from astroclip_kit.errors import FolderError, OutputError
from astroclip_kit.settings import Optimizer, Schedule
from astroclip_kit.training import checkpoint, fit, history, loop

CASES = Path(__file__).with_name("training_cases.py")


def test_kill_9_with_workers_dropout_augmentation_and_accumulation(tmp_path, pids):
    run_whole(tmp_path / "whole", pids, num_workers=0)
    run_killed(tmp_path / "killed", pids, kills=2, num_workers=2)
    check_same(tmp_path / "killed", tmp_path / "whole")
    assert not list((tmp_path / "killed").glob(".*"))


def test_kill_9_many_times(tmp_path, pids):
    run_whole(tmp_path / "whole", pids, num_workers=0)
    run_killed(tmp_path / "killed", pids, kills=7, num_workers=0)
    check_same(tmp_path / "killed", tmp_path / "whole")


class PowerCutError(BaseException):
    """What no code may catch."""


def run(out, module=None, settings=SETTINGS, data=None, **arguments):
    arguments = {"validate": validate, **arguments}
    return fit(module or Net(), data or Points(), arguments.pop("loss", loss), settings, out, **arguments)


@pytest.mark.parametrize("written", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_crash_at_every_write(tmp_path, monkeypatch, written):
    publish = checkpoint.publish
    settings = replace(SETTINGS, epochs=2)
    whole = Net()
    run(tmp_path / "whole", whole, settings)
    countdown = 0

    def crashing(path, write):
        nonlocal countdown
        countdown -= 1
        if countdown or written:
            publish(path, write)
        if not countdown:
            raise PowerCutError

    for module in (checkpoint, history):
        monkeypatch.setattr(module, "publish", crashing)
    writes = 0
    while True:
        writes = countdown = writes + 1
        try:
            run(tmp_path / str(writes), settings=settings)
            break
        except PowerCutError:
            resumed = Net(seed=9)  # other weights: the folder's count from the first checkpoint on
            run(tmp_path / str(writes), Net() if (writes, written) == (1, False) else resumed, settings)
            assert equal(everything(tmp_path / str(writes)), everything(tmp_path / "whole"))
    assert writes > 10  # first, log, 3 + 3 steps, best and last


def test_a_resumed_run_reads_no_finished_batch_again(tmp_path):
    seen = []

    class Watched(Points):
        def batch(self, rows, epoch):
            seen.append((epoch, tuple(rows)))
            return super().batch(rows, epoch)

    def failing_loss(module, batch):
        if len(seen) == 13 and module.training:  # in the second step of the third epoch
            raise PowerCutError
        return loss(module, batch)

    with pytest.raises(PowerCutError):
        run(tmp_path / "out", data=Watched(), loss=failing_loss)
    cut = list(seen)
    seen.clear()
    run(tmp_path / "out", data=Watched())
    assert cut[12:] == seen[:1]
    assert len(cut) + len(seen) - 1 == len(set(cut) | set(seen)) == 5 * SETTINGS.epochs


def test_bfloat16_resumes_exactly_too(tmp_path):
    settings = replace(SETTINGS, hardware=replace(SETTINGS.hardware, precision="bfloat16"))
    run(tmp_path / "whole", settings=settings)

    def failing_step(module):
        steps.append(1)
        if len(steps) == 7:
            raise PowerCutError

    steps = []
    with pytest.raises(PowerCutError):
        run(tmp_path / "cut", settings=settings, after_step=failing_step)
    run(tmp_path / "cut", settings=settings)
    assert equal(everything(tmp_path / "cut"), everything(tmp_path / "whole"))


@pytest.mark.parametrize("name", ["plateau", "constant"])
def test_other_schedules_and_early_stopping_resume_exactly(tmp_path, name):
    settings = replace(
        SETTINGS, epochs=30, early_stopping=4, schedule=Schedule(name, patience=0), optimizer=Optimizer("sgd", 0.05)
    )
    whole = run(tmp_path / "whole", settings=settings)
    assert len(whole) < 30
    steps = []

    def failing_step(module):
        steps.append(1)
        if len(steps) % 5 == 0:
            raise PowerCutError

    for _ in range(100):
        try:
            run(tmp_path / "cut", settings=settings, after_step=failing_step)
            break
        except PowerCutError:
            continue
    assert equal(everything(tmp_path / "cut"), everything(tmp_path / "whole"))


def test_a_finished_run_is_loaded_at_once(tmp_path, monkeypatch):
    module, again = Net(), Net(seed=3)
    rows = run(tmp_path / "out", module)
    monkeypatch.setattr(loop, "launch", lambda hardware: pytest.fail("it trained again"))
    assert run(tmp_path / "out", again) == rows
    assert equal(again.state_dict(), module.state_dict())
    workers = replace(SETTINGS, hardware=replace(SETTINGS.hardware, num_workers=3, checkpoint_seconds=9))
    assert run(tmp_path / "out", Net(), workers) == rows


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"settings": replace(SETTINGS, epochs=9)}, "another epochs: 6 there, 9 now"),
        (
            {"settings": replace(SETTINGS, optimizer=replace(SETTINGS.optimizer, learning_rate=1.0))},
            "optimizer.learning_rate: 0.02 there, 1.0 now",
        ),
        (
            {"settings": replace(SETTINGS, optimizer=Optimizer(learning_rate=0.02))},
            "optimizer.factors: {'layers.0': 0.5}",
        ),
        ({"settings": replace(SETTINGS, schedule=Schedule("constant"))}, "schedule.name: 'cosine' there, 'constant'"),
        ({"data": Points(rows=36)}, "number of training objects: 37 there, 36 now"),
        ({"validate": None}, "use of a validation set: True there, False now"),
        ({"module": Net(norm=False)}, "module .names, shapes and which weights are trained.*another output folder"),
    ],
)
def test_another_run_in_the_folder_is_refused(tmp_path, changes, message):
    run(tmp_path)
    with pytest.raises(FolderError, match=message):
        run(tmp_path, **changes)


def test_other_data_is_refused_by_its_identity(tmp_path):
    data, other = Points(), Points()
    data.identity, other.identity = "a", "b"
    run(tmp_path, data=data)
    with pytest.raises(FolderError, match="another training data: 'a' there, 'b' now"):
        run(tmp_path, data=other)


def test_a_damaged_checkpoint_is_refused(tmp_path):
    run(tmp_path)
    last, best = tmp_path / "checkpoint-last", tmp_path / "checkpoint-best"
    best.unlink()
    with pytest.raises(FolderError, match=r"checkpoint-best is missing\. Delete the folder"):
        run(tmp_path)
    content = last.read_bytes()
    for damaged in (b"", b"<html>", content[: len(content) // 2]):
        last.write_bytes(damaged)
        with pytest.raises(FolderError, match=r"checkpoint-last is damaged or no checkpoint\. Delete"):
            run(tmp_path)
    torch.save({"weights": torch.zeros(2)}, last)
    with pytest.raises(FolderError, match="was not written by astroclip_kit"):
        run(tmp_path)
    torch.save({"format_version": 99}, last)
    with pytest.raises(FolderError, match=r"written by a newer astroclip_kit\. Update"):
        run(tmp_path)


def test_a_full_disk_leaves_the_last_checkpoint_whole(tmp_path, monkeypatch):
    sizes = []
    write_bytes = Path.write_bytes

    def full(path, content):
        sizes.append(len(content))
        write_bytes(path, content[:100] if len(sizes) == 5 else content)
        if len(sizes) == 5:
            raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        with pytest.raises(OutputError, match=r"checkpoint-\w+: no space left to write\. Free some and run the same"):
            run(tmp_path / "full")
    run(tmp_path / "full")
    run(tmp_path / "whole")
    assert equal(everything(tmp_path / "full"), everything(tmp_path / "whole"))


def test_the_callers_random_numbers_are_left_alone(tmp_path):
    random.seed(1), np.random.seed(1), torch.manual_seed(1)
    expected = [random.random(), np.random.rand(), float(torch.rand(()))]
    random.seed(1), np.random.seed(1), torch.manual_seed(1)
    run(tmp_path)
    assert [random.random(), np.random.rand(), float(torch.rand(()))] == expected


@pytest.mark.slow
def test_kill_9_of_a_plain_script(tmp_path, pids):
    script = [sys.executable, str(CASES)]
    subprocess.run([*script, str(tmp_path / "whole"), str(pids)], check=True)
    moments = random.Random(1)
    for _ in range(3):
        process = subprocess.Popen([*script, str(tmp_path / "killed"), str(pids)])
        while not list(pids.iterdir()):
            time.sleep(0.01)  # until a worker has begun
        time.sleep(moments.uniform(0, 0.3))
        process.kill()
        assert process.wait() == -9
        kill([], pids)
    subprocess.run([*script, str(tmp_path / "killed"), str(pids)], check=True)
    check_same(tmp_path / "killed", tmp_path / "whole")
