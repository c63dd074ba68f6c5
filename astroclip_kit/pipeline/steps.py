"""The verbs that a configuration may have as sections, in the order in which they run."""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any, get_type_hints

from .classifier_training import train_classifier
from .evaluating import evaluate
from .space import align, embed, extract
from .survey import ingest, simulate

__all__ = ["STEPS", "signature_of"]

STEPS: dict[str, Callable[..., Any]] = {
    "simulate": simulate,
    "ingest": ingest,
    "extract": extract,
    "align": align,
    "embed": embed,
    "evaluate": evaluate,
    "classify": train_classifier,
}


def signature_of(verb: Any) -> Any:
    """The function of a verb without its return annotation, which only a type checker can resolve cheaply.

    Args:
        verb: A function of this package.

    Returns:
        A callable whose parameters are annotated with built-in types and settings alone.
    """
    bare = FunctionType(verb.__code__, verb.__globals__, verb.__name__, verb.__defaults__)
    bare.__kwdefaults__, bare.__doc__ = verb.__kwdefaults__, verb.__doc__
    bare.__annotations__ = {name: hint for name, hint in verb.__annotations__.items() if name != "return"}
    bare.__annotations__ = get_type_hints(bare)
    return bare
