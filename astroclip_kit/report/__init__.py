"""What came out: figures, and one HTML page that holds everything and needs no network.

`figures` draws (every function returns a `Figure`), `evaluation_figures` draws what belongs to an evaluation,
`result_figures` what was measured, `write_report` puts results, figures, configuration and versions on a page. Touch
this room to show more; a figure of your own goes on the page by its caption:
``write_report(..., figures={"My figure": figure})``.
"""

from .._lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "cluster_figures": ".structure",
        "evaluation_figures": ".evaluation",
        "result_figures": ".measured",
        "results_table": ".tables",
        "write_report": ".page",
    },
)
