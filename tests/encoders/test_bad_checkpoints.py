"""Files that are no checkpoints, those of other networks, and data that published weights mean nothing for."""

import pickle
import re
import warnings

import numpy as np
import pytest
import torch
from published_checkpoints import Payload, moco_encoder, spender_state, write_spender

from astroclip_kit.contracts import check_encoder
from astroclip_kit.encoders import ImageBackbone, MocoResNet50, SpecFormer, SpenderEncoder
from astroclip_kit.encoders.checkpoints import fill, hyperparameters, looks_like, read_checkpoint
from astroclip_kit.errors import FileError, InputError, UsageError
from astroclip_kit.transforms import CenterCrop, Compose, Resample, SelectChannels, ToRGB
from astroclip_kit.transforms.resampling import GRIDS
from astroclip_kit.types import Modality

CONVERT = "It may be a plain pickle. Get its tensors without running it: astroclip-kit convert .*"
WEIGHTS = {"weight": torch.ones(2, 3), "bias": torch.ones(2)}


def image(bands=("g", "r", "z"), scale=0.262, size=100):
    return Modality("image", "image", bands, (len(bands), size, size), "nmgy", (scale,))


def spectrum(grid):
    return Modality.spectrum("spectrum", GRIDS[grid] if isinstance(grid, str) else grid)


@pytest.fixture
def spender(tmp_path):
    return write_spender(tmp_path / "spender.pt", spender_state(rest=100))


@pytest.mark.parametrize("zipped", [True, False])
def test_a_hidden_payload_is_refused_and_not_executed(zipped, tmp_path):
    path, marker = tmp_path / "evil.ckpt", tmp_path / "marker"
    content = {"state_dict": WEIGHTS, "hyper_parameters": {"encoder": Payload(f"touch {marker}")}}
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    message = (
        r"evil\.ckpt: holds more than weights \(\w+\.system\).*nothing was read.*astroclip-kit convert .*evil\.ckpt"
    )
    for read in (read_checkpoint, hyperparameters, MocoResNet50.from_checkpoint, SpenderEncoder.from_checkpoint):
        with pytest.raises(FileError, match=message):
            read(path)
    assert not marker.exists()
    torch.load(path, weights_only=False)
    assert marker.exists()  # the payload is a real one


def test_a_pickled_module_is_refused(tmp_path):
    torch.save(torch.nn.Linear(2, 3), tmp_path / "module.pt")
    with pytest.raises(FileError, match=r"more than weights \(torch\.nn\.modules\.linear\.Linear\)"):
        read_checkpoint(tmp_path / "module.pt")


@pytest.mark.parametrize("kind", ["safetensors", "zip", "old"])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.99])
def test_a_file_that_is_cut_off_is_refused(kind, share, tmp_path):
    from safetensors.torch import save_file

    path, tensors = tmp_path / "weights", {"weight": torch.ones(100, 100)}
    if kind == "safetensors":
        save_file(tensors, path)
    else:
        torch.save(tensors, path, _use_new_zipfile_serialization=kind == "zip")
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(FileError, match=r"weights: is .*(damaged|no checkpoint|cut off).*Copy or download it again"):
        read_checkpoint(path)


def test_what_is_no_checkpoint_is_refused(tmp_path):
    (tmp_path / "empty").touch()
    (tmp_path / "text").write_text("resnet50 weights are at https://example.org")
    (tmp_path / "pickle").write_bytes(pickle.dumps({"a": 1}))
    (tmp_path / "pickle2").write_bytes(pickle.dumps({"a": 1}, protocol=2))
    np.savez(tmp_path / "arrays.npz", a=np.ones(3))
    torch.save(torch.ones(3), tmp_path / "tensor")
    with warnings.catch_warnings(action="ignore"):  # torch would not make such a file any more
        torch.jit.script(torch.nn.Linear(2, 3)).save(tmp_path / "script")
    expected = {
        "empty": "is empty. Copy or download it again",
        "absent": r"cannot be read \(No such file",
        "text": "is no checkpoint",
        "pickle": rf"is no checkpoint. Expected safetensors or a file of torch.save. {CONVERT}pickle --out",
        "pickle2": r"is no checkpoint, or cut off .*If it is a plain pickle: astroclip-kit convert .*pickle2 --out",
        "arrays.npz": "is damaged or cut off",
        "tensor": "holds no tensors with names. Expected the state dict",
        "script": "is a TorchScript program. Save the",
    }
    for name, message in expected.items():
        with pytest.raises(FileError, match=f"{name}: {message}"):
            read_checkpoint(tmp_path / name)


