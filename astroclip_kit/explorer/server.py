"""Serves the explorer from this machine: a page for each window that opens the address, none without its token."""

from __future__ import annotations

import asyncio
import hmac
import html
import os
import secrets
import socket
import threading
import time
import webbrowser
from concurrent.futures import Future
from pathlib import Path
from typing import Any
from weakref import WeakSet, WeakValueDictionary

from bokeh.core.validation import silence
from bokeh.core.validation.warnings import EMPTY_LAYOUT, MISSING_RENDERERS
from bokeh.document import Document
from bokeh.resources import Resources
from bokeh.server.server import BaseServer
from bokeh.server.tornado import BokehTornado
from bokeh.server.views.static_handler import StaticHandler
from bokeh.server.views.ws import WSHandler
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPServerRequest
from tornado.ioloop import IOLoop

from ..embeddings import EmbeddingStore
from .answers import Page, Refused
from .application import fill
from .listening import ANYWHERE, HERE, bound
from .rehearsal import rehearse
from .session import Session
from .space import Space
from .transfer import LARGEST_FILE

__all__ = ["Server", "serve", "serve_once"]

LARGEST_MESSAGE = LARGEST_FILE + (56 << 20)  # bytes, of what one page sends at once
ENDED_AFTER, LOOKED_AFTER = 15_000, 5_000  # ms: when a closed page is forgotten, and how often that is looked at
LONGEST_END = 5  # s that the end of a server waits for what its pages have begun
MOST_UNUSED = 32  # pages that were asked for and are not, or no longer, open: each holds some MB until it is forgotten
_RUNNING: WeakValueDictionary[tuple[Path, str], Server] = WeakValueDictionary()  # of `serve_once`, while they serve

for warning in (EMPTY_LAYOUT, MISSING_RENDERERS):
    silence(warning)  # panels fill them when there is something to show


class _Socket(WSHandler):  # type: ignore[misc]
    """The line between a page and its session, over which only a page of this server may speak."""

    application: _Site

    def check_origin(self, origin: str) -> bool:
        return bool(origin.partition("://")[2].lower() == self.request.host.lower())

    async def _handle(self, message: Any) -> Any:
        """Handles a message; where that fails unexpectedly, the page goes on and says so."""
        work = await super()._handle(message)
        if work is None or work.msgtype != "ERROR" or self.connection is None:
            return work
        live, page = self.connection.session, self.application.sessions.get(self.connection.session.document)
        if page is not None:
            await live.with_document_locked(page.failed, RuntimeError(work.content["text"]))
        return self.connection.ok(message)


class _Site(BokehTornado):  # type: ignore[misc]
    """What is served: the page and its socket to who has the token, and the scripts of the installed Bokeh.

    Args:
        space: What is explored.
        token: The secret of the address.
        hosts: Names that the page may be reached by, at any port, as a port may be forwarded; any where there is none.
    """

    def __init__(self, space: Space, token: str, hosts: set[str]) -> None:
        self.token, self.hosts = token.encode(), hosts
        self.sessions: dict[Document, Session] = {}
        self.begun: WeakSet[Session] = WeakSet()  # also of closed pages, which still end what they had begun

        def page(document: Document) -> None:
            self.sessions[document] = session = fill(document, space)
            self.begun.add(session)
            document.on_session_destroyed(lambda context: self.sessions.pop(document).close())

        super().__init__(
            page,
            websocket_max_message_size_bytes=LARGEST_MESSAGE,
            unused_session_lifetime_milliseconds=ENDED_AFTER,
            check_unused_sessions_milliseconds=LOOKED_AFTER,
            include_headers=[],  # of those of other servers of this machine, such as Jupyter, the page needs none
            include_cookies=[],
            sign_sessions=False,
            secret_key=None,
            ico_path="none",  # the page brings its own
        )

    def resources(self, absolute_url: str | bool | None = None) -> Resources:
        """The scripts of the installed package, whatever the environment says."""
        own = Resources(
            mode="server", root_url="/", minified=True, log_level="warn", path_versioner=StaticHandler.append_version
        )
        own.version = None  # that of BOKEH_CDN_VERSION is of scripts from elsewhere
        return own

    def find_handler(self, request: HTTPServerRequest, **options: Any) -> Any:
        """Who answers a request."""
        if request.path.startswith("/static/"):
            return super().find_handler(request, **options)
        if refused := self._refusal(request):
            return self.get_handler_delegate(request, Refused, dict(zip(("status", "told"), refused, strict=True)))
        about = {"application_context": self.applications["/"], "bokeh_websocket_path": "/ws"}
        if request.path == "/ws":
            return self.get_handler_delegate(request, _Socket, {**about, "compression_level": None, "mem_level": None})
        return self.get_handler_delegate(request, Page, about)

    def _refusal(self, request: HTTPServerRequest) -> tuple[int, str] | None:
        """Status and sentence for a request that is not answered otherwise."""
        given = request.query_arguments.get("token", [b""])[0]
        if not hmac.compare_digest(given, self.token):
            return 403, "This page opens with the whole address that `astroclip-kit explore` printed, token included."
        if self.hosts and request.host_name.lower() not in self.hosts:  # a name that somebody else may point here
            names = " or ".join(sorted(self.hosts))
            return 403, f"This page does not open under that name. Put {names} in its place in the address."
        unused = sum(not one.connection_count for one in self.applications["/"].sessions)
        if request.path != "/ws" and unused >= MOST_UNUSED:
            return 503, "Too many pages were asked for at once. Wait a minute and load this one again."
        return None


