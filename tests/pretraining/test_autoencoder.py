"""The spender autoencoder from end to end on small spectra, and each of its parts."""

import numpy as np
import pytest
import torch

from astroclip_kit.encoders import SpenderEncoder, TabularMLP
from astroclip_kit.errors import InputError, TrainingError, UsageError
from astroclip_kit.models import load_model
from astroclip_kit.pretraining import pretrain_autoencoder
from astroclip_kit.pretraining.autoencoder import redshifted
from astroclip_kit.pretraining.latent_losses import consistency, fidelity, fitted_amplitude, similarity
from astroclip_kit.pretraining.spender_decoder import (
    SpeculatorActivation,
    SpenderAutoencoder,
    SpenderDecoder,
    interpolate,
    rest_grid,
)
from astroclip_kit.settings import Autoencoder, Hardware, Optimizer, Split, Training
from astroclip_kit.storage import open_folder

QUICK = Training(2, 32, optimizer=Optimizer("adam", 2e-3, 0.0), hardware=Hardware("cpu", "float32"))


@pytest.fixture(scope="module")
def trained(make_bumps, tmp_path_factory):
    bumps, out = make_bumps(80), tmp_path_factory.mktemp("spender") / "encoder"
    training = Training(8, 32, optimizer=Optimizer("adam", 3e-3, 0.0), hardware=Hardware("cpu", "float32"))
    bumps.labels["z"][:7] = np.nan
    encoder = pretrain_autoencoder(bumps, out, training=training, quiet=True)
    return bumps, encoder, out


def test_the_decoder_has_the_published_parameters_and_keys():
    with torch.device("meta"):
        sdss = SpenderDecoder(6, np.linspace(2000, 9000, 7000).tolist())
        desi = SpenderDecoder(6, np.linspace(2000, 9824, 9780).tolist())
    assert [sum(one.numel() for one in part.parameters()) for part in (sdss, desi)] == [7_471_944, 10_327_004]
    linear = {f"mlp.{number}.{name}" for number in (0, 3, 6, 9) for name in ("weight", "bias")}
    activations = {f"mlp.{number}.{name}" for number in (1, 4, 7, 10) for name in ("beta", "gamma")}
    assert set(desi.state_dict()) == linear | activations | {"wave_rest"}
    assert desi.state_dict()["mlp.9.weight"].shape == (9780, 1024)


def test_the_activation_is_equation_8_of_its_paper():
    layer = SpeculatorActivation(3, plus_one=True)
    x = torch.randn(4, 3)
    beta, gamma = layer.beta.detach().numpy(), layer.gamma.detach().numpy()
    expected = (gamma + (1 - gamma) / (1 + np.exp(-beta * x.numpy()))) * x.numpy() + 1
    np.testing.assert_allclose(layer(x).detach().numpy(), expected, rtol=1e-5)


def test_interpolation_equals_numpys_and_its_gradient_that_of_differences():
    torch.manual_seed(0)
    grid = torch.rand(30, dtype=torch.float64).cumsum(0)
    values, at = torch.randn(3, 30, dtype=torch.float64), 20 * torch.rand(3, 50, dtype=torch.float64) - 2
    found = interpolate(values, grid, at)
    for row in range(3):
        np.testing.assert_allclose(found[row], np.interp(at[row], grid, values[row]), atol=1e-12)
    assert torch.autograd.gradcheck(lambda v: interpolate(v, grid, at), values.requires_grad_())


def test_a_model_is_seen_where_its_lines_are_shifted_to():
    wavelength = torch.linspace(4000, 8000, 2001)
    decoder = SpenderDecoder(2, (3000, 8000, 1))
    rest = torch.exp(-0.5 * ((decoder.wave_rest - 5000) / 10) ** 2).expand(3, -1)
    seen, known = decoder.observe(rest, torch.tensor([0.0, 0.2, 0.5]), wavelength)
    assert wavelength[seen.argmax(dim=1)].tolist() == pytest.approx([5000, 6000, 7500], abs=2)
    assert known[0].all() and not known[2, :200].any() and known[2, 300:].all()
    _, known = decoder.observe(rest, torch.tensor([0.8, -0.1, 0.0]), wavelength)
    assert not known[0, 0] and known[0, -1] and not known[1, -1]
    again = redshifted(seen, wavelength, torch.tensor([0.0, 0.2, 0.5]), torch.tensor([0.1, 0.1, 0.1]))
    assert wavelength[again.argmax(dim=1)].tolist() == pytest.approx([5500] * 3, abs=4)


