"""A training of a thin convolution, run in a process of its own."""

from dataclasses import replace

import numpy as np
import torch
from torch import nn
from training_cases import PLAIN

from astroclip_kit.training import fit


class Stamps:
    """Images of four bands, channels last, of which the brightness is to be told."""

    def __init__(self, count=48, size=56):
        self.x = torch.randn(count, 4, size, size, generator=torch.Generator().manual_seed(0))

    def __len__(self):
        return len(self.x)

    def batch(self, rows, epoch):
        return self.x[torch.from_numpy(np.asarray(rows))].to(memory_format=torch.channels_last)


class Thin(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Conv2d(4, 8, 1, stride=2, bias=False)
        self.to(memory_format=torch.channels_last)

    def forward(self, x):
        assert type(self.layer) is not nn.Conv2d
        return self.layer(x.requires_grad_()).mean(dim=(1, 2, 3))


def brightness(module, batch):
    return (module(batch) - batch.mean(dim=(1, 2, 3))).square().mean()


def train(out):
    hardware = replace(PLAIN.hardware, threads=2)
    fit(Thin(), Stamps(), brightness, replace(PLAIN, epochs=3, batch_size=8, hardware=hardware), out)
