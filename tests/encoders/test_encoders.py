from urllib.error import URLError

import pytest
import torch

from astroclip_kit import encoders
from astroclip_kit.contracts import random_views
from astroclip_kit.encoders import ImageBackbone, LightCurveTransformer, MocoResNet50, SpenderEncoder, TabularMLP
from astroclip_kit.encoders.layers import AttentionPooling, FourierFeatures, feed_forward
from astroclip_kit.errors import FileError, InputError, UsageError
from astroclip_kit.transforms import CenterCrop, Compose
from astroclip_kit.types import LIGHTCURVE_CHANNELS, Modality

TABLE = Modality("table", "table", ("u", "g"), (2,))


def parameters(module, prefix=""):
    return sum(one.numel() for name, one in module.named_parameters() if name.startswith(prefix))


def test_moco_has_the_published_layout():
    from torchvision.models import resnet50

    encoder = MocoResNet50(head=True)
    assert parameters(encoder) == 27_966_656
    assert parameters(encoder, "fc.") == 4_458_624
    assert parameters(MocoResNet50()) == 23_508_032
    trunk = {name for name in resnet50(weights=None).state_dict() if not name.startswith("fc.")}
    head = {f"fc.{layer}.{kind}" for layer in (0, 2) for kind in ("weight", "bias")}
    assert set(encoder.state_dict()) == trunk | head and len(encoder.state_dict()) == 322
    assert set(MocoResNet50().state_dict()) == trunk
    assert encoder.fc[0].weight.shape == (2048, 2048) and encoder.fc[2].weight.shape == (128, 2048)


def test_moco_computes_what_torchvision_computes():
    from torchvision.models import resnet50

    reference, encoder = resnet50(weights=None).eval(), MocoResNet50().eval()
    encoder.load_state_dict({name: one for name, one in reference.state_dict().items() if not name.startswith("fc.")})
    reference.fc = torch.nn.Identity()
    x = torch.rand(2, 3, 64, 64)
    with torch.inference_mode():
        torch.testing.assert_close(encoder(x), reference(x))


def test_moco_crops_to_what_the_modality_has():
    small = MocoResNet50.for_modality(Modality("image", "image", ("z", "r", "g"), (3, 64, 60)))
    assert small.preprocess.steps[0].size == 60 and small.preprocess.steps[1].bands == ("z", "r", "g")
    assert MocoResNet50.for_modality(Modality("image", "image", ("g", "r", "z"), (3, 152, 152))).preprocess.steps[
        0
    ] == CenterCrop(96)


@pytest.mark.parametrize("latent_features, count", [(10, 3_159_178), (6, 3_159_046)])
def test_spender_has_the_published_layout(latent_features, count):
    encoder = SpenderEncoder(latent_features)
    convolutions = {f"conv{k}.{name}" for k in (1, 2, 3) for name in ("0.weight", "0.bias", "2.weight")}
    linear = {f"mlp.{k}.{name}" for k in (0, 3, 6, 9) for name in ("weight", "bias")}
    assert set(encoder.state_dict()) == convolutions | linear | {f"mlp.{k}.weight" for k in (1, 4, 7)}
    assert parameters(encoder) == count
    shapes = {name: tuple(one.shape) for name, one in encoder.state_dict().items()}
    assert shapes["conv2.0.weight"] == (256, 128, 11) and shapes["conv3.0.weight"] == (512, 256, 21)
    assert shapes["mlp.9.weight"] == (latent_features, 32) and shapes["mlp.7.weight"] == (32,)


@pytest.mark.parametrize("pixels, pooled", [(3921, (785, 72)), (7781, (1557, 142)), (4686, (938, 86))])
def test_spender_pools_to_the_published_lengths(pixels, pooled):
    encoder, x = SpenderEncoder(), torch.zeros(1, 1, pixels)
    assert (encoder.pool1(x).shape[-1], encoder.pool2(encoder.pool1(x)).shape[-1]) == pooled


def test_the_latent_is_read_off_the_attended_vector():
    latent, attended = SpenderEncoder(6).eval(), SpenderEncoder().eval()
    attended.load_state_dict(latent.state_dict(), strict=False)
    x = torch.rand(2, 300)
    with torch.inference_mode():
        torch.testing.assert_close(latent.mlp(attended(x)), latent(x[:, None]))


