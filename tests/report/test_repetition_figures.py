import numpy as np
import pytest

from astroclip_kit.errors import InputError
from astroclip_kit.metrics import Sweep
from astroclip_kit.report import figures

RNG = np.random.default_rng(2)


def said(strength, count=200):
    own = RNG.random(count) < 0.4
    return RNG.normal(strength * own), own


@pytest.fixture
def models():
    return {"good": [said(3.0) for _ in range(3)], "poor": [said(0.5) for _ in range(3)]}


@pytest.mark.parametrize(("kind", "number"), [("roc", "area"), ("precision-recall", "average_precision")])
def test_curves_are_means_with_the_numbers_of_all_repetitions(models, kind, number):
    figure = figures.mean_curves(models, kind=kind, title="stars")
    axes, close = figure.axes
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    for name, label in zip(models, labels, strict=False):
        values = [float(getattr(Sweep.of(*one), number)()) for one in models[name]]
        assert label == f"{name}: {np.mean(values):.3f} ± {np.std(values, ddof=1):.3f}"
    good, poor = (line.get_ydata() for line in axes.lines[:2])
    assert good.mean() > poor.mean() and (good <= 1).all()
    assert len(axes.collections) == 2 and axes.get_title() == "stars" and close.get_xlim()[1] < 1.1


@pytest.mark.parametrize("kind", ["roc", "precision-recall"])
def test_the_closer_panel_reaches_to_the_poorest_curve(kind):
    good, poor = (figures.mean_curves({"one": [said(x, 2000)]}, kind=kind).axes[1] for x in (9, 0.5))
    assert good.get_ylim() == (pytest.approx(0.75), 1.005)
    x, y = poor.lines[0].get_data()
    inside = y[(x >= 0.05) & (x <= 0.25) if kind == "roc" else (x >= 0.75) & (x <= 0.95)]
    low, high = poor.get_ylim()
    assert low < inside.min() < inside.max() < high and low < 0.6 and high - low > 0.25


def test_a_single_repetition_has_no_scatter():
    figure = figures.mean_curves({"one": [([0.9, 0.1, 0.4], [True, False, False])]})
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["one: 1.000", "guessing: 0.500"]


def test_curves_need_members_and_others():
    with pytest.raises(InputError, match="expected at least one repetition of every model, found none"):
        figures.mean_curves({"empty": []})
    with pytest.raises(InputError, match="expected members and others in every repetition, found only one of the two"):
        figures.mean_curves({"all": [([0.1, 0.2], [True, True])]})


def test_measured_stands_above_published():
    numbers = [figures.Beside("BATMM", 0.93, 0.01, 0.948, 0.004), figures.Beside("mine", 0.9)]
    figure = figures.measured_beside_published(numbers, metric="macro F1")
    [axes] = figure.axes
    assert [text.get_text() for text in axes.get_yticklabels()] == ["BATMM", "mine"]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["measured", "published"]
    measured, published = (container.lines[0].get_xydata().tolist() for container in axes.containers)
    assert measured == [[0.93, -0.15], [0.9, 0.85]] and published == [[0.948, 0.15]]
    with pytest.raises(InputError, match="expected at least one number, found none"):
        figures.measured_beside_published([], metric="macro F1")
