"""Which parts of an encoder are trained."""

from __future__ import annotations

from collections.abc import Mapping

from torch import nn

from ..errors import UsageError

__all__ = ["blocks", "check_trainable", "switch", "trained_parts", "unfreeze"]


def blocks(encoder: nn.Module) -> list[nn.Module]:
    """The successive blocks of an encoder: its children that have weights, below any wrapping, lists taken apart."""
    parts = [[*child] if isinstance(child, nn.ModuleList) else [child] for child in encoder.children()]
    children = [block for part in parts for block in part if any(True for _ in block.parameters())]
    return blocks(children[0]) or children if len(children) == 1 else children


def trained_parts(encoder: nn.Module, setting: str) -> list[nn.Module]:
    """The parts of an encoder that a setting trains.

    Args:
        encoder: Any module; for "last:N" its blocks stand in the order in which they run.
        setting: "frozen", "last:N" (the last N blocks) or "all".

    Raises:
        UsageError: If the setting is not one of these, or the encoder has fewer blocks.
    """
    if setting == "frozen":
        return []
    if setting == "all":
        return [encoder]
    count, found = check_trainable(setting), blocks(encoder)
    if count > len(found):
        raise UsageError(
            f"trainable is {setting!r}, but {type(encoder).__name__} has {len(found)} blocks. Use 'all' instead."
        )
    return found[-count:]


def unfreeze(encoder: nn.Module, setting: str) -> list[nn.Module]:
    """The same parts, which alone of the encoder may learn then.

    Raises:
        UsageError: As `trained_parts`.
    """
    parts = trained_parts(encoder.requires_grad_(False), setting)
    return [part.requires_grad_(True) for part in parts]


def switch(encoders: nn.ModuleDict, trained: Mapping[str, list[nn.Module]], mode: bool) -> None:
    """Switches the trained parts of some encoders to training mode, or not; the rest of these stays in eval mode."""
    for name, parts in trained.items():
        encoders[name].eval()
        for part in parts:
            part.train(mode)


def check_trainable(setting: str) -> int:
    """How many blocks a setting trains, 0 where it does not say; refuses one that no encoder has.

    Raises:
        UsageError: If the setting is not "frozen", "last:N" or "all".
    """
    kind, _, count = setting.partition(":")
    if setting in ("frozen", "all"):
        return 0
    if kind != "last" or not count.isdigit() or int(count) < 1:
        raise UsageError(f"trainable is {setting!r}, expected 'frozen', 'last:N' (N = 1, 2, ...) or 'all'.")
    return int(count)
