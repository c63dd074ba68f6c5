"""Generators of spectral vectors: what they learn and what they cannot, and that nothing stops them for good."""

import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from simulated_stars import ONE_CORE, QUICK, SHORT, SPLIT, TINY, PointSources, make_teacher, simulate
from torch import nn

from astroclip_kit.classifiers import (
    EncoderClassifier,
    compare_vectors,
    spectral_vectors,
    standardised,
    tell_beyond_class,
)
from astroclip_kit.contracts import check_encoder
from astroclip_kit.data import splits
from astroclip_kit.errors import FolderError, InputError, TrainingError, UsageError
from astroclip_kit.models import load_model
from astroclip_kit.settings import Optimizer, SpectralGAN, Training
from astroclip_kit.storage import open_folder
from astroclip_kit.training import fit


@pytest.fixture(scope="module")
def stars():
    return PointSources()


def vectors(stars, generator, rows, target=None):
    """Simulated and real vectors of some rows."""
    with torch.inference_mode():
        simulated = generator(generator.preprocess(torch.from_numpy(stars.values["image"][rows])))
        known = spectral_vectors(target or make_teacher(stars), stars, rows)
        real = generator.standardise(torch.from_numpy(known))
    return simulated.numpy(), real.numpy(), (stars.labels["class"][rows] == "star").astype(int)


def same(one, other):
    ours, theirs = one.state_dict(), other.state_dict()
    return all(torch.equal(weight, theirs[name]) for name, weight in ours.items())


def test_it_learns_what_the_image_tells_of_the_spectrum(stars, tmp_path):
    generator = simulate(stars, tmp_path / "generator", training=replace(QUICK, epochs=16))
    simulated, real, codes = vectors(stars, generator, stars.rows())
    found = compare_vectors(simulated, real, codes, n_boot=50, dataset="stars", origin="mock")
    cosine, permuted, distance, _ = found
    assert cosine.low > cosine.chance + 0.2 and cosine.low > permuted.high and distance.value < distance.chance
    assert tell_beyond_class(simulated, real, codes, permutations=100).p < 0.02
    history = open_folder(tmp_path / "generator", "model")["history"]
    assert history[-1]["val_l1"] < 0.85 * history[0]["val_l1"]


def test_what_the_image_does_not_tell_it_cannot_learn(tmp_path):
    stars = PointSources(told=False)
    generator = simulate(stars, tmp_path / "generator")
    simulated, real, codes = vectors(stars, generator, stars.rows())
    beyond = tell_beyond_class(simulated, real, codes, permutations=100)
    assert beyond.low < beyond.cosine < beyond.high and beyond.p > 0.02
    cosine, permuted, *_ = compare_vectors(simulated, real, codes, n_boot=50, dataset="stars", origin="mock")
    assert permuted.low < cosine.value < permuted.high and cosine.value < 0.35


