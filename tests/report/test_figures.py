import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest

from astroclip_kit.errors import InputError
from astroclip_kit.metrics import r2
from astroclip_kit.report import evaluation_figures, figures
from astroclip_kit.report.figures import canvas
from astroclip_kit.report.figures.canvas import KitFigure, encoded, picture
from astroclip_kit.report.figures.intervals import Interval
from astroclip_kit.settings import Evaluation

HISTORY = [{"epoch": e, "loss": 2.0 / e, "val_loss": 3.0 / e, "val_recall@10": 0.1 * e} for e in range(1, 5)]
RNG = np.random.default_rng(0)


def texts(figure):
    drawn = [axes.get_title() for axes in figure.axes] + [
        text.get_text() for axes in figure.axes for text in axes.texts
    ]
    return "\n".join(drawn)


def legend(axes):
    return [text.get_text() for text in axes.get_legend().get_texts()]


def sizes(figure):
    """Font size of everything that is written and seen."""
    figure.draw_without_rendering()
    found = figure.findobj(lambda one: hasattr(one, "get_fontsize") and one.get_visible() and one.get_text().strip())
    return [one.get_fontsize() for one in found]


def test_figures_need_no_pyplot_and_their_import_no_torch():
    code = (
        "import sys, astroclip_kit.report.figures as f; assert 'matplotlib' not in sys.modules; f.learning_curves;"
        "assert 'matplotlib.pyplot' not in sys.modules and 'torch' not in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_learning_curves_show_losses_and_what_else_was_validated():
    figure = figures.learning_curves(HISTORY, [HISTORY[:2]])
    losses, others = figure.axes
    np.testing.assert_allclose(losses.lines[-2].get_ydata(), [2, 1, 2 / 3, 0.5])
    assert legend(losses) == ["training", "validation"] and legend(others) == ["recall@10"]
    assert others.get_ylabel() == "share of validation objects" and losses.get_xlabel() == "epoch"
    assert [line.get_linewidth() for line in losses.lines] == [0.5, 0.5, 1.5, 1.5]
    one = figures.learning_curves([{"epoch": 1, "loss": 1.0}])
    assert len(one.axes) == 1 and one.axes[0].lines[0].get_marker() == "."


def test_learning_curves_need_epochs():
    with pytest.raises(InputError, match="empty history"):
        figures.learning_curves([])
    with pytest.raises(InputError, match="expected 'epoch' in every row"):
        figures.learning_curves([{"loss": 1.0}])


@pytest.mark.parametrize("count", [20, 3000])
def test_predicted_against_true_says_how_good_it_is(count):
    rng = np.random.default_rng(0)
    true = rng.uniform(0, 1, count)
    said = true + 0.01 * rng.normal(size=count)
    figure = figures.predicted_against_true(true, said, "z", redshift=True, title="a")
    main, below = figure.axes[:2]
    assert below.get_xlabel() == "measured z" and main.get_xlim() == main.get_ylim() == below.get_xlim()
    assert below.get_ylabel() == "Δz / (1 + z)" and main.get_ylabel() == "predicted z"
    said_there = texts(figure)
    assert all(word in said_there for word in (f"= {r2(true, said):.3f}", "NMAD = 0.0", "outliers = 0.0 %"))
    assert f"n = {count:,}" in said_there
    contours = {"1 : 1", "50 % of objects", "90 % of objects"}
    assert set(legend(main)) == (contours if count > 100 else {"1 : 1"})
    assert len(figure.axes) == (3 if count > 1000 else 2)  # with the colour bar
    drawn = [one for one in main.collections if one.get_rasterized()]
    assert len(drawn) == (count > 1000)


def test_contours_hold_as_many_objects_as_they_say():
    from matplotlib.contour import QuadContourSet
    from matplotlib.path import Path

    x, y = RNG.normal(size=(2, 5000))
    main = figures.predicted_against_true(x, y, "x").axes[0]
    (found,) = [one for one in main.collections if isinstance(one, QuadContourSet)]
    for path, share in zip(found.get_paths(), (0.9, 0.5), strict=True):
        inside = sum(Path(ring).contains_points(np.stack([x, y], 1)) for ring in path.to_polygons())
        assert abs((inside % 2).mean() - share) < 0.05


def test_wild_predictions_do_not_rule_the_picture_but_are_counted():
    true = RNG.uniform(0, 1, 5000)
    said = true.copy()
    said[:3] = 1000
    figure = figures.predicted_against_true(true, said, "mass", unit="dex(Msun)")
    assert figure.axes[0].get_ylim()[1] < 2 and "outside" in texts(figure)
    assert figure.axes[0].get_ylabel() == "predicted mass [dex(Msun)]"
    assert figure.axes[1].get_ylabel() == "Δmass\n[dex(Msun)]"


@pytest.mark.parametrize(
    ("true", "said", "message"),
    [
        ([np.nan], [1.0], "true: found NaN"),
        ([1.0], [np.inf], "predicted: found NaN or infinity"),
        ([], [], "true: expected numbers in 1 axes, not empty"),
        ([1.0], [1.0, 2.0], "equal lengths, found 1 true, 2 predicted"),
        (["a"], [1.0], "true: expected numbers, found"),
    ],
)
def test_predictions_are_guarded(true, said, message):
    with pytest.raises(InputError, match=message):
        figures.predicted_against_true(true, said, "z")


def test_one_value_only_can_be_drawn():
    assert figures.predicted_against_true([1.0] * 200, [1.0] * 200, "z").axes[0].get_xlim() == (0.0, 2.0)


def test_intervals_stand_in_a_panel_per_metric():
    numbers = [Interval("image", 0.5, 0.4, 0.6, 0.1), Interval("spectrum", 0.7)]
    figure = figures.interval_plot({"R² (1 best)": numbers, "accuracy": numbers[:1], "AUC": numbers[:1]}, title="z")
    shown = [axes for axes in figure.axes if axes.axison]
    assert [axes.get_xlabel() for axes in shown] == ["R² (1 best)", "accuracy", "AUC"]
    assert [text.get_text() for text in shown[0].get_yticklabels()] == ["image", "spectrum"]
    np.testing.assert_allclose(shown[0].lines[0].get_xdata(), [0.4, 0.5, 0.6])
    assert shown[0].lines[1].get_xdata()[0] == 0.1
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["measured, 95 %", "guessing"]
    with pytest.raises(InputError, match="at least one number in every panel"):
        figures.interval_plot({"R²": []})
    with pytest.raises(InputError, match="R² of 'image' is not finite"):
        figures.interval_plot({"R²": [Interval("image", np.nan)]})


def test_lines_and_points_differ_without_colour_and_more_of_them_than_there_are_colours():
    lines, points = ([tuple(one(n).values()) for n in range(28)] for one in (canvas.line_style, canvas.point_style))
    assert len(set(lines)) == len(set(points)) == 28
    assert len({dashes for _, dashes in lines[:4]}) == 4 and len({shape for _, shape in points[:6]}) == 6
    kinds = [f"class {number}" for number in range(9)]
    figure = figures.vectors_side_by_side({"real": RNG.normal(size=(9, 3))}, kinds)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == kinds
    shares = figures.scores_by_label_share({"": {one: [figures.AtShare(10, 0.5)] for one in kinds}}, metric="accuracy")
    assert [text.get_text() for text in shares.legends[0].get_texts()] == kinds


def test_similarities_of_one_object_and_of_two():
    figure = figures.similarity_histogram([0.8, 0.9], [0.0, 0.1, -0.1], title="image, spectrum")
    assert legend(figure.axes[0]) == ["same object, median 0.85", "different objects, median 0.00"]
    assert sum(figure.axes[0].patches[0].get_data().values) == pytest.approx(1)
    with pytest.raises(InputError, match=r"expected cosines from -1 to 1, found 0\.1 to 2"):
        figures.similarity_histogram([2.0], [0.1])
    with pytest.raises(InputError, match="different: expected numbers"):
        figures.similarity_histogram([0.5], [])


@pytest.fixture(scope="module")
def evaluated(space, make_survey):
    """Caption to figure of an evaluation."""
    given = {"dataset": make_survey(), "history": [HISTORY], "settings": Evaluation(k=3), "panels": 1}
    return evaluation_figures(space, ["z", "class"], **given)


def test_evaluation_figures_are_everything_that_can_be_drawn(space, evaluated):
    found = evaluated
    assert all(isinstance(figure, KitFigure) for figure in found.values())
    kinds = [one.task for one in found.values()]
    assert [kinds.count(task) for task in ("training", "regression", "classification", "space", "retrieval")] == [
        1,
        5,
        5 + 3 * 3,  # curves and calibration within a modality, and with both side by side
        1,
        1,
    ]
    assert "z of 20 held-out objects by nearest neighbours: image of held-out objects, spectrum" in "".join(found)
    number = next(figure for figure in found.values() if figure.task == "regression")
    assert number.axes[1].get_xlabel() == "measured z [km/s]"
    sheet = next(figure for figure in found.values() if figure.task == "retrieval")
    ids = [axes.get_title().split("\n")[0] for axes in sheet.axes if axes.get_title()]
    assert len(ids) == 4 * 6 and all(int(one[3:]) % 3 == 0 for one in ids)  # held-out objects only
    assert list(evaluation_figures(space)) == []


def test_logarithms_and_angles_have_their_units(space):
    (one, *_) = evaluation_figures(space, ["log10(z)"], settings=Evaluation(k=3)).values()
    assert one.axes[1].get_xlabel() == "measured log10(z) [dex(km/s)]"
    (two, *_) = evaluation_figures(space, ["circular(z, 0.7)"], settings=Evaluation(k=3)).values()
    assert two.axes[1].get_xlabel() == "measured z [km/s]"
    true = two.axes[0].collections[0].get_offsets()
    assert np.abs(true[:, 1] - true[:, 0]).max() <= 0.35 + 1e-9  # the short way round


def test_a_class_that_no_training_object_has_is_drawn(space, survey, tmp_path):
    from astroclip_kit.embeddings import EmbeddingStore

    new = np.where((space.split == "test") & (space.labels["z"] > 0.5), "NOVA", space.labels["class"])
    vectors = {name: space.vectors(name) for name in space.names}
    catalog = {"split": space.split}
    store = EmbeddingStore.write(tmp_path / "new", vectors, space.object_ids, catalog=catalog, labels={"class": new})
    found = evaluation_figures(store, ["class"], settings=Evaluation(k=3))
    curves = next(figure for caption, figure in found.items() if caption.startswith("ROC"))
    assert any("NOVA" in text.get_text() for text in curves.legends[0].get_texts())


def test_the_same_figure_gives_the_same_bytes_and_shows_itself():
    first, second = (encoded(figures.learning_curves(HISTORY), "svg") for _ in range(2))
    assert first == second and b"<svg" in first
    assert figures.learning_curves(HISTORY)._repr_png_()[1:4] == b"PNG"


def test_text_stays_text_in_vector_files(tmp_path):
    figure = figures.learning_curves(HISTORY)
    figure.savefig(tmp_path / "a.svg")
    figure.savefig(tmp_path / "a.pdf")
    svg, pdf = ((tmp_path / name).read_bytes() for name in ("a.svg", "a.pdf"))
    assert b">validation</text>" in svg and b"/FontFile2" in pdf and b"/Type3" not in pdf


def test_many_strokes_become_pixels(monkeypatch):
    assert picture(figures.learning_curves(HISTORY))[0] == "svg"
    monkeypatch.setattr(canvas, "LARGEST_SVG", 10)
    assert picture(figures.learning_curves(HISTORY))[0] == "png"


def test_text_is_never_below_seven_points_and_figures_fit_a_column(evaluated):
    kinds = {caption.split(" ")[0]: (caption, figure) for caption, figure in evaluated.items()}
    for caption, figure in kinds.values():
        assert min(sizes(figure)) >= 7, caption
        assert figure.get_size_inches()[0] <= canvas.PAGE, caption


def test_long_names_leave_room_for_the_numbers_below_the_axis():
    names = ["image+spectrum: neural probe before alignment", "image: k-NN"]
    figure = figures.interval_plot({"R² (1 best)": [Interval(name, 0.9, 0.5, 1.0, 0.0) for name in names]})
    figure.draw_without_rendering()
    boxes = [one.get_window_extent() for one in figure.axes[0].get_xticklabels() if one.get_text()]
    assert len(boxes) > 2 and all(left.x1 < right.x0 for left, right in pairwise(boxes))
