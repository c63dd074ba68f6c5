"""Figures: every function takes arrays or kit objects and returns a matplotlib `Figure`, made without pyplot.

Save one with ``figure.savefig("name.pdf")``; in a notebook it shows itself. Colours are told apart with any colour
vision (Okabe & Ito; cividis). A figure of your own is any function that returns a `Figure`.
"""

from ..._lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "confusion_matrix": ".predictions",
        "draw_view": ".views",
        "loss_curves": ".training",
        "predicted_against_true": ".predictions",
        "search_panel": ".panels",
    },
)
