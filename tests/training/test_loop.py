"""The loop trains as a plain torch loop would, and says clearly when it cannot."""

import csv
import math
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn
from training_cases import PLAIN, SETTINGS, Net, Points, loss, plain_net, validate

from astroclip_kit.errors import TrainingError, UsageError
from astroclip_kit.settings import Hardware, Optimizer, Schedule, Training
from astroclip_kit.training import epoch_batches, fit, learning_rate, loop, make_optimizer


@pytest.mark.parametrize("name", ["adamw", "adam", "sgd"])
def test_equals_a_loop_written_out(tmp_path, name):
    settings = replace(SETTINGS, optimizer=Optimizer(name, 0.02, 0.1, 0.5))
    module, reference, data = plain_net(), plain_net(), Points()
    history = fit(module, data, loss, settings, tmp_path)
    optimizer = make_optimizer(reference, settings.optimizer)
    step = 0
    for epoch in range(settings.epochs):
        batches = epoch_batches(data, epoch, settings)
        assert [len(rows) for rows in batches] == [8, 8, 7, 7, 7]
        for group in (batches[0:2], batches[2:4], batches[4:]):
            values = data.batch(np.concatenate(group), epoch)  # one batch of all its rows has the same gradient
            optimizer.zero_grad()
            loss(reference, values).backward()
            nn.utils.clip_grad_norm_(reference.parameters(), 0.5)
            for part in optimizer.param_groups:
                part["lr"] = learning_rate(settings, step, 18)
            optimizer.step()
            step += 1
    assert history[-1]["step"] == step == 18
    for one, other in zip(module.parameters(), reference.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


def test_learns_and_logs(tmp_path):
    module = plain_net()
    history = fit(module, Points(rows=200), loss, replace(PLAIN, epochs=20), tmp_path, validate=validate)
    assert history.column("val_loss")[-1] < 0.2 * history.column("val_loss")[0]
    assert list(history[0]) == ["epoch", "step", "lr", "loss", "val_loss", "seconds"]
    assert history.column("epoch").tolist() == list(range(1, 21))
    with (tmp_path / "log.csv").open() as handle:
        rows = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(handle)]
    assert rows == list(history)
    assert not module.training


def test_ends_with_the_best_weights(tmp_path):
    values, weights = iter([3.0, 1.0, 2.0]), []

    def scripted(module):
        weights.append({name: tensor.clone() for name, tensor in module.state_dict().items()})
        assert not module.training and not torch.is_grad_enabled()
        return {"other": 0.0, "loss": next(values)}

    module = Net()
    fit(module, Points(), loss, replace(SETTINGS, epochs=3), tmp_path, validate=scripted)
    for name, tensor in module.state_dict().items():
        assert torch.equal(tensor, weights[1][name])


def test_the_first_value_decides_without_a_loss(tmp_path):
    values = iter([0.5, 0.1, 0.2, 0.3, 0.0, 0.0])
    settings = replace(SETTINGS, early_stopping=2)
    history = fit(Net(), Points(), loss, settings, tmp_path, validate=lambda _: {"rank": next(values), "loss2": 1.0})
    assert len(history) == 4  # the best was the second


def test_the_epoch_of_the_highest_accuracy_may_be_kept_and_the_loss_still_stops(tmp_path):
    values, weights = iter([(3.0, 0.5), (2.0, 0.7), (1.0, 0.6), (1.5, 0.7), (1.6, 0.2), (0.0, 1.0)]), []

    def scripted(module):
        weights.append(module.layers[0].weight.clone())
        return dict(zip(("loss", "accuracy"), next(values), strict=True))

    module, settings = Net(), replace(SETTINGS, epochs=9, early_stopping=2, keep="accuracy")
    history = fit(module, Points(), loss, settings, tmp_path, validate=scripted)
    assert len(history) == 5  # two after the lowest loss
    assert torch.equal(module.layers[0].weight, weights[1])
    values = iter([(1.0, 0.5)])
    with pytest.raises(UsageError, match=r"training\.keep is 'f1', expected one of loss, accuracy"):
        fit(module, Points(), loss, replace(settings, keep="f1"), tmp_path / "f1", validate=scripted)


