"""The star / QSO experiment in miniature: two seeds of tiny networks on simulated point sources."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from miniature import make_dataset, run_all, run_of

from astroclip_kit.data import Dataset
from astroclip_kit.data.splits import divide
from astroclip_kit.errors import UsageError
from astroclip_kit.features import FeatureSet
from astroclip_kit.models import load_model
from astroclip_kit.pipeline.configuration import load_configuration
from astroclip_kit.pipeline.preparation import prepare
from astroclip_kit.recipes import find_recipe
from astroclip_kit.recipes.judged import Judged
from astroclip_kit.recipes.permuted import PermutedViews
from astroclip_kit.recipes.spectral_gan import measure
from astroclip_kit.recipes.spectral_gan_models import MODELS
from astroclip_kit.recipes.spectral_gan_stages import repetitions, stages
from astroclip_kit.results import read_results
from astroclip_kit.settings import (
    Classification,
    Hardware,
    Material,
    Optimizer,
    SpectralGAN,
    Split,
    Training,
)
from astroclip_kit.storage import open_folder

RECIPE = find_recipe("spectral_gan")
CONFIGS = Path(__file__).resolve().parents[2] / "configs"
ONE = Training(1, 32, optimizer=Optimizer(learning_rate=3e-3), hardware=Hardware("cpu", "float32", threads=1))
ENCODERS = {
    "image": {
        "class_path": "astroclip_kit.encoders.StampResNet",
        "init_args": {"width": 4, "stages": 2, "blocks": 1, "out_features": 8},
    },
    "spectrum": {
        "class_path": "astroclip_kit.encoders.ResNet1d",
        "init_args": {"widths": [4, 4], "blocks": 1, "out_features": 8},
    },
}
SETTINGS = Classification(
    method="concat_mlp",
    encoder_training=ONE,
    training=ONE,
    alignment_training=ONE,
    simulation_training=ONE,
    simulation=SpectralGAN(noise=2, draws=2, folds=2, critic_features=[8], generator={"hidden_features": [8]}),
    split=Split(test=0.2, valid=0.25),
)
EXPERIMENT = {**RECIPE.experiment, "seeds": 2, "n_boot": 10, "neighbours": 5}
EXPERIMENT["leave_out"] = ["wgan_gp", "no_critic", "no_noise", "projection", "two_image", "two_spectrum"]


def make_run(root, dataset, **experiment):
    return run_of(root, dataset, ENCODERS, SETTINGS, {**EXPERIMENT, **experiment}, seed=3)


@pytest.fixture(scope="module")
def points(tmp_path_factory):
    return make_dataset(RECIPE, tmp_path_factory.mktemp("points"), "point_sources", 100, 32)


@pytest.fixture(scope="module")
def done(points, tmp_path_factory):
    """All stages, run once."""
    run = make_run(tmp_path_factory.mktemp("spectral_gan"), points)
    return run, run_all(stages(run))


@pytest.mark.slow
def test_every_seed_has_its_own_split_and_networks(done, points):
    run, written = done
    names = [stage.name for stage in written]
    assert len(set(names)) == len(names) == 2 * (2 + 3 + 2 + 2 + 3 + 1)
    for each in repetitions(run):
        settings = each.classification("gan")
        trainings = (settings.encoder_training, settings.training, settings.simulation_training, settings.split)
        assert {one.seed for one in trainings} == {each.seed}
    one, other = (load_model(each.generator_place("gan")) for each in repetitions(run))
    assert any((a != b).any() for a, b in zip(one.parameters(), other.parameters(), strict=True))


@pytest.mark.slow
def test_classifiers_read_images_alone_and_saw_nothing_of_the_test_side(done, points):
    run, _ = done
    for each in repetitions(run):
        sides = divide(Dataset(points), each.settings.split)
        for source in ("gan", "retrieved", "permuted"):
            classifier = load_model(each.place(source, "model"))
            assert classifier.modalities == ("image",), source
            about = open_folder(each.place(source, "model"), "model")
            assert about["counts"]["train"] == (sides == "train").sum()
        assert set(sides[Judged(each.place("results")).rows]) == {"test"}


@pytest.mark.slow
def test_real_vectors_are_standardised_as_simulated_ones_are(done):
    run, _ = done
    each = repetitions(run)[0]
    train = each.divided[2]["train"]
    real = np.asarray(FeatureSet(each.place("real", "tokens")).matrix("real"), dtype=np.float64)[train]
    np.testing.assert_allclose(real.mean(axis=0), 0, atol=2e-2)
    varies = real.std(axis=0) > 0
    assert varies.any()
    np.testing.assert_allclose(real[:, varies].std(axis=0), 1, atol=2e-2)
    generator, wrapped = load_model(each.generator_place("gan")), each.place("real", "tokens", "encoders", "real")
    np.testing.assert_allclose(generator.mean, load_model(wrapped).encoder.mean, atol=1e-4)


@pytest.mark.slow
def test_generators_of_permuted_images_learn_from_others_of_the_class(done):
    run, _ = done
    each = repetitions(run)[0]
    _, codes, rows = each.divided
    shown = each.shown("permuted")
    assert isinstance(shown, PermutedViews) and each.shown("gan") is each.dataset
    assert (codes[shown.shown] == codes).all() and (shown.shown[rows["train"]] != rows["train"]).all()
    held = np.concatenate([rows["valid"], rows["test"]])
    np.testing.assert_array_equal(shown.shown[held], held)


@pytest.mark.slow
def test_all_rows_of_a_seed_are_judged_by_the_same_objects(done):
    run, _ = done
    for each in repetitions(run):
        results, judged = read_results(each.place("results")), Judged(each.place("results"))
        run_here = {name for name in MODELS if name not in [*EXPERIMENT["leave_out"]]}
        assert set(judged.said) == run_here
        whole = [one for one in results if one.metric == "macro_f1"]
        assert {one.task for one in whole} == run_here and len({one.n for one in whole}) == 1
        np.testing.assert_allclose(np.stack(list(judged.said.values())).sum(axis=2), 1, atol=1e-6)
        assert judged.array("vectors-real").shape == judged.array("vectors-gan").shape == (whole[0].n, 8)
        told = {(one.task, one.metric) for one in results if one.property == "vector"}
        assert {("gan", "frechet"), ("retrieved", "cosine"), ("information", "explained_within_class")} <= told


@pytest.mark.slow
def test_what_is_measured_has_means_differences_figures_and_words(done):
    run, _ = done
    found = measure(run)
    paired = {one.target for one in found.results if one.metric == "macro_f1_difference"}
    assert paired == set(MODELS) - {"gan", *EXPERIMENT["leave_out"]}
    assert {one.task for one in found.results if one.metric == "error_rate_reduction"} == paired - {"image"} | {"gan"}
    captions = " ".join(found.figures)
    for words in (
        "Macro F1 of all models",
        "ROC curves, qso",
        "True by predicted",
        "Vectors of real spectra",
        "generator",
    ):
        assert words in captions
    assert list(found.parts) == [
        "Which wins: GAN or contrastive",
        "Why: what is in the image",
        "How near simulated vectors are to real ones",
        "Whether anything leaks",
        "GAN against each other classifier",
    ]
    left, division = found.notes
    assert left == f"not run: {', '.join(MODELS[name].name for name in EXPERIMENT['leave_out'])}"
    assert "a hash of their group: 60%, 20% and 20% on average" in division
    table = RECIPE.compare(found.results).table
    assert dict(zip(table["metric"], table["data"], strict=True))["error_rate_reduction"] == "mock"


def test_what_reads_vectors_that_are_left_out_is_left_out(tmp_path):
    run = make_run(tmp_path, tmp_path, leave_out=["gan", "permuted", "retrieved"], seeds=1)
    [one] = repetitions(run)
    assert not {"gan_alone", "retrieved_alone", "two_image", "three_simulated"} & set(one.models)
    names = [stage.name for stage in stages(run)]
    assert "seed-0/space/features" not in names and "seed-0/wgan_gp/model" in names and "seed-0/real/fusion" in names


def test_generators_encode_images_as_the_classifier_does_and_each_begins_anew(tmp_path):
    one, other = repetitions(make_run(tmp_path, tmp_path))
    assert one.simulation("gan").generator == {"hidden_features": [8], "encoder": ENCODERS["image"]}
    assert (one.simulation("wgan_gp").loss, one.simulation("retrieved").source) == ("wgan_gp", "retrieved")
    assert one.simulation("projection") == replace(one.simulation("gan"), projection=True)
    assert (one.settings.simulation_training.seed, other.settings.simulation_training.seed) == (3, 4)


def test_a_network_of_their_own_is_left_to_generators(tmp_path):
    run = make_run(tmp_path, tmp_path)
    own = {"class_path": "astroclip_kit.encoders.StampResNet", "init_args": {"width": 2}}
    settings = replace(SETTINGS, simulation=replace(SETTINGS.simulation, generator={"encoder": own}))
    run.sections["classify"]["classification"] = settings
    assert repetitions(run)[0].simulation("gan").generator == {"encoder": own}


def test_the_full_settings_are_those_of_the_configuration_for_classify():
    assert RECIPE.file().read_text() == (CONFIGS / "spectral_gan.yaml").read_text()
    section = load_configuration(CONFIGS / "spectral_gan.yaml").sections["classify"]["classification"]
    assert (section.stages, section.method, section.split.by) == ("simulated", "concat_mlp", "healpix")
    simulation, training = section.simulation, section.simulation_training
    assert (simulation.loss, simulation.noise, simulation.l1, simulation.folds) == ("hinge", 32, 10.0, 5)
    assert (training.epochs, training.batch_size, training.optimizer.betas) == (200, 256, [0.5, 0.9])


def test_what_is_smaller_than_specified_is_said(tmp_path):
    prepared = prepare(RECIPE, tmp_path, Material(), "", "")
    prepared.check_experiment(RECIPE.experiment)
    assert "classify.classification.simulation.folds: 2, not 5" in prepared.changes
    assert any(line.startswith("simulate.count: ") and line.endswith("not 12000") for line in prepared.changes)
    full = prepare(RECIPE, tmp_path, Material(), "", "full")
    assert full.changes == list(RECIPE.differences) and full.experiment["seeds"] == 5


def test_settings_that_make_no_sense_are_refused(tmp_path):
    with pytest.raises(
        UsageError, match=r"experiment\.leave_out: there is no model 'vae'\. There are: image, gan, wgan"
    ):
        repetitions(make_run(tmp_path, tmp_path, leave_out=["vae"]))
    with pytest.raises(UsageError, match=r"experiment\.leave_out: 'image' cannot be left out, as all others"):
        repetitions(make_run(tmp_path, tmp_path, leave_out=["image"]))
    run = make_run(tmp_path, tmp_path)
    run.sections["classify"]["encoders"] = {"image": ENCODERS["image"]}
    with pytest.raises(UsageError, match=r"classify\.encoders: expected image and spectrum, found image"):
        repetitions(run)
