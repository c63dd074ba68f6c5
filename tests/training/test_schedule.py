"""Learning rates against their formula and against torch."""

import math
from dataclasses import replace

import pytest
import torch
from training_cases import Net

from astroclip_kit.errors import UsageError
from astroclip_kit.settings import Optimizer, Schedule, Training
from astroclip_kit.training import learning_rate, make_optimizer
from astroclip_kit.training.schedule import Plateau, clip_gradients
from astroclip_kit.training.state import State


def test_warm_up_then_cosine_to_zero():
    settings = Training(optimizer=Optimizer(learning_rate=2.0), schedule=Schedule("cosine", warmup_steps=4))
    rates = [learning_rate(settings, step, 24) for step in range(25)]
    assert rates[:4] == [0.5, 1.0, 1.5, 2.0]
    assert rates[14] == pytest.approx(2.0 * 0.5)
    assert rates[9] == pytest.approx(1 + math.cos(math.pi * 5 / 20))
    assert rates[24] == 0.0


def test_cosine_equals_torch():
    settings = Training(optimizer=Optimizer(learning_rate=0.3))
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.3)
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 10)
    for step in range(10):
        assert learning_rate(settings, step, 10) == pytest.approx(cosine.get_last_lr()[0])
        optimizer.step()
        cosine.step()


def test_a_cosine_may_end_above_zero_as_torch_s_does():
    settings = Training(optimizer=Optimizer(learning_rate=5e-5), schedule=Schedule(floor=0.1))
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=5e-5)
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 8, eta_min=5e-6)
    for step in range(9):
        assert learning_rate(settings, step, 8) == pytest.approx(cosine.get_last_lr()[0])
        optimizer.step()
        cosine.step()


@pytest.mark.parametrize("name", ["constant", "plateau"])
def test_other_schedules_only_warm_up(name):
    settings = Training(optimizer=Optimizer(learning_rate=1.0), schedule=Schedule(name, warmup_steps=2))
    assert [learning_rate(settings, step, 9, scale=0.5) for step in (0, 1, 8)] == [0.25, 0.5, 0.5]


def test_a_warm_up_may_be_given_in_epochs():
    settings = Training(epochs=4, optimizer=Optimizer(learning_rate=1.0), schedule=Schedule("plateau", warmup_epochs=2))
    assert [learning_rate(settings, step, 40) for step in (0, 9, 19, 20, 39)] == [0.05, 0.5, 1.0, 1.0, 1.0]
    longer = Schedule("plateau", warmup_steps=25, warmup_epochs=2)
    assert learning_rate(replace(settings, schedule=longer), 20, 40) == 21 / 25


def test_plateau_equals_torch():
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    reference = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.3, patience=2)
    ours = Plateau()
    generator = torch.Generator().manual_seed(0)
    for epoch in range(200):
        value = 1.0 / (1 + epoch) + 0.05 * float(torch.rand((), generator=generator)) + (epoch == 9) * 1e-6
        reference.step(value)
        ours.update(value, Schedule("plateau", factor=0.3, patience=2))
        assert ours.scale == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-9, abs=1e-8)
    assert ours.scale < 0.1


def test_plateau_understands_negative_values():
    plateau = Plateau(best=-1.0)
    plateau.update(-1.0, Schedule("plateau", patience=0))
    assert plateau.scale == 0.5


def test_decay_spares_biases_and_norms():
    optimizer = make_optimizer(Net(), Optimizer(weight_decay=0.1))
    decayed, spared = optimizer.param_groups
    assert decayed["weight_decay"] == 0.1 and all(weight.ndim == 2 for weight in decayed["params"])
    assert spared["weight_decay"] == 0.0 and all(weight.ndim == 1 for weight in spared["params"])
    assert len(decayed["params"]) == 2 and len(spared["params"]) == 4


def test_parts_have_learning_rates_of_their_own_and_the_longest_name_counts():
    settings = Optimizer(factors={"layers": 0.5, "layers.0": 0.1})
    groups = make_optimizer(Net(), settings).param_groups
    assert [(group["factor"], group["weight_decay"], len(group["params"])) for group in groups] == [
        (0.1, 0.01, 1), (0.1, 0.0, 1), (0.5, 0.01, 1), (0.5, 0.0, 3),
    ]  # fmt: skip


