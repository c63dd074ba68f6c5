"""Encoders that the kit trained on one survey, for the data of another: fitted where that can be, else refused."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from astroclip_kit.contracts import check_alike, check_encoder
from astroclip_kit.encoders import ImageConvNet, SEResNet, SpecFormer, TabularMLP
from astroclip_kit.encoders.fitted import fitted, load_encoder
from astroclip_kit.errors import InputError
from astroclip_kit.features import fingerprint
from astroclip_kit.models import load_model, save_model
from astroclip_kit.transforms import Compose, FillGaps, MaskSkyLines, Resample, SelectChannels
from astroclip_kit.transforms.resampling import wavelength_grid
from astroclip_kit.types import Modality

GRZ = Modality("image", "image", ("g", "r", "z"), (3, 32, 32), "nmgy", (0.262,))
BAND = Modality("curve", "lightcurve", ("time", "value", "error", "band"), (-1, 4), bands=("g", "r"))
UGR = Modality("table", "table", ("u", "g", "r"), (3,))


def bands(*names, scale=0.262):
    return replace(GRZ, channels=names, shape=(len(names), 32, 32), grid=(scale,))


def spectrum(grid, covariates=()):
    return Modality.spectrum("spectrum", wavelength_grid(grid), covariates=covariates)


def trained(encoder_class, modality, **arguments):
    """An encoder as a pretraining leaves it."""
    torch.manual_seed(0)
    encoder = encoder_class.for_modality(modality, **arguments).eval()
    encoder.trained_on = modality
    return encoder


def convnet(modality=GRZ):
    return trained(ImageConvNet, modality, out_features=4)


def features(encoder, x):
    with torch.inference_mode():
        return encoder(encoder.preprocess(x))


def test_a_folder_remembers_what_its_encoder_was_trained_on(tmp_path):
    encoder = convnet()
    before = fingerprint(encoder)
    save_model(nn.ModuleDict({}), tmp_path / "none")
    save_model(encoder, tmp_path / "a")
    again = load_model(tmp_path / "a")
    assert again.trained_on == GRZ and fingerprint(again) == before
    encoder.trained_on = None
    assert fingerprint(encoder) == before
    save_model(encoder, tmp_path / "b")
    assert not hasattr(load_model(tmp_path / "b"), "trained_on") and load_encoder(tmp_path / "b", GRZ) is not None


def test_bands_are_put_in_order_and_others_left_out(tmp_path):
    save_model(convnet(), tmp_path / "a")
    x = torch.rand(5, 3, 32, 32)
    expected = features(load_encoder(tmp_path / "a"), x)
    other = bands("z", "i", "g", "r")
    encoder = load_encoder(tmp_path / "a", other)
    check_encoder(encoder, other)
    given = torch.stack([x[:, 2], torch.rand(5, 32, 32), x[:, 0], x[:, 1]], dim=1)
    torch.testing.assert_close(features(encoder, given), expected)
    save_model(encoder, tmp_path / "b")
    again = load_encoder(tmp_path / "b", bands("r", "z", "g", "i"))
    assert len([step for step in again.preprocess.steps if isinstance(step, SelectChannels)]) == 1
    torch.testing.assert_close(features(again, torch.stack([x[:, 1], x[:, 2], x[:, 0], x[:, 0]], dim=1)), expected)


def test_an_encoder_that_knows_its_bands_is_fitted_as_well():
    arguments = {"name": "resnet18", "width": 8, "stages": 1, "size": 0, "bands": ("z", "g")}
    encoder = fitted(trained(SEResNet, GRZ, **arguments), bands("r", "g", "z"))
    check_encoder(encoder, bands("r", "g", "z"))
    assert list(encoder.preprocess.steps[0].channels) == [2, 1]


@pytest.mark.parametrize(("grid", "steps"), [(None, [FillGaps()]), ("sdss 4000-9000", [FillGaps()])])
def test_spectra_are_put_on_the_wavelengths_of_the_training_once(grid, steps, tmp_path):
    home, away = spectrum("sdss 4000-9000"), spectrum("desi", covariates=("z",))
    preprocess = Compose((*steps, SelectChannels()))
    save_model(trained(SpecFormer, home, width=8, depth=1, heads=2, grid=grid, preprocess=preprocess), tmp_path / "a")
    encoder = load_encoder(tmp_path / "a", away)
    check_encoder(encoder, away)
    flux = torch.from_numpy(np.interp(away.grid, home.grid, np.sin(np.array(home.grid) / 300)).astype(np.float32)) + 3
    raw = torch.stack([flux, torch.ones_like(flux), torch.full_like(flux, 0.1)])[None]
    seen = encoder.preprocess(raw)
    assert seen.shape == (1, 1, 3522)
    np.testing.assert_allclose(seen[0, 0], 3 + np.sin(np.array(home.grid) / 300), atol=0.01)
    save_model(encoder, tmp_path / "b")
    third = load_encoder(tmp_path / "b", spectrum("boss"))
    check_encoder(third, spectrum("boss"))
    resampled = [step for step in third.preprocess.steps if isinstance(step, Resample)]
    assert len(resampled) == 1 and len(wavelength_grid(resampled[0].source)) == 4686
    back = load_encoder(tmp_path / "b", home)
    assert not [step for step in back.preprocess.steps if isinstance(step, Resample)]


def test_steps_for_the_grid_of_the_training_stay_behind_it():
    desi = spectrum("desi")
    steps = Compose((MaskSkyLines("desi"), Resample("desi", "sdss"), SelectChannels()))
    encoder = fitted(trained(SpecFormer, desi, width=8, depth=1, heads=2, preprocess=steps), spectrum("boss"))
    check_encoder(encoder, spectrum("boss"))
    assert encoder.preprocess.steps[1:3] == steps.steps[:2] and encoder.preprocess.steps[0].source == "boss"


def test_columns_of_a_table_are_put_in_order():
    encoder = trained(TabularMLP, UGR, out_features=4)
    x = torch.rand(3, 3)
    expected = features(encoder, x)
    found = features(fitted(encoder, Modality("table", "table", ("r", "u", "g"), (3,))), x[:, [2, 0, 1]])
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        (
            GRZ,
            bands("r", "g", "z"),
            "'image' has the channels r, g, z, and ImageConvNet was trained on the channels g, r",
        ),
        (
            GRZ,
            bands("g", "r", "z", scale=1.0),
            "has pixels of 1 arcsec, and ImageConvNet was trained on pixels of 0.262 a",
        ),
        (GRZ, UGR, "'table' has data of kind 'table', and ImageConvNet was trained on data of kind 'image'"),
    ],
)
def test_data_that_weights_mean_nothing_for_are_refused(before, after, message):
    with pytest.raises(
        InputError, match=f"{message}.*bands in another order; for the rest make the data alike, or set"
    ):
        check_encoder(convnet(before), after)


def test_wavelengths_and_bands_of_light_curves_are_compared_too():
    same = replace(spectrum("sdss"), grid=tuple(np.float32(spectrum("sdss").grid).tolist()))
    check_alike(spectrum("sdss"), same, "it")
    message = r"'spectrum' has 4686 pixels from 3540.0 to 10411.2 Angstrom, and it was trained on 3921 pixels from 3784"
    with pytest.raises(InputError, match=rf"{message}.* Make the data alike, or train on them\."):
        check_alike(spectrum("sdss"), spectrum("boss"), "it")
    with pytest.raises(InputError, match="has the bands V, and it was trained on the bands g, r"):
        check_alike(BAND, replace(BAND, bands=("V",)), "it")


def test_pixels_of_unknown_and_of_nearly_the_same_size_are_taken():
    for scale in (0.28, float("nan")):
        check_encoder(convnet(), bands("g", "r", "z", scale=scale))
    check_encoder(convnet(), replace(GRZ, grid=()))


def test_what_cannot_be_fitted_is_left_as_it_is():
    encoder, steps = convnet(), convnet().preprocess.steps
    for other in (bands("g", "r"), UGR):
        assert fitted(encoder, other).trained_on == GRZ and len(encoder.preprocess.steps) == len(steps)
    coarse = bands("z", "r", "g", scale=1.0)
    with pytest.raises(InputError, match="has pixels of 1 arcsec"):
        check_encoder(fitted(encoder, coarse), coarse)


def test_spectra_that_cover_too_little_are_refused():
    encoder = trained(SpecFormer, spectrum("desi"), width=8, depth=1, heads=2)
    with pytest.raises(InputError, match=r"covers 4000 to 7000 Angstrom, 48% of the 3600 to 9824 that SpecFormer was"):
        fitted(encoder, spectrum((4000, 7000, 1.0)))


def test_an_encoder_that_keeps_no_preprocessing_is_refused():
    class Own(nn.Module):
        out_features = 2

        def forward(self, x):
            return x.mean(dim=(1, 2))[:, :2]

    own = Own()
    own.trained_on = GRZ
    with pytest.raises(InputError, match="and Own was trained on the channels g, r, z"):
        check_encoder(fitted(own, bands("z", "r", "g")), bands("z", "r", "g"))
