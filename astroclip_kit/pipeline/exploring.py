"""The verb that opens a space in the browser."""

from __future__ import annotations

from ..errors import UsageError
from .parts import Folder

__all__ = ["explore"]


def explore(
    embeddings: Folder = "embeddings",
    *,
    dataset: Folder = "",
    host: str = "127.0.0.1",
    port: int = 0,
    browser: bool = True,
    points: int = 10_000,
) -> None:
    """Shows a space in the browser: a map to click, neighbours, selections to take home; until Ctrl-C.

    The page is served from this machine to this machine, to who has the address, and loads nothing from elsewhere. What
    one saves goes beside the embeddings, which stay as they are.

    Args:
        embeddings: Embeddings folder.
        dataset: Dataset folder with the cutouts, spectra and light curves; that which was embedded by default.
        host: Address to listen on; with 0.0.0.0 other machines reach the page, too, who have its address.
        port: Port to listen on; a free one by default.
        browser: Whether to open the address; it is printed in any case.
        points: Objects in view up to which each is a point; more are a picture of their density.
    """
    from ..explorer.server import serve
    from ..explorer.space import Space

    if points < 1:
        raise UsageError(f"points is {points}, expected 1 or more: how many objects a browser is to draw each.")
    server = serve(Space.open(embeddings, dataset, points), host, port, browser)
    print(f"{server.address}\nCtrl-C ends it.", flush=True)
    server.wait()
