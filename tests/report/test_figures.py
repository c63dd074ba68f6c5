import subprocess
import sys

import numpy as np
import pytest

from astroclip_kit.errors import InputError
from astroclip_kit.metrics import r2
from astroclip_kit.report import evaluation_figures, figures
from astroclip_kit.report.figures.canvas import KitFigure, encoded

HISTORY = [{"epoch": e, "loss": 2.0 / e, "val_loss": 3.0 / e, "val_recall@10": 0.1 * e} for e in range(1, 5)]


def texts(figure):
    drawn = [axes.get_title() for axes in figure.axes] + [
        text.get_text() for axes in figure.axes for text in axes.texts
    ]
    return "\n".join(drawn)


def test_figures_need_no_pyplot_and_their_import_no_torch():
    code = (
        "import sys, astroclip_kit.report.figures as f; assert 'matplotlib' not in sys.modules; f.loss_curves;"
        "assert 'matplotlib.pyplot' not in sys.modules and 'torch' not in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_loss_curves_show_losses_and_what_else_was_validated():
    figure = figures.loss_curves(HISTORY, [HISTORY[:2]])
    losses, others = figure.axes
    np.testing.assert_allclose(losses.lines[0].get_ydata(), [2, 1, 2 / 3, 0.5])
    assert [text.get_text() for text in losses.get_legend().get_texts()] == ["training", "validation"]
    assert [text.get_text() for text in others.get_legend().get_texts()] == ["recall@10"]
    assert len(figures.loss_curves([{"epoch": 1, "loss": 1.0}]).axes) == 1
    with pytest.raises(InputError, match="empty history"):
        figures.loss_curves([])


@pytest.mark.parametrize("count", [20, 3000])
def test_predicted_against_true_says_how_good_it_is(count):
    rng = np.random.default_rng(0)
    true = rng.uniform(0, 1, count)
    said = true + 0.01 * rng.normal(size=count)
    figure = figures.predicted_against_true(true, said, "z", redshift=True, title="a")
    axes = figure.axes[0]
    assert axes.get_xlabel() == "measured z" and axes.get_xlim() == axes.get_ylim()
    assert all(
        word in texts(figure) for word in (f"= {r2(true, said):.3f}", "NMAD = 0.0", "outliers = 0.000", f"n = {count}")
    )
    mass = figures.predicted_against_true(true, true, "logmstar", unit="dex(Msun)").axes[0]
    assert mass.get_ylabel() == "predicted logmstar [dex(Msun)]"
    with pytest.raises(InputError, match="NaN"):
        figures.predicted_against_true([np.nan], [1.0], "z")


def test_confusion_matrix_counts_true_by_predicted():
    figure = figures.confusion_matrix(["a", "a", "b"], ["a", "b", "b"], title="spectra")
    assert [text.get_text() for text in figure.axes[0].texts] == ["1", "1", "0", "1"]
    assert "accuracy 0.667, balanced 0.750, n = 3" in texts(figure)
    with pytest.raises(InputError, match="equal lengths"):
        figures.confusion_matrix(["a"], [])


def test_a_panel_shows_query_and_matches_in_every_modality(space, survey):
    figure = figures.search_panel(space.search("gal04", query="image", target="spectrum", k=3), survey, matches=2)
    assert len(figure.axes) == 5 * 3
    titles = [axes.get_title() for axes in figure.axes[:3]]
    assert titles[0] == "gal04\nquery: image" and "cosine" in titles[1]
    assert "u = " in texts(figure) and "r = —" in texts(figure)
    image, spectrum = figure.axes[0], figure.axes[2 * 3 + 1]
    assert image.spines["left"].get_edgecolor() != spectrum.spines["left"].get_edgecolor()
    assert spectrum.spines["left"].get_linewidth() == 2
    assert np.isnan(spectrum.lines[0].get_ydata()[10:20]).all()
    assert encoded(figure, "png")[1:4] == b"PNG"


def test_a_modality_that_an_object_lacks_is_said_so(space, survey):
    figure = figures.search_panel(space.search("gal05", k=6), survey, names=("lightcurve", "image"))
    for axes in figure.axes[:7]:
        number = int(axes.get_title()[3:5])
        said = "no lightcurve" in [text.get_text() for text in axes.texts]
        assert said == bool(number % 2)


def test_a_panel_needs_the_right_dataset(space, survey):
    answers = space.search("gal04", k=2)
    survey.object_ids = survey.groups = np.array([f"x{i}" for i in range(60)])
    with pytest.raises(InputError, match="holds no object 'gal04'"):
        figures.search_panel(answers, survey)
    answers.meta = {}
    with pytest.raises(InputError, match="do not say who asked"):
        figures.search_panel(answers, survey)


def test_evaluation_figures_are_everything_that_can_be_drawn(space, survey):
    found = evaluation_figures(space, ["z", "class"], dataset=survey, history=[HISTORY], k=3, panels=1)
    assert len(found) == 1 + 2 * 5 + 2 and all(isinstance(figure, KitFigure) for figure in found.values())
    assert "z of 20 held-out objects by nearest neighbours: image of held-out objects, spectrum" in "".join(found)
    panel = next(figure for caption, figure in found.items() if "(orange)" in caption)
    ids = [axes.get_title().split("\n")[0].split()[0] for axes in panel.axes[:7]]
    assert all(int(one[3:]) % 3 == 0 for one in ids)  # held-out objects only
    assert list(evaluation_figures(space)) == []


def test_the_same_figure_gives_the_same_bytes_and_shows_itself():
    first, second = (encoded(figures.loss_curves(HISTORY), "svg") for _ in range(2))
    assert first == second and b"<svg" in first
    assert figures.loss_curves(HISTORY)._repr_png_()[1:4] == b"PNG"
