"""AstroM3 and its preprocessing as one writes them down first: what `trimodal.py` compares the kit with."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

import astroclip_kit as ak

WIDTH, STEPS, LAYERS, HEADS, DRAWN = 128, 200, 8, 4, 6
GRID = np.arange(3850.0, 9000.0, 2.0)


class PlainInformer(nn.Module):
    """As the formulas have it; the mask is multiplied at the end, as published."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind
        self.token = nn.Conv1d(9, WIDTH, 3, padding=1, padding_mode="circular", bias=False)
        place, rate = torch.arange(STEPS)[:, None], torch.exp(torch.arange(0, WIDTH, 2) * -(np.log(1e4) / WIDTH))
        self.register_buffer("places", torch.stack([(place * rate).sin(), (place * rate).cos()], 2).flatten(1))
        self.layers = nn.ModuleList(nn.ModuleDict(self._layer()) for _ in range(LAYERS))
        self.norm, self.dropout = nn.LayerNorm(WIDTH), nn.Dropout(0.1)

    def _layer(self) -> dict[str, nn.Module]:
        linear = {name: nn.Linear(WIDTH, WIDTH) for name in ("query", "key", "value", "out")}
        convolutions = {"wide": nn.Conv1d(WIDTH, 512, 1), "narrow": nn.Conv1d(512, WIDTH, 1)}
        return {**linear, **convolutions, "first": nn.LayerNorm(WIDTH), "second": nn.LayerNorm(WIDTH)}

    def attend(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        if self.kind == "full":
            return torch.softmax(query @ key.transpose(-2, -1) / query.shape[-1] ** 0.5, dim=-1) @ value
        drawn = torch.randint(STEPS, (STEPS, DRAWN))
        some = key[:, :, drawn]  # [B, H, L, 6, E]
        likeness = (query.unsqueeze(-2) @ some.transpose(-2, -1)).squeeze(-2)
        top = (likeness.max(-1).values - likeness.sum(-1) / STEPS).topk(DRAWN, sorted=False).indices
        context = value.mean(dim=-2, keepdim=True).expand_as(value).clone()
        index = top[..., None].expand(-1, -1, -1, value.shape[-1])
        scores = torch.softmax(query.gather(2, index) @ key.transpose(-2, -1) / query.shape[-1] ** 0.5, dim=-1)
        return context.scatter(2, index, scores @ value)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        x = self.dropout(self.token(x.transpose(1, 2)).transpose(1, 2) + self.places)
        for one in self.layers:
            heads = [one[name](x).unflatten(2, (HEADS, -1)).transpose(1, 2) for name in ("query", "key", "value")]
            x = one["first"](x + self.dropout(one["out"](self.attend(*heads).transpose(1, 2).flatten(2))))
            hidden = self.dropout(functional.gelu(one["wide"](x.transpose(1, 2))))
            x = one["second"](x + self.dropout(one["narrow"](hidden).transpose(1, 2)))
        return (self.dropout(self.norm(x)) * mask[..., None]).flatten(1)


class PlainModel(nn.Module):
    """Three encoders, three linear layers, three scales."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        sizes, layers = ((3, 64), (64, 64), (64, 32), (32, 32)), []
        for number, (before, after) in enumerate(sizes):
            layers += [nn.Conv1d(before, after, 3), nn.ReLU(), *([nn.MaxPool1d(4)] if number < 3 else [])]
        self.curves, self.spectra = PlainInformer(kind), nn.Sequential(*layers, nn.Flatten(), nn.Dropout(0.3))
        mlp = [nn.Linear(34, 512), nn.ReLU(), nn.Dropout(0.1), nn.Linear(512, 512), nn.ReLU(), nn.Dropout(0.1)]
        self.metadata = nn.Sequential(*mlp)
        self.heads = PlainHeads()

    def forward(self, curves: Tensor, mask: Tensor, spectra: Tensor, metadata: Tensor) -> Tensor:
        return self.heads(self.curves(curves, mask), self.spectra(spectra), self.metadata(metadata))


class PlainHeads(nn.Module):
    """Linear layers to 512, and the sum of the six cross-entropies."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(size, 512) for size in (WIDTH * STEPS, 1184, 512))
        self.log_scales = nn.Parameter(torch.full((3,), np.log(100.0)))

    def forward(self, *features: Tensor) -> Tensor:
        p, s, m = (functional.normalize(layer(h), dim=1) for layer, h in zip(self.layers, features, strict=True))
        own, loss = torch.arange(len(p)), torch.zeros(())
        for scale, (a, b) in zip(self.log_scales.exp(), ((p, s), (s, m), (m, p)), strict=True):
            logits = scale * a @ b.T
            loss = loss + functional.cross_entropy(logits, own) + functional.cross_entropy(logits.T, own)
        return loss


class PlainStars(torch.utils.data.Dataset):
    """Raw arrays of every object in memory; the preprocessing of the page is done when one is asked for."""

    def __init__(self, data: ak.Dataset) -> None:
        batch = data.batch(np.arange(len(data)))
        curves, self.metadata = batch.views["lightcurve"].numpy(), batch.views["metadata"].numpy()
        self.curves = [one[np.isfinite(one[:, :2]).all(axis=1)].astype(np.float64) for one in curves]
        self.spectra = batch.views["spectrum"].numpy()
        self.wavelength = np.asarray(data.modalities["spectrum"].wavelength_angstrom)
        self.mean, self.std = np.nanmean(self.metadata, axis=0), np.nanstd(self.metadata, axis=0)

    def __len__(self) -> int:
        return len(self.curves)

    def __getitem__(self, row: int) -> tuple[np.ndarray, ...]:
        metadata = np.nan_to_num((self.metadata[row] - self.mean) / self.std)
        return (*self.curve(row), self.spectrum(row), metadata.astype(np.float32))

    def curve(self, row: int) -> tuple[np.ndarray, np.ndarray]:
        x = np.unique(self.curves[row][:, :3], axis=0)
        scale = np.median(np.abs(x[:, 1] - np.median(x[:, 1]))) or 1.0
        span = np.ptp(x[:, 0]) or 1.0
        constants = [*self.curves[row][0, 4:], np.log10(scale), span / 365]
        x = np.stack([(x[:, 0] - x[:, 0].min()) / span, (x[:, 1] - x[:, 1].mean()) / scale, x[:, 2] / scale], axis=1)
        start = max(0, (len(x) - STEPS) // 2)
        x = np.hstack([x, np.tile(constants, (len(x), 1))])[start : start + STEPS]
        whole, mask = np.zeros((STEPS, 9), np.float32), np.zeros(STEPS, np.float32)
        whole[: len(x)], mask[: len(x)] = np.nan_to_num(x), 1
        return whole, mask

    def spectrum(self, row: int) -> np.ndarray:
        flux, ivar = (np.interp(GRID, self.wavelength, one) for one in self.spectra[row])
        known = flux[flux != 0]
        scale = np.median(np.abs(known - np.median(known))) or 1.0
        return np.stack([(flux - flux.mean()) / scale, ivar / scale, np.full(len(flux), np.log10(scale))]).astype("f4")