def test_spender_ignores_brightness_gaps_and_covariates():
    encoder = SpenderEncoder().eval()
    x = torch.rand(1, 2, 400, generator=torch.Generator().manual_seed(0)) + 1
    broken = torch.cat([x * torch.tensor([[50.0], [1.0]]), torch.full((1, 1, 400), torch.nan)], dim=1)
    with torch.inference_mode():
        torch.testing.assert_close(encoder(encoder.preprocess(broken)), encoder(encoder.preprocess(x)))
        broken[:, 0, 100:110], broken[:, 1, 100:110] = torch.nan, 0.0
        assert encoder(encoder.preprocess(broken)).isfinite().all()


@pytest.mark.parametrize("shape", [(1, 2, 500), (1, 1, 63), (500,)])
def test_spender_says_what_it_takes(shape):
    with pytest.raises(InputError, match=r"fluxes \[B, 1, L\] with L of at least 64, found \("):
        SpenderEncoder()(torch.zeros(shape))


def light_curves():
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(3, 9, 4, generator=generator)
    x[..., 0] = (x[..., 0] * 100).sort(dim=1).values
    x[..., 1] += 18
    x[..., 3] = (x[..., 3] * 2).floor()
    return x


def encode(x, **arguments):
    torch.manual_seed(0)
    with torch.inference_mode():
        return LightCurveTransformer(16, bands=2, width=32, **arguments).eval()(x)


def test_padding_changes_nothing():
    x = light_curves()
    padded = torch.cat([torch.full((3, 4, 4), torch.nan), x, torch.full((3, 7, 4), torch.nan)], dim=1)
    torch.testing.assert_close(encode(padded), encode(x), rtol=1e-4, atol=1e-5)


def test_an_empty_light_curve_has_finite_features():
    for x in (torch.full((2, 5, 4), torch.nan), torch.zeros(2, 0, 4)):
        assert encode(x).isfinite().all()


