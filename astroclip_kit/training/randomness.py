"""The states of the random generators that training draws from: dropout, and whatever a user's loss uses.

Order and augmentation need none of this: they are functions of (seed, epoch, object).
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

__all__ = ["kept_random_states", "random_states", "seed_random_states", "set_random_states"]


def random_states(device: torch.device) -> dict[str, Any]:
    """The state of every random generator that dropout or a user's loss may draw from, as plain values."""
    numpy_state: Any = np.random.get_state(legacy=False)
    key = torch.from_numpy(numpy_state["state"]["key"].astype(np.int64))
    numpy_rest = (int(numpy_state["state"]["pos"]), int(numpy_state["has_gauss"]), float(numpy_state["gauss"]))
    states = {"python": random.getstate(), "numpy": (key, *numpy_rest), "torch": torch.get_rng_state()}
    if device.type == "cuda":
        states["cuda"] = torch.cuda.get_rng_state(device)
    if device.type == "mps":
        states["mps"] = torch.mps.get_rng_state()
    return states


def set_random_states(states: Mapping[str, Any], device: torch.device) -> None:
    """Puts back what `random_states` gave."""
    random.setstate(states["python"])
    key, *rest = states["numpy"]
    np.random.set_state(("MT19937", key.numpy().astype(np.uint32), *rest))
    torch.set_rng_state(states["torch"])
    if device.type == "cuda" and "cuda" in states:
        torch.cuda.set_rng_state(states["cuda"], device)
    if device.type == "mps" and "mps" in states:
        torch.mps.set_rng_state(states["mps"])


def seed_random_states(seed: int, rank: int) -> None:
    """Seeds every generator; each process draws its own numbers."""
    drawn = int(np.random.SeedSequence([seed, rank]).generate_state(1)[0])
    random.seed(drawn)
    np.random.seed(drawn)
    torch.manual_seed(drawn)


@contextmanager
def kept_random_states(device: torch.device) -> Iterator[None]:
    """Leaves the caller's random generators as they were."""
    states = random_states(device)
    try:
        yield
    finally:
        set_random_states(states, device)
