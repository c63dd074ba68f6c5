from itertools import pairwise

import numpy as np
import pytest
from astropy.table import MaskedColumn, Table
from matplotlib.colors import to_hex

from astroclip_kit.classifiers import misclassified_groups, unsure_but_right
from astroclip_kit.errors import InputError
from astroclip_kit.report import figures
from astroclip_kit.report.figures.canvas import COLOURS, PAGE, encoded
from astroclip_kit.types import Modality

RNG = np.random.default_rng(1)
CLASSES = ["galaxy", "qso", "star"]
COUNT = 60
TRUE = np.array(CLASSES)[np.arange(COUNT) % 3]
SAID = TRUE.copy()
SAID[:12] = np.array(CLASSES)[(np.arange(12) + 1) % 3]
P = 0.3 + 0.25 * (np.array(CLASSES) == SAID[:, None]) * np.linspace(0.3, 2.4, COUNT)[:, None]
P /= P.sum(axis=1, keepdims=True)
IMAGES = RNG.uniform(0, 1, (COUNT, 3, 8, 8)).astype(np.float32)
WISE = Modality("image", "image", ("w1", "w2", "w3"), (3, 8, 8), "", (2.75,))
VIEWS = figures.ArrayViews({"image": IMAGES}, {"image": WISE})
COLOURS_OF = {"w1_w2": RNG.normal(0, 0.3, COUNT), "w2_w3": RNG.normal(2, 0.3, COUNT)}
GROUPS = misclassified_groups(IMAGES, TRUE, SAID, groups=2)


def heads(figure):
    return [axes.get_title() for axes in figure.axes]


def assert_readable(figure):
    """No text is below seven points, and what stands above panels does not overlap."""
    from matplotlib.text import Text

    assert figure.get_size_inches()[0] <= PAGE
    figure.savefig("/dev/null", format="png", dpi=50)
    written = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text()]
    assert min(text.get_fontsize() for text in written) >= 7
    boxes = [axes.title.get_window_extent() for axes in figure.axes if axes.get_title()]
    assert all(one.x1 <= other.x0 or one.y0 > other.y0 for one, other in pairwise(boxes))


def test_the_misclassified_stand_in_groups_with_what_is_taken_for_what():
    figure = figures.misclassified_sheet(GROUPS, TRUE, P, VIEWS, classes=CLASSES)
    assert_readable(figure)
    assert len(heads(figure)) == sum(min(6, len(one.rows)) for one in GROUPS) and figure.task == "classifiers"
    row = GROUPS[0].rows[0]
    assert heads(figure)[0] == f"{row}\n{TRUE[row]} → {SAID[row]}\np = {P[row].max():.2f}"
    (a, b), count = next(iter(GROUPS[0].pairs.items()))
    first = figure.texts[0].get_text()
    assert first.startswith(f"Group 1: {len(GROUPS[0].rows)} of 12 misclassified. {a} taken for {b}: {count}")


def test_predicted_classes_are_enough_and_the_objects_may_be_some_of_a_dataset(survey):
    ids = survey.object_ids[np.array([7, 3, 5])]
    groups = misclassified_groups(np.eye(3), ["a", "b", "a"], ["b", "b", "b"], groups=1)
    figure = figures.misclassified_sheet(groups, ["a", "b", "a"], ["b", "b", "b"], survey, object_ids=ids)
    assert [text.split("\n")[0] for text in heads(figure) if text] == ["gal07", "gal05"]
    assert len(figure.axes) == 2 * 2  # both image modalities, and no spectrum
    only = figures.misclassified_sheet(groups, ["a", "b", "a"], ["b"] * 3, survey, object_ids=ids, names=["spectrum"])
    assert len(only.axes) == 2