def test_weights_of_another_network_are_named_by_their_keys_and_by_what_they_seem_to_be(spender, tmp_path):
    torch.save(moco_encoder().state_dict(), tmp_path / "resnet50.pt")
    torch.save(SpecFormer(24, 1, 2).state_dict(), tmp_path / "specformer.pt")
    resnet, specformer = tmp_path / "resnet50.pt", tmp_path / "specformer.pt"
    cases = [
        (MocoResNet50, spender, "'conv1.weight' (and 264 more)", "encoder.conv1.0.weight", "spender encoder"),
        (SpenderEncoder, resnet, "'conv1.0.weight' (and 8 more)", "conv1.weight", "ResNet-50 with a projection head"),
        (SpenderEncoder, specformer, "'conv1.0.weight' (and 8 more)", "data_embed.weight", "SpecFormer"),
        (SpecFormer, spender, "'data_embed.weight'", "encoder.conv1.0.weight", "spender encoder"),
    ]
    for encoder, path, missing, unexpected, what in cases:
        message = (
            f"{path.name}: does not fit {encoder.__name__}: it has no {re.escape(missing)}.* and has an unexpected "
        )
        with pytest.raises(FileError, match=f"{message}'{unexpected}'.*It looks like a {what}"):
            encoder.from_checkpoint(path)
    with pytest.raises(FileError, match=r"does not fit resnet18: .*unexpected 'data_embed.weight'"):
        ImageBackbone.from_checkpoint("resnet18", tmp_path / "specformer.pt")
    with pytest.raises(FileError, match=r"resnet50\.pt: does not fit resnet18: .*It looks like a ResNet-50"):
        ImageBackbone.from_checkpoint("resnet18", resnet)
    with pytest.raises(FileError, match=r"its 'mlp\.9\.weight' is \(6, 32\), expected \(10, 32\) \(and 1 more\)"):
        SpenderEncoder(10, checkpoint=spender)


def test_a_module_stays_as_it_was_if_the_weights_do_not_fit():
    module = torch.nn.Linear(3, 2)
    before = module.weight.clone()
    with pytest.raises(
        FileError, match=r"x: does not fit Linear: it has no 'bias'\. It is no model that the kit knows"
    ):
        fill(module, {"weight": torch.ones(2, 3)}, "x")
    assert torch.equal(module.weight, before)
    fill(module, WEIGHTS, "x")
    assert torch.equal(module.weight, WEIGHTS["weight"])


@pytest.mark.parametrize("names, what", [
    (["a.image_encoder.cross_attention.query", "spectrum_encoder.cross_attention.query"], "an AstroCLIP model"),
    (["encoder_q.conv1.weight", "encoder_k.conv1.weight", "queue"], "a MoCo training of a ResNet, encoder_k and "),
    (["cls_token", "patch_embed.proj.weight"], "a vision transformer"),
    (["layer3.22.conv3.weight", "layer4.2.conv3.weight"], "a ResNet-101"),
    (["layer4.1.conv2.weight"], "a ResNet-18"),
])  # fmt: skip
def test_a_network_is_recognised_by_its_names(names, what):
    assert looks_like(names).startswith(f"It looks like {what}")


