"""Momentum contrast from end to end on small pictures, and each of its parts."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from astroclip_kit.encoders import ImageConvNet, MocoResNet50
from astroclip_kit.errors import FolderError, InputError, TrainingError, UsageError
from astroclip_kit.models import load_model
from astroclip_kit.pretraining import pretrain_moco
from astroclip_kit.pretraining.momentum_contrast import MomentumContrast
from astroclip_kit.pretraining.two_views import pixel_noise
from astroclip_kit.settings import Hardware, MoCo, Optimizer, Split, Training
from astroclip_kit.storage import open_folder
from astroclip_kit.transforms import Asinh, CenterCrop, Compose, RandomFlipRotate
from astroclip_kit.types import Modality

SMALL = MoCo(queue=64, momentum=0.99, out_features=8, norm_groups=2)
QUICK = Training(4, 32, optimizer=Optimizer(learning_rate=3e-3), hardware=Hardware("cpu", "float32"))


class Pictures:
    """What a pretraining uses of a `Dataset`: blobs of many colours and sizes."""

    def __init__(self, count=150, bands=("g", "r", "z"), groups=None, missing=()):
        generator = np.random.default_rng(0)
        radius = np.hypot(*(np.indices((16, 16)) - 7.5))
        colours, sizes = generator.lognormal(3, 1, (count, len(bands), 1, 1)), generator.uniform(1, 5, (count, 1, 1, 1))
        noise = generator.normal(size=(count, len(bands), 16, 16))
        self.images = (colours * np.exp(-radius / sizes) + noise).astype(np.float32)
        self.object_ids = np.array([f"galaxy-{number}" for number in range(count)])
        self.groups = self.object_ids if groups is None else np.asarray(groups)
        self.labels = {}
        self.modalities = {"image": Modality("image", "image", bands, (len(bands), 16, 16))}
        self.asked = set()
        self._present = np.ones(count, dtype=bool)
        self._present[list(missing)] = False

    def present(self, name):
        return self._present

    def data_hash(self, name):
        return "pictures-1"

    def views(self, name, rows):
        assert self._present[rows].all()
        self.asked |= set(np.asarray(rows).tolist())
        return self.images[rows]


class Normalised(nn.Module):
    """A small encoder with batch normalisation."""

    def __init__(self, channels=3):
        super().__init__()
        self.channels, self.out_features = channels, 6
        self.layers = nn.Sequential(nn.Conv2d(channels, 6, 3), nn.BatchNorm2d(6), nn.ReLU(), nn.AdaptiveAvgPool2d(1))

    def forward(self, x):
        return self.layers(x).flatten(1)


def normalised():
    torch.manual_seed(1)
    return Normalised()


CROPPED = "moco.augmentation gives images of 4 x 4 pixels, which ImageConvNet does not take: it is for 16 x 16. Take an"


def small():
    torch.manual_seed(1)
    return ImageConvNet(image_size=8, out_features=16, channels=(8, 16), hidden_features=16, dropout=0.0)


def train(tmp_path, pictures=None, encoder=None, settings=SMALL, training=QUICK, split=Split(), **more):
    pictures = pictures if pictures is not None else Pictures()
    encoder = small() if encoder is None else encoder
    return pretrain_moco(
        pictures, tmp_path / "e", encoder=encoder, settings=settings, training=training, split=split, quiet=True, **more
    )


@pytest.mark.slow
def test_learns_to_tell_objects_apart_and_ends_in_an_encoder_folder(tmp_path):
    encoder = small()
    before = {name: weight.clone() for name, weight in encoder.state_dict().items()}
    trained = train(tmp_path, encoder=encoder, training=dataclasses.replace(QUICK, epochs=40))
    assert all(torch.equal(encoder.state_dict()[name], weight) for name, weight in before.items())
    manifest = open_folder(tmp_path / "e", "model")
    losses = [row["loss"] for row in manifest["history"]]
    assert losses[-1] < 0.75 * max(losses) and not (tmp_path / ".e.training").exists()
    assert manifest["method"] == "moco" and manifest["settings"]["momentum"] == 0.99
    turn, noise = manifest["settings"]["augmentation"]["init_args"]["steps"]
    assert turn["class_path"].endswith("RandomFlipRotate") and len(noise["init_args"]["sigma"]) == 3
    assert manifest["counts"]["train"] > 90 and manifest["modalities"]["image"]["kind"] == "image"
    assert manifest["training"]["epochs"] == 40 and manifest["split"]["seed"] == 0
    x = torch.from_numpy(Pictures().images[:4])
    loaded = load_model(tmp_path / "e")
    assert not trained.training and isinstance(loaded, ImageConvNet)
    torch.testing.assert_close(loaded(loaded.preprocess(x)), trained(trained.preprocess(x)))


def test_objects_that_were_held_out_or_lack_an_image_are_not_looked_at(tmp_path):
    from astroclip_kit.data.splits import divide

    pictures = Pictures(missing=range(10))
    train(tmp_path, pictures, training=dataclasses.replace(QUICK, epochs=1))
    sides = divide(pictures, Split())
    assert pictures.asked == set(np.flatnonzero((sides == "train") & pictures.present("image")).tolist())


@pytest.mark.slow
def test_a_killed_training_ends_with_the_very_weights_of_one_that_was_not(tmp_path):
    class Killed(Pictures):
        calls = 0

        def views(self, name, rows):
            self.calls += 1
            if self.calls == 10:
                raise KeyboardInterrupt
            return super().views(name, rows)

    training = dataclasses.replace(QUICK, hardware=dataclasses.replace(QUICK.hardware, checkpoint_seconds=0.0))
    whole = train(tmp_path / "whole", encoder=normalised(), training=training)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "killed", Killed(), normalised(), training=training)
    resumed = train(tmp_path / "killed", encoder=normalised(), training=training)
    for one, two in zip(whole.state_dict().values(), resumed.state_dict().values(), strict=True):
        assert torch.equal(one, two)


def vectors(count, width=8, seed=0):
    return nn.functional.normalize(torch.randn(count, width, generator=torch.Generator().manual_seed(seed)), dim=1)


def contrast(length=6, encoder=None, **settings):
    return MomentumContrast(encoder or small(), dataclasses.replace(SMALL, queue=length, **settings))


def test_the_queue_forgets_its_oldest_keys_first():
    module, keys = contrast(6), vectors(9)
    for part in range(0, 8, 4):
        module.remember(keys[part : part + 4], torch.arange(part, part + 4))
    assert module.groups.tolist() == [6, 7, 2, 3, 4, 5]
    torch.testing.assert_close(module.queue, keys[[6, 7, 2, 3, 4, 5]])
    module.remember(3 * keys, torch.arange(9))  # more than it holds
    assert sorted(module.groups.tolist()) == [3, 4, 5, 6, 7, 8]
    torch.testing.assert_close(module.queue.norm(dim=1), torch.ones(6))


def test_the_key_encoder_follows_and_is_not_trained():
    module = contrast(momentum=0.75)
    key, query = next(module.key.parameters()), next(module.query.parameters())
    torch.testing.assert_close(key, query)
    with torch.no_grad():
        query += 4.0
        module.follow()
    torch.testing.assert_close(key, query - 3.0)
    x = torch.randn(4, 3, 8, 8)
    queries, keys = module(x, x)
    assert queries.requires_grad and not keys.requires_grad
    assert not any(weight.requires_grad for weight in module.key.parameters())


def test_keys_stand_beside_their_queries_and_are_normalised_in_other_parts():
    torch.manual_seed(0)
    x = torch.randn(8, 3, 6, 6) * torch.arange(1, 9)[:, None, None, None]
    plain = contrast().eval()
    queries, keys = plain(x, x)
    torch.testing.assert_close(keys, queries.detach())
    one = contrast(encoder=normalised(), norm_groups=1).train()
    queries, keys = one(x, x)
    torch.testing.assert_close(keys, queries.detach())
    parts = contrast(encoder=normalised(), norm_groups=4).train()
    assert [contrast(norm_groups=4).norm_groups, parts.norm_groups] == [1, 4]
    queries, keys = parts(x, x)
    assert (keys - queries).abs().max() > 0.1
    first = parts.query(x[:2])
    torch.testing.assert_close(parts(x, x)[0][:2], first)


def test_other_observations_of_an_object_are_no_negatives(tmp_path, monkeypatch):
    from astroclip_kit.losses import QueueInfoNCE

    seen = []
    plain = QueueInfoNCE.forward
    monkeypatch.setattr(
        QueueInfoNCE, "forward", lambda self, *given: (seen.append(given[-1].sum(dim=1)), plain(self, *given))[1]
    )
    pictures = Pictures(groups=np.repeat([f"object-{number}" for number in range(50)], 3))
    settings = dataclasses.replace(SMALL, queue=1000)  # no more than there are training objects
    train(tmp_path, pictures, settings=settings, training=dataclasses.replace(QUICK, epochs=3))
    assert open_folder(tmp_path / "e", "model")["settings"]["queue"] < 150
    assert (seen[0] == 0).all() and 2 < seen[-1].float().mean() < 4


def test_an_encoder_may_bring_its_own_head(tmp_path):
    settings = dataclasses.replace(SMALL, out_features=0)
    assert contrast(out_features=0).queue.shape == (6, 16)
    trained = train(tmp_path, settings=settings, training=dataclasses.replace(QUICK, epochs=1))
    assert trained.out_features == 16
    module = MomentumContrast(MocoResNet50(head=True), MoCo(queue=4, out_features=0))
    assert module.queue.shape == (4, 128) and "query.0.fc.2.weight" in module.state_dict()


def test_bands_and_inverse_variances_of_any_survey(tmp_path):
    pictures = Pictures(60, bands=("u", "i", "ivar_u", "ivar_i"))
    pictures.images[:, 2:] = 1.0
    encoder = pretrain_moco(
        pictures, tmp_path / "e", settings=SMALL, training=dataclasses.replace(QUICK, epochs=1), quiet=True
    )
    assert isinstance(encoder, ImageConvNet) and encoder.in_channels == 2
    noise = pixel_noise(torch.from_numpy(pictures.images), pictures.modalities["image"])
    assert noise[:2] == pytest.approx([1.0, 1.0], rel=0.5) and noise[2:] == [0.0, 0.0]
    assert torch.isfinite(encoder(encoder.preprocess(torch.from_numpy(pictures.images)))).all()


def test_the_published_augmentations_may_crop(tmp_path):
    part = {"class_path": "astroclip_kit.transforms.stein_augmentations", "init_args": {"size": 8, "jitter": 2}}
    encoder = ImageConvNet(image_size=8, channels=(4, 8), preprocess=Compose([CenterCrop(8), Asinh(1.0)]))
    settings, short = dataclasses.replace(SMALL, augmentation=part), dataclasses.replace(QUICK, epochs=1)
    assert train(tmp_path, encoder=encoder, settings=settings, training=short).out_features == 128
    assert open_folder(tmp_path / "e", "model")["settings"]["augmentation"] == part


def test_both_views_may_ask(tmp_path):
    settings = dataclasses.replace(SMALL, symmetric=True, augmentation=RandomFlipRotate())
    train(tmp_path, settings=settings, training=dataclasses.replace(QUICK, epochs=1))
    manifest = open_folder(tmp_path / "e", "model")
    assert manifest["settings"]["augmentation"]["class_path"].endswith("RandomFlipRotate")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"queue": 0}, "moco.queue is 0, expected at least 1"),
        ({"momentum": 1.0}, "moco.momentum is 1.0, expected 0 to below 1"),
        ({"temperature": 0.0}, "moco.temperature is 0.0, expected a positive number"),
        ({"hidden_features": -1}, "moco.hidden_features is -1, expected a number of features, or 0 for that of the"),
        ({"out_features": -1}, "moco.out_features is -1, expected a number of features, or 0"),
        ({"norm_groups": 0}, "moco.norm_groups is 0, expected at least 1"),
    ],
)
def test_settings_that_do_not_fit(tmp_path, changes, message):
    with pytest.raises(UsageError, match=message):
        train(tmp_path, settings=dataclasses.replace(SMALL, **changes))


def test_data_that_do_not_fit(tmp_path):
    with pytest.raises(UsageError, match="there is no 'radio' in the data; it has image"):
        train(tmp_path, modality="radio")
    with pytest.raises(TrainingError, match="no training object has the modality 'image'"):
        train(tmp_path, Pictures(missing=range(150)))
    spectra = Pictures()
    spectra.modalities = {"image": SimpleNamespace(**{**vars(spectra.modalities["image"]), "kind": "spectrum"})}
    with pytest.raises(UsageError, match="'image' is of kind 'spectrum', and only images have a default"):
        train(tmp_path, spectra)
    for augmentation, message in ((lambda x: x[:1], "is no augmentation of 'image'"), (CenterCrop(4), CROPPED)):
        with pytest.raises(InputError, match=message):
            train(tmp_path, settings=dataclasses.replace(SMALL, augmentation=lambda x, seeds, a=augmentation: a(x)))
    with pytest.raises(InputError, match="Normalised cannot encode 'image'"):
        train(tmp_path, encoder=Normalised(channels=5))


def test_an_interrupted_run_with_other_settings_is_not_gone_on_with(tmp_path):
    class Broken(Pictures):
        calls = 0

        def views(self, name, rows):
            self.calls += 1
            if self.calls == 3:
                raise KeyboardInterrupt
            return super().views(name, rows)

    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, Broken())
    with pytest.raises(FolderError, match="holds a training with another training data"):
        train(tmp_path, settings=dataclasses.replace(SMALL, temperature=0.1))
