"""Checkpoint files with random weights in exactly the layouts that others have published."""

import os

import numpy as np
import torch
from torch import nn

MOCO_SETTINGS = {
    "base_encoder": "resnet50", "emb_dim": 128, "num_negatives": 65536, "encoder_momentum": 0.996,
    "softmax_temperature": 0.2, "learning_rate": 0.24, "momentum": 0.9, "weight_decay": 1e-4, "batch_size": 256,
    "use_mlp": True,
}  # fmt: skip


def moco_encoder():
    """The query encoder of Stein et al.: torchvision's ResNet-50 with the head of MoCo v2."""
    from torchvision.models import resnet50

    network = resnet50(weights=None, num_classes=128)
    network.fc = nn.Sequential(nn.Linear(2048, 2048), nn.ReLU(), network.fc)
    return network


def write_moco(path, encoder, queue=64, **more):
    """A Lightning checkpoint with both encoders and the queues (shorter ones than the published 65,536)."""
    state = {f"encoder_{which}.{name}": one for which in "qk" for name, one in encoder.state_dict().items()}
    state["encoder_k.conv1.weight"] = state["encoder_k.conv1.weight"] + 1
    for split in ("", "val_"):
        state[f"{split}queue"], state[f"{split}queue_ptr"] = torch.rand(128, queue), torch.zeros(1, dtype=torch.long)
    trained = {"epoch": 1499, "global_step": 100, "pytorch-lightning_version": "1.6.2", "callbacks": {}}
    torch.save({**trained, "state_dict": state, "hyper_parameters": {**MOCO_SETTINGS, **more}}, path)
    return path


def spender_state(latent_features=6, pixels=7781, rest=9780, activation="speculator"):
    """The state dict of a spender autoencoder as its training scripts save it."""
    sizes, state = (256, 128, 64, 32, latent_features), {}
    for layer, (inside, outside, width) in enumerate(((1, 128, 5), (128, 256, 11), (256, 512, 21)), 1):
        state[f"encoder.conv{layer}.0.weight"] = torch.randn(outside, inside, width) / (inside * width) ** 0.5
        state[f"encoder.conv{layer}.0.bias"] = torch.randn(outside) / 10
        state[f"encoder.conv{layer}.2.weight"] = torch.rand(outside) / 2
    decoder = (latent_features, 64, 256, 1024, rest)
    for layer in range(4):
        for name, widths in (("encoder", sizes), ("decoder", decoder)):
            state[f"{name}.mlp.{3 * layer}.weight"] = (
                torch.randn(widths[layer + 1], widths[layer]) / widths[layer] ** 0.5
            )
            state[f"{name}.mlp.{3 * layer}.bias"] = torch.randn(widths[layer + 1]) / 10
        if layer < 3:
            state[f"encoder.mlp.{3 * layer + 1}.weight"] = torch.rand(sizes[layer + 1]) / 2
        for name in ("beta", "gamma") if activation == "speculator" else ():
            state[f"decoder.mlp.{3 * layer + 1}.{name}"] = torch.randn(decoder[layer + 1])
    state["decoder.wave_rest"] = torch.linspace(2000, 9824, rest)
    if pixels:
        state["encoder.instrument.wave_obs"] = torch.linspace(3600, 9824, pixels, dtype=torch.float64)
    return state


def older(state):
    """The same in the layouts of older versions of spender: name to state dict, or list of several."""
    renamed = {name.replace("mlp.", "mlp.mlp."): one for name, one in state.items()}
    first = state["encoder.mlp.0.weight"]
    redshift = {**renamed, "encoder.mlp.mlp.0.weight": torch.cat([first, torch.rand(len(first), 1)], dim=1)}
    mask = torch.zeros(7781, dtype=torch.bool)
    instrument = {"encoder.instrument.lsf.weight": torch.rand(1, 1, 5), "encoder.instrument.skyline_mask": mask}
    return {
        "current": state,
        "several states": [state, {name: torch.zeros_like(one) for name, one in state.items()}],
        "mlp.mlp": renamed,
        "redshift as input": redshift,
        "several old states": [redshift, redshift],
        "line spread function": {**state, **instrument},
        "sky-line mask": {**state, "encoder.skyline_mask": mask, "decoder.instrument.wave_obs": torch.rand(7781)},
        "no instrument": {name: one for name, one in state.items() if "instrument" not in name},
        "encoder alone": {name.removeprefix("encoder."): one for name, one in state.items() if "encoder" in name},
    }


def write_spender(path, model):
    """What spender's training scripts write: states and the losses as an array of NumPy."""
    torch.save({"model": model, "losses": np.zeros((2, 5))}, path)
    return path


class Payload:
    """Runs a command where it is unpickled."""

    def __init__(self, command):
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)
