"""Runs one encoder over the views of a dataset, reading ahead while it computes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from ..contracts import check_encoder
from ..training.hardware import autocast
from ..types import Modality

__all__ = ["FrozenEncoder", "read_ahead"]

T = TypeVar("T")
S = TypeVar("S")


def read_ahead(read: Callable[[S], T], items: Iterable[S]) -> Iterator[T]:
    """``map(read, items)`` in which a thread reads the next item while the caller works on this one."""
    with ThreadPoolExecutor(1, "read-ahead") as pool:
        pending = None
        for item in items:
            following = pool.submit(read, item)
            if pending is not None:
                yield pending.result()
            pending = following
        if pending is not None:
            yield pending.result()


class FrozenEncoder:
    """A copy of an encoder on a device, in eval mode; the encoder itself is left as it is.

    Args:
        encoder: The encoder.
        modality: What it encodes.
        device: Where to compute.
        precision: "float32", "bfloat16" or "float16".

    Raises:
        InputError: If the encoder does not fit the modality.
    """

    def __init__(self, encoder: nn.Module, modality: Modality, device: torch.device, precision: str) -> None:
        self.device, self.precision = device, precision
        self.module = deepcopy(encoder).cpu().eval()
        check_encoder(self.module, modality)
        self.module.to(device)
        self.images = modality.kind == "image"
        if self.images:
            self.module.to(memory_format=torch.channels_last)
        self.stream = torch.cuda.Stream(device) if device.type == "cuda" else None  # type: ignore[no-untyped-call]

    def upload(self, views: npt.NDArray[np.float32]) -> torch.Tensor:
        """Views [B, ...] on the device; safe in another thread, beside the computation."""
        x = torch.from_numpy(views if views.flags.writeable else views.copy())
        if self.stream is None:
            return x.to(self.device)
        with torch.cuda.stream(self.stream):
            x = x.pin_memory().to(self.device, non_blocking=True)
        self.stream.synchronize()
        x.record_stream(torch.cuda.current_stream(self.device))
        return x

    def __call__(self, x: torch.Tensor) -> npt.NDArray[np.float32]:
        """Features float32 [B, out_features] of raw views [B, ...]."""
        with torch.inference_mode():
            x = getattr(self.module, "preprocess", lambda value: value)(x)
            if self.images and x.ndim == 4:
                x = x.contiguous(memory_format=torch.channels_last)
            with autocast(self.device, self.precision):
                h = self.module(x)
            features: npt.NDArray[np.float32] = h.float().cpu().numpy()
        return features
