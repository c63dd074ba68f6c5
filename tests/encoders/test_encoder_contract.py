"""Every encoder of the kit goes through the same test."""

import numpy as np
import pytest
import torch

from astroclip_kit import encoders
from astroclip_kit.contracts import check_encoder
from astroclip_kit.convolutions import sampled_convolutions
from astroclip_kit.encoders import ImageBackbone, LightCurveTransformer, MocoResNet50, SpenderEncoder, TabularMLP
from astroclip_kit.models import describe, load_model, save_model
from astroclip_kit.transforms import Standardise
from astroclip_kit.types import Modality

IMAGE = Modality("image", "image", ("g", "r", "z"), (3, 48, 48), "nmgy", (0.262,))
INFRARED = Modality("infrared", "image", ("W1", "W2"), (2, 32, 32))
SPECTRUM = Modality("spectrum", "spectrum", ("flux", "ivar"), (2, 500), "", tuple(np.linspace(4000, 8000, 500)))
LIGHTCURVE = Modality("lightcurve", "lightcurve", ("time", "value", "error", "band"), (-1, 4), "mag", (), ("g", "r"))
VARIABLE = Modality("lightcurve", "lightcurve", (*LIGHTCURVE.channels, "period"), (-1, 5), "mag", (), ("V",))
RELEASED = {"kind": "prob", "mask_padding": False}
WHOLE = Modality.spectrum("spectrum", np.linspace(3900, 9100, 1200))
STARS = Modality("image", "image", ("u", "g", "r", "i", "z"), (5, 48, 48), "nmgy", (0.396,))
NARROW = {"widths": (8, 8, 16), "depths": (1, 1, 2)}
TABLE = Modality("table", "table", ("u", "g", "r"), (3,))

STAMPS = {"class_path": "astroclip_kit.encoders.StampResNet", "init_args": {"width": 4, "out_features": 8}}

ENCODERS = {
    "moco trunk": (MocoResNet50, IMAGE, {}),
    "moco head": (MocoResNet50, IMAGE, {"head": True}),
    "resnet18": (ImageBackbone, INFRARED, {"name": "resnet18"}),
    "mobilenet": (ImageBackbone, IMAGE, {"name": "mobilenet_v3_small"}),
    "spender attended": (SpenderEncoder, SPECTRUM, {}),
    "spender latent": (SpenderEncoder, SPECTRUM, {"latent_features": 6, "dropout": 0.1}),
    "light curve from first": (LightCurveTransformer, LIGHTCURVE, {"width": 32, "dropout": 0.1}),
    "light curve from peak": (LightCurveTransformer, LIGHTCURVE, {"width": 32, "depth": 1, "origin": "minimum"}),
    "image conv net": (encoders.ImageConvNet, INFRARED, {}),
    "infrared attention": (encoders.IICNet, INFRARED, {"size": 32}),
    "several first convolutions": (ImageBackbone, INFRARED, {"name": "repvgg_a0"}),
    "specformer": (encoders.SpecFormer, SPECTRUM, {"width": 24, "depth": 2, "heads": 2}),
    "spectrum conv net": (encoders.SpectrumConvNet, SPECTRUM, {}),
    "interpolated light curve": (encoders.InterpolatedLightCurve, LIGHTCURVE, {}),
    "folded light curve": (encoders.FoldedLightCurve, LIGHTCURVE, {"highest_frequency": 2.0}),
    "light curve features": (encoders.LightCurveFeatures, LIGHTCURVE, {"highest_frequency": 2.0}),
    "light curve statistics": (encoders.LightCurveStatistics, LIGHTCURVE, {}),
    "ring profiles": (encoders.RingProfiles, INFRARED, {}),
    "spectral shape": (encoders.SpectralShape, SPECTRUM, {}),
    "squeeze and excitation": (encoders.SEResNet, STARS, {"name": "resnet18", "width": 32, "size": 64}),
    "five bands alike": (encoders.SEResNet, STARS, {"name": "resnet18", "size": 0, "squeeze_excitation": False}),
    "residual network along wavelength": (encoders.ResNet1d, WHOLE, {"widths": (4, 8), "blocks": 1}),
    "residual network of stamps": (encoders.StampResNet, STARS, {"width": 4, "out_features": 16}),
    "retrieved spectra": (encoders.RetrievedSpectra, STARS, {"encoder": STAMPS, "out_features": 16, "memory": 9}),
    "generator of spectral vectors": (encoders.SpectralGenerator, STARS, {"encoder": STAMPS, "out_features": 16}),
    "stacked segments": (encoders.VGG1D, WHOLE, NARROW),
    "one line of segments": (encoders.VGG1D, WHOLE, {**NARROW, "stacked": False, "self_attention": False}),
    "sparse attention": (encoders.Informer, LIGHTCURVE, {"length": 10, "width": 8, "depth": 2}),
    "attention of all steps": (encoders.Informer, VARIABLE, {"length": 9, "width": 8, "depth": 1, "attention": "full"}),
    "released steps": (encoders.Informer, VARIABLE, {"length": 14, "width": 8, "depth": 1, "attention": RELEASED}),
    "highest of four pixels": (encoders.GalSpecNet, SPECTRUM, {"channels": (4, 8)}),
    "table with the mean for what is missing": (encoders.MetadataMLP, TABLE, {"hidden_features": 16}),
    "table values": (encoders.TableValues, TABLE, {}),
    "table": (TabularMLP, TABLE, {"out_features": 16, "dropout": 0.1}),
    "standardised table": (TabularMLP, TABLE, {"preprocess": Standardise((20.0, 19.0, 18.0), (2.0, 2.0, 2.0))}),
}