def test_the_rest_grid_has_the_steps_of_the_observed_one():
    even = torch.from_numpy(np.geomspace(3800, 9200, 1000))
    grid = np.array(rest_grid(even, 0.1, 0.5))
    assert (grid[0], grid[-1]) == pytest.approx((3800 / 1.5, 9200 / 1.1))
    assert np.diff(np.log(grid)) == pytest.approx(np.diff(np.log(even.numpy())).mean(), rel=1e-3)


def slow_similarity(s, rest, wavelength, slope):
    """Pair by pair, as Liang et al. write it."""
    rest, total = rest.double().numpy().copy(), 0.0
    window = (wavelength > 4000) & (wavelength < 7000)
    rest /= np.sort(rest[:, window], axis=1)[:, (window.sum() - 1) // 2][:, None]
    weight = 30 * np.exp(-((0.5 * (wavelength - 5000) / 2000) ** 2))
    for one in range(len(s)):
        for other in range(len(s)):
            if one != other:
                latents = ((s[one] - s[other]) ** 2).sum().item() / s.shape[1]
                x = latents - (weight * (rest[one] - rest[other]) ** 2).sum() / len(wavelength)
                total += 1 / (1 + np.exp(2.5 - slope * x)) + 1 / (1 + np.exp(2.5 + slope * x))
    return total / len(s) ** 2


def test_the_losses_are_those_of_their_paper():
    torch.manual_seed(0)
    s, rest, wavelength = torch.randn(7, 4), 2 + 0.3 * torch.randn(7, 300), np.linspace(3000, 9000, 300)
    found = similarity(s, rest, torch.from_numpy(wavelength).float(), 0.7)
    assert found.item() == pytest.approx(slow_similarity(s, rest, wavelength, 0.7), rel=1e-4)
    assert consistency(s, s).item() == 0
    shifted = s + 0.5
    assert consistency(s, shifted).item() == pytest.approx(1 / (1 + np.exp(-1)) - 0.5, rel=1e-5)
    flux, ivar = torch.randn(2, 10), torch.rand(2, 10)
    expected = sum(0.5 * w * (y - 1) ** 2 for y, w in zip(flux.flatten(), ivar.flatten(), strict=True)) / 20
    assert fidelity(flux, ivar, torch.ones(2, 10)).item() == pytest.approx(expected.item(), rel=1e-5)


def test_the_amplitude_is_that_of_least_squares():
    model, ivar = 1 + torch.rand(3, 20), torch.rand(3, 20)
    torch.testing.assert_close(fitted_amplitude(2.5 * model, ivar, model), torch.full((3, 1), 2.5))
    torch.testing.assert_close(fitted_amplitude(model, 0 * ivar, model), torch.ones(3, 1))
    torch.testing.assert_close(fitted_amplitude(-model, ivar, model), torch.ones(3, 1))


def test_it_learns_and_leaves_out_what_has_no_redshift(trained):
    bumps, encoder, out = trained
    manifest = open_folder(out, "model")
    losses = [row["val_fidelity"] for row in manifest["history"]]
    assert min(losses) < 0.6 * losses[0]
    assert {"val_loss", "val_similarity", "val_consistency"} <= set(manifest["history"][0])
    without = sum(bumps.side(row) != "test" for row in range(7))
    assert manifest["label"]["name"] == "z" and manifest["label"]["missing"] == without
    assert not bumps.asked_in_training() & set(range(7))
    assert encoder.out_features == 256 and manifest["settings"]["latent_features"] == 10


def test_the_folder_holds_the_encoder_and_the_whole_autoencoder(trained):
    bumps, encoder, out = trained
    loaded, whole = load_model(out), load_model(out / "autoencoder")
    assert isinstance(whole, SpenderAutoencoder) and isinstance(loaded, SpenderEncoder)
    x = torch.from_numpy(bumps.views("spectrum", np.arange(20, 50)))
    with torch.inference_mode():
        flux = loaded.preprocess(x)
        torch.testing.assert_close(loaded(flux), encoder(flux), rtol=0, atol=0)
        s, rest = whole(flux)
        torch.testing.assert_close(whole.encoder.mlp(loaded(flux)), s)
        seen, _ = whole.decoder.observe(
            rest, torch.from_numpy(bumps.labels["z"][20:50]).float(), torch.from_numpy(bumps.wavelength).float()
        )
        scaled = seen * fitted_amplitude(flux[:, 0], x[:, 1], seen)
    left = (scaled - flux[:, 0]).square().mean().item()
    assert left < 0.5 * flux[:, 0].var(dim=1).mean().item()
    assert {"encoder.conv1.0.weight", "encoder.mlp.9.weight", "decoder.mlp.10.beta"} <= set(whole.state_dict())


@pytest.mark.slow
def test_the_latent_vector_can_be_the_features(bumps, tmp_path):
    settings = Autoencoder(latent_features=4, features="latent", similarity=0.0, consistency=0.0)
    out = tmp_path / "latent"
    encoder = pretrain_autoencoder(bumps, out, settings=settings, training=QUICK, split=Split(valid=0.0), quiet=True)
    assert encoder.out_features == 4 and load_model(out).latent_features == 4
    assert set(open_folder(out, "model")["history"][0]) == {"epoch", "step", "lr", "loss", "seconds"}


@pytest.mark.slow
def test_an_encoder_may_be_given_and_stays_as_it_is(bumps, tmp_path):
    torch.manual_seed(1)
    given = SpenderEncoder(latent_features=3)
    before = {name: one.clone() for name, one in given.state_dict().items()}
    trained = pretrain_autoencoder(bumps, tmp_path / "encoder", encoder=given, training=QUICK, quiet=True)
    assert trained.latent_features == 3
    assert all(torch.equal(one, before[name]) for name, one in given.state_dict().items())
    assert not torch.equal(trained.conv1[0].weight, given.conv1[0].weight)


def test_a_training_goes_on_only_with_the_same_redshifts(bumps, tmp_path):
    from astroclip_kit.pretraining.course import Pretraining, _Batches

    def identity():
        course = Pretraining.of("autoencoder", bumps, tmp_path / "x", "spectrum", Autoencoder(), QUICK, Split())
        return _Batches(course.with_label("z", "autoencoder.redshift"), None).identity

    first = identity()
    assert identity() == first
    bumps.labels["z"] += 0.01
    assert identity() != first


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (Autoencoder(features="all"), "autoencoder.features is 'all', expected one of attended, latent"),
        (Autoencoder(latent_features=0), "autoencoder.latent_features is 0, expected at least 1"),
        (Autoencoder(shift=0.0), "autoencoder.shift is 0.0, expected between 0 and 1"),
        (Autoencoder(similarity=-1.0), "autoencoder.similarity is -1.0, expected 0 or more"),
        (Autoencoder(redshift="zz"), "autoencoder.redshift: there is no number 'zz' in the data; it has z"),
        (Autoencoder(redshift="kind"), "there is no number 'kind'"),
    ],
)
def test_settings_that_make_no_sense_are_refused(bumps, tmp_path, settings, message):
    with pytest.raises(UsageError, match=message):
        pretrain_autoencoder(bumps, tmp_path / "encoder", settings=settings)


def test_what_cannot_be_trained_is_refused(bumps, tmp_path):
    with pytest.raises(UsageError, match="trains a SpenderEncoder, found an encoder TabularMLP"):
        pretrain_autoencoder(bumps, tmp_path / "encoder", encoder=TabularMLP(3, 2))
    bumps.labels["z"][::2] = -999.0
    with pytest.raises(InputError, match="the label 'z' goes down to -999, which is no redshift"):
        pretrain_autoencoder(bumps, tmp_path / "encoder")
    bumps.labels["z"][:] = np.nan
    with pytest.raises(TrainingError, match="no training object has a finite 'z'"):
        pretrain_autoencoder(bumps, tmp_path / "encoder")
