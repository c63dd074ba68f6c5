from types import SimpleNamespace

import numpy as np
import pytest

from astroclip_kit.encoders import VGG1D
from astroclip_kit.errors import InputError
from astroclip_kit.report import figures
from astroclip_kit.types import Modality

RNG = np.random.default_rng(0)
SHARES = RNG.dirichlet([4, 2, 2, 1, 1], 60)
CLASSES = np.repeat(["bhb", "other"], 30)
ATTENTION = RNG.dirichlet(np.ones(3), 4)
GRID = np.linspace(3800, 9200, 55)
MODALITIES = {
    "image": Modality("image", "image", tuple("ugriz"), (5, 16, 16), "nmgy", (0.396,)),
    "spectrum": Modality.spectrum("spectrum", GRID, "1e-17 erg"),
    "magnitudes": Modality("magnitudes", "table", tuple("ugriz"), (5,), "mag"),
}
VIEWS = {"image": RNG.random((5, 16, 16)), "spectrum": np.ones((2, 55)), "magnitudes": np.ones(5)}


def legend(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_shares_are_means_of_classes_with_their_scatter():
    figure = figures.share_figure(SHARES, "ugriz", CLASSES, published={"u": 0.32}, title="stars")
    axes = figure.axes[0]
    assert legend(figure) == [
        "equal shares: 0.200",
        "published",
        "bhb: mean ± std. dev., n = 30",
        "other: mean ± std. dev., n = 30",
    ]
    points, _, (bars,) = axes.containers[0]
    np.testing.assert_allclose(points.get_ydata(), SHARES[:30].mean(0))
    heights = [np.ptp(segment[:, 1]) for segment in bars.get_segments()]
    np.testing.assert_allclose(heights, 2 * SHARES[:30].std(0))
    assert [text.get_text() for text in axes.get_xticklabels()] == list("ugriz")
    mark = next(lines for lines in axes.collections if lines.get_label() == "published")
    np.testing.assert_allclose(mark.get_segments()[0], [[-0.42, 0.32], [0.42, 0.32]])
    assert figure.task == "attention" and axes.get_ylim()[0] == 0


def test_shares_of_all_objects_over_long_names():
    names = ["4000-4491", "4491-5043", "5043-5662", "5662-6358", "6358-7139"]
    figure = figures.share_figure(SHARES, names, what="wavelength segment [Å]")
    assert legend(figure)[-1] == "all: mean ± std. dev., n = 60" and figure.get_size_inches()[0] <= 6.95
    axes = figure.axes[0]
    assert axes.get_xlabel() == "wavelength segment [Å]" and axes.get_xticklabels()[0].get_rotation() == 35


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"names": "ugri"}, r"shares: expected a column for each of 4 names, found shape \(60, 5\)"),
        ({"shares": 2 * SHARES}, "shares: expected numbers from 0 that add up to 1 for each object"),
        ({"shares": SHARES[0]}, "shares: expected numbers in 2 axes"),
        ({"classes": CLASSES[1:]}, "60 shares, 59 classes"),
        ({"published": {"y": 0.3}}, "published: 'y' is none of u, g, r, i, z"),
    ],
)
def test_shares_are_guarded(given, message):
    with pytest.raises(InputError, match=message):
        figures.share_figure(**{"shares": SHARES, "names": "ugriz", "classes": CLASSES, **given})


def test_image_tokens_lie_on_the_cutout_and_look_at_wavelengths():
    figure = figures.attention_map(ATTENTION, VIEWS, MODALITIES, title="star 17")
    cutout, spectrum, mean, below = figure.axes[:4]
    assert figure.task == "attention" and figure.get_suptitle() == "star 17"
    tokens = [text for text in cutout.texts if text.get_text().isdigit()]
    assert [text.get_text() for text in tokens] == ["1", "2", "3", "4"]
    np.testing.assert_allclose(cutout.collections[0].get_array(), ATTENTION.max(axis=1).reshape(2, 2))
    np.testing.assert_allclose(below.collections[0].get_array(), ATTENTION)
    stairs = mean.patches[0].get_data()
    np.testing.assert_allclose(stairs.values, ATTENTION.mean(axis=0))
    np.testing.assert_allclose(stairs.edges, np.linspace(3800, 9200, 4))
    assert spectrum.get_xlim() == (3800, 9200) and below.get_xlabel() == "wavelength [Å]"


def test_a_token_of_a_cut_spectrum_stands_in_every_piece():
    figure = figures.attention_map(ATTENTION, VIEWS, MODALITIES, wavelength_angstrom=(4000, 9000), segments=7)
    stairs = figure.axes[2].patches[0].get_data()
    np.testing.assert_allclose(stairs.values, np.tile(ATTENTION.mean(axis=0), 7))
    assert len(stairs.edges) == 22 and stairs.edges[[0, -1]].tolist() == [4000, 9000]


def test_a_wide_cutout_has_more_columns_than_rows():
    modalities = {**MODALITIES, "image": Modality("image", "image", ("r",), (1, 8, 24), "nmgy", (0.4,))}
    attention = np.full((3, 3), 1 / 3)
    figure = figures.attention_map(attention, {**VIEWS, "image": np.ones((1, 8, 24))}, modalities)
    assert figure.axes[0].collections[0].get_array().shape == (1, 3)
    many = np.full((100, 3), 1 / 3)
    assert not any(text.get_text().isdigit() for text in figures.attention_map(many, VIEWS, MODALITIES).axes[0].texts)


@pytest.mark.parametrize(
    ("attention", "more", "message"),
    [
        (2 * ATTENTION, {}, "attention: expected weights from 0 that add up to 1 for each image token"),
        (ATTENTION[0], {}, "attention: expected numbers in 2 axes"),
        (ATTENTION, {"wavelength_angstrom": (3000, 9000)}, "wavelengths 3000 to 9000 lie outside those of 'spectrum'"),
        (ATTENTION, {"views": {"image": VIEWS["image"]}}, "expected one spectrum among the views, found none"),
    ],
)
def test_an_attention_map_is_guarded(attention, more, message):
    with pytest.raises(InputError, match=message):
        figures.attention_map(**{"attention": attention, "views": VIEWS, "modalities": MODALITIES, **more})


@pytest.mark.parametrize(
    ("encoder", "seen"),
    [
        (VGG1D(widths=[4], depths=[1]), {"segments": 7, "wavelength_angstrom": (4000, 9000)}),
        (VGG1D(widths=[4], depths=[1], stacked=False), {"segments": 1, "wavelength_angstrom": (4000, 9000)}),
        (SimpleNamespace(grid=(3000, 8000, 500)), {"segments": 1, "wavelength_angstrom": (3800, 8000)}),
        (SimpleNamespace(), {"segments": 1}),
    ],
)
def test_what_of_a_spectrum_an_encoder_sees(encoder, seen):
    found = figures.spectrum_seen(encoder, MODALITIES["spectrum"])
    assert found["segments"] == seen["segments"] and found.keys() == seen.keys()
    assert found.get("wavelength_angstrom") == pytest.approx(seen.get("wavelength_angstrom"), abs=1)
    figure = figures.attention_map(ATTENTION, VIEWS, MODALITIES, **found)
    assert figure.axes[1].get_xlim() == pytest.approx(found.get("wavelength_angstrom", (3800, 9200)), abs=100)
