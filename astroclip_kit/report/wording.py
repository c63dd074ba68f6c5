"""What tasks, metrics, spaces and methods are called on a page."""

from __future__ import annotations

import re

from ..types import Result

__all__ = [
    "PROBES",
    "axis_title",
    "guess",
    "method",
    "model_title",
    "pair",
    "property_title",
    "space_name",
    "task_title",
    "title",
]

TITLES = {"r2": "R²", "nmad": "NMAD", "macro_f1": "macro F1", "ece": "ECE", "ami": "AMI", "ari": "ARI"}
TITLES |= {"brier": "Brier score", "auc": "AUC", "f1": "F1", "ece_uncalibrated": "ECE before the temperature"}
TITLES |= {"frechet": "Fréchet distance", "frechet_real": "Fréchet distance of real halves"}
TITLES["one_vs_rest_accuracy"] = "one-vs-rest accuracy"
MODELS = {
    "batmm": "BATMM",
    "fusion": "cross-attention",
    "gan": "image, GAN vector",
    "gan_alone": "GAN vector",
    "lightcurve_alone": "light curve alone",
    "linear": "linear head",
    "no_critic": "image, regressed vector",
    "no_noise": "image, GAN vector without noise",
    "permuted": "image, GAN vector of permuted images",
    "projection": "image, GAN vector (projection)",
    "real": "image, real vector",
    "concat_linear": "concatenated, linear",
    "concat_mlp": "concatenated, hidden layer",
    "random_forest": "random forest",
    "resnet": "ResNet",
    "resnet_se": "ResNet, SE",
    "retrieved": "image, retrieved vector",
    "retrieved_alone": "retrieved vector",
    "spectrum_head": "head of the spectrum",
    "svm": "SVM",
    "three_image": "three views, images",
    "three_simulated": "three views, vector asks spectra",
    "three_spectrum": "three views, spectra",
    "transformer_ca": "transformer, image, CA",
    "transformer_image": "transformer, image",
    "transformer_sem": "transformer, image, Sem",
    "transformer_spectrum": "transformer, spectrum",
    "two_image": "two views, images",
    "two_spectrum": "two views, spectra",
    "vgg1d": "VGG1D",
    "vgg1d_fusion": "VGG1D fusion",
    "vgg1d_sa": "VGG1D, SA",
    "wgan_gp": "image, WGAN-GP vector",
    "xgboost": "XGBoost",
}
AXES = {
    "r2": "R² (1 best)",
    "median_rank": "median rank (1 best)",
    "nmad": "NMAD (0 best)",
    "alignment": "alignment (distance²; 0 best)",
    "uniformity": "uniformity (lower: more even)",
    "modality_gap": "modality gap (0 to 2)",
    "effective_rank": "effective rank (dimensions)",
    "hubness": "hubness (skewness; 0: fair)",
    "recall": "share of the queries",
}
TASKS = {
    "retrieval": "Among held-out objects",
    "answers": "Median difference between who asks and the first answers",
    "probe_linear": "Linear probe",
    "probe_mlp": "Neural probe",
    "few_shot_centroid": "Nearest centroid",
    "few_shot_knn": "Nearest examples, weighted by distance",
    "few_shot_1nn": "Nearest example",
    "space": "Diagnostics",
    "clustering": "Agreement",
    "anomaly": "Oddities",
    "selection": "Objects that are judged",
    "paired": "Differences between models",
    "simulation": "Simulated beside real vectors",
    "leakage": "Leakage: what the head of the spectrum reads in simulated vectors",
    "shares": "Mean weights",
}
SPACES = {"features": "unaligned features", "supervised": "supervised reference"}
GUESSES = {
    "retrieval": "guessing",
    "classification": "the majority class",
    "regression": "the mean",
}
PROMISES = {
    "coverage": "coverage",
    "width": "width of intervals",
    "set_size": "classes in a set",
    "new_calibrating": "calibrating objects not trained on, share",
}
PROBES = {"probe_linear": "linear probe", "probe_mlp": "neural probe"}
BEFORE = {"features": " before alignment", "aligned, centred": ", centred"}


