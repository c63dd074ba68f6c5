from itertools import pairwise

import numpy as np
import pytest
from astropy.table import Table

from astroclip_kit.errors import InputError
from astroclip_kit.report import figures
from astroclip_kit.report.figures.canvas import COLOURS, encoded
from astroclip_kit.report.figures.contact_sheet import short_number
from astroclip_kit.report.figures.views import binned_spectrum
from astroclip_kit.types import Modality

ORANGE, GREEN = COLOURS[1], COLOURS[2]


def heads(figure):
    """What stands above the objects."""
    return [axes.get_title() for axes in figure.axes if axes.get_title()]


def drawn(figure):
    return "\n".join(text.get_text() for axes in figure.axes for text in axes.texts)


def frame(axes):
    from matplotlib.colors import to_hex

    return to_hex(axes.spines["left"].get_edgecolor()).upper() if axes.spines["left"].get_linewidth() == 2 else ""


def test_a_panel_shows_query_and_matches_in_every_modality(space, survey):
    answers = space.search("gal04", query="image", target="spectrum", k=3)
    figure = figures.search_panel(answers, survey, matches=2, show=["class"])
    assert len(figure.axes) == 5 * 3
    titles = heads(figure)
    assert titles[0] == "gal04\nquery: image" and "cosine" in titles[1] and titles[1].endswith("class = GALAXY")
    assert "\nr\n" not in drawn(figure) and "… 1 more" in drawn(figure)  # what is not known tells least
    image, spectrum = figure.axes[0], figure.axes[2 * 3 + 1]
    assert (frame(image), frame(spectrum)) == (ORANGE, GREEN)
    assert np.isnan(spectrum.lines[0].get_ydata()[10:20]).all()
    assert encoded(figure, "png")[1:4] == b"PNG"


def test_matches_say_their_rank_and_redshift_and_who_asked_its_own(space, survey):
    survey.labels = {"z": np.linspace(0.01, 0.6, 60)}
    answers = space.search("gal04", query="image", target="spectrum", k=2)
    titles = [title.split("\n") for title in heads(figures.search_panel(answers, survey))]
    assert titles[0] == ["gal04", "query: image", "z = 0.05 km/s"]
    for rank, (title, one) in enumerate(zip(titles[1:], answers, strict=True), 1):
        how = "itself," if one["object_id"] == "gal04" else "cosine"
        assert title[1:] == [f"{rank}. {how} {one['similarity']:.3f}", f"z = {one['z']:.3g} km/s"]


def test_spectra_share_their_range_where_they_are_about_as_bright(space, survey):
    answers = space.search("gal04", k=3)
    row = figures.search_panel(answers, survey, names=["spectrum"]).axes
    assert len({axes.get_ylim() for axes in row}) == 1 and all(axes.get_xlabel() == "wavelength [Å]" for axes in row)

    class Uneven(type(survey)):
        def view(self, name, row):
            return super().view(name, row) * np.float32(100 if row == 4 else 1)

    row = figures.search_panel(answers, Uneven(), names=["spectrum"]).axes
    assert len({axes.get_ylim() for axes in row}) == len(row)  # the faint ones would be flat


@pytest.mark.parametrize(("ivar", "seen"), [(100.0, True), (1e-4, False)])
def test_a_line_is_in_sight_and_a_noisy_pixel_rules_nothing(ivar, seen):
    from matplotlib.figure import Figure

    modality = Modality("spectrum", "spectrum", ("flux", "ivar"), (2, 900), "", tuple(range(4000, 4900)))
    view = np.stack([1 + 0.1 * np.sin(np.arange(900.0)), np.full(900, 100.0)])
    view[:, 448:454] = np.array([[90.0], [ivar]])
    axes = Figure(figsize=(1.2, 1)).subplots()
    figures.draw_view(axes, view, modality)
    assert (axes.get_ylim()[1] > 90) == seen


def test_axes_of_a_panel_say_what_they_are_and_images_how_large(space, survey):
    figure = figures.search_panel(space.search("gal04", k=3), survey, names=["image", "spectrum", "lightcurve"])
    spectrum, lightcurve = figure.axes[4], figure.axes[8]
    assert (spectrum.get_xlabel(), spectrum.get_ylabel()) == ("wavelength [Å]", "flux\n[1e-17 erg]")
    assert lightcurve.get_ylabel() == "g\n[mag]" and lightcurve.yaxis_inverted()
    assert figure.axes[5].get_ylabel() == ""
    assert "1″" in drawn(figure)


def test_retrieval_in_four_directions(space, survey):
    pairs = [("image", "image"), ("image", "spectrum"), ("spectrum", "image"), ("spectrum", "spectrum")]
    answers = [space.search("gal04", query=query, target=target, k=6) for query, target in pairs]
    figure = figures.retrieval_sheet(answers, survey, names=("image", "spectrum"))
    assert [text.get_text() for text in figure.texts] == [f"{query} → {target}" for query, target in pairs]
    assert len(figure.axes) == 4 * 2 * 6
    for row, (query, target) in enumerate(pairs):
        own = figure.axes[12 * row : 12 * row + 12]
        assert frame(own[0 if query == "image" else 6]) == ORANGE
        assert frame(own[1 if target == "image" else 7]) == GREEN
    found = [title.split("\n")[0] for title in heads(figure)]
    assert found[7:12] == [str(one) for one in answers[1]["object_id"][:5]]


