"""Point sources whose spectrum the image determines, or tells nothing of beyond the class, and tiny networks."""

from dataclasses import replace

import numpy as np
import torch
from small_stars import ONE_CORE, Stars

from astroclip_kit.classifiers import EncoderClassifier, train_generator
from astroclip_kit.data import splits
from astroclip_kit.encoders import ResNet1d
from astroclip_kit.settings import Optimizer, Schedule, SpectralGAN, Split, Training
from astroclip_kit.types import Modality

SPLIT = Split(test=0.2, valid=0.2)
GRID = tuple(np.linspace(4000, 9000, 48).tolist())
NETWORK = {"class_path": "astroclip_kit.encoders.StampResNet"}
NETWORK["init_args"] = {"width": 6, "stages": 2, "blocks": 1, "out_features": 16}
GENERATOR = {"encoder": NETWORK, "hidden_features": [32]}
TINY = SpectralGAN(noise=4, draws=4, critic_features=[32], ema=0.98, generator=GENERATOR)
ADAM = Optimizer("adam", 2e-3, 0.0, clip_norm=0.0, betas=[0.5, 0.9])
QUICK = Training(12, 32, optimizer=ADAM, schedule=Schedule("constant"), hardware=ONE_CORE)
SHORT = replace(QUICK, epochs=2)


class PointSources(Stars):
    """Blends of four shapes of a spectrum, whose shares are the brightness of four quarters of the image."""

    def __init__(self, count=300, seed=0, told=True):
        super().__init__(count, seed)
        rng = np.random.default_rng([seed, 1])
        code = rng.integers(0, 2, count)
        shares = rng.normal(size=(count, 4)) + 1.5 * code[:, None]
        seen = shares if told else rng.normal(size=(count, 4)) + 1.5 * code[:, None]
        quarters = np.kron(seen.reshape(count, 1, 2, 2), np.ones((1, 2, 8, 8)))
        shapes = np.sin(np.arange(1, 5)[:, None] * np.linspace(0, 6, 48))
        flux = 10 + shares @ shapes + 0.05 * rng.normal(size=(count, 48))
        image = quarters + 0.1 * rng.normal(size=quarters.shape)
        self.modalities = {
            "image": Modality("image", "image", ("u", "g"), (2, 16, 16)),
            "spectrum": Modality.spectrum("spectrum", GRID),
        }
        self.values = {"image": image, "spectrum": np.stack([flux, np.ones_like(flux)], axis=1)}
        self.values = {name: value.astype(np.float32) for name, value in self.values.items()}
        self.presence = {"image": np.arange(count) % 20 != 0, "spectrum": np.arange(count) % 25 != 1}
        self.labels = {"class": np.where(np.arange(count) % 30 == 7, "", np.where(code == 0, "qso", "star"))}

    def rows(self, side="test"):
        whole = self.presence["image"] & self.presence["spectrum"]
        return np.flatnonzero((splits.divide(self, SPLIT) == side) & whole)


def make_teacher(stars):
    """A classifier of spectra with random weights: its vectors are told by the spectra as well as any."""
    torch.manual_seed(0)
    encoder = ResNet1d(GRID, widths=(8,), blocks=1, out_features=6)
    with torch.inference_mode():
        encoder.train()(encoder.preprocess(torch.from_numpy(stars.values["spectrum"])))  # means of its normalisations
    return EncoderClassifier(encoder, ("qso", "star")).eval()


def simulate(stars, out, *, settings=TINY, training=QUICK, **more):
    target = more.pop("target", None) or make_teacher(stars)
    return train_generator(
        stars, out, target=target, settings=settings, training=training, split=SPLIT, quiet=True, **more
    )