def title(metric: str) -> str:
    """A metric as the head of a column.

    Example:
        >>> title("r2"), title("balanced_accuracy"), title("ami_clustered")
        ('R²', 'balanced accuracy', 'AMI clustered')
        >>> title("coverage@0.9 of 0.1..0.3")
        'coverage (0.9 wanted) for 0.1 to 0.3'
        >>> title("balanced_accuracy@5"), title("accuracy@all")
        ('balanced accuracy, 5 examples', 'accuracy, all examples')
    """
    if found := re.fullmatch(r"(coverage|width|set_size|new_calibrating)@([\d.]+)(?: of (.+))?", metric):
        within = f" for {found[3].replace('..', ' to ')}" if found[3] else ""
        return f"{PROMISES[found[1]]} ({found[2]} wanted){within}"
    if found := re.fullmatch(r"difference@(\d+)", metric):
        return f"difference of the first {found[1]} answers"
    if found := re.fullmatch(r"((?:balanced_)?accuracy)@(\w+)", metric):
        return f"{title(found[1])}, {found[2]} example{'s' * (found[2] != '1')}"
    first, _, rest = metric.partition("_")
    if metric in TITLES or first not in TITLES:
        return TITLES.get(metric, metric.replace("_", " "))
    return f"{TITLES[first]} {rest.replace('_', ' ')}"


def axis_title(metric: str) -> str:
    """A metric as the title of an axis, with its unit or its best value.

    Example:
        >>> axis_title("hubness@10"), axis_title("recall@5"), axis_title("accuracy")
        ('hubness@10 (skewness; 0: fair)', 'recall@5 (share of the queries)', 'accuracy')
    """
    name, at, k = metric.partition("@")
    if name == "recall":
        return f"{metric} ({AXES['recall']})"
    return AXES[name].replace(name, name + at + k, 1) if name in AXES else title(metric)


def pair(query: str, target: str) -> str:
    """Who asks and who answers; one name where they are the same."""
    return query if query == target else f"{query} → {target}"


def method(one: Result) -> str:
    """How a property was predicted, and from what."""
    if one.space == "supervised":
        return "gradient boosting" if one.task in ("classification", "regression") else model_title(one.task)
    return PROBES.get(one.task, "k-NN") + BEFORE.get(one.space, "")


def model_title(task: str) -> str:
    """A classifier by its task, as it is called in print.

    Example:
        >>> model_title("batmm"), model_title("early_add"), model_title("xgboost")
        ('BATMM', 'early add', 'XGBoost')
    """
    return MODELS.get(task, task.replace("_", " "))


def property_title(wanted: str) -> str:
    """A property, or one class of it.

    Example:
        >>> property_title("class"), property_title("class:bhb")
        ('class', 'bhb against the rest (class)')
    """
    label, _, name = wanted.partition(":")
    return f"{name} against the rest ({label})" if name else wanted


def space_name(space: str) -> str:
    """A space as it stands in a table."""
    return SPACES.get(space, space)


def guess(one: Result) -> str:
    """What the chance of a result is that of."""
    kind = one.task
    if one.space == "supervised" and kind not in GUESSES:
        return "saying it at random" if ":" in one.property else "the majority class"
    kind = "classification" if kind.startswith("few_shot") else kind
    if kind.startswith("probe"):
        kind = "regression" if one.metric in ("r2", "nmad", "outlier_fraction") else "classification"
    return GUESSES.get(kind, "guessing")


def task_title(task: str, wanted: str) -> str:
    """Heading of the table of a task, and of a property."""
    name = TASKS.get(task, MODELS.get(task, task.replace("_", " ").capitalize()))
    wanted = "" if task in ("simulation", "leakage") else wanted  # of vectors, and of all classes together
    joint = " with" if task == "clustering" else " where" if task == "selection" else " of"
    return f"{name}{joint} {property_title(wanted)}" if wanted else name if task != "clustering" else "Silhouettes"
