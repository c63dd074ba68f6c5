"""The verb that opens a space in the browser."""

from __future__ import annotations

import os
import sys

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
    one saves goes beside the embeddings, which stay as they are. To look from another machine, forward the port to it
    (ssh -L 5006:127.0.0.1:5006 HOST, with --port 5006) and open the printed address there.

    Args:
        embeddings: Embeddings folder.
        dataset: Dataset folder with the cutouts, spectra and light curves; that which was embedded by default.
        host: Address to listen on; with 0.0.0.0 other machines reach the page, too, who have its address.
        port: Port to listen on; a free one by default.
        browser: Whether to open the address; it is printed in any case.
        points: Objects in view up to which each is a point; more are a picture of their density.
    """
    if points < 1:
        raise UsageError(f"points is {points}, expected 1 or more: how many objects a browser is to draw each.")
    print(
        f"Opening {getattr(embeddings, 'root', embeddings)} ...", file=sys.stderr, flush=True
    )  # before what takes long
    from ..explorer.server import serve
    from ..explorer.space import Space

    server = serve(Space.open(embeddings, dataset, points), host, port, browser)
    print(f"{server.address}\nCtrl-C ends it.", flush=True)
    if os.environ.get("SSH_CONNECTION") and host == "127.0.0.1":
        print(f"From the machine that you sit at: {server.forwarding}, then open the address there.", file=sys.stderr)
    server.wait()