def test_titles_do_not_overlap(space, survey):
    figure = figures.search_panel(space.search("gal04", k=6), survey, show=["class", "z"], names=["image"])
    figure.savefig("/dev/null", format="png", dpi=50)
    boxes = [axes.title.get_window_extent() for axes in figure.axes]
    assert all(one.x1 <= other.x0 for one, other in pairwise(boxes))
    assert boxes[-1].x1 <= figure.bbox.x1 and max(box.y1 for box in boxes) <= figure.bbox.y1


def test_a_modality_that_an_object_lacks_is_said_so(space, survey):
    figure = figures.search_panel(space.search("gal05", k=6), survey, names=("lightcurve", "image"))
    for axes in figure.axes[:6]:
        number = int(axes.get_title()[3:5])
        said = "no lightcurve" in [text.get_text() for text in axes.texts]
        assert said == bool(number % 2)


def test_a_panel_needs_the_right_dataset(space, survey):
    answers = space.search("gal04", k=2)
    with pytest.raises(InputError, match="has no modality 'radio'; there is: image, f814w"):
        figures.search_panel(answers, survey, names=["radio"])
    with pytest.raises(InputError, match="the table has no column 'mass'; there is: object_id"):
        figures.search_panel(answers, survey, show=["mass"])
    survey.object_ids = survey.groups = np.array([f"x{i}" for i in range(60)])
    with pytest.raises(InputError, match="holds no object 'gal04'"):
        figures.search_panel(answers, survey)
    answers.meta = {}
    with pytest.raises(InputError, match="do not say who asked"):
        figures.search_panel(answers, survey)
    with pytest.raises(InputError, match="at least one object, found none"):
        figures.retrieval_sheet([], survey)


def test_members_near_the_centre_and_far_from_it(survey):
    near, far = {"cluster 0": ["gal00", "gal02", "gal04", "gal06"]}, {"cluster 0": ["gal10"]}
    figure = figures.cluster_sheet(near, far, survey, names=["image", "spectrum"], each=2)
    assert heads(figure) == ["gal00\nnear the centre", "gal02\nnear the centre", "gal10\nfar from it"]
    assert [frame(axes) for axes in figure.axes[:3]] == [GREEN, GREEN, ORANGE]
    assert figure.texts[0].get_text() == "cluster 0" and figure.task == "clustering"
    with pytest.raises(InputError, match="at least one object"):
        figures.cluster_sheet({"cluster 0": []}, {}, survey)


def test_anomalies_say_how_odd_they_are_and_why(survey):
    ids = [f"gal{number:02d}" for number in range(8)]
    why = ["far from its neighbours in image, and image and spectrum disagree about what it is"] * 8
    table = Table({"object_id": ids, "score": np.linspace(9, 2, 8), "reason": why, "z": [0.1] * 8})
    table["z"].unit = "km/s"
    figure = figures.anomaly_sheet(table, survey, count=7, names=["image"], show=["z"])
    assert len(heads(figure)) == 7 and figure.task == "anomaly"
    first = heads(figure)[0].split("\n")
    assert first[:3] == ["gal00", "1. score 9", "z = 0.1 km/s"] and "far from its" in first[3]
    assert max(map(len, first)) <= 18 and first[-1].endswith("…") and len(first) == 7
    with pytest.raises(InputError, match="empty table"):
        figures.anomaly_sheet(table[:0], survey)
    with pytest.raises(InputError, match="no column 'why'"):
        figures.anomaly_sheet(table, survey, reason="why")


def test_a_long_spectrum_is_averaged_over_what_was_observed():
    flux = np.arange(1000.0)
    flux[:3] = np.nan
    flux[10:15] = np.nan
    wavelength, means = binned_spectrum(np.arange(1000.0), flux, 200)
    assert len(wavelength) == 200 and wavelength[0] == 2 and means[0] == 3.5 and np.isnan(means[2])
    short = binned_spectrum(np.arange(3.0), np.arange(3.0), 200)
    assert short[1].tolist() == [0, 1, 2]


def test_nothing_lies_on_anything_else_where_there_are_five_modalities(space, survey):
    figure = figures.search_panel(space.search("gal04", k=6), survey)
    figure.draw_without_rendering()
    column = figure.axes[::6]
    boxes = [axes.get_tightbbox() for axes in column]
    assert len(column) == 5 and all(lower.y1 <= upper.y0 + 1 for upper, lower in pairwise(boxes))
    assert boxes[-1].y0 >= 0