def test_light_curves_may_start_at_any_time_and_in_any_order():
    x = light_curves()
    later = x + torch.tensor([4096.0, 0, 0, 0])
    for origin in ("first", "minimum", "maximum"):
        torch.testing.assert_close(encode(later, origin=origin), encode(x, origin=origin), rtol=1e-2, atol=1e-2)
        torch.testing.assert_close(encode(x.flip(1), origin=origin), encode(x, origin=origin), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("column, change", [(0, 30.0), (1, 1.0), (2, 1.0), (3, 1.0)])
def test_every_column_of_a_light_curve_matters(column, change):
    x = light_curves()
    x[:, 4, 3] = 0
    changed = x.clone()
    changed[:, 4, column] += change
    assert (encode(changed) - encode(x)).abs().max() > 1e-4


def test_the_level_of_a_light_curve_matters_and_a_missing_error_is_no_zero():
    x = light_curves()
    no_error, zero = x.clone(), x.clone()
    no_error[..., 2], zero[..., 2] = torch.nan, 0.0
    assert (encode(x + torch.tensor([0, 1.0, 0, 0])) - encode(x)).abs().max() > 1e-3
    assert (encode(no_error) - encode(x)).abs().max() > 1e-3
    torch.testing.assert_close(encode(zero), encode(no_error))


def test_the_light_curve_encoder_says_what_it_takes():
    with pytest.raises(InputError, match=r"light curves are \[B, T, 4\]"):
        LightCurveTransformer()(torch.zeros(2, 4))
    with pytest.raises(InputError, match="band indices 0 to 1 for an encoder of 1"):
        LightCurveTransformer()(light_curves())
    with pytest.raises(UsageError, match="origin 'peak', width 64, heads 4"):
        LightCurveTransformer(origin="peak")
    with pytest.raises(UsageError, match="heads divides width"):
        LightCurveTransformer(width=30, heads=4)


def test_a_missing_value_is_not_a_zero():
    encoder = TabularMLP(2, 8).eval()
    with torch.inference_mode():
        missing, zero = encoder(torch.tensor([[torch.nan, 1.0], [0.0, 1.0]]))
    assert (missing - zero).abs().max() > 1e-3


@pytest.mark.parametrize("name, features", [("resnet18", 512), ("efficientnet_b0", 1280),
                                            pytest.param("convnext_tiny", 768, marks=pytest.mark.slow),
                                            pytest.param("swin_t", 768, marks=pytest.mark.slow)])  # fmt: skip
def test_backbones_lose_their_classifier(name, features):
    encoder = ImageBackbone(name, in_channels=4).eval()
    assert encoder.out_features == features
    with torch.inference_mode():
        assert encoder(torch.zeros(1, 4, 64, 64)).shape == (1, features)


def test_a_grey_image_gives_the_same_features_with_repeated_weights(monkeypatch):
    import torchvision

    torch.manual_seed(0)
    trained = torchvision.models.resnet18(weights=None).eval()
    monkeypatch.setattr(torchvision.models, "get_model", lambda name, weights: trained)
    x, channels = torch.rand(1, 1, 64, 64), trained.conv1.weight.shape[1]
    with torch.inference_mode():
        stem = trained.conv1(x.expand(1, channels, 64, 64))
        torch.testing.assert_close(ImageBackbone("resnet18", 5).network.conv1(x.expand(1, 5, 64, 64)), stem)


def test_a_pretrained_backbone_is_downloaded_once(monkeypatch):
    import torchvision

    asked, original = [], torchvision.models.get_model
    monkeypatch.setattr(torchvision.models, "get_model", lambda name, weights: asked.append(weights) or original(name))
    assert ImageBackbone("resnet18", pretrained=True).pretrained is False
    assert asked == ["DEFAULT"]


def test_weights_that_cannot_be_downloaded_say_what_to_do(monkeypatch, tmp_path):
    import torchvision

    def offline(name, weights):
        raise URLError("Name or service not known")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(torchvision.models, "get_model", offline)
    message = (
        r"resnet18-\w+\.pth: the ImageNet weights of resnet18 could not be had .*`checkpoint: FILE` or `pretrained"
    )
    with pytest.raises(FileError, match=message) as raised:
        ImageBackbone("resnet18", pretrained=True)
    assert raised.value.path.parent == tmp_path / "hub" / "checkpoints"


def test_backbones_say_what_they_cannot_do():
    with pytest.raises(UsageError, match=r"no image network 'resnet19'\. Did you mean: resnet18"):
        ImageBackbone("resnet19")
    with pytest.raises(UsageError, match="does not end in one linear layer"):
        ImageBackbone("squeezenet1_0")


@pytest.mark.parametrize("encoder", [MocoResNet50, SpenderEncoder, LightCurveTransformer, ImageBackbone])
def test_an_encoder_refuses_another_kind_of_modality(encoder):
    with pytest.raises(InputError, match=f"{encoder.__name__} encodes data of kind .*, and 'table' is of kind 'table'"):
        encoder.for_modality(TABLE)


def test_preprocess_is_the_users_to_replace():
    assert MocoResNet50(preprocess=Compose()).preprocess == Compose()


def test_pooling_of_equal_scores_is_the_mean_of_what_is_not_padding():
    pooling = AttentionPooling(8, 2)
    torch.nn.init.zeros_(pooling.score.weight)
    tokens, padding = torch.rand(2, 5, 8), torch.tensor([[False] * 3 + [True] * 2, [False] * 5])
    expected = torch.stack([tokens[0, :3].mean(0), tokens[1].mean(0)])
    torch.testing.assert_close(pooling(tokens, padding), expected)


def test_fourier_features_have_their_periods():
    encoding = FourierFeatures(3, 1.0, 100.0)
    torch.testing.assert_close(encoding(torch.tensor(100.0))[:-1], encoding(torch.tensor(0.0))[:-1], atol=1e-3, rtol=0)
    assert encoding(torch.zeros(2, dtype=torch.bfloat16)).dtype == torch.float32


def test_an_unknown_activation_is_an_error():
    with pytest.raises(UsageError, match="activation 'elu' is not one of gelu, relu"):
        feed_forward((2, 3), "elu")


@pytest.mark.parametrize("name", ["LightCurveTransformer", "FoldedLightCurve", "LightCurveStatistics"])
def test_encoders_of_light_curves_ignore_covariates(name):
    modality = Modality("c", "lightcurve", (*LIGHTCURVE_CHANNELS, "period"), (-1, 5), "mag", bands=("g", "r"))
    encoder = getattr(encoders, name).for_modality(modality).eval()
    x = random_views(modality, 2)
    with torch.inference_mode():
        torch.testing.assert_close(encoder(x), encoder(x[..., :4]), rtol=0, atol=0)
