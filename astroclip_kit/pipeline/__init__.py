"""One function per verb: each reads folders, writes one folder and returns the object that stands for it.

The same functions are the command line and the notebook. An argument that names a folder also takes the
object that stands for it; a part (reader, encoder, head, augmentation) is an object, or in a configuration its
``class_path`` and ``init_args``. No science in here: only the order in which the rooms are used.
"""

from __future__ import annotations

from .classifying import classify
from .converting import convert
from .evaluating import evaluate
from .experiments import quickstart, run
from .exploring import explore
from .fetching import fetch
from .oddities import anomalies
from .predicting import predict
from .pretraining import pretrain
from .reporting import report
from .reproducing import reproduce
from .searching import index, search
from .space import align, embed, extract
from .steps import signature_of
from .structure import cluster, project
from .survey import info, ingest, simulate
from .taking_home import compare, export
from .weights import weights

__all__ = [
    "align",
    "anomalies",
    "classify",
    "cluster",
    "compare",
    "convert",
    "embed",
    "evaluate",
    "explore",
    "export",
    "extract",
    "fetch",
    "index",
    "info",
    "ingest",
    "predict",
    "pretrain",
    "project",
    "quickstart",
    "report",
    "reproduce",
    "run",
    "search",
    "signature_of",
    "simulate",
    "weights",
]

VERBS = (
    "quickstart",
    "simulate",
    "fetch",
    "ingest",
    "info",
    "weights",
    "convert",
    "pretrain",
    "extract",
    "align",
    "embed",
    "index",
    "search",
    "predict",
    "project",
    "cluster",
    "anomalies",
    "classify",
    "evaluate",
    "compare",
    "report",
    "reproduce",
    "explore",
    "export",
    "run",
)
