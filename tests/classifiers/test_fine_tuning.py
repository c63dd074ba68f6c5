"""Encoders of a model that was aligned learn classes, from objects that may lack modalities."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from small_stars import ONE_CORE
from variable_stars import CLASSES, SIZES, SPLIT, TRAINING, VariableStars, aligned, make_encoders

from astroclip_kit.alignment import align
from astroclip_kit.classifiers import fine_tuning, fit_classifier, token_logits, view_logits
from astroclip_kit.data import splits
from astroclip_kit.encoders import TabularMLP
from astroclip_kit.errors import FolderError, InputError, UsageError
from astroclip_kit.features import FeatureSet, extract
from astroclip_kit.models import load_model, save_model
from astroclip_kit.settings import Alignment, Classification, FineTuning, Head, LabelShare
from astroclip_kit.storage import open_folder

SETTINGS = Classification(
    stages="fine_tuned", training=TRAINING, split=SPLIT, fine_tuning=FineTuning(out_features=5, trainable="frozen")
)
NAMES = tuple(SIZES)


def tuned(epochs=2, **changes):
    training = replace(TRAINING, epochs=epochs)
    return replace(SETTINGS, training=training, fine_tuning=replace(SETTINGS.fine_tuning, **changes))


@pytest.fixture(scope="module")
def stars():
    return VariableStars()


@pytest.fixture(scope="module")
def start(stars, tmp_path_factory):
    return aligned(tmp_path_factory.mktemp("start") / "model", stars)


@pytest.fixture
def begun(monkeypatch):
    """The trainings that were begun."""
    names = []
    for name in ("train_fusion", "train_joint"):
        function = getattr(fine_tuning, name)

        def noted(*arguments, _function=function, _name=name, **named):
            names.append(_name)
            return _function(*arguments, **named)

        monkeypatch.setattr(fine_tuning, name, noted)
    return names


def right(classifier, stars):
    """Share of the held-out objects whose class it names, whatever they lack."""
    rows = np.flatnonzero((splits.divide(stars, SPLIT) == "test") & (stars.labels["class"] != ""))
    said = CLASSES[view_logits(classifier, stars, rows, hardware=ONE_CORE).argmax(axis=1)]
    return (said == stars.labels["class"][rows]).mean()


@pytest.mark.parametrize(
    ("trainable", "trainings"),
    [
        ("frozen", ["train_fusion"]),
        ("all", ["train_joint"]),
        ({"metadata": "last:1", "lightcurve": "frozen"}, ["train_joint"]),
    ],
)
def test_all_ways_learn_from_objects_that_lack_modalities_once(stars, start, tmp_path, begun, trainable, trainings):
    settings = tuned(15, start=str(start), trainable=trainable)
    classifier = fit_classifier(stars, make_encoders(), settings, tmp_path / "run", quiet=True)
    assert begun == trainings and right(classifier, stars) > (0.55 if trainable == "frozen" else 0.7)
    again = fit_classifier(stars, make_encoders(), settings, tmp_path / "run", quiet=True)
    saved = load_model(tmp_path / "run" / "model")
    rows = np.arange(40)
    logits = view_logits(classifier, stars, rows, hardware=ONE_CORE)
    for one in (again, saved):
        assert np.array_equal(view_logits(one, stars, rows, hardware=ONE_CORE), logits)
    assert begun == trainings


def test_encoders_and_projections_are_those_of_the_start_and_only_what_is_to_learn_does(stars, start, tmp_path):
    model = load_model(start)
    settings = tuned(start=str(start), trainable={"lightcurve": "frozen", "metadata": "last:1", "spectrum": "all"})
    given = {**make_encoders(), "metadata": TabularMLP(2, 8, (8,), dropout=0.2)}
    found = fit_classifier(stars, given, settings, tmp_path / "run", quiet=True)
    moved = {
        name: not torch.equal(weight, model.encoders.get_parameter(name))
        for name, weight in found.encoders.named_parameters()
    }
    assert not any(one for name, one in moved.items() if name.startswith("lightcurve."))
    assert any(one for name, one in moved.items() if name.startswith("spectrum."))
    first, last = (f"metadata.layers.{number}.weight" for number in (0, 3))
    assert moved[last] and not moved[first]
    assert found.encoders["metadata"].dropout == 0.2  # of the encoder that was given
    assert found.encoders["metadata"].preprocess == model.encoders["metadata"].preprocess
    for name in NAMES:
        assert torch.equal(found.fusion.scalers[name].mean, model.scalers[name].mean)
        head, before = (one.layers[0].weight for one in (found.fusion.heads[name], model.heads[name]))
        assert torch.equal(head, before) == (name == "lightcurve")
    still = replace(TRAINING, epochs=1, optimizer=replace(TRAINING.optimizer, learning_rate=1e-9))
    none = fit_classifier(stars, given, replace(settings, training=still), tmp_path / "none", quiet=True)
    for name, weight in none.fusion.heads.named_parameters():
        torch.testing.assert_close(weight, model.heads.get_parameter(name), atol=1e-6, rtol=0)


def test_without_a_start_it_begins_with_the_random_weights_that_are_given(stars, tmp_path):
    classifier = fit_classifier(stars, make_encoders(), tuned(15, trainable="all"), tmp_path / "run", quiet=True)
    assert right(classifier, stars) > 0.7
    assert (
        classifier.encoders["metadata"].preprocess.mean != make_encoders()["metadata"].preprocess.mean
    )  # measured on training objects


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("head", ["encoder", "projection"])
def test_one_modality_alone(stars, start, tmp_path, name, head):
    settings = tuned(start=str(start), head=head)
    classifier = fit_classifier(stars, make_encoders(name), settings, tmp_path / "run", quiet=True)
    assert classifier.modalities == (name,) and [*classifier.fusion.heads] == [name] * (head == "projection")
    about = open_folder(tmp_path / "run" / "model", "model")
    assert about["lacking"] == {f"no {name}": 0}
    assert (about["left_out"]["no modality"] > 0) == (not stars.present(name).all())


def test_those_that_lack_something_are_counted_and_those_that_lack_everything_are_left_out(stars, start, tmp_path):
    settings = tuned(start=str(start))
    pair = make_encoders("lightcurve", "spectrum")
    fit_classifier(stars, pair, settings, tmp_path / "run", quiet=True)
    about = open_folder(tmp_path / "run" / "model", "model")
    here = (splits.divide(stars, SPLIT) != "test") & (stars.labels["class"] != "")
    lightcurve, spectrum = (stars.present(name) for name in pair)
    assert about["lacking"] == {
        "no lightcurve": (here & ~lightcurve & spectrum).sum(),
        "no spectrum": (here & ~spectrum & lightcurve).sum(),
    }
    assert about["left_out"]["no modality"] == (here & ~lightcurve & ~spectrum).sum() > 0
    assert sum(about["counts"].values()) == (here & (lightcurve | spectrum)).sum()
    classifier = load_model(tmp_path / "run" / "model")
    with pytest.raises(InputError, match="1 of the objects have no 'lightcurve' and no 'spectrum'"):
        view_logits(classifier, stars, np.array([0, 1]), hardware=ONE_CORE)


def test_a_share_of_the_labels_is_learned_from_and_the_rest_is_counted(stars, start, tmp_path):
    settings = replace(tuned(start=str(start)), labelled=LabelShare(0.4, "level"))
    fit_classifier(stars, make_encoders(), settings, tmp_path / "run", quiet=True)
    about = open_folder(tmp_path / "run" / "model", "model")
    here = (splits.divide(stars, SPLIT) != "test") & (stars.labels["class"] != "")
    assert sum(about["counts"].values()) + about["left_out"]["label kept back"] == here.sum()
    assert 0.3 < sum(about["counts"].values()) / here.sum() < 0.45


def test_vectors_of_the_start_may_be_shared(stars, start, tmp_path, begun):
    settings = tuned(start=str(start))
    own = fit_classifier(stars, make_encoders(), settings, tmp_path / "own", quiet=True)
    vectors = FeatureSet(tmp_path / "own" / "tokens")
    assert vectors.out_features("metadata") == 5
    shared = fit_classifier(stars, make_encoders(), settings, tmp_path / "shared", tokens=vectors, quiet=True)
    assert not (tmp_path / "shared" / "tokens").exists()
    assert torch.equal(shared.fusion.to_classes.weight, own.fusion.to_classes.weight)
    others = extract(stars, make_encoders(), tmp_path / "others", hardware=ONE_CORE, quiet=True)
    with pytest.raises(UsageError, match=r"holds no vectors of 'lightcurve' by the encoder of fine_tuning\.start"):
        fit_classifier(stars, make_encoders(), settings, tmp_path / "refused", tokens=others, quiet=True)


def test_frozen_projections_are_those_of_the_start_and_cached_vectors_say_the_same(stars, start, tmp_path):
    model = load_model(start)
    found = fit_classifier(stars, make_encoders(), tuned(start=str(start)), tmp_path / "run", quiet=True)
    for name, weight in found.fusion.heads.named_parameters():
        assert torch.equal(weight, model.heads.get_parameter(name))
    rows = np.arange(30)
    cached = load_model(tmp_path / "run" / "fusion")
    vectors = FeatureSet(tmp_path / "run" / "tokens")
    said = token_logits(cached, vectors, rows, hardware=ONE_CORE) / found.temperature
    np.testing.assert_allclose(view_logits(found, stars, rows, hardware=ONE_CORE), said, atol=2e-2, rtol=1e-2)


def test_a_start_that_saw_held_out_objects_is_refused(stars, start, tmp_path, capsys):
    settings = replace(tuned(start=str(start)), split=replace(SPLIT, seed=1))
    with pytest.raises(UsageError, match=r"aligned on \d+ of \d+ objects that split \{seed: 1\} holds out, with split"):
        fit_classifier(stars, make_encoders(), settings, tmp_path / "run", quiet=True)
    other = VariableStars(seed=1)  # another dataset, of which it saw nothing
    for _ in range(2):
        fit_classifier(other, make_encoders(), settings, tmp_path / "other", quiet=True)
    assert capsys.readouterr().err.count("whether it has seen held-out objects cannot be told") == 1


class PowerCutError(BaseException):
    """What no code may catch."""


@pytest.mark.parametrize("trainable", ["frozen", "last:1"])
def test_a_training_that_was_cut_off_ends_with_the_same_weights(stars, start, tmp_path, trainable):
    hardware = replace(ONE_CORE, checkpoint_seconds=0)
    settings = replace(
        tuned(start=str(start), trainable=trainable, modality_dropout=0.3),
        training=replace(TRAINING, epochs=3, hardware=hardware),
    )
    whole = fit_classifier(stars, make_encoders(), settings, tmp_path / "whole", quiet=True)
    steps = []

    def cut(module, views):
        steps.append(1)
        if len(steps) == 9:
            raise PowerCutError

    hook = torch.nn.modules.module.register_module_forward_pre_hook(
        lambda module, given: cut(module, given) if type(module).__name__ == "MeanEmbedding" else None
    )
    try:
        with pytest.raises(PowerCutError):
            fit_classifier(stars, make_encoders(), settings, tmp_path / "cut", quiet=True)
    finally:
        hook.remove()
    ended = fit_classifier(stars, make_encoders(), settings, tmp_path / "cut", quiet=True)
    pairs = zip(ended.state_dict().values(), whole.state_dict().values(), strict=True)
    assert all(torch.equal(*pair) for pair in pairs) and ended.temperature == whole.temperature


def test_another_start_is_not_taken_for_the_same(stars, start, tmp_path, begun):
    settings = tuned(start=str(start))
    fit_classifier(stars, make_encoders(), settings, tmp_path / "run", quiet=True)
    longer = aligned(tmp_path / "longer", stars, epochs=3)
    fit_classifier(stars, make_encoders(), tuned(start=str(longer)), tmp_path / "run", quiet=True)
    assert len(begun) == 2


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (replace(SETTINGS, method="early_add"), "stages 'fine_tuned' has its own head: leave out method and fusion"),
        (replace(SETTINGS, fusion={"init_args": {}, "class_path": "a.B"}), "stages 'fine_tuned' has its own head"),
        (
            tuned(trainable={"image": "all"}),
            "fine_tuning.trainable: there is no encoder 'image', only lightcurve, spec",
        ),
        (tuned(trainable="first:1"), "trainable is 'first:1', expected 'frozen', 'last:N'"),
        (tuned(combine="sum"), "combine is 'sum', expected one of mean, concat"),
    ],
)
def test_settings_that_make_no_sense_are_refused(stars, tmp_path, settings, message):
    with pytest.raises(UsageError, match=message):
        fit_classifier(stars, make_encoders(), settings, tmp_path / "run", quiet=True)


def test_a_start_has_to_be_an_aligned_model_of_these_encoders(stars, start, tmp_path):
    def refused(settings, encoders):
        return fit_classifier(stars, encoders, settings, tmp_path / "run", quiet=True)

    with pytest.raises(FolderError, match="nothing"):
        refused(tuned(start=str(tmp_path / "nothing")), make_encoders())
    other = {**make_encoders(), "metadata": TabularMLP(2, 8, hidden_features=(9,))}
    told = r"start: .*'metadata' is not the TabularMLP that is given: hidden_features is .*9.*, and .*8.* in the start"
    with pytest.raises(UsageError, match=told):
        refused(tuned(start=str(start)), other)
    with pytest.raises(UsageError, match=r"the encoder of 'metadata' is a folder, and fine_tuning\.start has one"):
        refused(tuned(start=str(start)), {**make_encoders(), "metadata": str(start)})
    with pytest.raises(UsageError, match=r"there is no encoder of 'spectrum': give its class, or fine_tuning\.start"):
        refused(tuned(), {**make_encoders(), "spectrum": ""})
    fit_classifier(stars, make_encoders("metadata"), SETTINGS, tmp_path / "alone", quiet=True)
    with pytest.raises(UsageError, match="holds Classifier, expected what align writes"):
        refused(tuned(start=str(tmp_path / "alone" / "model")), make_encoders())


def test_a_start_whose_heads_were_aligned_on_cached_features(stars, tmp_path):
    features = extract(stars, make_encoders(), tmp_path / "features", hardware=ONE_CORE, quiet=True)
    training = replace(TRAINING, epochs=2)
    model = align(
        features, tmp_path / "model", alignment=Alignment(head=Head(5)), training=training, split=SPLIT, quiet=True
    )
    settings = tuned(start=str(tmp_path / "model"), combine="concat")
    classifier = fit_classifier(stars, make_encoders(), settings, tmp_path / "run", quiet=True)
    assert torch.equal(classifier.fusion.scalers["spectrum"].mean, model.scalers["spectrum"].mean)
    given = make_encoders()["spectrum"].state_dict()
    assert all(
        torch.equal(weight, given[name]) for name, weight in classifier.encoders["spectrum"].state_dict().items()
    )
    assert classifier.fusion.to_classes.in_features == 15


def test_encoders_need_not_be_given_where_there_is_a_start(stars, start, tmp_path):
    settings = tuned(start=str(start))
    named = fit_classifier(stars, dict.fromkeys(NAMES, ""), settings, tmp_path / "named", quiet=True)
    given = fit_classifier(stars, make_encoders(), settings, tmp_path / "given", quiet=True)
    assert torch.equal(named.fusion.to_classes.weight, given.fusion.to_classes.weight)


def test_encoders_of_folders_are_begun_with_as_they_are(stars, start, tmp_path):
    first = fit_classifier(stars, make_encoders("metadata"), tuned(start=str(start)), tmp_path / "first", quiet=True)
    save_model(first.encoders["metadata"], tmp_path / "encoder")
    given = {"metadata": tmp_path / "encoder"}
    found = fit_classifier(stars, given, tuned(), tmp_path / "second", quiet=True)
    assert found.encoders["metadata"].preprocess == first.encoders["metadata"].preprocess
    for one, other in zip(found.encoders.parameters(), first.encoders.parameters(), strict=True):
        assert torch.equal(one, other)
