"""The sections of a report: what belongs together, tables first, then figures; without results there is no section."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from ..types import Result
from .classes import classes_html, is_classifier
from .groups import clusters_html
from .modalities import subsets_html
from .tables import results_html

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["sections"]

SECTIONS: dict[str, tuple[str, ...]] = {
    "Training": ("training",),
    "Which objects are judged": ("selection",),
    "Classes": ("classifiers", "attention"),
    "What each modality tells": ("modalities",),
    "Paired differences": ("paired",),
    "Simulated vectors": ("simulation", "leakage"),
    "What encoders look at": ("shares",),
    "Retrieval": ("retrieval", "answers"),
    "Properties": ("regression", "classification"),
    "Classes from few examples": ("few_shot_centroid", "few_shot_knn", "few_shot_1nn"),
    "Probes beside nearest neighbours": ("probe_linear", "probe_mlp"),
    "Coverage of intervals": ("coverage",),
    "The space itself": ("space",),
    "Clusters": ("clustering",),
    "Oddities": ("anomaly",),
}
ABOUT = {
    "Simulated vectors": "Cosine with the real vector of the object, and the same of vectors exchanged inside the "
    "class, which is what they tell of the class alone; distance of the distributions, beside that of two halves of "
    "the real ones. The class mean is the mean real vector of the true class of each object, which no image tells for "
    "sure: as near as one comes who knows the class and nothing else. Leakage: where the spectrum's own head reads the "
    "class as well in vectors of training objects, out of fold, as in those of held-out ones, nothing leaks.",
    "What each modality tells": "One classifier, shown some of the modalities of an object alone: what it is then "
    "worth on the same held-out objects, and which classes need what.",
    "Classes": "Models trained on the class, by what each sees, judged on objects that none of them has seen.",
    "Probes beside nearest neighbours": "A linear model and a small neural network on frozen vectors, chosen and "
    "fitted on the objects of the memory alone.",
    "Classes from few examples": "Held-out objects get the class of the nearest mean direction, or of the nearest "
    "examples, of as many labelled examples of each class as the column says, drawn by object: mean over the draws ± "
    "standard deviation between them, above the interval of the mean over other draws and other held-out objects. "
    "mean: the mean of what an object has; vote: what most of its modalities say.",
    "Coverage of intervals": "How often conformal intervals, or sets of classes, hold what is true of held-out "
    "objects, overall and by true value; and how wide they are.",
    "The space itself": "Alignment: mean squared distance of the two views of an object. Uniformity: how evenly "
    "vectors fill the sphere. Modality gap: distance between the means of two modalities. Hubness: whether a few "
    "objects answer everybody.",
    "Clusters": "Groups were found without labels.",
    "Oddities": "How well objects that are known to be odd, or mislabelled, are found.",
}
LAYOUTS = {"Classes": classes_html, "What each modality tells": subsets_html}
AGREEMENT = " AMI and ARI are 0 for groups by chance, 1 for the classes themselves."
SHOWN = "The objects that belong least, first the least ordinary, each with its score and the reason."
FURTHER = "Further"  # what belongs to no section
WIDE = 5.0  # inches, from which a figure takes a whole line


def sections(
    results: Sequence[Result], figures: Mapping[str, Figure], clusters: Sequence[Mapping[str, Any]] = ()
) -> dict[str, str]:
    """Heading to HTML of every section that has something to show.

    Args:
        results: What was measured.
        figures: Caption to figure; its attribute ``task`` says where it belongs.
        clusters: Summaries of clusters.
    """
    found: dict[str, str] = {}
    apart = "".join(clusters_html(one) for one in clusters)
    known = {task for tasks in SECTIONS.values() for task in tasks}
    for head, tasks in {**SECTIONS, FURTHER: ()}.items():
        own = [
            one
            for one in results
            if one.task in tasks
            or (is_classifier(one) and head == "Classes")
            or (head == FURTHER and one.task not in known and not is_classifier(one))
        ]
        drawn = {
            caption: figure
            for caption, figure in figures.items()
            if (task := getattr(figure, "task", "")) in tasks or (head == FURTHER and task not in known)
        }
        more = apart if head == "Clusters" else ""
        if own or drawn or more:
            told = SHOWN if head == "Oddities" and not own else ABOUT.get(head, "")
            told += AGREEMENT if head == "Clusters" and any(one.property for one in own) else ""
            about = f"<p class='about'>{escape(told)}</p>\n" if told else ""
            lay = LAYOUTS.get(head, results_html)
            found[head] = about + lay(own, results) + more + _figures(drawn)
    return found


def _figures(figures: Mapping[str, Figure]) -> str:
    drawn = "\n".join(_figure(caption, figure) for caption, figure in figures.items())
    return f"\n<div class='figures'>\n{drawn}\n</div>" if drawn else ""


def _figure(caption: str, figure: Figure) -> str:
    from .figures.canvas import picture

    ending, image = picture(figure)
    kind = {"svg": "svg+xml"}.get(ending, ending)
    source = f"data:image/{kind};base64,{base64.b64encode(image).decode()}"
    text = escape(caption, quote=True)
    width = figure.get_size_inches()[0]
    shape = " class='wide'" if width > WIDE else ""
    return f"<figure{shape}><img src='{source}' alt='{text}'><figcaption>{text}</figcaption></figure>"
