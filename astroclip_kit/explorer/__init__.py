"""The explorer: a page in the browser that shows a space, its objects and what one selects.

`explore` serves it from this machine to this machine; `Space` is what is shown, `Session` what one page shows of it.
A panel is a function that takes the session and gives a Bokeh layout: it listens with ``session.on`` and changes with
``session.change``. Add yours to the list in `application`. It reads stores and datasets, and writes only what one
saves: columns and maps beside the store.
"""

from .._lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__, {"Session": ".session", "Space": ".space", "serve": ".server", "serve_once": ".server"}
)
