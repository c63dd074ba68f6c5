"""A call of every figure function with what it is made for: many classes, long names, units, wild values, NaN.

The views are a small survey of round galaxies, emission lines and folded light curves, so that the figures can be
looked at as well as measured.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from astropy.table import Table
from matplotlib.figure import Figure

from astroclip_kit.classifiers import misclassified_groups, unsure_but_right
from astroclip_kit.downstream import Centroids
from astroclip_kit.report import figures
from astroclip_kit.types import Modality, Result

N = 240
RNG = np.random.default_rng(3)
X, Y = RNG.normal(size=(2, N))
STARS = np.array(["EW", "EA", "RRAB", "SR", "M", "ROT", "DSCT", "HADS", "RRC", "EB"])
TRUE = STARS[RNG.integers(0, 10, N)]
SCORES = RNG.dirichlet(np.full(10, 0.7), N) + 0.3 * (TRUE[:, None] == STARS)
SCORES /= SCORES.sum(axis=1, keepdims=True)
THREE = np.array(["GALAXY", "QSO", "STAR"])
KIND = THREE[RNG.integers(0, 3, N)]
KIND_SCORES = RNG.dirichlet(np.ones(3), N) + 0.35 * (KIND[:, None] == THREE)
KIND_SCORES /= KIND_SCORES.sum(axis=1, keepdims=True)
SUBSETS = ["lightcurve", "spectrum", "metadata", "lightcurve+spectrum", "lightcurve+spectrum+metadata"]
IDS = np.array([f"39627{number:03d}812345" for number in range(N)])
WAVELENGTH = np.linspace(3600, 9800, 1200)
MODALITIES = {
    "image": Modality("image", "image", ("g", "r", "z"), (3, 32, 32), "nmgy", (0.262,)),
    "spectrum": Modality.spectrum("spectrum", WAVELENGTH, "1e-17 erg / (Angstrom s cm2)"),
    "lightcurve": Modality(
        "lightcurve", "lightcurve", ("time", "value", "error", "band", "period"), (-1, 5), "mag", bands=("g", "r")
    ),
    "photometry": Modality("photometry", "table", ("phot_g_mean_mag", "bp_rp", "parallax_over_error"), (3,), ""),
}


def images() -> np.ndarray:
    y, x = np.mgrid[-16:16, -16:16]
    size, flux = RNG.uniform(2, 5, N), 10 ** RNG.uniform(0, 1, N)
    round_ones = flux[:, None, None] * np.exp(-np.hypot(x, y) / size[:, None, None])
    return np.stack([band * round_ones for band in (0.5, 1, 1.4)], axis=1) + 0.02 * RNG.normal(size=(N, 3, 32, 32))


def spectra() -> np.ndarray:
    level, place = 10 ** RNG.uniform(-1, 2, (N, 1)), RNG.uniform(4200, 9000, (N, 1))
    lines = 1 + 3 * np.exp(-(((WAVELENGTH - place) / 15) ** 2)) + 0.2 * RNG.normal(size=(N, len(WAVELENGTH)))
    return np.stack([level * lines * (WAVELENGTH / 6000) ** -1.5, np.ones((N, len(WAVELENGTH)))], axis=1)


def light_curves() -> np.ndarray:
    time, period = np.sort(RNG.uniform(58000, 58400, (N, 60))), RNG.uniform(0.4, 90, (N, 1))
    band = np.tile([0.0, 1.0], (N, 30))
    value = 15 - 0.5 * band + 0.4 * np.sin(2 * np.pi * time / period) + 0.03 * RNG.normal(size=time.shape)
    return np.stack([time, value, np.full_like(time, 0.03), band, np.broadcast_to(period, time.shape)], axis=2)


VIEWS = figures.ArrayViews(
    {"image": images(), "spectrum": spectra(), "lightcurve": light_curves(), "photometry": RNG.normal(15, 2, (N, 3))},
    MODALITIES,
    IDS,
)


class Call(NamedTuple):
    """A figure, and the words that its axes must hold: properties with their units."""

    draw: Callable[[], Figure]
    labels: tuple[str, ...] = ()


def answers(query: str, target: str, asked: int = 0) -> Table:
    found = Table({"object_id": IDS[asked : asked + 6], "similarity": np.linspace(1, 0.7, 6), "z": X[:6] + 2})
    found["z"].unit = "km / s"
    found.meta = {"object_id": IDS[asked], "query": query, "target": target}
    return found


def history(epochs: int) -> list[dict[str, float]]:
    """Flat curves in the middle of the axes, where a legend is most in the way."""
    steps = [f"{one}->{other}" for one in MODALITIES for other in MODALITIES if one != other]
    recall = {f"val_recall@10_{step}": 0.08 * number for number, step in enumerate(steps, 1)}
    return [{"epoch": n, "loss": 3.0 - 1 / n, "val_loss": 3.1 - 2 / n, **recall} for n in range(1, epochs + 1)]


def few_shot_results(count: int) -> Iterator[Result]:
    for method in ("centroid", "1nn", "knn")[:count]:
        for place, query in enumerate(("lightcurve", "spectrum", "metadata", "mean", "vote")):
            for shots, value in (("1", 0.3), ("5", 0.45), ("10", 0.6), ("all", 0.8)):
                for metric in ("accuracy", "balanced_accuracy"):
                    one = value + 0.03 * place
                    about = f"few_shot_{method}", query, query, "class", f"{metric}@{shots}", one, one - 0.1, one + 0.1
                    yield Result(*about, 50, 0, "stars", "mock", chance=0.3, std=0.04)


def subset_results() -> Iterator[Result]:
    about = {"n": 120, "seed": 0, "dataset": "survey", "origin": "mock", "chance": 0.2, "space": "supervised"}
    for number, query in enumerate(SUBSETS):
        names = {"class": ("accuracy", "balanced_accuracy")} | {f"class:{name}": ("recall",) for name in STARS}
        for name, metric in [(name, metric) for name, metrics in names.items() for metric in metrics]:
            value = 0.3 + 0.1 * number
            yield Result("modalities", query, query, name, metric, value, value - 0.1, value + 0.1, **about)


def centroids(modalities: int) -> Centroids:
    names = ["lightcurve", "spectrum", "metadata"][:modalities]
    directions = {name: np.linalg.qr(RNG.normal(size=(16, 10)))[0].T for name in [*names, "mean"]}
    return Centroids("class", STARS, directions, {name: np.full(10, 5) for name in directions})


def audit() -> Table:
    kinds = np.array(["mislabelled", "in-class outlier", "far, nearer to another"])[np.arange(N) % 3]
    table = Table({"object_id": IDS, "kind": np.where(np.arange(N) < 30, kinds, ""), "class": TRUE})
    table["suggested"], table["nearest"] = "SR", "M"
    table["own_distance"], table["nearest_distance"] = RNG.uniform(0.2, 1, N), RNG.uniform(0.3, 0.8, N)
    table.meta = {"on": "mean", "label": "class"}
    return table


def oddities() -> Table:
    reason = "far from its neighbours in image, and image and spectrum disagree about what it is"
    table = Table({"object_id": IDS[:8], "score": np.linspace(9, 2, 8), "reason": [reason] * 8, "z": X[:8]})
    table["z"].unit = "km / s"
    return table


def subclasses() -> tuple[Table, dict[str, object]]:
    table = Table({"object_id": IDS, "cluster": np.arange(N) % 4 - 1, "probability": np.ones(N), "x": X, "y": Y})
    named = ["bp_rp", "parallax_over_error", "period", "rotational_velocity_kms", "teff", "amplitude"]
    ranked = [{"property": one, "value": 0.5, "low": 0.3, "high": 0.7, "chance": 0.2, "p_any": 0.001} for one in named]
    valley = {
        "groups": [0], "others": [1, 2], "n": 1200, "p": 1e-3, "q": 2e-3, "counts": [110, 9],
        "windows": [[-0.17, 0.17], [0.3, 0.6], [0.83, 1.17]], "edges": [-1.0, 0.5, 2.0],
    }  # fmt: skip
    found = {"within": "ROT", "modality": "mean", "subclasses": 3, "columns": ranked}
    return table, found | {"valleys": [valley, valley | {"q": 0.4, "p": 0.2}, valley | {"q": 0.9, "p": 0.3}]}


def layers(name: str) -> Figure:
    from torch import manual_seed, nn

    manual_seed(0)
    image = nn.Sequential(nn.Conv2d(3, 9, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(9, 12, 3), nn.Flatten())
    line = nn.Sequential(nn.Conv1d(2, 4, 5, 2), nn.ReLU(), nn.MaxPool1d(4), nn.Conv1d(4, 32, 5, 2), nn.Flatten())
    encoder = image if name == "image" else line
    about = {"modality": MODALITIES[name], "title": f"{IDS[0]} in a small network"}
    return figures.feature_maps(encoder, VIEWS.views(name, [0])[0], **about)


def attention() -> Figure:
    weights, views = RNG.dirichlet(np.ones(60), 16), {name: VIEWS.views(name, [0])[0] for name in ("image", "spectrum")}
    return figures.attention_map(weights, views, MODALITIES, title="39627000812345: BHB, p = 0.93")


def models() -> dict[str, list[tuple[np.ndarray, np.ndarray]]]:
    def said(strength: float) -> tuple[np.ndarray, np.ndarray]:
        own = RNG.random(N) < 0.4
        return RNG.normal(strength * own), own

    names = ["BATMM (image + spectrum)", "random forest (image)", "SVM (spectrum)", "VGG (spectrum)", "ResNet (image)"]
    return {name: [said(3.0 - 0.5 * number) for _ in range(3)] for number, name in enumerate(names)}


PAIRS = [(one, other) for one in ("image", "spectrum") for other in ("image", "spectrum")]
NAMES = [f"{one}: {how}" for one in SUBSETS[-2:] for how in ("k-NN", "neural probe before alignment")]
NUMBERS = [figures.Interval(name, 0.6, 0.5, 0.7, 0.2) for name in NAMES]
SHORT = [figures.Interval(name, 0.6, 0.5, 0.7, 0.2) for name in ("image", "spectrum", "image → spectrum")]
SHARES = {way: [figures.AtShare(10, 0.6, 0.02, 0.69), figures.AtShare(100, 0.8)] for way in ("random weights", "CLIP")}
BESIDE = [figures.Beside(name, 0.93, 0.01, 0.948, 0.004) for name in (*NAMES, "mine")]
ERRORS = misclassified_groups(VIEWS.views("image", range(N)), TRUE, SCORES, STARS, groups=3)
WILD = np.where(np.arange(4000) % 1000, RNG.normal(11, 0.1, 4000), 99.0)
SEGMENTS = ["4000-4491", "4491-5043", "5043-5662", "5662-6358", "6358-7139", "7139-8015", "8015-9000"]
MASS = {"name": "logmstar", "unit": "dex(Msun)"}
CURVE = ([0.5, 0.8, 0.9, 0.95], [0.52, 0.77, 0.88, 0.94], [0.45, 0.7, 0.85, 0.9], [0.6, 0.8, 0.92, 0.97])
BINS = ([f"{n / 10}..{(n + 1) / 10} (n = 1,200)" for n in range(4)], *CURVE[1:])
COLOURS = {"g": X + 1, "r": Y, "z": X - 1}
REGIONS = {"quasars": [(0, 0), (1, 0), (1, 2)]}

CALLS: dict[str, Call] = {
    "anomaly_sheet": Call(lambda: figures.anomaly_sheet(oddities(), VIEWS, show=["z"])),
    "attention_map": Call(attention, ("wavelength [Å]", "flux\n[")),
    "centroid_similarity": Call(lambda: figures.centroid_similarity(centroids(3))),
    "centroid_similarity of one modality": Call(lambda: figures.centroid_similarity(centroids(1))),
    "cluster_sheet": Call(
        lambda: figures.cluster_sheet({"red": IDS[:3], "blue": IDS[3:6]}, {"red": IDS[9:12]}, VIEWS),
        ("wavelength [Å]", "[mag]", "phase (P = "),
    ),
    "cluster_spectra": Call(
        lambda: figures.cluster_spectra(WAVELENGTH, VIEWS.views("spectrum", range(N))[:, 0], np.arange(N) % 9),
        ("wavelength [Å]",),
    ),
    "colour_colour": Call(
        lambda: figures.colour_colour(
            COLOURS, ("g - r", "r - z"), TRUE, SCORES, classes=STARS, regions=REGIONS, title="IICnet"
        ),
        ("g \N{MINUS SIGN} r [mag]", "r \N{MINUS SIGN} z [mag]"),
    ),
    "confusion_matrix": Call(lambda: figures.confusion_matrix(TRUE, STARS[SCORES.argmax(1)], title="light curves")),
    "confusion_matrix of three": Call(lambda: figures.confusion_matrix(KIND, THREE[KIND_SCORES.argmax(1)])),
    "confusion_matrix of many": Call(lambda: figures.confusion_matrix(IDS[:30], IDS[:30])),
    "coverage_by_bin": Call(lambda: figures.coverage_by_bin(*BINS, wanted=0.9, name="logmstar [dex(Msun)]")),
    "coverage_curve": Call(lambda: figures.coverage_curve(*CURVE, title="z")),
    "few_shot_curves": Call(lambda: figures.few_shot_curves([*few_shot_results(3)], name="class")),
    "few_shot_curves of one method": Call(lambda: figures.few_shot_curves([*few_shot_results(1)], name="class")),
    "feature_maps": Call(lambda: layers("image")),
    "feature_maps of a spectrum": Call(lambda: layers("spectrum"), ("wavelength [Å]",)),
    "interval_plot": Call(lambda: figures.interval_plot({"R² (1 best)": NUMBERS, "NMAD": NUMBERS}, title="z")),
    "interval_plot of short names": Call(lambda: figures.interval_plot({"R² (1 best)": SHORT, "NMAD [km/s]": SHORT})),
    "interval_plot of many panels": Call(
        lambda: figures.interval_plot({f"F1: {one} against the rest (class)": NUMBERS for one in STARS})
    ),
    "learning_curves": Call(lambda: figures.learning_curves(history(40), [history(30)])),
    "learning_curves of losses": Call(lambda: figures.learning_curves([{"epoch": 1, "loss": 2.0, "val_loss": 2.1}])),
    "map_by_cluster": Call(lambda: figures.map_by_cluster(np.stack([X, Y], 1), np.arange(N) % 12 - 1)),
    "map_by_cluster of classes": Call(
        lambda: figures.map_by_cluster(np.stack([X, Y], 1), TRUE, method="PCA", title="mean", name="class")
    ),
    "map_by_property": Call(
        lambda: figures.map_by_property(np.stack([X, Y], 1), np.where(X > 1, np.nan, X), title="image", **MASS),
        ("logmstar [dex(Msun)]", "UMAP 1 [arbitrary]"),
    ),
    "mean_curves": Call(lambda: figures.mean_curves(models(), title="BHB stars from others")),
    "mean_curves of precision": Call(lambda: figures.mean_curves(models(), kind="precision-recall")),
    "measured_beside_published": Call(lambda: figures.measured_beside_published(BESIDE, metric="macro F1")),
    "misclassified_sheet": Call(lambda: figures.misclassified_sheet(ERRORS, TRUE, SCORES, VIEWS, classes=STARS)),
    "mislabel_plane": Call(lambda: figures.mislabel_plane(audit())),
    "modality_subsets": Call(lambda: figures.modality_subsets([*subset_results()], title="variables")),
    "precision_recall_curves": Call(lambda: figures.precision_recall_curves(TRUE, SCORES, STARS, n_boot=9)),
    "predicted_against_true": Call(
        lambda: figures.predicted_against_true(WILD[WILD < 50], WILD[WILD < 50] + 0.1, title="image", **MASS),
        ("measured logmstar [dex(Msun)]", "predicted logmstar [dex(Msun)]", "Δlogmstar\n[dex(Msun)]"),
    ),
    "predicted_against_true of few": Call(
        lambda: figures.predicted_against_true(X**2, X**2 + 0.1 * Y, "z", redshift=True), ("predicted z", "measured z")
    ),
    "reliability_diagram": Call(lambda: figures.reliability_diagram(KIND, KIND_SCORES, THREE, title="image")),
    "retrieval_sheet": Call(
        lambda: figures.retrieval_sheet([answers(*pair) for pair in PAIRS], VIEWS, names=("image", "spectrum")),
        ("wavelength [Å]", "flux\n["),
    ),
    "retrieval_sheet of many directions": Call(
        lambda: figures.retrieval_sheet([answers(*pair) for pair in (*PAIRS, ("image", "lightcurve"))], VIEWS)
    ),
    "roc_curves": Call(lambda: figures.roc_curves(TRUE, SCORES, STARS, n_boot=9, title="light curves")),
    "scores_by_label_share": Call(
        lambda: figures.scores_by_label_share({name: SHARES for name in SUBSETS[:3]}, metric="accuracy"),
        ("labels [%]",),
    ),
    "search_panel": Call(
        lambda: figures.search_panel(answers("image", "spectrum"), VIEWS, show=["z"]),
        ("wavelength [Å]", "brightness\n[mag]"),
    ),
    "share_figure": Call(
        lambda: figures.share_figure(RNG.dirichlet(np.ones(7), N), SEGMENTS, KIND, what="wavelength segment [Å]"),
        ("wavelength segment [Å]",),
    ),
    "share_figure of bands": Call(
        lambda: figures.share_figure(RNG.dirichlet(np.ones(5), N), "ugriz", published={"u": 0.3}, title="stars")
    ),
    "similarity_histogram": Call(
        lambda: figures.similarity_histogram(np.tanh(X / 9 + 0.7), np.tanh(Y / 3), title="image, spectrum")
    ),
    "subclass_figure": Call(lambda: figures.subclass_figure(*subclasses())),
    "unsure_sheet": Call(lambda: figures.unsure_sheet(unsure_but_right(TRUE, SCORES, STARS), VIEWS)),
    "vectors_side_by_side": Call(
        lambda: figures.vectors_side_by_side(
            {"real": VIEWS.views("photometry", range(N)), "simulated": RNG.normal(15, 1, (N, 3))}, KIND, title="stars"
        )
    ),
}
