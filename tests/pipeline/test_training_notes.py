"""What is said of trainings of classes that cannot have gone well."""

import warnings
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from astroclip_kit.pipeline.classifier_results import next_command
from astroclip_kit.pipeline.training_notes import absent_once, below_majority, label_notes, warm_up_notes
from astroclip_kit.report.classifier_figures import Said
from astroclip_kit.settings import Classification, LabelShare, Schedule, Training
from astroclip_kit.types import LIGHTCURVE_CHANNELS, Modality


def said(codes):
    true, ids = np.array(["EW"] * 6 + ["M"] * 4), np.arange(10).astype(str)
    return Said("fine_tuned", "metadata", ids, ids, true, ("EW", "M"), np.eye(2)[codes])


def test_an_accuracy_below_the_majority_share_is_told():
    (note,) = below_majority(said([1] * 10))
    assert note.startswith("the accuracy, 0.400, is below the 0.600 of who always says 'EW': train longer")
    assert below_majority(said([0] * 10)) == []


def test_a_training_that_only_warms_up_is_told():
    training = Training(5, 16, schedule=Schedule("cosine", warmup_epochs=5.0))
    settings = Classification(stages="fine_tuned", training=training)
    (note,) = warm_up_notes(settings)
    assert note.startswith("training has 5 epochs and the first 5 warm up: the learning rate that was asked for is")
    assert warm_up_notes(replace(settings, training=replace(training, epochs=6))) == []
    two = replace(settings, stages="two", encoder_training=training)
    assert [one.split()[0] for one in warm_up_notes(two)] == ["training", "encoder_training"]


@pytest.mark.parametrize(
    ("share", "shown", "told"),
    [
        (
            0.001,
            10,
            "10 of 400 labels (2.5 %) are learned from, side train; asked for 0.1 %, by level: not the share asked "
            "for, as at least one of each class is kept",
        ),
        (
            0.1,
            12,
            "12 of 400 labels (3 %) are learned from, side train; asked for 10 %, by level: not the share asked for, "
            "as every class is cut",
        ),
        (0.1, 38, "38 of 400 labels (9.5 %) are learned from, side train; asked for 10 %, by level"),
    ],
)
def test_the_labels_that_are_really_learned_from_are_counted(share, shown, told):
    labels = {"class": np.array(["EW", "M"] * 200)}
    codes = np.where(np.arange(400) < shown, np.arange(400) % 2, -1)
    settings = Classification(labelled=LabelShare(share))
    divided = (("EW", "M"), codes, np.full(400, "train"))
    learner = SimpleNamespace(settings=settings, dataset=SimpleNamespace(labels=labels), divided=divided)
    assert list(label_notes(learner)) == [told]  # of the validation side, which is empty, nothing
    learner.settings = Classification()
    assert not list(label_notes(learner))


def test_the_warning_of_an_absent_class_is_given_once():
    def call():
        warnings.warn(
            "svm: no validation object is of the class 0; how sure to be of it follows from the others.", stacklevel=2
        )
        warnings.warn("svm: not calibrated.", stacklevel=2)

    with warnings.catch_warnings(record=True) as given:
        warnings.simplefilter("always")
        absent_once(call)
    assert [str(one.message) for one in given] == ["svm: not calibrated."]


@pytest.mark.parametrize("covariates", [(), ("period",)])
def test_the_next_command_says_what_light_curves_with_covariates_need(covariates, tmp_path):
    channels = (*LIGHTCURVE_CHANNELS, *covariates)
    modality = Modality("lightcurve", "lightcurve", channels, (-1, len(channels)), "mag", bands=("V",))
    dataset = SimpleNamespace(modalities={"lightcurve": modality})
    learner = SimpleNamespace(dataset=dataset, needed=["lightcurve"], place=tmp_path.joinpath)
    told = "  # NEW: a dataset folder, or raw files and a table of the numbers of lightcurve"
    assert next_command(learner).endswith(told if covariates else "--out candidates.fits")
