"""Every figure as it stands in a paper: its files, its labels, and nothing on anything else."""

import inspect

import pytest
from figure_audit import faults, labels
from figure_calls import CALLS
from matplotlib.figure import Figure

from astroclip_kit.report import figures


@pytest.mark.parametrize("name", [pytest.param(one, marks=[pytest.mark.slow] * (" " in one)) for one in CALLS])
def test_a_figure_is_ready_for_a_paper(name, tmp_path):
    figure = CALLS[name].draw()
    assert isinstance(figure, Figure)
    assert faults(figure, tmp_path) == []
    found = labels(figure)
    assert [one for one in CALLS[name].labels if not any(one in label for label in found)] == []


def test_no_figure_is_left_out():
    made = {
        name
        for name in figures.__all__
        if inspect.isfunction(one := getattr(figures, name))
        and "Figure" in str(inspect.signature(one).return_annotation)
    }
    assert len(made) > 25 and made == {call.split(" ")[0] for call in CALLS}


def spoilt(figure, how):
    axes = figure.axes[0]
    spoil = {
        "inches wide": lambda: figure.set_figwidth(5),
        "inches tall": lambda: figure.set_figheight(12),
        "4.0 pt": lambda: axes.xaxis.label.set_fontsize(4),
        "reaches beyond the figure": lambda: axes.text(3, 0.5, "far", transform=axes.transAxes, in_layout=False),
        "lies on": lambda: [axes.text(0.5, 0.5, word, transform=axes.transAxes) for word in ("one", "two")],
        "lies on panel": lambda: figure.add_axes((0.4, 0.4, 0.3, 0.3)),
        "has no x label": lambda: axes.set_xlabel(""),
        "covers": lambda: axes.legend(axes.lines[:1], ["calibrated"], loc="center"),
    }
    spoil[how]()
    return figure


@pytest.mark.parametrize(
    "how",
    [
        "inches wide", "inches tall", "4.0 pt", "reaches beyond the figure", "lies on", "lies on panel",
        "has no x label", "covers",
    ],
)  # fmt: skip
def test_what_is_wrong_is_seen(how, tmp_path):
    figure = CALLS["coverage_curve"].draw()
    assert any(how in fault for fault in faults(spoilt(figure, how), tmp_path))


def test_letters_that_are_shapes_are_seen(tmp_path, monkeypatch):
    from matplotlib.patheffects import withStroke

    from astroclip_kit.report.figures import canvas

    figure = CALLS["coverage_curve"].draw()
    figure.axes[0].xaxis.label.set_path_effects([withStroke(linewidth=2, foreground="white")])
    assert any("the SVG has" in fault for fault in faults(figure, tmp_path))
    monkeypatch.setitem(canvas.STYLE, "pdf.fonttype", 3)
    assert any("not embedded as Type 42" in fault for fault in faults(figure, tmp_path))
