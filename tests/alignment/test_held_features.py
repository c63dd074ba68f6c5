"""Features that are held in memory train the very model that features on disk do."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from astroclip_kit.alignment import align
from astroclip_kit.settings import Alignment, Head, Sampling, Split


class Shifted(nn.Linear):
    """A head of a user's own, which needs its features in float32."""

    def __init__(self, in_features, out_features):
        super().__init__(in_features, out_features)

    def forward(self, h):
        assert h.dtype == torch.float32
        return super().forward(h + 1.0)


@pytest.mark.parametrize("noise", [0.0, 0.1])
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_memory_and_disk_train_the_same_model(space, quick, tmp_path, precision, noise):
    features = space.Features(space.correlated(), {"spectrum": np.arange(240) % 5 > 0})
    training = replace(quick, epochs=2, hardware=replace(quick.hardware, precision=precision))
    head = Shifted(9, 8)
    held, disk = (
        align(
            features,
            tmp_path / str(size),
            heads={"spectrum": head},
            alignment=Alignment(head=Head(8, [16]), sampling=Sampling(feature_noise=noise, memory_gb=size)),
            training=training,
            split=Split(test=0.2, valid=0.25),
            quiet=True,
        )
        for size in (1.0, 0.0)
    )
    assert all(torch.equal(a, b) for a, b in zip(held.parameters(), disk.parameters(), strict=True))