class Server:
    """A server in a thread of this process, until it is closed.

    Args:
        space: What is explored.
        host: Address to listen on; with another than the loopback, other machines reach it who have the token.
        port: Port, a free one by default.

    Raises:
        UsageError: If the port is taken or the host is none of this machine's.
    """

    def __init__(self, space: Space, host: str = "127.0.0.1", port: int = 0) -> None:
        sockets = bound(host, port)
        self.space, self.port = space, int(sockets[0].getsockname()[1])
        name = socket.gethostname() if host in ANYWHERE else f"[{host}]" if ":" in host else host
        token = secrets.token_urlsafe(24)
        self.address = f"http://{name}:{self.port}/?token={token}"
        names = () if host in ANYWHERE else (name, *HERE)
        self._site = _Site(space, token, {one.lower() for one in names})
        started: Future[IOLoop] = Future()
        self._thread = threading.Thread(target=self._run, args=(sockets, started), name="explorer", daemon=True)
        self._thread.start()
        self._loop = started.result()
        self._is_closed = threading.Event()
        self._rehearsal = threading.Thread(
            target=rehearse, args=(space, self._is_closed.is_set), name="explorer rehearsal", daemon=True
        )
        self._rehearsal.start()

    def _run(self, sockets: list[socket.socket], started: Future[IOLoop]) -> None:
        asyncio.set_event_loop(asyncio.new_event_loop())
        loop = IOLoop.current()
        http = HTTPServer(self._site)
        http.add_sockets(sockets)
        server = BaseServer(loop, self._site, http)
        server.start()
        loop.add_callback(started.set_result, loop)
        loop.start()
        server.stop()
        for session in list(self._site.sessions.values()):
            session.close()
        loop.run_sync(http.close_all_connections)
        loop.close()

    @property
    def is_open(self) -> bool:
        """Whether it still serves."""
        return self._thread.is_alive()

    @property
    def sessions(self) -> list[Session]:
        """Sessions of the pages that are open."""
        return list(self._site.sessions.values())

    def wait(self) -> None:
        """Serves until it is closed or interrupted."""
        try:
            while self.is_open:
                self._thread.join(0.5)
        except KeyboardInterrupt:
            print()  # after the ^C of the terminal
        finally:
            self.close()

    def close(self) -> None:
        """Stops; pages that are open stay as they are and answer no more.

        What was begun goes on to its end, which is waited for: a process that ends under a thread of it within numba or
        torch hangs or aborts. What a page began that takes longer than some seconds, such as UMAP, is not waited for.
        """
        self._is_closed.set()
        if self.is_open:
            self._loop.add_callback(self._loop.stop)
            self._thread.join(10)
        self._rehearsal.join(30)  # it ends with the step that it is at, in which numba may compile
        until = time.monotonic() + LONGEST_END
        for session in list(self._site.begun):
            session.join(until)

    def __repr__(self) -> str:
        return f"{'Serves' if self.is_open else 'Served'} {self.space.store.root} at {self.address}"

    def _repr_html_(self) -> str:
        if not self.is_open:
            return f"<p>{html.escape(repr(self))}</p>"
        address = html.escape(self.address)
        return (
            f'<iframe src="{address}" title="Explorer" style="width: 100%; height: 760px; border: 0"></iframe>'
            f'<p><a href="{address}" target="_blank">Open it in a window of its own</a>. {self._elsewhere()}</p>'
        )

    @property
    def forwarding(self) -> str:
        """The command by which another machine reaches a page that only this one does."""
        return f"ssh -L {self.port}:127.0.0.1:{self.port} {socket.gethostname()}"

    def _elsewhere(self) -> str:
        """What to do where the notebook's browser is on another machine than its kernel."""
        if os.environ.get("JUPYTERHUB_SERVICE_PREFIX"):
            folder = html.escape(str(self.space.store.root))
            return (
                "The address of a JupyterHub does not lead to this page. Where you can log in by ssh, forward port "
                f"{self.port} to your machine and show this again; else copy {folder} to your machine and run "
                "<code>astroclip-kit explore</code> there."
            )
        return (
            "If nothing is shown, the notebook runs on another machine: type there where the browser is "
            f"<code>{html.escape(self.forwarding)}</code>, and show this again."
        )


def serve(space: Space, host: str = "127.0.0.1", port: int = 0, open_browser: bool = True) -> Server:
    """Starts a server and opens its address in the browser.

    Args:
        space: What is explored.
        host: Address to listen on.
        port: Port, a free one by default.
        open_browser: Whether to open the address.

    Raises:
        UsageError: If the port is taken or the host is none of this machine's.
    """
    server = Server(space, host, port)
    if open_browser:
        webbrowser.open(server.address)
    return server


def serve_once(embeddings: EmbeddingStore, dataset: str | os.PathLike[str] = "", port: int = 0) -> Server:
    """The server in this process that shows a store: the one that does already, or a new one.

    As the last line of a notebook's cell it shows itself as the page; ``close()`` ends it. The page comes from the
    machine of the kernel: where the browser is on another one, forward the port to that, ``ssh -L PORT:127.0.0.1:PORT
    HOST``, and show the page again. The address of a JupyterHub does not lead to it.

    Args:
        embeddings: The store.
        dataset: Dataset to show objects of; that which was embedded by default.
        port: Port, a free one by default. Of a kernel on another machine it is to be forwarded to the browser's.

    Raises:
        KitError: Where a folder cannot be opened, or the port is taken.
    """
    key = (embeddings.root.resolve(), str(dataset and Path(dataset).resolve()))
    running = _RUNNING.get(key)
    if running is not None and running.is_open:
        is_same = running.space.store.manifest == embeddings.manifest
        if is_same and port in (0, running.port):
            running.space.refresh()  # a column may have been saved since
            return running
        running.close()
    _RUNNING[key] = server = Server(Space.open(embeddings, dataset), port=port)
    return server
