"""AstroM3 with random weights in the layout in which its weights were released."""

import torch
from safetensors.torch import save_file

PARTS = ("photometry", "spectra", "metadata")


def released_state(width=128, depth=8, channels=(64, 64, 32, 32), hidden=512, out=512):
    """Name to tensor; the published sizes by default."""
    state = {}

    def layer(name, outside, inside, *kernel, bias=True):
        state[f"{name}.weight"] = torch.randn(outside, inside, *kernel) / (3 * inside) ** 0.5
        if bias:
            state[f"{name}.bias"] = torch.randn(outside) / 10

    def norm(name):
        state[f"{name}.weight"], state[f"{name}.bias"] = torch.rand(width) + 0.5, torch.randn(width) / 10

    informer = "photometry_encoder"
    layer(f"{informer}.enc_embedding.value_embedding.tokenConv", width, 9, 3, bias=False)
    frequency = 10000.0 ** (-torch.arange(0, width, 2) / width)
    places = torch.zeros(1, 5000, width)
    places[0, :, 0::2] = (torch.arange(5000)[:, None] * frequency).sin()
    places[0, :, 1::2] = (torch.arange(5000)[:, None] * frequency).cos()
    state[f"{informer}.enc_embedding.position_embedding.pe"] = places
    for number in range(depth):
        block = f"{informer}.encoder.attn_layers.{number}"
        for part in ("query", "key", "value", "out"):
            layer(f"{block}.attention.{part}_projection", width, width)
        layer(f"{block}.conv1", 4 * width, width, 1)
        layer(f"{block}.conv2", width, 4 * width, 1)
        norm(f"{block}.norm1")
        norm(f"{block}.norm2")
    norm(f"{informer}.encoder.norm")
    for number, (inside, outside) in enumerate(zip((3, *channels), channels, strict=False)):
        layer(f"spectra_encoder.layers.{3 * number}", outside, inside, 3)
    layer("metadata_encoder.model.0", hidden, 34)
    layer("metadata_encoder.model.3", hidden, hidden)
    for part, features in zip(PARTS, (200 * width, 37 * channels[-1], hidden), strict=True):
        layer(f"{part}_proj", out, features)
    for pair, scale in (("ps", 4.0), ("sm", 3.0), ("mp", 2.0)):
        state[f"logit_scale_{pair}"] = torch.tensor(scale)
    return state


def write_released(path, part="", **sizes):
    """A file of the whole model, or of the classifier of one part; gives its tensors too."""
    state = released_state(**sizes)
    if part:
        prefix, features = f"{part}_encoder.", state[f"{part}_proj.weight"].shape[1]
        state = {name.removeprefix(prefix): one for name, one in state.items() if name.startswith(prefix)}
        state |= {"fc.weight": torch.randn(10, features), "fc.bias": torch.randn(10)}
    save_file({name: one.contiguous() for name, one in state.items()}, path, {"format": "pt"})
    return state
