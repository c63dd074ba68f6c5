"""Where and how the numbers are computed."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from ..errors import UsageError
from ..settings import Hardware

if TYPE_CHECKING:
    from lightning_fabric import Fabric

__all__ = ["autocast", "launch", "processes", "processor_threads", "resolve_hardware"]

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def resolve_hardware(hardware: Hardware) -> tuple[torch.device, str]:
    """The device and the precision that "auto" stands for on this machine.

    Args:
        hardware: What was asked for.

    Returns:
        The device, and "float32", "bfloat16" or "float16". Under ``torchrun`` a CUDA device is that of this
        process (its ``LOCAL_RANK``).

    Raises:
        UsageError: If the device or the precision is unknown or not to be had here.

    Example:
        >>> resolve_hardware(Hardware(device="cpu", precision="float32"))
        (device(type='cpu'), 'float32')
    """
    device = _device(hardware.device)
    precision: str = hardware.precision
    if precision not in ("auto", *DTYPES):
        raise UsageError(f"precision is {precision!r}, expected auto, float32, bfloat16 or float16.")
    if precision == "float16" and device.type != "cuda":
        raise UsageError(f"precision float16 needs a CUDA device, found {device}. Use bfloat16 or float32.")
    if precision == "auto":
        precision = "bfloat16" if _multiplies_bfloat16(device) else "float32"
    return device, precision


def _device(name: str) -> torch.device:
    local_rank = os.environ["LOCAL_RANK"] if processes() > 1 else "0"
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    if not re.fullmatch(r"cpu|mps|cuda(:\d+)?", name):
        raise UsageError(f"device is {name!r}, expected auto, cpu, mps, cuda or cuda:0, cuda:1, ...")
    if name == "mps" and not torch.backends.mps.is_available():
        raise UsageError("device is 'mps', but torch finds no Apple GPU here. Use auto or cpu.")
    if not name.startswith("cuda"):
        return torch.device(name)
    device = torch.device(name if ":" in name else f"cuda:{local_rank}")
    if not torch.cuda.is_available():
        raise UsageError(f"device is {name!r}, but torch finds no CUDA device here. Use auto or cpu.")
    if (device.index or 0) >= torch.cuda.device_count():
        raise UsageError(f"device {device} was asked for, but there are {torch.cuda.device_count()} CUDA devices.")
    return device


def _multiplies_bfloat16(device: torch.device) -> bool:
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return device.type == "cpu" and bool({"amx_bf16", "avx512_bf16", "bf16"} & _processor_flags())


def _processor_flags() -> set[str]:
    """What the processor says it can do; empty where Linux's list of it is absent."""
    listing = Path("/proc/cpuinfo")
    text = listing.read_text() if listing.exists() else ""
    lines = re.findall(r"^(?:flags|Features)\s*:(.*)$", text, flags=re.MULTILINE)
    return set(lines[0].split()) if lines else set()


def autocast(device: torch.device, precision: str) -> torch.autocast:
    """The context in which a forward pass runs at a precision that `resolve_hardware` gave.

    Example:
        >>> with autocast(torch.device("cpu"), "bfloat16"):
        ...     (torch.ones(2, 2) @ torch.ones(2, 2)).dtype
        torch.bfloat16
    """
    return torch.autocast(device.type, DTYPES[precision], enabled=precision != "float32")


@contextmanager
def processor_threads(count: int) -> Iterator[None]:
    """Computes with a number of processor threads, and with as many as before afterwards; 0 changes nothing.

    Raises:
        UsageError: If the count is negative.
    """
    if count < 0:
        raise UsageError(f"threads is {count}, expected 0 (what torch chooses) or a number of threads.")
    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def processes() -> int:
    """How many processes ``torchrun`` started; 1 without it."""
    started = torch.distributed.is_available() and torch.distributed.is_torchelastic_launched()
    return int(os.environ["WORLD_SIZE"]) if started else 1


def launch(hardware: Hardware) -> Fabric:
    """Lightning Fabric on the asked hardware, over the processes of ``torchrun``; it starts none itself.

    Raises:
        UsageError: If several processes were given one and the same CUDA device, or an Apple GPU.
    """
    from lightning_fabric import Fabric
    from lightning_fabric.plugins.environments.lightning import LightningEnvironment
    from lightning_fabric.plugins.environments.torchelastic import TorchElasticEnvironment
    from lightning_fabric.strategies.ddp import DDPStrategy

    device, precision = resolve_hardware(hardware)
    world = processes()
    if world > 1 and (":" in hardware.device or device.type == "mps"):
        raise UsageError(f"device is {hardware.device!r}, but {world} processes run. Use cuda or cpu.")
    local = int(os.environ["LOCAL_WORLD_SIZE"]) if world > 1 else 1
    environment = TorchElasticEnvironment() if world > 1 else LightningEnvironment()
    fabric = Fabric(
        accelerator=device.type,
        strategy=DDPStrategy() if world > 1 else "auto",
        devices=local if world > 1 or device.index is None else [device.index],
        num_nodes=world // local,
        plugins=[environment, *_precision_plugins(device, precision)],
    )
    fabric.launch()
    return fabric


def _precision_plugins(device: torch.device, precision: str) -> list[Any]:
    if precision == "float32":
        return []
    from lightning_fabric.plugins.precision import MixedPrecision

    class Autocast(MixedPrecision):
        """Mixed precision that leaves a model's input as it is.

        Fabric rounds every input to 8 bits first: a day number of 57000 would be off by up to 128 days.
        """

        def convert_input(self, data: Any) -> Any:
            return data

    return [Autocast("bf16-mixed" if precision == "bfloat16" else "16-mixed", device.type)]