def test_ends_with_the_last_weights_without_validation(tmp_path):
    module, last = Net(), []
    fit(module, Points(), loss, SETTINGS, tmp_path, after_step=lambda m: last.append(m.layers[0].weight.clone()))
    assert torch.equal(module.layers[0].weight, last[-1])
    assert not (tmp_path / "checkpoint-best").exists()


def test_after_step_may_clamp(tmp_path):
    module = Net()
    fit(module, Points(), loss, SETTINGS, tmp_path, after_step=lambda m: m.layers[0].weight.clamp_(-0.1, 0.1))
    assert module.layers[0].weight.abs().max() <= 0.1


def test_old_gradients_are_forgotten(tmp_path):
    fresh, used = plain_net(), plain_net()
    loss(used, Points().batch(np.arange(9), 0)).backward()
    fit(fresh, Points(), loss, SETTINGS, tmp_path / "fresh")
    fit(used, Points(), loss, SETTINGS, tmp_path / "used")
    assert torch.equal(fresh.layers[0].weight, used.layers[0].weight)


def test_frozen_weights_stay(tmp_path):
    module = Net()
    module.layers[0].requires_grad_(False)
    before = module.layers[0].weight.clone()
    fit(module, Points(), loss, SETTINGS, tmp_path)
    assert torch.equal(module.layers[0].weight, before)


def test_bfloat16_runs_the_forward_pass_and_leaves_the_input_alone(tmp_path):
    seen = {}

    class Days(Net):
        def forward(self, batch):
            seen["input"], seen["hidden"] = batch["x"], self.layers(batch["x"] * 0.001)
            return seen["hidden"]

    class Late(Points):
        def batch(self, rows, epoch):
            values = super().batch(rows, epoch)
            return {"x": values["x"] + 57000.123, "y": values["y"]}

    def checked_loss(module, batch):
        z = module(batch)
        seen["output"] = z.dtype
        return (z - batch["y"]).square().mean()

    settings = replace(PLAIN, epochs=1, hardware=Hardware("cpu", "bfloat16"))
    module = Days(norm=False)
    fit(module, Late(), checked_loss, settings, tmp_path)
    assert seen["hidden"].dtype == torch.bfloat16 and seen["output"] == torch.float32
    assert seen["input"].dtype == torch.float32 and (seen["input"] % 1).unique().numel() > 10
    assert module.layers[0].weight.dtype == torch.float32


def test_the_bar_counts_steps_and_can_be_silenced(tmp_path, monkeypatch):
    bars = []
    real = loop.progress
    monkeypatch.setattr(
        loop, "progress", lambda **arguments: bars.append((arguments, real(**arguments))) or bars[-1][1]
    )
    fit(Net(), Points(), loss, SETTINGS, tmp_path / "shown")
    fit(Net(), Points(), loss, SETTINGS, tmp_path / "quiet", quiet=True)
    assert [(one["total"], one["quiet"]) for one, _ in bars] == [(18, False), (18, True)]


@pytest.mark.slow
def test_fabric_is_imported_only_to_train():
    code = "import sys, astroclip_kit.training.loop; print('lightning_fabric' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_loss_that_is_not_finite(tmp_path, value):
    calls = []

    def failing(module, batch):
        calls.append(1)
        return loss(module, batch) * (value if len(calls) == 8 else 1.0)

    with pytest.raises(TrainingError, match=rf"the loss is {value} at epoch 2, after 4 steps\. .*learning_rate"):
        fit(Net(), Points(), failing, SETTINGS, tmp_path)


def test_a_gradient_that_is_not_finite(tmp_path):
    def failing(module, batch):
        return (module(batch) * 0.0).abs().sqrt().mean()

    with pytest.raises(TrainingError, match="the norm of the gradient is nan at epoch 1, after 0 steps"):
        fit(Net(), Points(), failing, PLAIN, tmp_path)


