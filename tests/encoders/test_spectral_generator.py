"""The generator of spectral vectors as an encoder: its draws, its units, and the network of stamps inside it."""

import pytest
import torch

from astroclip_kit.contracts import check_encoder
from astroclip_kit.encoders import SpectralGenerator, StampResNet, TableValues
from astroclip_kit.encoders.fitted import fitted
from astroclip_kit.errors import InputError, UsageError
from astroclip_kit.models import load_model, save_model
from astroclip_kit.transforms import Asinh, ScaleImages
from astroclip_kit.types import Modality

IMAGE = Modality("cutout", "image", ("u", "ivar_u", "g"), (3, 12, 12), "nmgy", (0.396,))
STAMPS = {"width": 4, "stages": 2, "blocks": 1, "out_features": 8}


def make(**arguments):
    torch.manual_seed(0)
    sizes = {"out_features": 5, "noise": 3, "draws": 4, "hidden_features": (16,), **arguments}
    return SpectralGenerator.for_modality(IMAGE, StampResNet.for_modality(IMAGE, **STAMPS), **sizes).eval()


@pytest.fixture
def x():
    return torch.rand(6, 3, 12, 12, generator=torch.Generator().manual_seed(1))


def test_features_are_the_mean_over_the_draws_in_whatever_batch(x):
    generator = make()
    ready = generator.preprocess(x)
    with torch.inference_mode():
        each = [generator.generate(ready, drawn.expand(6, 3)) for drawn in generator.drawn]
        torch.testing.assert_close(generator(ready), torch.stack(each).mean(dim=0))
        torch.testing.assert_close(generator(ready)[4:5], generator(ready[4:5]))
        assert (each[0] - each[1]).abs().max() > 1e-3
    assert generator.reads == "cutout" and make(seed=1).drawn.ne(generator.drawn).all()
    torch.testing.assert_close(make().drawn, generator.drawn)


def test_without_noise_there_is_one_vector(x):
    generator = make(noise=0)
    ready = generator.preprocess(x)
    with torch.inference_mode():
        torch.testing.assert_close(generator(ready), generator.generate(ready, torch.empty(6, 0)))
    assert generator.drawn.shape == (1, 0)


def test_vectors_are_standardised_and_a_constant_dimension_stays(x, tmp_path):
    generator, real = make(), torch.randn(50, 5) * torch.tensor([1.0, 20.0, 3.0, 1e-9, 0.1]) + 7
    real[:, 2] = 3.0
    generator.calibrate(real)
    unit = generator.standardise(real)
    torch.testing.assert_close(unit.std(dim=0, unbiased=False), torch.tensor([1.0, 1.0, 0.0, 0.0, 1.0]))
    torch.testing.assert_close(generator.restore(unit), real, rtol=1e-4, atol=1e-4)
    assert (generator.standardise(real + 100)[:, 2:4] == 0).all()
    save_model(generator, tmp_path / "model")
    again = load_model(tmp_path / "model")
    with torch.inference_mode():
        h = again(again.preprocess(x))
        assert (h[:, 2:4] == 0).all() and torch.equal(h, generator(generator.preprocess(x)))
    torch.testing.assert_close(again.scale, generator.scale)


def test_what_its_images_lack_is_measured_by_its_encoder(x):
    generator = make()
    assert generator.measured_on(x) is generator
    _, softened, scaled = generator.preprocess.steps
    assert isinstance(softened, Asinh) and len(softened.scale) == 2 and isinstance(scaled, ScaleImages)
    ready = generator.preprocess(x)
    torch.testing.assert_close(ready.mean(dim=(0, 2, 3)), torch.zeros(2), atol=1e-4, rtol=0)
    torch.testing.assert_close(ready.std(dim=(0, 2, 3)), torch.ones(2), atol=1e-2, rtol=0)
    check_encoder(generator, IMAGE)


def test_a_network_is_described_or_given_or_a_resnet18_for_stamps():
    described = {"class_path": "astroclip_kit.encoders.StampResNet", "init_args": STAMPS}
    assert SpectralGenerator.for_modality(IMAGE, described, hidden_features=(8,)).encoder.in_channels == 2
    with torch.device("meta"):
        network = StampResNet(5)
        maps = network.layers(torch.zeros(2, 5, 32, 32))
    kernels = [one.kernel_size for one in network.modules() if isinstance(one, torch.nn.Conv2d)]
    assert maps.shape == (2, 512, 4, 4) and sum(kernel == (3, 3) for kernel in kernels) == 17
    assert not any(isinstance(one, torch.nn.MaxPool2d) for one in network.modules())


def test_it_is_fitted_to_bands_in_another_order(x, tmp_path):
    generator = make().measured_on(x)
    generator.trained_on = IMAGE
    save_model(generator, tmp_path / "model")
    other = Modality("cutout", "image", ("r", "g", "u"), (3, 12, 12), "nmgy", (0.396,))
    moved = fitted(load_model(tmp_path / "model"), other)
    check_encoder(moved, other)
    save_model(moved, tmp_path / "moved")
    again = load_model(tmp_path / "moved")
    with torch.inference_mode():
        expected = generator(generator.preprocess(x))
        torch.testing.assert_close(again(again.preprocess(x[:, [1, 2, 0]])), expected)
    lacking = Modality("cutout", "image", ("g", "r"), (2, 12, 12), "nmgy", (0.396,))
    with pytest.raises(InputError, match="SpectralGenerator was trained on the channels u, ivar_u, g"):
        check_encoder(fitted(load_model(tmp_path / "model"), lacking), lacking)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"noise": -1}, r"needs features, draws and layers above 0 and noise of 0 or more, found 5, 4, \(16,\) and -1"),
        ({"draws": 0}, "needs features, draws and layers above 0"),
        ({"hidden_features": (8, 0)}, "needs features, draws and layers above 0"),
    ],
)
def test_sizes_that_cannot_be(arguments, message):
    with pytest.raises(UsageError, match=message):
        make(**arguments)


def test_what_it_does_not_take(x):
    generator = make()
    with pytest.raises(InputError, match=r"expected vectors \[n, 5\], found \(3, 4\)"):
        generator.calibrate(torch.zeros(3, 4))
    with pytest.raises(InputError, match=r"2 of 3 spectral vectors are not finite\. Check the encoder of spectra"):
        generator.calibrate(torch.tensor([[1.0] * 5, [torch.nan] * 5, [torch.inf] * 5]))
    table = Modality("table", "table", ("u",), (1,))
    with pytest.raises(InputError, match="SpectralGenerator encodes data of kind 'image', and 'table' is of kind"):
        SpectralGenerator.for_modality(table)
    with pytest.raises(InputError, match="SpectralGenerator encodes data of kind 'image', and 'table' is of kind"):
        check_encoder(SpectralGenerator(TableValues(("u",)), 3, hidden_features=()), table)
    with pytest.raises(InputError, match=r"StampResNet takes images \[B, 2, H, W\], found \(6, 3, 12, 12\)"):
        generator.encoder(x)
    with pytest.raises(UsageError, match="StampResNet needs sizes above 0, found 5 bands, 4 channels, 0 stages"):
        StampResNet(width=4, stages=0)