def test_spectra_of_another_grid_are_put_on_that_of_the_weights(spender):
    encoder = SpenderEncoder.for_modality(spectrum("boss"), checkpoint=spender, normalise="zscore", sky_lines=True)
    kinds = [type(step).__name__ for step in encoder.preprocess.steps]
    assert kinds == ["MaskSkyLines", "Resample", "FillGaps", "Normalise", "SelectChannels"]
    assert encoder.preprocess.steps[1] == Resample("boss", "desi") and encoder.preprocess.steps[3].mode == "zscore"
    assert encoder.preprocess(torch.rand(2, 2, 4686)).shape == (2, 1, 7781)
    check_encoder(encoder, spectrum("boss"))
    same = SpenderEncoder.for_modality(spectrum("desi"), checkpoint=spender)
    assert "Resample" not in [type(step).__name__ for step in same.preprocess.steps]
    thesis = SpenderEncoder.for_modality(spectrum("desi"), grid="sdss")
    assert thesis.preprocess(torch.rand(1, 2, 7781)).shape == (1, 1, 3921) and thesis.grid == "sdss"


def test_the_median_of_the_rest_frame_is_taken_on_the_grid_of_the_weights(spender):
    modality = Modality.spectrum("spectrum", GRIDS["boss"], covariates=("z",))
    encoder = SpenderEncoder.for_modality(modality, checkpoint=spender, normalise="rest_median")
    x = torch.ones(1, 3, 4686)
    x[:, 0] = 4.0
    x[:, 2] = 0.1
    torch.testing.assert_close(encoder.preprocess(x), torch.ones(1, 1, 7781))


def test_spectra_that_do_not_cover_the_grid_are_refused(spender):
    with pytest.raises(
        InputError, match="covers 4000 to 6999 Angstrom, 48% of the 3600 to 9824 that SpenderEncoder was"
    ):
        SpenderEncoder.for_modality(spectrum(np.arange(4000.0, 7000.0, 1.0)), checkpoint=spender)
    with pytest.raises(InputError, match=r"at least 85% is needed. Take weights for another grid"):
        SpenderEncoder.for_modality(spectrum(np.arange(3600.0, 8500.0)), checkpoint=spender)


@pytest.mark.parametrize(("survey", "pixels"), [("sdss", 3921), ("boss", 4686), ("lamost", 3909)])
def test_weights_of_desi_take_the_spectra_of_other_surveys(spender, survey, pixels):
    encoder = SpenderEncoder.for_modality(spectrum(survey), checkpoint=spender).eval()
    x = torch.rand(2, 2, pixels, generator=torch.Generator().manual_seed(0)) + 1
    assert encoder.preprocess(x).shape == (2, 1, 7781) and torch.isfinite(encoder(encoder.preprocess(x))).all()


def test_an_encoder_is_fitted_to_spectra_of_another_grid_once(spender):
    encoder, x = SpenderEncoder.from_checkpoint(spender).eval(), torch.rand(2, 2, 4686) + 1
    before = encoder.preprocess
    assert encoder.fitted_to(spectrum("desi")).preprocess is before  # nothing to do
    fitted = encoder.fitted_to(spectrum("boss")).preprocess
    assert encoder.fitted_to(spectrum("boss")).preprocess is fitted
    torch.testing.assert_close(fitted(x), before(Resample("boss", "desi")(x)))
    check_encoder(encoder, spectrum("boss"))
    with pytest.raises(InputError, match="SpenderEncoder encodes data of kind 'spectrum', and 'image' is of kind"):
        encoder.fitted_to(image())


def test_an_encoder_with_a_grid_refuses_spectra_of_another(spender):
    encoder = SpenderEncoder.from_checkpoint(spender)
    check_encoder(encoder, spectrum("desi"))
    message = (
        "has 4686 pixels from 3540 to 10411 Angstrom, .* are for 7781 from 3600 to 9824. Build it with SpenderEncoder"
        r".*, which resamples, as the command line does for {class_path: .*SpenderEncoder, init_args: {checkpoint: FILE"
    )
    with pytest.raises(InputError, match=message):
        check_encoder(encoder, spectrum("boss"))