def test_the_least_sure_come_first_with_what_was_nearly_said_and_no_more_than_24():
    unsure = unsure_but_right(TRUE, P, CLASSES)
    figure = figures.unsure_sheet(unsure, VIEWS)
    assert_readable(figure)
    assert len(unsure) > 24 == len(figure.axes)
    assert figure.texts[0].get_text() == f"{len(unsure)} of 48 that are right, with p below 0.6. The least sure first"
    one = unsure[0]
    said = f"{one['class']} {one['probability']:.2f}\nor {one['instead']} {one['probability_instead']:.2f}"
    assert heads(figure)[0] == f"{one['row']}\n{said}"


def test_a_missing_image_is_said_so():
    images = IMAGES.copy()
    images[GROUPS[0].rows[0]] = np.nan
    views = figures.ArrayViews({"image": images}, {"image": WISE})
    figure = figures.misclassified_sheet(GROUPS, TRUE, SAID, views)
    assert [text.get_text() for text in figure.axes[0].texts] == ["no image"]


def test_colours_are_of_the_true_class_and_rings_of_what_was_said():
    figure = figures.colour_colour(COLOURS_OF, ("w2_w3", "w1_w2"), TRUE, P, classes=CLASSES, title="IICnet")
    assert_readable(figure)
    axes = figure.axes[0]
    shown = {one.get_label(): one for one in axes.collections}
    assert list(shown) == [f"{name}: 20" for name in CLASSES] + [f"taken for {name}: 4" for name in CLASSES]
    for number, name in enumerate(CLASSES):
        wrong = (SAID == name) & (TRUE != name)
        places = np.stack([COLOURS_OF["w2_w3"], COLOURS_OF["w1_w2"]], axis=1)
        np.testing.assert_allclose(shown[f"taken for {name}: 4"].get_offsets(), places[wrong])
        np.testing.assert_allclose(shown[f"{name}: 20"].get_offsets(), places[TRUE == name])
        ring = to_hex(shown[f"taken for {name}: 4"].get_edgecolor()[0]).upper()
        assert ring == to_hex(shown[f"{name}: 20"].get_facecolor()[0]).upper() == COLOURS[number]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("w2_w3 [mag]", "w1_w2 [mag]")


def test_any_difference_of_columns_of_a_table_and_what_is_not_known_is_counted():
    g, r = RNG.normal(20, 1, COUNT), RNG.normal(19, 1, COUNT)
    table = Table({"g-mag": g, "r": MaskedColumn(r, mask=np.arange(COUNT) < 5), "ew": np.ones(COUNT)})
    table["ew"][-1] = 1e6
    box = [(0, 0), (1, 0), (1, 2)]
    regions = {"here": (1.0, 1.0), "box": box}
    figure = figures.colour_colour(table, ("g-mag - r", "ew"), TRUE, regions=regions, unit="")
    axes = figure.axes[0]
    assert axes.get_xlabel() == "g-mag \N{MINUS SIGN} r" and axes.get_title() == (
        "n = 55, 5 without colours, 1 beyond the frame"
    )
    places = np.concatenate([one.get_offsets() for one in axes.collections])
    assert sorted(places[:, 0]) == pytest.approx(sorted((g - r)[5:]))
    assert [text.get_text() for text in axes.texts] == ["here", "box"] and len(axes.patches) == 1
    assert len(axes.collections) == 3  # nothing is marked


def test_the_usual_colours_are_neighbours():
    assert figures.usual_colours(["w1mpro", "w2mpro", "w3mpro", "g", "r", "i"]) == (
        "w2mpro - w3mpro",
        "w1mpro - w2mpro",
    )
    assert figures.usual_colours(["g_r", "u_g", "i_z"]) == ("g_r", "u_g")
    assert figures.usual_colours(["g_r", "i_z"]) is None
    assert figures.usual_colours(["mag_r", "mag_g", "mag_z", "mag_w1"]) == ("mag_r - mag_z", "mag_g - mag_r")