def test_a_factor_without_a_weight_is_refused():
    with pytest.raises(UsageError, match=r"no weight belongs to 'layer'. There are: layers\."):
        make_optimizer(Net(), Optimizer(factors={"layer": 0.1}))


@pytest.mark.parametrize(
    ("name", "kind"), [("adamw", torch.optim.AdamW), ("adam", torch.optim.Adam), ("sgd", torch.optim.SGD)]
)
def test_optimizers(name, kind):
    optimizer = make_optimizer(Net(), Optimizer(name, 0.5))
    assert type(optimizer) is kind and optimizer.param_groups[0]["lr"] == 0.5


@pytest.mark.parametrize("name", ["adamw", "adam"])
def test_a_fused_optimizer_gives_the_same_weights(name):
    plain, fused = Net(), Net()
    generator = torch.Generator().manual_seed(0)
    optimizers = [make_optimizer(net, Optimizer(name, 0.05, 0.1), fused=net is fused) for net in (plain, fused)]
    assert optimizers[1].defaults["fused"] is True
    for _ in range(20):
        for one, other in zip(plain.parameters(), fused.parameters(), strict=True):
            one.grad = torch.randn(one.shape, generator=generator)
            other.grad = one.grad.clone()
        for optimizer in optimizers:
            optimizer.step()
    for one, other in zip(plain.parameters(), fused.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("largest", [0.0, 1.0, 1e6])
def test_clipping_equals_torch_s_and_reads_alone_where_nothing_is_to_do(largest):
    ours, reference = Net(), Net()
    for one, other in zip(ours.parameters(), reference.parameters(), strict=True):
        one.grad = torch.full_like(one, 0.5)
        other.grad = one.grad.clone()
    ours.layers[4].bias.grad = reference.layers[4].bias.grad = None
    versions = [one.grad._version for one in ours.parameters() if one.grad is not None]
    norm = clip_gradients(make_optimizer(ours, Optimizer()), largest)
    expected = torch.nn.utils.clip_grad_norm_(reference.parameters(), largest or math.inf)
    assert torch.equal(norm, expected)
    gradients = [[one.grad for one in net.parameters() if one.grad is not None] for net in (ours, reference)]
    assert all(torch.equal(one, other) for one, other in zip(*gradients, strict=True))
    assert (versions == [one._version for one in gradients[0]]) == (largest != 1.0)


def test_steps_fall_after_their_epochs():
    schedule = Schedule("step", factor=0.5, step_epochs=[2.0, 3.0], warmup_steps=1)
    settings = Training(epochs=4, optimizer=Optimizer(learning_rate=1.0), schedule=schedule)
    rates = [learning_rate(settings, step, 12) for step in range(12)]
    assert rates == [1.0] * 6 + [0.5] * 3 + [0.25] * 3


def test_a_plateau_waits_for_the_end_of_the_warm_up():
    settings = Training(epochs=9, schedule=Schedule("plateau", patience=0, factor=0.5, warmup_epochs=2.0))
    state = State()
    for epoch, scale in enumerate((1.0, 1.0, 1.0, 0.5), start=1):
        state.close_epoch(1e-3, 0.0, {"loss": float(epoch)}, settings)
        assert state.plateau.scale == scale
    assert state.best.value == 1.0


def test_a_warm_up_in_epochs_is_torch_s_line_step_by_step():
    settings = Training(
        epochs=12, optimizer=Optimizer(learning_rate=0.3), schedule=Schedule("plateau", warmup_epochs=10.0)
    )
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.3)
    line = torch.optim.lr_scheduler.LinearLR(optimizer, 1e-5, total_iters=10)  # AstroM3 steps it once an epoch
    for epoch in range(12):
        optimizer.step()
        line.step()
        last_of_epoch = learning_rate(settings, 7 * epoch + 6, 7 * 12)
        assert last_of_epoch == pytest.approx(line.get_last_lr()[0], abs=1e-5)
