"""What networks cost: their counts against published ones, in the convention that each was printed in."""

import math

import pytest
import torch
from torch import nn

from astroclip_kit.classifiers import comparison_table, images_per_second, network_cost, network_costs
from astroclip_kit.encoders import IICNet, ImageBackbone
from astroclip_kit.errors import UsageError
from astroclip_kit.recipes.published_wise import COSTS
from astroclip_kit.settings import Hardware

ONE = Hardware("cpu", threads=1)


def empty(encoder_class, *arguments, **named):
    """With a linear layer to three classes, without weights."""
    with torch.device("meta"):
        encoder = encoder_class(*arguments, **named)
        return nn.Sequential(encoder, nn.Linear(encoder.out_features, 3))


def test_one_layer_of_each_kind_is_counted_as_by_hand():
    layers = [nn.Conv2d(3, 8, 3, padding=1, groups=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2)]
    network = nn.Sequential(*layers, nn.Flatten(), nn.Linear(8 * 25, 7))
    cost = network_cost(network, (3, 10, 10))
    convolution, linear = 3 * 9 * 8 * 100, 8 * 25 * 7
    assert cost == (3 * 9 * 8 + 8 + 16 + 8 * 25 * 7 + 7, convolution + linear, convolution + linear + 4 * 800)
    assert network.training and not any(one.is_meta for one in network.parameters())  # left as it was
    grouped = nn.Sequential(nn.Conv2d(8, 8, 3, padding=1, groups=8))
    assert network_cost(grouped, (8, 10, 10)).macs == 9 * 8 * 100


@pytest.mark.parametrize("configuration, macs, thop", [("default", 214_579_528, 218.15),
                                                       ("closest", 215_141_512, 218.75),
                                                       ("macs", 218_792_904, 223.11),
                                                       ("powers_of_two", 222_991_240, 226.73)])  # fmt: skip
def test_each_configuration_of_iicnet_has_the_operations_of_its_row(configuration, macs, thop):
    cost = network_cost(empty(IICNet, configuration), (3, 80, 80))
    assert cost.macs == macs and round(cost.thop / 1e6, 2) == thop


def test_the_published_operations_of_mobilenet_are_those_of_thop_at_224_pixels():
    cost = network_cost(empty(ImageBackbone, "mobilenetv1_100"), (3, 224, 224))
    assert (round(cost.macs / 1e6, 1), round(cost.thop / 1e6, 2)) == (567.7, 587.89)
    pooled = 1024 * 49 / 1e6  # which thop counts as well
    assert cost.thop / 1e6 + pooled == pytest.approx(COSTS["mobilenet"][1], abs=0.01)


def test_the_published_weights_of_vgg_are_those_of_three_classes():
    cost = network_cost(empty(ImageBackbone, "vgg16"), (3, 224, 224))
    assert round(cost.parameters / 1e6, 2) == COSTS["vgg16"][0] == 134.27
    assert cost.thop / 1e6 == pytest.approx(COSTS["vgg16"][1], rel=0.01)


def test_every_published_network_is_compared():
    assert {"iicnet", *network_costs.COMPARED} == set(COSTS)


def test_the_table_has_a_row_for_each_network_and_size(monkeypatch):
    monkeypatch.setattr(network_costs, "COMPARED", {"repvgg": "repvgg_a0"})
    table = comparison_table((64, 96), bands=4, rate=False)
    assert list(table["network"][::2]) == ["iicnet", "repvgg", "repvgg_deployed"]
    assert list(table["size"][:2]) == [64, 96] and list(table["name"][-3:]) == ["repvgg_a0"] * 3
    trained, deployed = table[-3], table[-1]
    assert deployed["macs"] < trained["macs"] and deployed["macs"] == deployed["thop"]  # nothing is normalised
    ratio = table["macs"][1] / table["macs"][0]
    assert ratio == pytest.approx((96 / 64) ** 2, rel=0.01)


@pytest.mark.parametrize("native", [True, False])
def test_the_table_can_hold_measured_rates(monkeypatch, native):
    monkeypatch.setattr(network_costs, "COMPARED", {})
    monkeypatch.setattr("astroclip_kit.training.hardware._multiplies_bfloat16", lambda device: native)
    monkeypatch.setattr(network_costs, "images_per_second", lambda network, shape, hardware: len(hardware.precision))
    (row,) = comparison_table((32,), hardware=ONE)
    assert row["images_per_second_float32"] == 7
    assert row["images_per_second_bfloat16"] == 8 if native else math.isnan(row["images_per_second_bfloat16"])


def test_images_per_second_are_those_of_the_median_batch(monkeypatch):
    seconds = iter((9.0, 0.4, 0.1, 0.2))  # the first is cold
    monkeypatch.setattr(network_costs, "_timed", lambda compute, device: next(seconds))
    network = nn.Conv2d(3, 4, 3).train()
    assert images_per_second(network, (3, 8, 8), hardware=ONE, batch_size=8, seconds=0.6) == pytest.approx(8 / 0.2)
    assert not network.training


def test_threads_that_have_nothing_to_do_do_not_count_as_speed(monkeypatch):
    clocks = {"process_time": iter(range(0, 999, 6)), "perf_counter": iter(range(0, 999, 2))}
    for name, clock in clocks.items():
        monkeypatch.setattr(network_costs.time, name, lambda clock=clock: next(clock))
    two = Hardware("cpu", "float32", threads=2)
    rates = [images_per_second(nn.Flatten(), (3, 8, 8), hardware=each, batch_size=12, seconds=0) for each in (ONE, two)]
    assert rates == [12 / 6, 12 / 2]  # seconds of the processor, of the wall clock


def test_with_threads_the_best_batch_counts(monkeypatch):
    seconds = iter((9.0, 0.4, 0.1, 0.2))
    monkeypatch.setattr(network_costs, "_timed", lambda compute, device: next(seconds))
    two = Hardware("cpu", "float32", threads=2)
    found = images_per_second(nn.Flatten(), (3, 8, 8), hardware=two, batch_size=8, seconds=0.6)
    assert found == pytest.approx(8 / 0.1)


@pytest.mark.parametrize(
    ("threads", "told"), [(1, "the processor's own clock, the median batch"), (2, "wall clock, the best batch")]
)
def test_the_table_compares_the_iicnet_that_is_configured_and_says_how_it_was_timed(monkeypatch, threads, told):
    monkeypatch.setattr(network_costs, "COMPARED", {})
    monkeypatch.setattr(network_costs, "images_per_second", lambda network, shape, hardware: 1.0)
    own = IICNet("macs", bands=4, size=32).train()
    hardware = Hardware("cpu", "float32", threads=threads)
    table = comparison_table((32,), hardware=hardware, network=own)
    assert table.meta == {"threads": threads, "rate": told} and own.training
    head = nn.Linear(own.out_features, 3)
    expected = network_cost(nn.Sequential(own, head), (4, 32, 32))
    assert tuple(table[["parameters", "macs", "thop"]][0]) == expected
    assert not comparison_table((32,), rate=False, network=own).meta


def test_an_unknown_precision_is_refused():
    with pytest.raises(UsageError, match="precision is 'int8'"):
        images_per_second(nn.Conv2d(3, 4, 3), (3, 8, 8), hardware=Hardware("cpu", "int8"))
