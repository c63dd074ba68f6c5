"""Critic and losses against their formulas, and who has a gradient of what."""

from dataclasses import replace

import pytest
import torch
from simulated_stars import TINY
from torch import nn

from astroclip_kit.classifiers.adversarial import Adversaries, Critic, critic_loss, gradient_penalty
from astroclip_kit.encoders import SpectralGenerator, StampResNet

SIZES = {"width": 4, "stages": 1, "blocks": 1, "out_features": 8}


def adversaries(head=None, **settings):
    torch.manual_seed(0)
    generator = SpectralGenerator(StampResNet(2, **SIZES), 5, noise=3, draws=2, hidden_features=(16,))
    return Adversaries(generator, replace(TINY, **settings), head)


def graded(module):
    return {name.split(".")[0] for name, one in module.named_parameters() if one.grad is not None and one.grad.any()}


def batch(module):
    torch.manual_seed(1)
    features = module(torch.randn(6, 2, 8, 8))
    return torch.randn(6, 5), module.generator.simulate(features, torch.randn(6, 3)), features


def test_the_hinge_and_the_wasserstein_loss():
    real, fake = torch.tensor([2.0, 0.5, -1.0]), torch.tensor([-2.0, 0.5, 1.0])
    assert critic_loss(real, fake).item() == pytest.approx((0.5 + 2) / 3 + (1.5 + 2) / 3)
    assert critic_loss(real, fake, wasserstein=True).item() == pytest.approx(-0.5 / 3 - 1.5 / 3)


class Slope(nn.Module):
    """A critic whose slope is the same everywhere."""

    def __init__(self, slope):
        super().__init__()
        self.slope = nn.Parameter(slope)

    def forward(self, vectors, features):
        return vectors @ self.slope


def test_the_penalty_is_the_squared_distance_of_the_slope_from_1():
    critic, seeds = Slope(torch.tensor([3.0, 4.0])), torch.arange(7)
    penalty = gradient_penalty(critic, torch.randn(7, 2), torch.randn(7, 2), torch.zeros(7, 1), seeds)
    assert penalty.item() == pytest.approx(16.0)
    penalty.backward()
    torch.testing.assert_close(critic.slope.grad, 2 * 4 * torch.tensor([0.6, 0.8]))


def test_a_projection_critic_joins_vector_and_image_by_a_product():
    torch.manual_seed(0)
    critic = Critic(5, 3, (8,), projection=True, normalised=False)
    vectors, features = torch.randn(4, 5), torch.randn(4, 3)
    product = torch.einsum("bi,ij,bj->b", features, critic.projection.weight, vectors)
    torch.testing.assert_close(critic(vectors, features), critic.layers(vectors)[:, 0] + product)


def test_the_weights_of_a_hinge_critic_stretch_nothing():
    critic = Critic(5, 3, (8, 4), projection=True)
    for _ in range(30):
        critic(torch.zeros(2, 5), torch.zeros(2, 3))
    layers = [one for one in critic.modules() if isinstance(one, nn.Linear)]
    norms = [torch.linalg.matrix_norm(one.weight, 2).item() for one in layers]
    assert len(norms) == 4 and max(norms) == pytest.approx(1.0, abs=0.02)
    plain = adversaries(loss="wgan_gp").critic
    assert not any("parametrizations" in name for name, _ in plain.named_parameters())


@pytest.mark.parametrize("settings", [{}, {"loss": "wgan_gp"}, {"projection": True}])
def test_each_learns_from_its_own_loss_alone(settings):
    module = adversaries(nn.Linear(5, 2), **settings)
    real, fake, features = batch(module)
    module.of_critic(real, fake, features, torch.arange(6)).backward(retain_graph=True)
    assert graded(module) == {"critic"}
    module.zero_grad()
    module.of_generator(real, fake, features, torch.tensor([0, 1, -1, 0, 1, -1])).backward()
    assert graded(module) == {"generator"}
    assert any(one.grad.any() for one in module.generator.encoder.parameters())


def test_the_generator_s_loss_is_the_sum_of_its_terms():
    head, codes = nn.Linear(5, 2), torch.tensor([0, 1, -1, 0, 1, -1])
    module = adversaries(head, l1=3.0, classes=2.0).eval()
    module.generator.calibrate(torch.randn(20, 5) * 2 + 1)
    real, fake, features = batch(module)
    known = nn.functional.cross_entropy(head(module.generator.restore(fake)[codes >= 0]), codes[codes >= 0])
    expected = 3 * (fake - real).abs().mean() + 2 * known - module.critic(fake, features).mean()
    torch.testing.assert_close(module.of_generator(real, fake, features, codes), expected)
    none = module.of_generator(real, fake, features, torch.full((6,), -1))
    torch.testing.assert_close(none, expected - 2 * known)


@pytest.mark.parametrize(("settings", "every"), [({}, 1), ({"loss": "wgan_gp"}, 5), ({"critic_steps": 3}, 3)])
def test_the_critic_takes_its_steps_for_each_of_the_generator(settings, every):
    module, turns = adversaries(**settings), []
    for _ in range(11):
        turns.append(module.generator_learns)
        module.follow()
    assert turns == [step % every == 0 for step in range(11)]


def test_a_regression_has_no_critic():
    module = adversaries(loss="regression", critic_steps=4)
    module.follow()
    assert module.critic is None and module.generator_learns


def test_what_is_kept_follows_with_all_buffers():
    module = adversaries(ema=0.9)
    weight, kept = module.generator.layers[0].weight, module.kept.layers[0].weight
    before = kept.clone()
    with torch.no_grad():
        weight += 1.0
        module.generator.encoder.layers[1].running_mean += 2.0
        module.follow()
        torch.testing.assert_close(kept, before + 0.9)  # a tenth stays of the first step
        module.step.fill_(1000)
        module.follow()
    torch.testing.assert_close(kept, before + 0.91)
    assert (module.kept.encoder.layers[1].running_mean == 2).all() and not kept.requires_grad
