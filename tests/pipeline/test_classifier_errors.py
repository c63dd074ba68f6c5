"""What the page of `classify` shows of errors, and what it says where there are none."""

from types import SimpleNamespace

import numpy as np
import pytest

from astroclip_kit.classifiers import Classifier, EarlyConcat
from astroclip_kit.data import Dataset
from astroclip_kit.encoders import VGG1D, ImageConvNet
from astroclip_kit.models import save_model
from astroclip_kit.pipeline.classifier_errors import error_notes, errors_shown
from astroclip_kit.report.classifier_figures import Said

CLASSES = ("bhb", "other")
SHEETS = [
    "Misclassified objects that are alike in",
    "Right, with a probability below 0.6",
    "What layers of the encoder",
]


@pytest.fixture(scope="module")
def learner(stars, tmp_path_factory):
    """Stands for a classifier that was trained, and whose dataset has colours."""
    dataset = Dataset(stars / "data")
    count, rng = len(dataset), np.random.default_rng(0)
    colours = {name: rng.normal(size=count) for name in ("u_g", "g_r")}
    colours["g_r"][:40] = np.nan
    encoders = {"image": ImageConvNet(5, 8), "spectrum": VGG1D(widths=(4, 8), depths=(1, 1))}
    classifier = Classifier(encoders, EarlyConcat({"image": 8, "spectrum": 8}, 2), CLASSES)
    folder = tmp_path_factory.mktemp("learner") / "model"
    save_model(classifier, folder)
    named = dataset.with_labels({**dataset.labels, **colours})
    return SimpleNamespace(dataset=named, encoders=encoders, place=lambda *parts: folder)


def said(learner, wrong, unsure=3):
    """Of all stars; every fourth is of the first class."""
    true = np.where(np.arange(len(learner.dataset)) % 4, CLASSES[1], CLASSES[0])
    sure = np.full(len(true), 0.9)
    sure[20 : 20 + unsure] = 0.55
    right = true == CLASSES[0]
    right[:wrong] = ~right[:wrong]
    p = np.where(right, sure, 1 - sure)
    ids = learner.dataset.object_ids
    return Said("batmm", "image+spectrum", ids, ids, true, CLASSES, np.stack([p, 1 - p], axis=1))


def captions(learner, of):
    return [caption for caption, _ in errors_shown(learner, of)]


def test_everything_that_can_be_made_is_shown(learner):
    found = dict(errors_shown(learner, said(learner, wrong=5)))
    assert [caption[: len(start)] for caption, start in zip(found, SHEETS, strict=False)] == SHEETS
    assert list(found)[3].startswith("Colours by true class") and len(found) == 4
    assert {figure.task for figure in found.values()} == {"classifiers"}
    misclassified, unsure, maps, colours = found.values()
    assert len([axes for axes in misclassified.axes if axes.get_title()]) == 5 and len(unsure.axes) == 3
    assert maps.get_suptitle() in learner.dataset.object_ids[:5]
    assert colours.axes[0].get_title() == "n = 30, 40 without colours"
    assert not error_notes(said(learner, wrong=5))


def test_a_perfect_classifier_is_said_to_be_one(learner):
    perfect = said(learner, wrong=0, unsure=0)
    assert [caption.split()[0] for caption in captions(learner, perfect)] == ["What", "Colours"]
    [note] = error_notes(perfect)
    assert note == "none of 70 held-out objects was misclassified, so there are no errors to show"


def test_without_images_objects_are_shown_and_compared_by_their_spectra(learner):
    spectra = SimpleNamespace(**{**vars(learner), "encoders": {"spectrum": learner.encoders["spectrum"]}})
    first, *_ = captions(spectra, said(learner, wrong=5))
    assert first.startswith(f"{SHEETS[0]} the spectrum")


def test_what_sees_neither_has_no_sheets(learner):
    table = SimpleNamespace(**{**vars(learner), "encoders": {}})
    assert [caption.split()[0] for caption in captions(table, said(learner, wrong=5))] == ["Colours"]
    plain = SimpleNamespace(**{**vars(table), "dataset": Dataset(learner.dataset.root)})
    assert captions(plain, said(learner, wrong=5)) == []
