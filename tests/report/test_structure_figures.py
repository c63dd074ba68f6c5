import numpy as np
import pytest

from astroclip_kit.errors import InputError
from astroclip_kit.report import figures

RNG = np.random.default_rng(2)
XY = RNG.normal(size=(100, 2))


def test_a_map_by_property_has_a_unit_and_shows_what_has_no_value():
    values = XY[:, 0].copy()
    values[:10] = np.nan
    figure = figures.map_by_property(XY, values, "logmstar", unit="dex(Msun)", title="spectrum")
    axes, bar = figure.axes
    grey, coloured = axes.collections
    assert len(grey.get_offsets()) == 10 and len(coloured.get_offsets()) == 90
    assert bar.get_ylabel() == "logmstar [dex(Msun)]" and axes.get_xlabel() == "UMAP 1 [arbitrary]"
    assert axes.get_title() == "spectrum\nn = 90, grey: 10 without logmstar"
    low, high = np.nanquantile(values, [0.01, 0.99])
    assert coloured.get_clim() == pytest.approx((low, high)) and coloured.get_cmap().name == "viridis"


def test_objects_off_the_map_are_left_out_and_many_are_pixels():
    xy = RNG.normal(size=(3000, 2))
    xy[0] = np.nan
    axes = figures.map_by_property(xy, np.arange(3000.0), "z", method="pca").axes[0]
    assert len(axes.collections[-1].get_offsets()) == 2999 and axes.collections[-1].get_rasterized()
    assert axes.get_xlabel() == "PCA component 1" and axes.get_title() == "PCA\nn = 2,999"
    assert not figures.map_by_property(XY, XY[:, 0], "z").axes[0].collections[-1].get_rasterized()
    assert figures.map_by_cluster(XY, np.zeros(100)).axes[0].get_title() == "UMAP"


@pytest.mark.parametrize(
    ("xy", "values", "message"),
    [
        (XY[:, :1], XY[:, 0], r"coordinates: expected shape \[N, 2\], found \(100, 1\)"),
        (np.full((3, 2), np.nan), [1, 2, 3], "no object is on the map"),
        (XY, np.full(100, np.nan), "z: known for no object on the map"),
        (XY, [1.0], "100 coordinates, 1 values"),
        (XY, ["a"] * 100, "z: expected numbers"),
        (np.zeros((0, 2)), [], "coordinates: expected numbers"),
    ],
)
def test_a_map_by_property_is_guarded(xy, values, message):
    with pytest.raises(InputError, match=message):
        figures.map_by_property(xy, values, "z")


def test_a_map_by_cluster_names_groups_by_size_and_leaves_noise_grey():
    clusters = np.repeat([-1, 0, 1, 2], [10, 20, 30, 40])
    figure = figures.map_by_cluster(XY, clusters)
    said = [text.get_text() for text in figure.legends[0].get_texts()]
    assert said == ["in no group (10)", "2 (40)", "1 (30)", "0 (20)"]
    noise, *groups = figure.axes[0].collections
    assert np.ptp(noise.get_facecolor()[0, :3]) == 0
    assert len({tuple(group.get_facecolor()[0]) for group in groups}) == 3
    assert not figure.axes[0].texts


def test_more_groups_than_colours_differ_in_shape_and_are_named_on_the_map():
    clusters = np.arange(100) % 25
    xy = np.stack([clusters, clusters % 5], 1) + 0.01 * XY
    figure = figures.map_by_cluster(xy, clusters)
    said = [text.get_text() for text in figure.legends[0].get_texts()]
    assert len(said) == 19 and said[-1] == "… 7 more"
    first, eighth = figure.axes[0].collections[0], figure.axes[0].collections[7]
    assert first.get_facecolor()[0].tolist() == eighth.get_facecolor()[0].tolist()
    assert len(first.get_paths()[0]) != len(eighth.get_paths()[0])
    assert {text.get_text() for text in figure.axes[0].texts} <= {str(number) for number in range(25)}
    assert len(figure.axes[0].texts) == 18


def test_names_do_not_stand_on_each_other():
    figure = figures.map_by_cluster(XY, np.arange(100) % 9)  # all centres in the middle
    assert 1 <= len(figure.axes[0].texts) < 9


def test_classes_can_be_mapped():
    figure = figures.map_by_cluster(XY, np.where(XY[:, 0] > 0, "QSO", ""), name="class")
    said = [text.get_text() for text in figure.legends[0].get_texts()]
    assert said[0].startswith("no class (") and said[1].startswith("QSO (")
    assert figure.legends[0].get_title().get_text() == "class"


def test_a_map_by_cluster_is_guarded():
    with pytest.raises(InputError, match="expected whole numbers, -1 for none"):
        figures.map_by_cluster(XY, XY[:, 0])
    with pytest.raises(InputError, match="100 coordinates, 2 clusters"):
        figures.map_by_cluster(XY, [0, 1])


def test_spectra_of_clusters_show_median_and_spread():
    wavelength = np.linspace(4000, 9000, 50)
    flux = np.repeat(RNG.uniform(1, 5, (60, 1)), 50, 1) * (1 + 0.1 * RNG.normal(size=(60, 1)))
    flux[:, 10] *= np.where(np.arange(60) % 2, 3, 1)
    flux[:, 20] = np.nan
    clusters = np.arange(60) % 2
    clusters[:6] = -1
    figure = figures.cluster_spectra(wavelength, flux, clusters, title="spectrum")
    even, odd = figure.axes
    assert [axes.texts[0].get_text() for axes in figure.axes] == ["cluster 0 (n = 27)", "cluster 1 (n = 27)"]
    assert even.lines[0].get_ydata()[10] == pytest.approx(1) and odd.lines[0].get_ydata()[10] == pytest.approx(3)
    assert np.isnan(even.lines[0].get_ydata()[20])
    assert odd.get_xlabel() == "wavelength [Å]" and figure.get_supylabel() == "flux / median flux"


def test_small_clusters_are_left_out_and_counted():
    clusters = np.repeat(np.arange(4), [4, 3, 2, 1])
    figure = figures.cluster_spectra(np.arange(5.0), np.ones((10, 5)), clusters, most=2)
    assert [axes.texts[0].get_text() for axes in figure.axes] == ["cluster 0 (n = 4)", "cluster 1 (n = 3)"]
    assert figure.axes[0].get_title() == "smaller clusters left out: 2"


@pytest.mark.parametrize(
    ("flux", "clusters", "message"),
    [
        (np.ones((3, 5)), [-1, -1, -1], "no object with a spectrum is in a cluster"),
        (np.full((3, 5), np.nan), [0, 0, 1], "no object with a spectrum is in a cluster"),
        (np.ones((3, 5)), [0, 1], "3 flux, 2 clusters"),
        (np.ones((3, 4)), [0, 1, 1], "5 wavelength, 4 pixels"),
    ],
)
def test_spectra_of_clusters_are_guarded(flux, clusters, message):
    with pytest.raises(InputError, match=message):
        figures.cluster_spectra(np.arange(5.0), flux, clusters)