def test_images_of_other_pixels_or_bands_are_refused():
    encoder = MocoResNet50.for_modality(image(), pixel_scale_arcsec=0.262)
    check_encoder(encoder, image())
    with pytest.raises(
        InputError, match=r"pixels of 0\.396 arcsec, .* MocoResNet50 are for 0\.262\. Resample the images"
    ):
        check_encoder(encoder, image(scale=0.396))
    with pytest.raises(InputError, match=r"pixels of 0\.1 arcsec"):
        MocoResNet50.for_modality(image(scale=0.1), pixel_scale_arcsec=0.262)
    with pytest.raises(
        InputError, match=r"bands z, r, g, and MocoResNet50 takes g, r, z\. Build it with MocoResNet50\.for"
    ):
        check_encoder(encoder, image(("z", "r", "g")))
    with pytest.raises(UsageError, match="cannot make red, green and blue of the bands W1, W2"):
        MocoResNet50.for_modality(image(("W1", "W2")))
    five = image(("g", "r", "i", "z", "y"))
    chosen = Compose([SelectChannels([0, 1, 3]), CenterCrop(96), ToRGB("stein")])
    check_encoder(MocoResNet50(preprocess=chosen), five)
    with pytest.raises(InputError, match=r"has the bands r, g, z, and MocoResNet50 takes g, r, z"):
        check_encoder(MocoResNet50(preprocess=Compose([SelectChannels([1, 0, 3]), *chosen.steps[1:]])), five)
    check_encoder(MocoResNet50(preprocess=Compose([lambda x: x[:, [2, 1, 0]], ToRGB("stein")])), image(("z", "r", "g")))
    unknown = Modality("image", "image", ("g", "r", "z"), (3, 100, 100))
    check_encoder(encoder, unknown)  # nothing is known that differs


def test_released_weights_warn_of_a_band_that_they_never_saw(tmp_path):
    torch.save(moco_encoder().state_dict(), tmp_path / "resnet50.pt")
    with pytest.warns(UserWarning, match="bands g, r, i, and the weights of MocoResNet50 were trained on g, r, z"):
        encoder = MocoResNet50.for_modality(image(("g", "r", "i")), checkpoint=tmp_path / "resnet50.pt")
    assert encoder.pixel_scale_arcsec == 0.262


@pytest.mark.parametrize("crop, side", [(96, 96), (144, 100), (64, 64)])
def test_the_crop_of_published_images_can_be_chosen(crop, side):
    encoder = MocoResNet50.for_modality(image(), crop=crop)
    assert encoder.preprocess.steps[0] == CenterCrop(side)


def test_released_weights_warn_of_images_that_are_smaller_than_what_they_saw(tmp_path, recwarn):
    torch.save(moco_encoder().state_dict(), tmp_path / "resnet50.pt")
    arguments = {"checkpoint": tmp_path / "resnet50.pt"}
    with pytest.warns(
        UserWarning, match="has 64 pixels along a side, .* MocoResNet50 saw 96: .* or crop: 64 to be cont"
    ):
        encoder = MocoResNet50.for_modality(image(size=64), **arguments)
    assert encoder.preprocess.steps[0] == CenterCrop(64)
    recwarn.clear()
    MocoResNet50.for_modality(image(size=64), crop=64, **arguments)
    MocoResNet50.for_modality(image(size=100), crop=144, **arguments)
    MocoResNet50.for_modality(image(size=64))
    assert not recwarn.list


def test_images_that_are_smaller_than_the_crop_are_refused():
    message = (
        r"has 64 pixels along a side, and MocoResNet50 crops 96\. Take larger cutouts, or write {class_path: .*Moco"
    )
    with pytest.raises(InputError, match=message):
        check_encoder(MocoResNet50(), image(size=64))