def test_a_generator_is_an_encoder_in_a_folder_of_its_own(stars, tmp_path):
    generator = simulate(stars, tmp_path / "generator", training=SHORT)
    loaded = load_model(tmp_path / "generator")
    check_encoder(loaded, stars.modalities["image"])
    assert same(loaded, generator) and loaded.reads == "image" and loaded.out_features == 6
    assert not generator.training and not any(one.requires_grad for one in generator.parameters())
    manifest = open_folder(tmp_path / "generator", "model")
    sides = splits.divide(stars, SPLIT)
    train = np.flatnonzero((sides == "train") & stars.presence["image"] & stars.presence["spectrum"])
    assert manifest["method"] == "spectral_gan" and manifest["counts"]["train"] == len(train)
    assert manifest["settings"]["loss"] == "hinge" and manifest["label"]["missing"] > 0
    real = torch.from_numpy(spectral_vectors(make_teacher(stars), stars, train))
    torch.testing.assert_close(generator.mean, real.mean(dim=0), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(generator.scale, real.std(dim=0, unbiased=False), rtol=1e-4, atol=1e-5)


def test_held_out_objects_and_those_of_other_folds_are_never_seen(tmp_path):
    stars = PointSources()
    train = stars.rows("train")
    fold = train[::2]
    generator = simulate(stars, tmp_path / "fold", training=SHORT, rows=fold)
    assert stars.asked == set(fold.tolist()) | set(stars.rows("valid").tolist())
    real = torch.from_numpy(spectral_vectors(make_teacher(stars), stars, fold))
    torch.testing.assert_close(generator.mean, real.mean(dim=0), rtol=1e-4, atol=1e-5)
    with pytest.raises(UsageError, match=r"rows: 3 of 103 are not of the training side of the split"):
        simulate(stars, tmp_path / "wrong", rows=[*train[:100], *stars.rows()[:3]])


def test_real_vectors_are_standardised_as_simulated_ones_are(stars, tmp_path):
    teacher, train, rows = make_teacher(stars), stars.rows("train"), stars.rows()
    encoder = standardised(teacher, stars, train)
    check_encoder(encoder, stars.modalities["spectrum"])
    generator = simulate(stars, tmp_path / "generator", target=teacher, training=SHORT)
    x = encoder.preprocess(torch.from_numpy(stars.values["spectrum"][rows]))
    with torch.inference_mode():
        torch.testing.assert_close(encoder(x).numpy(), vectors(stars, generator, rows)[1], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    "settings",
    [
        {"loss": "wgan_gp", "critic_steps": 2},
        {"loss": "regression", "noise": 0},
        {"projection": True, "critic_rate": 2.0},
        {"classes": 0.0, "label": "nothing"},
        {"augmentation": {"class_path": "astroclip_kit.transforms.RandomFlipRotate"}},
    ],
)
def test_every_setting_trains_and_again_to_the_same_weights(stars, tmp_path, settings):
    how = {"settings": replace(TINY, **settings), "training": replace(QUICK, epochs=1)}
    once, again = (simulate(stars, tmp_path / name, **how) for name in "ab")
    assert same(once, again)


def test_another_seed_gives_another_generator(stars, tmp_path):
    one, other = (simulate(stars, tmp_path / str(seed), training=replace(SHORT, seed=seed)) for seed in (0, 1))
    assert not same(one, other)


@pytest.mark.parametrize("loss", ["hinge", "wgan_gp"])
def test_an_interrupted_training_goes_on_to_the_same_weights(stars, tmp_path, monkeypatch, loss):
    settings = replace(TINY, loss=loss)
    whole = simulate(stars, tmp_path / "whole", settings=settings, training=SHORT)
    often = replace(SHORT, hardware=replace(ONE_CORE, checkpoint_seconds=0.0))
    for stop in (1, 2, 4):

        def stopped(module, data, loss, *arguments, stop=stop, **more):
            steps = []

            def until(model, batch):
                steps.append(batch)
                if len(steps) > stop:
                    raise KeyboardInterrupt
                return loss(model, batch)

            return fit(module, data, until, *arguments, **more)

        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr("astroclip_kit.pretraining.course.fit", stopped)
            simulate(stars, tmp_path / "parts", settings=settings, training=often)
    with pytest.raises(FolderError, match="training data"):
        simulate(stars, tmp_path / "parts", settings=replace(settings, l1=1.0), training=often)
    assert same(simulate(stars, tmp_path / "parts", settings=settings, training=often), whole)


KILLED = """
import sys; sys.path.insert(0, {here!r})
from dataclasses import replace
from simulated_stars import ONE_CORE, QUICK, PointSources, simulate
often = replace(ONE_CORE, checkpoint_seconds=0.0)
simulate(PointSources(), sys.argv[1], training=replace(QUICK, epochs=40, hardware=often))
"""


@pytest.mark.slow
def test_kill_9_changes_nothing(stars, tmp_path):
    script, out = KILLED.format(here=str(Path(__file__).parent)), tmp_path / "killed"
    checkpoint = tmp_path / ".killed.training" / "checkpoint-last"
    for _ in range(3):
        with subprocess.Popen([sys.executable, "-c", script, str(out)]) as process:
            before = checkpoint.stat().st_mtime_ns if checkpoint.exists() else 0
            while not (checkpoint.exists() and checkpoint.stat().st_mtime_ns > before):
                assert process.poll() is None
                time.sleep(0.02)
            time.sleep(0.4)
            assert process.poll() is None
            process.kill()
    subprocess.run([sys.executable, "-c", script, str(out)], check=True)
    whole = simulate(stars, tmp_path / "whole", training=replace(QUICK, epochs=40))
    assert same(load_model(out), whole) and not checkpoint.exists()


SHARED = """
import sys; sys.path.insert(0, {here!r})
from dataclasses import replace
import torch
from astroclip_kit.classifiers import adversarial
from simulated_stars import SHORT, PointSources, simulate
made = []
plain = adversarial.Adversaries.__init__
adversarial.Adversaries.__init__ = lambda self, *given: (plain(self, *given), made.append(self))[0]
simulate(PointSources(), sys.argv[1] + "/generator", training=SHORT)
torch.save(made[0].state_dict(), f"{{sys.argv[1]}}/{{torch.distributed.get_rank()}}.pt")
"""


@pytest.mark.slow
def test_two_processes_train_one_generator_and_one_critic(stars, tmp_path):
    (tmp_path / "train.py").write_text(SHARED.format(here=str(Path(__file__).parent)))
    several = ["-m", "torch.distributed.run", "--nproc-per-node=2", "--standalone", str(tmp_path / "train.py")]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    subprocess.run([sys.executable, *several, str(tmp_path)], check=True, env=environment, timeout=300)
    first, second = (torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in (0, 1))
    assert first.keys() == second.keys() and all(torch.equal(one, second[name]) for name, one in first.items())
    alone = simulate(stars, tmp_path / "alone", training=SHORT)
    shared, codes = load_model(tmp_path / "generator"), stars.rows()
    one, other = (vectors(stars, generator, codes)[0] for generator in (alone, shared))
    assert np.corrcoef(one.ravel(), other.ravel())[0, 1] > 0.8  # normalised by half batches, it is not quite the same


def test_a_training_that_runs_away_says_so(stars, tmp_path):
    far = replace(SHORT, optimizer=Optimizer("sgd", 1e12, 0.0, clip_norm=0.0))
    with pytest.raises(TrainingError, match=r"is (nan|inf) at epoch \d, after \d+ steps.*optimizer.learning_rate"):
        simulate(stars, tmp_path / "generator", settings=replace(TINY, loss="regression"), training=far)


class Constant(nn.Module):
    """An encoder of spectra some of whose numbers are the same for all, or are none."""

    def __init__(self, value=3.0):
        super().__init__()
        self.value, self.out_features, self.weight = value, 3, nn.Parameter(torch.zeros(1))

    def forward(self, x):
        level = x[:, 0].mean(dim=1)
        return torch.stack([level, level * 0 + self.value, level**2], dim=1)


def test_a_dimension_that_is_the_same_for_all_stays_so(stars, tmp_path):
    target = EncoderClassifier(Constant(), ("qso", "star"))
    generator = simulate(stars, tmp_path / "generator", target=target, training=SHORT)
    simulated, real, _ = vectors(stars, generator, stars.rows(), target)
    assert (
        generator.scale[1] == 0
        and (simulated[:, 1] == 0).all()
        and (real[:, 1] == 0).all()
        and simulated[:, 0].std() > 0
    )
    assert (generator.restore(torch.from_numpy(simulated))[:, 1] == 3).all()


def test_vectors_that_are_not_finite_are_refused(stars, tmp_path):
    with pytest.raises(InputError, match="Constant gives values that are not finite for"):
        simulate(stars, tmp_path / "a", target=EncoderClassifier(Constant(np.nan), ("qso", "star")))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"loss": "lsgan"}, "spectral_gan.loss is 'lsgan', expected one of hinge, wgan_gp, regression"),
        ({"noise": -1}, "spectral_gan.noise is -1, expected a number of random numbers, or 0"),
        ({"draws": 0}, "spectral_gan.draws is 0, expected at least 1"),
        ({"l1": -1.0}, "spectral_gan.l1 is -1.0, expected 0 or more"),
        ({"classes": -1.0}, "spectral_gan.classes is -1.0, expected 0 or more"),
        ({"gradient_penalty": -1.0}, "spectral_gan.gradient_penalty is -1.0, expected 0 or more"),
        ({"critic_steps": -1}, "spectral_gan.critic_steps is -1, expected 0 or more"),
        ({"critic_rate": 0.0}, "spectral_gan.critic_rate is 0.0, expected above 0"),
        ({"ema": 1.0}, "spectral_gan.ema is 1.0, expected 0 to below 1"),
        ({"critic_features": [0]}, r"spectral_gan.critic_features is \[0\], expected widths of 1 or more"),
        ({"loss": "regression", "l1": 0.0, "classes": 0.0}, "a regression without l1 and classes learns nothing"),
        ({"image": "radio"}, "there is no 'radio' in the data; it has image, spectrum"),
        ({"spectrum": "radio"}, "spectrum: there is no 'radio' in the data; it has image, spectrum"),
        ({"label": "kind"}, "label: there is no 'kind' in the data"),
        ({"generator": {"width": 4}}, "SpectralGenerator: .*unexpected keyword argument 'width'"),
    ],
)
def test_settings_that_cannot_be_used(stars, tmp_path, settings, message):
    with pytest.raises(UsageError, match=message):
        simulate(stars, tmp_path / "generator", settings=replace(TINY, **settings))
    assert not (tmp_path / "generator").exists()


