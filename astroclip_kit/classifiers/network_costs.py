"""What a network costs: its weights, its operations, and how many images it classifies in a second."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import nn

from ..encoders import IICNet, ImageBackbone
from ..settings import Hardware
from ..training import autocast, resolve_hardware
from ..training.hardware import processor_threads

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["COMPARED", "NetworkCost", "comparison_table", "images_per_second", "network_cost"]

CLASSES = 3  # galaxies, quasars, stars
COMPARED = {  # as published to what torchvision, else timm, calls it
    "vgg16": "vgg16",
    "googlenet": "googlenet",
    "resnet34": "resnet34",
    "mobilenet": "mobilenetv1_100",
    "efficientnet_v2": "efficientnet_v2_s",
    "repvgg": "repvgg_a2",  # of timm's the nearest to the published counts, which are of none
}
DEPLOYED = "repvgg_deployed"
NORMALISATION = (nn.BatchNorm1d, nn.BatchNorm2d, nn.LayerNorm, nn.GroupNorm)


class NetworkCost(NamedTuple):
    """The size of a network, and its operations for one image.

    Args:
        parameters: Number of weights that are learned.
        macs: Multiplications, each with an addition, of convolutions and matrix products, as torch's counter of
            floating point operations counts them, two for each.
        thop: The same and four for each number that is normalised, as the program thop counts.
    """

    parameters: int
    macs: int
    thop: int


def network_cost(network: nn.Module, shape: Sequence[int]) -> NetworkCost:
    """Counts the weights of a network and its operations for one view; nothing is computed.

    Pooling, activations and additions are not counted. What papers call FLOPs is one of the two counts of operations
    that `NetworkCost` has, or twice the first.

    Args:
        network: Takes preprocessed views [B, ...].
        shape: Of one view, [C, H, W] of an image.

    References:
        Howard et al. 2017, arXiv:1704.04861, prints 569 M for MobileNet with 1000 classes at 224 pixels; with three it
        has 567.7 M, which thop counts as 587.89 M.

    Example:
        >>> network_cost(nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8)), (3, 10, 10))
        NetworkCost(parameters=240, macs=21600, thop=24800)
    """
    from torch.utils.flop_counter import FlopCounterMode

    empty, normalised = deepcopy(network).eval().to("meta"), 0

    def count(_module: nn.Module, given: tuple[torch.Tensor, ...], _result: object) -> None:
        nonlocal normalised
        normalised += given[0].numel()

    for module in empty.modules():
        if isinstance(module, NORMALISATION):
            module.register_forward_hook(count)
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        empty(torch.zeros(1, *shape, device="meta"))
    macs = counter.get_total_flops() // 2
    return NetworkCost(sum(one.numel() for one in network.parameters()), macs, macs + 4 * normalised)


def images_per_second(
    network: nn.Module,
    shape: Sequence[int],
    *,
    hardware: Hardware = Hardware(),
    batch_size: int = 8,
    seconds: float = 1.0,
) -> float:
    """Measures how many images one process classifies in a second, warm.

    With one thread of a processor these are seconds of its own clock, of the median batch: as long as it takes where
    nothing else runs, so that networks can be compared on a busy machine. With more threads, which wait for each other,
    they are seconds of the wall clock, of the best batch; so what else runs slows it down. On a GPU they are those of
    the wall clock, of the median batch.

    Args:
        network: Takes preprocessed images [B, C, H, W]. It comes back in eval mode.
        shape: Of one image, [C, H, W].
        hardware: Device, precision and threads. Where it computes in bfloat16 the images and weights are laid out by
            pixel, which is what processors and GPUs are fastest with; in float32 as torch lays them out.
        batch_size: Images at a time.
        seconds: Measures for at least so long, and two batches.

    Raises:
        UsageError: If device or precision are not to be had here.

    Example:
        >>> images_per_second(nn.Conv2d(3, 8, 3), (3, 10, 10), seconds=0.0) > 0
        True
    """
    device, precision = resolve_hardware(hardware)
    layout = torch.contiguous_format if precision == "float32" else torch.channels_last
    network.eval().to(device=device, memory_format=layout)  # type: ignore[call-overload]
    x = torch.randn(batch_size, *shape, device=device).contiguous(memory_format=layout)
    with torch.inference_mode(), processor_threads(hardware.threads), autocast(device, precision):
        _cold, *times = (_timed(lambda: network(x), device) for _ in range(3))
        while sum(times) < seconds:
            times.append(_timed(lambda: network(x), device))
        best = device.type == "cpu" and torch.get_num_threads() > 1
    return batch_size / sorted(times)[0 if best else (len(times) - 1) // 2]


def _timed(compute: Callable[[], object], device: torch.device) -> float:
    """Seconds that it takes, of the clock that `images_per_second` says."""
    clock = time.process_time if device.type == "cpu" and torch.get_num_threads() == 1 else time.perf_counter
    begun = clock()
    compute()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return clock() - begun


def comparison_table(
    sizes: Sequence[int] = (80, 224),
    bands: int = 3,
    rate: bool = True,
    hardware: Hardware = Hardware(),
    network: nn.Module | None = None,
) -> Table:
    """IICnet beside the networks that it was compared with, all for three classes, at the same sizes.

    Args:
        sizes: Pixels along the side of the images.
        bands: Number of bands; of `network` its own.
        rate: Whether images per second are measured; a minute or two at the default sizes.
        hardware: Where; the precision is measured both ways.
        network: IICNet as it is configured; by default as it was published, with random weights like the others.

    Returns:
        An astropy Table of a row for each network and size: network, name (as torchvision or timm call it), size,
        parameters, macs and thop (see `NetworkCost`), and with `rate` images_per_second_bfloat16 (NaN where the device
        does not multiply it natively) and images_per_second_float32. RepVGG has further rows as it is deployed. meta
        says "threads" and "rate", of which clock the seconds are (see `images_per_second`).
    """
    from astropy.table import Table

    rows = []
    bands = getattr(network, "bands", bands)
    for title, name, one in _networks(bands, rate, network):
        for size in sizes:
            shape = (bands, size, size)
            cost = network_cost(one, shape)
            row = {"network": title, "name": name, "size": size, **cost._asdict()}
            rows.append({**row, **_rates(one, shape, hardware)} if rate else row)
    return Table(rows=rows, meta=_clock(hardware) if rate else {})


def _clock(hardware: Hardware) -> dict[str, Any]:
    """How `images_per_second` measures there."""
    with processor_threads(hardware.threads):
        threads = torch.get_num_threads()
    if resolve_hardware(hardware)[0].type != "cpu":
        return {"threads": threads, "rate": "wall clock, the median batch"}
    told = "wall clock, the best batch" if threads > 1 else "the processor's own clock, the median batch"
    return {"threads": threads, "rate": told}


def _networks(bands: int, rate: bool, network: nn.Module | None) -> Iterator[tuple[str, str, nn.Module]]:
    """One after the other, so that one alone takes memory; without weights where none are needed."""
    from timm.utils.model import reparameterize_model

    with torch.random.fork_rng(devices=[]), torch.device("cpu" if rate else "meta"):
        torch.manual_seed(0)
        own = IICNet(bands=bands) if network is None else deepcopy(network)
        yield "iicnet", type(own).__name__, _classifier(own)
        for title, name in COMPARED.items():
            other = _classifier(ImageBackbone(name, bands))
            yield title, name, other
            if title == "repvgg":  # as it is used after training: one convolution in place of each three
                yield DEPLOYED, name, reparameterize_model(other.eval())


def _classifier(encoder: nn.Module) -> nn.Module:
    return nn.Sequential(encoder, nn.Linear(int(encoder.out_features), CLASSES))  # type: ignore[arg-type]


def _rates(network: nn.Module, shape: Sequence[int], hardware: Hardware) -> dict[str, float]:
    fastest = resolve_hardware(replace(hardware, precision="auto"))[1]
    found = {"bfloat16": math.nan}
    for precision in dict.fromkeys((fastest, "float32")):
        asked = replace(hardware, precision=precision)
        found[precision] = images_per_second(network, shape, hardware=asked)
    return {f"images_per_second_{precision}": value for precision, value in found.items()}
