"""One function per verb: each reads folders, writes one folder and returns the object that stands for it.

The same functions are the command line and the notebook. An argument that names a folder also takes the
object that stands for it; a part (reader, encoder, head, augmentation) is an object, or in a configuration its
``class_path`` and ``init_args``. No science in here: only the order in which the rooms are used.
"""

from __future__ import annotations

from types import FunctionType
from typing import Any, get_type_hints

from .answers import evaluate, predict, search
from .experiments import quickstart, run
from .space import align, embed, extract
from .survey import info, ingest, simulate

__all__ = [
    "align",
    "embed",
    "evaluate",
    "extract",
    "info",
    "ingest",
    "predict",
    "quickstart",
    "run",
    "search",
    "simulate",
]

VERBS = (
    "quickstart",
    "simulate",
    "ingest",
    "info",
    "extract",
    "align",
    "embed",
    "search",
    "predict",
    "evaluate",
    "run",
)


def signature_of(verb: str) -> Any:
    """The function of a verb without its return annotation, which only a type checker can resolve cheaply.

    Args:
        verb: One of `VERBS`.

    Returns:
        A callable whose parameters are annotated with built-in types and settings alone.
    """
    function = globals()[verb]
    bare = FunctionType(function.__code__, function.__globals__, verb, function.__defaults__)
    bare.__kwdefaults__, bare.__doc__ = function.__kwdefaults__, function.__doc__
    bare.__annotations__ = {name: hint for name, hint in function.__annotations__.items() if name != "return"}
    bare.__annotations__ = get_type_hints(bare)
    return bare