def views(modality, count):
    """Realistic views with a missing value in every place where one may be."""
    rng = np.random.default_rng(0)
    shape = [12 if axis == -1 else axis for axis in modality.shape]
    x = rng.lognormal(0, 0.5, (count, *shape)).astype(np.float32)
    if modality.kind == "lightcurve":
        x[..., 0] = np.sort(rng.uniform(0, 100, (count, 12)), axis=1)
        x[..., 3] = rng.integers(0, len(modality.bands), (count, 12))
        x[:, ::3, 2], x[:, 9:] = np.nan, np.nan
    elif modality.kind == "table":
        x[:, 0] = np.where(np.arange(count) % 2, np.nan, x[:, 0])
    elif modality.kind == "spectrum":
        x[:, 1, :20] = 0.0
    else:
        x[:, 0, 0, 0] = np.nan
    return torch.from_numpy(x)


@pytest.fixture(scope="module", params=ENCODERS)
def case(request):
    encoder_class, modality, arguments = ENCODERS[request.param]
    torch.manual_seed(0)
    return encoder_class.for_modality(modality, **arguments), modality


def test_no_encoder_is_left_out():
    assert {encoder_class.__name__ for encoder_class, _, _ in ENCODERS.values()} == set(encoders.__all__)


def test_the_encoder_meets_the_protocol(case):
    check_encoder(*case)


@pytest.mark.parametrize("count", [1, 5])
def test_features_are_finite_and_repeatable(case, count):
    encoder, modality = case
    x = views(modality, count)
    before = x.clone()
    with torch.inference_mode():
        h = encoder.eval()(encoder.preprocess(x))
        again = encoder(encoder.preprocess(x))
    assert h.shape == (count, encoder.out_features) and h.dtype == torch.float32
    assert h.isfinite().all() and torch.equal(h, again)
    assert torch.equal(x.nan_to_num(-9.0), before.nan_to_num(-9.0))


def test_an_object_does_not_depend_on_its_batch(case):
    encoder, modality = case
    x = encoder.preprocess(views(modality, 5))
    with torch.inference_mode():
        torch.testing.assert_close(encoder.eval()(x)[3:4], encoder(x[3:4]), rtol=1e-3, atol=1e-4)


def test_every_parameter_has_a_gradient(case):
    encoder, modality = case
    with sampled_convolutions(encoder):
        h = encoder.train()(encoder.preprocess(views(modality, 5)))
        encoder.zero_grad()
        assert h.requires_grad == bool(list(encoder.parameters()))  # fixed features have nothing to learn
        if h.requires_grad:
            (h * torch.randn(h.shape, generator=torch.Generator().manual_seed(1))).sum().backward()
    silent = [name for name, one in encoder.named_parameters() if one.grad is None or not one.grad.abs().sum() > 0]
    unused = ("head.",) if isinstance(encoder, encoders.SpecFormer) else ()  # for pretraining alone
    assert [name for name in silent if not name.startswith(unused)] == []


def test_a_saved_encoder_is_the_same_encoder(case, tmp_path):
    encoder, modality = case
    save_model(encoder, tmp_path / "model")
    loaded = load_model(tmp_path / "model")
    x = views(modality, 2)
    with torch.inference_mode():
        torch.testing.assert_close(loaded(loaded.preprocess(x)), encoder.eval()(encoder.preprocess(x)), rtol=0, atol=0)
    assert describe(loaded) == describe(encoder)
