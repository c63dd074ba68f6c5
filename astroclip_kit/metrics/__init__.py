"""Numbers that judge a space or a prediction: pure functions on arrays, with guarded inputs.

Every function refuses arrays of unequal length, empty ones and NaN: what cannot be judged has to be left out
(and counted) by whoever calls, never silently here. Touch this room for a number of your own: write a function of
arrays, and give it to `bootstrap` for its interval.
"""

from .classes import accuracy, balanced_accuracy, class_scores, macro_f1, per_class
from .intervals import bootstrap, error_of_mean, share_interval, weighted_bootstrap, wilson
from .ranks import chance_median_rank, chance_recall, median_rank, recall_at_k
from .regression import nmad, outlier_fraction, r2
from .thresholds import Sweep, sweeps

__all__ = [
    "Sweep",
    "accuracy",
    "balanced_accuracy",
    "bootstrap",
    "chance_median_rank",
    "chance_recall",
    "class_scores",
    "error_of_mean",
    "macro_f1",
    "median_rank",
    "nmad",
    "outlier_fraction",
    "per_class",
    "r2",
    "recall_at_k",
    "share_interval",
    "sweeps",
    "weighted_bootstrap",
    "wilson",
]