def test_maps_of_an_image_stand_in_rows_with_the_numbers_of_their_channels():
    from torch import nn

    encoder = nn.Sequential(nn.Conv2d(3, 9, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(9, 5, 1), nn.Flatten())
    figure = figures.feature_maps(encoder, IMAGES[0], ["0", "3"], modality=WISE, channels=3, title="object 0")
    assert_readable(figure)
    seen, first, second, *bars = figure.axes
    assert seen.get_title() == "what is seen" and len(bars) == 2 and figure.get_suptitle() == "object 0"
    assert (first.get_ylabel(), second.get_ylabel()) == ("0\n9 by 6 by 6", "3\n5 by 3 by 3")
    channels = [int(text.get_text()) for text in first.texts]
    assert len(channels) == len(first.images) == 3 and channels == sorted(channels)
    alone = figures.feature_maps(encoder, IMAGES[0], ["0"], channels=100)
    assert len(alone.axes) == 2 and len(alone.axes[0].images) == 9


def test_maps_along_a_spectrum_are_lines():
    from astroclip_kit.encoders import VGG1D

    spectrum = RNG.uniform(0.5, 1, (2, 3522)).astype(np.float32)
    grid = tuple((10 ** (np.log10(4000) + 1e-4 * np.arange(3522))).tolist())
    modality = Modality("spectrum", "spectrum", ("flux", "ivar"), (2, 3522), "1e-17 erg / (Angstrom s cm2)", grid)
    figure = figures.feature_maps(VGG1D(widths=(4, 32), depths=(1, 1)), spectrum, modality=modality)
    assert encoded(figure, "png")[1:4] == b"PNG"
    seen, *layers = figure.axes[:4]
    assert seen.get_xlabel() == "wavelength [Å]" and [len(one.images[0].get_array()) for one in layers] == [4, 16, 16]
    np.testing.assert_allclose(layers[0].images[0].get_array().mean(axis=1), 0, atol=1e-6)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: figures.misclassified_sheet([], TRUE, TRUE, VIEWS), "no object was misclassified"),
        (
            lambda: figures.misclassified_sheet(GROUPS, TRUE[:5], SAID, VIEWS),
            "as many object_ids .* 5, 60, 60",
        ),
        (
            lambda: figures.misclassified_sheet(GROUPS, TRUE, SAID, VIEWS, object_ids=["gone"] * COUNT),
            "the arrays holds no object 'gone'",
        ),
        (
            lambda: figures.unsure_sheet(unsure_but_right(TRUE, P, CLASSES, below=0.1), VIEWS),
            "no object was classified rightly with a low probability",
        ),
        (
            lambda: figures.unsure_sheet(unsure_but_right(TRUE, P, CLASSES), VIEWS, object_ids=["a"]),
            "expected as many object_ids as objects judged",
        ),
        (lambda: figures.ArrayViews({}, {}), "expected views of 0 objects of each modality, found none"),
        (lambda: figures.ArrayViews({"image": IMAGES}, {"image": WISE}, ["a"]), "expected views of 1 objects"),
        (lambda: figures.ArrayViews({"sky": IMAGES}, {"image": WISE}), "there is no modality 'sky'; there is: image"),
        (lambda: figures.ArrayViews({"image": IMAGES[:, 0]}, {"image": WISE}), r"'image' has the shape \(60, 8, 8\)"),
        (lambda: figures.colour_colour(COLOURS_OF, ("w3", "w1_w2"), TRUE), "no column 'w3', nor two whose difference"),
        (lambda: figures.colour_colour(COLOURS_OF, ("w2_w3", "w1_w2"), TRUE[:4]), "expected equal lengths"),
        (
            lambda: figures.colour_colour({"a": np.full(60, np.nan), "b": np.ones(60)}, ("a", "b"), TRUE),
            "a and b: both are known for no object",
        ),
        (
            lambda: figures.colour_colour(COLOURS_OF, ("w2_w3", "w1_w2"), TRUE, regions={"qso": [1, 2, 3]}),
            r"regions: 'qso' has the shape \(3,\), expected a place \(2\) or corners",
        ),
        (lambda: figures.feature_maps(None, IMAGES[0], channels=0), "channels is 0, expected at least 1"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()