def test_more_directions_than_four_show_what_was_compared_alone(space, survey):
    pairs = [("image", "image"), ("image", "spectrum"), ("spectrum", "image"), ("spectrum", "spectrum")]
    answers = [space.search("gal04", query=query, target=target, k=3) for query, target in [*pairs, pairs[1]]]
    figure = figures.retrieval_sheet(answers, survey, names=("image", "spectrum"))
    assert len(figure.axes) == 5 * 4 and figure.get_size_inches()[1] < 11
    frames = [frame(axes) for axes in figure.axes]
    assert frames == [ORANGE, GREEN, GREEN, GREEN] * 5  # whatever is shown was compared
    assert bool(figure.axes[4].images) and figure.axes[5].lines and figure.axes[5].get_xlabel() == "wavelength [Å]"


def test_long_names_of_columns_stay_in_their_panel(survey):
    from matplotlib.figure import Figure

    columns = tuple(f"phot_{band}_mean_magnitude" for band in ("g", "bp", "rp"))
    axes = Figure(figsize=(1.2, 1)).subplots()
    figures.draw_view(axes, np.array([12.345678, np.nan, 1.0]), Modality("m", "table", columns, (3,)))
    texts = [text.get_text() for text in axes.texts]
    assert texts == ["g magnitude", "12.35", "bp magnitude", "—", "rp magnitude", "1"]
    heights = [text.get_position()[1] for text in axes.texts]
    assert all(one > other for one, other in pairwise(heights))  # numbers below their names
    axes.clear()
    columns = ("e_phot_g_mean_mag", "parallax_over_error", "a_name_that_no_panel_has_room_for")
    figures.draw_view(axes, np.ones(3), Modality("m", "table", columns, (3,)))
    names = [text.get_text() for text in axes.texts][::2]
    assert names[:2] == ["g mag error", "parallax/error"] and names[2].endswith("…")


def test_a_table_shows_what_is_farthest_from_usual(survey):
    from matplotlib.figure import Figure

    view = np.array([0.0, np.nan, 3.0, -50.0, *[0.1] * 8])
    usual = np.array([np.zeros(12), [1, 1, 1, 100, *[1] * 8]])
    columns = Modality("m", "table", tuple("abcdefghijkl"), (12,))
    shown = []
    for given in (usual, None):
        axes = Figure(figsize=(3, 2)).subplots()
        figures.draw_view(axes, view, columns, given)
        shown.append([text.get_text() for text in axes.texts])
    assert shown[0][:6] == ["c", "3", "d", "-50", "e", "0.1"] and "b" not in shown[0] and shown[0][-1] == "… 4 more"
    assert shown[1][:4] == ["a", "0", "b", "—"]


def test_every_folded_light_curve_says_its_period_and_numbers_stay_between_panels(space, survey):
    from dataclasses import replace as changed

    class Folded(type(survey)):
        modalities = {  # noqa: RUF012
            **survey.modalities,
            "lightcurve": changed(
                survey.modalities["lightcurve"], channels=("time", "value", "error", "band", "period"), shape=(-1, 5)
            ),
        }

        def view(self, name, row):
            view = super().view(name, row)
            return np.column_stack([view, np.full(len(view), 1.5 + row)]) if name == "lightcurve" else view

    answers = space.search("gal04", k=6)
    figure = figures.search_panel(answers, Folded(), names=["lightcurve", "spectrum"])
    row = [axes for axes in figure.axes[:6] if axes.lines]
    said = [axes.get_xlabel() for axes in row]
    assert len(row) > 1 and len(set(said)) == len(row) and all(one.startswith("phase (P = ") for one in said)
    figure.draw_without_rendering()
    for left, axes in [*pairwise(figure.axes[:6]), *pairwise(figure.axes[6:])]:
        panel = axes.get_window_extent().padded(1)
        for text in axes.get_yticklabels() if axes.lines else []:
            box = text.get_window_extent()
            assert left.get_window_extent().x1 < box.x0 and box.x1 <= panel.x0 + 1, text
        for text in axes.get_xticklabels() if axes.lines else []:
            assert panel.x0 <= text.get_window_extent().x0 and text.get_window_extent().x1 <= panel.x1


@pytest.mark.parametrize(
    ("value", "text"),
    [(15000.0, "15000"), (1e4, "1e4"), (2e-5, "2e-5"), (14.35, "14.35"), (-0.5, "-0.5"), (14.352, "14.352"), (0, "0")],
)
def test_numbers_between_panels_are_short_and_never_rounded(value, text):
    assert short_number(value) == text and float(text) == value


def test_bands_keep_their_colours_where_some_are_missing():
    from matplotlib.colors import to_hex
    from matplotlib.figure import Figure

    curve = Modality("curve", "lightcurve", ("time", "value", "error", "band"), (-1, 4), "mag", bands=("g", "r"))
    view = np.array([[0, 15, 0.1, 0], [1, 16, 0.1, 1], [2, 15, 0.1, 1]])
    for rows, colours in ((view, COLOURS[:2]), (view[1:], COLOURS[1:2])):
        axes = Figure().subplots()
        figures.draw_view(axes, rows, curve)
        assert [to_hex(bars.lines[0].get_color()).upper() for bars in axes.containers] == list(colours)
        assert axes.get_ylim()[1] < 14.9 - 0.2 * (16.1 - 14.9)  # room for the names of the bands
