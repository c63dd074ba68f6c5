"""Masked-spectrum modelling from end to end on small spectra, and each of its parts."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from astroclip_kit.encoders import SpecFormer, SpenderEncoder
from astroclip_kit.errors import InputError, UsageError
from astroclip_kit.models import load_model
from astroclip_kit.pretraining import pretrain_autoencoder, pretrain_masked_spectra
from astroclip_kit.pretraining.masked_spectra import chunk_width, hidden_tokens, masked_error
from astroclip_kit.pretraining.observed import ObservedSpectra
from astroclip_kit.settings import Hardware, MaskedSpectra, Optimizer, Split, Training
from astroclip_kit.storage import open_folder
from astroclip_kit.transforms import Compose, FillGaps, Normalise, Rebin, SelectChannels
from astroclip_kit.types import Modality

QUICK = Training(3, 32, optimizer=Optimizer(learning_rate=3e-3), hardware=Hardware("cpu", "float32"))
PUBLISHED = MaskedSpectra(weights="plain")


def small(**arguments):
    torch.manual_seed(0)
    return SpecFormer(width=16, depth=1, heads=2, section=10, max_tokens=100, **arguments)


def slow_error(predicted, sections, hidden):
    """The published loss, value by value: squared errors of what hiding changed, over their number."""
    total, count = 0.0, 0
    for row, token, value in np.ndindex(*sections.shape):
        if hidden[row, token] and sections[row, token, value] != 0:
            total += (predicted[row, token, value] - sections[row, token, value]).item() ** 2
            count += 1
    return total / count


def test_the_loss_is_the_published_one():
    torch.manual_seed(0)
    sections, predicted = torch.randn(2, 12, 5), torch.randn(2, 12, 5)
    sections[:, 1:, :2] = 0.0
    hidden = hidden_tokens(torch.tensor([3, 4]), 12, 3, 2)
    masked = sections.masked_fill(hidden[..., None], 0.0)
    locations = (masked != sections).float()
    published = (predicted * locations - sections * locations).square().mean() / locations.mean()
    loss = masked_error(predicted, sections, hidden, torch.ones_like(sections))
    assert loss.item() == pytest.approx(published.item(), rel=1e-5)
    assert loss.item() == pytest.approx(slow_error(predicted, sections, hidden), rel=1e-5)


def test_each_segment_hides_one_chunk_and_a_spectrum_decides_where():
    hidden = hidden_tokens(torch.arange(200), 778, 6, 50)
    assert (hidden.sum(dim=1) == 300).all()
    edges = np.arange(7) * 778 // 6
    for begin, end in pairwise(edges):
        part = hidden[:, begin:end]
        assert (part.sum(dim=1) == 50).all()
        assert (part[:, 1:] & ~part[:, :-1]).sum(dim=1).max() == 1  # in one piece
        assert part.int().argmax(dim=1).unique().numel() > 40
    assert hidden_tokens(torch.arange(2000), 778, 6, 50)[:, 0].any()  # the token of the statistics too
    assert torch.equal(hidden[5:6], hidden_tokens(torch.tensor([5]), 778, 6, 50))


@pytest.mark.slow
def test_unobserved_pixels_do_not_count_unless_asked_for(bumps, tmp_path):
    def final(weights, flux):
        changed = bumps.changed(flux)
        settings = MaskedSpectra(chunks=3, weights=weights)
        encoder = small(preprocess=SelectChannels())
        out = tmp_path / f"{weights}-{flux}"
        pretrain_masked_spectra(changed, out, encoder=encoder, settings=settings, training=QUICK, quiet=True)
        return open_folder(out, "model")["history"][0]["loss"]

    worst = {weights: final(weights, 30.0) / final(weights, 0.0) for weights in ("observed", "ivar", "plain")}
    assert worst["plain"] > 2 * worst["observed"] and worst["plain"] > 2 * worst["ivar"]


@pytest.mark.slow
def test_it_learns_and_ends_in_an_encoder_folder(bumps, tmp_path):
    training = Training(40, 32, optimizer=Optimizer(learning_rate=5e-3), hardware=Hardware("cpu", "float32"))
    given = small()
    before = {name: one.clone() for name, one in given.state_dict().items()}
    encoder = pretrain_masked_spectra(bumps, tmp_path / "encoder", encoder=given, training=training, quiet=True)
    assert all(torch.equal(one, before[name]) for name, one in given.state_dict().items())
    manifest = open_folder(tmp_path / "encoder", "model")
    losses = [row["val_loss"] for row in manifest["history"]]
    assert min(losses) < 0.7 * losses[0]
    assert manifest["method"] == "masked" and manifest["settings"]["weights"] == "observed"
    assert manifest["counts"]["train"] == len(bumps.asked_in_training()) and not encoder.training
    x = torch.from_numpy(bumps.views("spectrum", [0, 1]))
    loaded = load_model(tmp_path / "encoder")
    with torch.inference_mode():
        torch.testing.assert_close(loaded(loaded.preprocess(x)), encoder(encoder.preprocess(x)), rtol=0, atol=0)


def test_without_an_encoder_a_small_one_is_made(bumps, tmp_path):
    training = Training(1, 32, hardware=Hardware("cpu", "float32"))
    split = Split(valid=0.0)
    encoder = pretrain_masked_spectra(bumps, tmp_path / "encoder", training=training, split=split, quiet=True)
    assert isinstance(encoder, SpecFormer) and encoder.width == 64 and encoder.max_tokens == 800
    assert [row.get("val_loss") for row in open_folder(tmp_path / "encoder", "model")["history"]] == [None]


def test_an_encoder_sees_the_pixels_that_are_measured(bumps):
    steps = (FillGaps(), Rebin(4), Normalise("median"), SelectChannels())
    modality = bumps.modalities["spectrum"]
    observe = ObservedSpectra(small(preprocess=Compose(steps)), modality)
    x = torch.from_numpy(bumps.views("spectrum", [0, 1, 2]))
    flux, ivar = observe(x)
    torch.testing.assert_close(flux, Compose(steps)(x)[:, 0])
    scale = Rebin(4)(x)[:, 1] / ivar
    torch.testing.assert_close(scale[:, :5], scale[:, :1].expand(-1, 5))  # the noise follows the flux
    joined = modality.wavelength_angstrom[:40].reshape(-1, 4).mean(axis=1)
    np.testing.assert_allclose(observe.wavelength_angstrom()[:10], joined)
    flux_alone = Modality("spectrum", "spectrum", ("flux",), (1, 240), "", modality.grid)
    assert (ObservedSpectra(small(), flux_alone)(x[:, :1])[1] == 1).all()


def test_what_cannot_be_trained_is_refused(bumps, tmp_path):
    with pytest.raises(UsageError, match="predicted by a SpecFormer, found an encoder SpenderEncoder"):
        pretrain_masked_spectra(bumps, tmp_path / "one", encoder=SpenderEncoder())
    with pytest.raises(UsageError, match=r"masked.weights is 'noise', expected one of observed"):
        chunk_width(MaskedSpectra(weights="noise"), 100)
    with pytest.raises(UsageError, match="6 chunks of 20 tokens cannot be hidden in 100"):
        chunk_width(MaskedSpectra(width=20), 100)
    with pytest.raises(InputError, match="takes more than the flux"):
        pretrain_masked_spectra(bumps, tmp_path / "two", encoder=small(preprocess=SelectChannels((1,))))
    assert chunk_width(PUBLISHED, 778) == 50
    bumps.modalities = {"image": Modality("image", "image", ("r",), (1, 8, 8))}
    with pytest.raises(InputError, match="SpecFormer encodes data of kind 'spectrum', and 'image'"):
        pretrain_masked_spectra(bumps, tmp_path / "three", modality="image")
    with pytest.raises(InputError, match="SpenderEncoder encodes data of kind 'spectrum', and 'image'"):
        pretrain_autoencoder(bumps, tmp_path / "four", modality="image")