def test_targets_that_cannot_be_used(stars, tmp_path):
    teacher = make_teacher(stars)
    with pytest.raises(UsageError, match="target is ResNet1d, expected a classifier of spectra that train_encoder"):
        simulate(stars, tmp_path / "a", target=teacher.encoder)
    bare = simulate(stars, tmp_path / "b", target=teacher.encoder, settings=replace(TINY, classes=0.0), training=SHORT)
    assert bare.out_features == 6
    foreign = EncoderClassifier(teacher.encoder, ("bhb", "other"))
    with pytest.raises(InputError, match=r"no training object has a class that the target knows \(bhb, other\)"):
        simulate(stars, tmp_path / "c", target=foreign)
    with pytest.raises(InputError, match=r"expected vectors \[n, 7\], found"):
        simulate(stars, tmp_path / "d", settings=replace(TINY, generator={**TINY.generator, "out_features": 7}))


def test_nobody_has_both(tmp_path):
    stars = PointSources()
    stars.presence["spectrum"] = ~stars.presence["image"]
    with pytest.raises(TrainingError, match="no training object has image and spectrum"):
        simulate(stars, tmp_path / "a", target=make_teacher(stars))
    with pytest.raises(InputError, match="1 of 2 objects have no 'spectrum': leave them out"):
        spectral_vectors(make_teacher(stars), stars, np.array([0, 1]))


def test_the_defaults_are_those_of_the_page():
    from astroclip_kit.settings import ADVERSARIAL

    page = SpectralGAN()
    assert (page.loss, page.noise, page.draws, page.l1, page.classes, page.ema) == ("hinge", 32, 8, 10.0, 1.0, 0.999)
    assert (page.gradient_penalty, page.critic_features, page.folds) == (10.0, [512, 256], 5)
    adam = ADVERSARIAL.optimizer
    assert isinstance(ADVERSARIAL, Training) and (ADVERSARIAL.epochs, ADVERSARIAL.batch_size) == (200, 256)
    assert (adam.name, adam.learning_rate, adam.betas, adam.clip_norm) == ("adam", 2e-4, [0.5, 0.9], 0.0)
