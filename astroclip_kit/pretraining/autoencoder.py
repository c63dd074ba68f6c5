"""A spender autoencoder: spectra to a latent vector, and back by way of the rest frame."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any, get_args, get_type_hints

import numpy as np
import torch
from torch import Tensor, nn

from ..encoders import SpenderEncoder
from ..errors import InputError, UsageError
from ..settings import Autoencoder, Split, Training
from ..transforms.compose import Compose
from ..transforms.randomness import uniform
from ..transforms.spectra import Normalise, SelectChannels
from .course import Pretraining, RawViews
from .latent_losses import consistency, fidelity, fitted_amplitude, similarity
from .observed import ObservedSpectra, joined
from .spender_decoder import SpenderAutoencoder, SpenderDecoder, interpolate, rest_grid

__all__ = ["pretrain_autoencoder", "redshifted"]

LOWEST = -0.01  # redshift; blueshifts of stars and near galaxies stay above


def pretrain_autoencoder(
    dataset: Any,
    out: str | Path,
    *,
    modality: str = "spectrum",
    encoder: nn.Module | None = None,
    settings: Autoencoder = Autoencoder(),
    training: Training = Training(),
    split: Split = Split(),
    quiet: bool = False,
) -> nn.Module:
    """Trains a `SpenderEncoder` to describe spectra in the rest frame, and writes its folder.

    The encoder does not know the redshift; the decoder's spectrum is shifted to it and compared with what was
    observed, weighted by inverse variance (Melchior et al. 2023, AJ 166, 74). Similar spectra get similar latents, and
    a spectrum keeps its latent at another redshift (Liang et al. 2023, AJ 166, 75). Objects without a redshift are
    left out and counted in the manifest. The folder keeps the whole autoencoder beside the encoder, in
    ``autoencoder/``, under spender's names.

    Args:
        dataset: A `Dataset` with redshifts among its labels.
        out: Encoder folder; run again, an interrupted training goes on.
        modality: What is encoded.
        encoder: A `SpenderEncoder`, left as it is, whose `latent_features` say what its features are; by default
            that of the settings, on pixels joined to at most 600.
        settings: Latent vector, label of the redshift, losses.
        training: Epochs, batch size, optimizer, hardware, seed.
        split: Who trains: its training side alone.
        quiet: Shows no progress.

    Returns:
        The encoder, on the CPU and in eval mode.

    Raises:
        UsageError: If a setting is out of range, the label unknown, or the encoder no `SpenderEncoder`.
        InputError: If the modality is no spectrum, or the label holds what is no redshift.
        FolderError: If `out` is something else, or holds an interrupted run with other settings.
        TrainingError: If no training object has the modality and a redshift.
    """
    _check(settings)
    course = Pretraining.of("autoencoder", dataset, out, modality, settings, training, split)
    course = course.with_label(settings.redshift, "autoencoder.redshift")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(training.seed)
        encoder = deepcopy(encoder) if encoder is not None else _default_encoder(settings, course)
        if not isinstance(encoder, SpenderEncoder):
            raise UsageError(f"the autoencoder trains a SpenderEncoder, found an encoder {type(encoder).__name__}.")
        observe = ObservedSpectra(encoder, course.modality)
        redshifts = torch.from_numpy(np.asarray(dataset.labels[settings.redshift], dtype=np.float32))
        lowest, highest = _range(redshifts[course.train], settings.redshift)
        grid = rest_grid(observe.wavelength_angstrom(), lowest, highest)
        whole = _with_latent(encoder, settings.latent_features)
        module = SpenderAutoencoder(whole, SpenderDecoder(whole.out_features, grid))
    loss = _AutoencoderLoss(module, observe, redshifts, settings)
    return course.fit(
        module, encoder, loss, validate=course.validator(loss.terms), parts={"autoencoder": module}, quiet=quiet
    )


def _check(settings: Autoencoder) -> None:
    known = get_args(get_type_hints(Autoencoder)["features"])
    numbers = {"similarity": settings.similarity, "consistency": settings.consistency, "slope": settings.slope}
    for name, fits, expected in (
        ("features", settings.features in known, f"one of {', '.join(known)}"),
        ("latent_features", settings.latent_features >= 1, "at least 1"),
        ("shift", 0 < settings.shift < 1, "between 0 and 1"),
        *((name, value >= 0, "0 or more") for name, value in numbers.items()),
    ):
        if not fits:
            raise UsageError(f"autoencoder.{name} is {getattr(settings, name)!r}, expected {expected}.")


def _range(redshifts: Tensor, label: str) -> tuple[float, float]:
    """The lowest and the highest redshift."""
    lowest, highest = float(redshifts.min()), float(redshifts.max())
    if lowest < LOWEST:
        raise InputError(
            f"the label {label!r} goes down to {lowest:g}, which is no redshift. Ingest unknown ones as missing."
        )
    return lowest, highest


def _default_encoder(settings: Autoencoder, course: Pretraining) -> SpenderEncoder:
    latent = settings.latent_features if settings.features == "latent" else None
    preprocess = Compose((*joined(course.modality, SpenderEncoder), Normalise("median"), SelectChannels()))
    return SpenderEncoder.for_modality(course.modality, latent_features=latent, preprocess=preprocess)


def _with_latent(encoder: SpenderEncoder, latent_features: int) -> SpenderEncoder:
    """The encoder itself, or one that ends in a latent vector and has the same convolutions."""
    if encoder.latent_features is not None:
        return encoder
    whole = SpenderEncoder(latent_features, encoder.dropout, encoder.preprocess, grid=encoder.grid)
    for name in ("conv1", "conv2", "conv3"):
        setattr(whole, name, getattr(encoder, name))
    return whole


def redshifted(flux: Tensor, wavelength: Tensor, z: Tensor, z_new: Tensor) -> Tensor:
    """Spectra [B, L] as they would be seen at another redshift; what was not observed continues the ends.

    Args:
        flux: [B, L].
        wavelength: Observed wavelengths [L].
        z: Redshifts [B].
        z_new: Other redshifts [B].
    """
    return interpolate(flux, wavelength, wavelength * ((1 + z) / (1 + z_new))[:, None])


class _AutoencoderLoss:
    """Fidelity, similarity and consistency of a batch."""

    def __init__(
        self, module: SpenderAutoencoder, observe: ObservedSpectra, redshifts: Tensor, settings: Autoencoder
    ) -> None:
        self.module, self.observe, self.redshifts, self.settings = module, observe, redshifts, settings
        self.wavelength = observe.wavelength_angstrom().float()

    def __call__(self, model: nn.Module, batch: RawViews) -> Tensor:
        return sum(self.terms(model, batch).values(), torch.zeros((), device=batch.x.device))

    def terms(self, model: nn.Module, batch: RawViews) -> dict[str, Tensor]:
        """Each loss by its name, times its weight."""
        settings, decoder = self.settings, self.module.decoder
        flux, ivar = self.observe(batch.x)
        wavelength, z = self.wavelength.to(flux.device), self.redshifts.to(flux.device)[batch.rows]
        change = settings.shift * (2 * uniform(batch.seeds) - 1)
        views = [flux, redshifted(flux, wavelength, z, (z + change).clamp(min=0))] if settings.consistency else [flux]
        s, rest = model(torch.cat(views))
        s, shifted, rest = s[: len(flux)].float(), s[len(flux) :].float(), rest[: len(flux)].float()
        seen, known = decoder.observe(rest, z, wavelength)
        weight = ivar * known
        amplitude = fitted_amplitude(flux, weight, seen) if settings.fit_amplitude else 1.0
        terms = {"fidelity": fidelity(flux, weight, amplitude * seen)}
        if settings.similarity:
            terms["similarity"] = settings.similarity * similarity(s, rest, decoder.wave_rest, settings.slope)
        if settings.consistency:
            terms["consistency"] = settings.consistency * consistency(s, shifted)
        return terms