@pytest.mark.parametrize(
    ("wrong", "found"),
    [
        (lambda module, batch: 1.0, "found float"),
        (lambda module, batch: module(batch), r"found a tensor of shape \(8, 1\)"),
        (lambda module, batch: torch.zeros(()), r"found a tensor of shape \(\)"),
    ],
)
def test_a_loss_that_is_no_loss(tmp_path, wrong, found):
    with pytest.raises(TrainingError, match=f"must be a scalar tensor that depends on the weights, {found} at epoch 1"):
        fit(Net(), Points(), wrong, SETTINGS, tmp_path)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "must return numbers by name, found {} at epoch 1"),
        (None, "must return numbers by name, found None"),
        ({"loss": math.nan}, "gave loss = nan at epoch 1, after 3 steps. Check the validation objects"),
    ],
)
def test_a_validation_without_a_value(tmp_path, given, message):
    with pytest.raises(TrainingError, match=message):
        fit(Net(), Points(), loss, SETTINGS, tmp_path, validate=lambda module: given)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epochs": 0}, "epochs is 0, expected at least 1"),
        ({"batch_size": 0}, "batch_size is 0, expected at least 1"),
        ({"accumulate": 0}, "accumulate is 0, expected at least 1"),
        ({"early_stopping": -1}, "early_stopping is -1, expected 0 or more"),
        ({"seed": -1}, "seed is -1, expected 0 or more"),
        ({"optimizer": Optimizer(learning_rate=0.0)}, "optimizer.learning_rate is 0.0, expected a positive number"),
        ({"optimizer": Optimizer(betas=[0.5])}, r"optimizer.betas is \[0.5\], expected two numbers from 0 to below 1"),
        ({"optimizer": Optimizer(weight_decay=-1.0)}, "optimizer.weight_decay is -1.0, expected 0 or more"),
        ({"optimizer": Optimizer(clip_norm=math.nan)}, "optimizer.clip_norm is nan, expected 0 or more"),
        ({"optimizer": Optimizer("lion")}, "optimizer.name is 'lion', expected one of adamw, adam, sgd"),
        (
            {"schedule": Schedule("stairs")},
            "schedule.name is 'stairs', expected one of cosine, plateau, step, constant",
        ),
        (
            {"schedule": Schedule("step")},
            "schedule.step_epochs is \\[\\], expected one number of epochs above 0 or more",
        ),
        ({"schedule": Schedule(factor=1.0)}, "schedule.factor is 1.0, expected between 0 and 1"),
        ({"schedule": Schedule(floor=1.1)}, "schedule.floor is 1.1, expected from 0 to 1"),
        ({"schedule": Schedule(warmup_steps=-1)}, "schedule.warmup_steps is -1, expected 0 or more"),
        ({"schedule": Schedule(warmup_epochs=-1)}, "schedule.warmup_epochs is -1, expected 0 or more"),
        ({"optimizer": Optimizer(factors={"layers": -1})}, "optimizer.factors.layers is -1, expected 0 or more"),
        ({"hardware": Hardware(num_workers=-1)}, "hardware.num_workers is -1, expected 0 or more"),
        ({"early_stopping": 2}, "early_stopping needs a validation value: set aside"),
        ({"schedule": Schedule("plateau")}, "schedule.name 'plateau' needs a validation value"),
        ({"keep": "accuracy"}, "keep 'accuracy' needs a validation value"),
    ],
)
def test_settings_that_cannot_be_used(tmp_path, changes, message):
    with pytest.raises(UsageError, match=message):
        fit(Net(), Points(), loss, replace(SETTINGS, **changes), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_nothing_to_train_on(tmp_path):
    with pytest.raises(TrainingError, match=r"there are no training objects\. Check the split"):
        fit(Net(), Points(rows=0), loss, SETTINGS, tmp_path)


def test_nothing_to_train(tmp_path):
    with pytest.raises(TrainingError, match=r"Net has no weight that requires a gradient\. Unfreeze"):
        fit(Net().requires_grad_(False), Points(), loss, Training(hardware=SETTINGS.hardware), tmp_path)
