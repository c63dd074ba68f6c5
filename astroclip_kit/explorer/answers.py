"""What a request over HTTP is answered: the page, or a sentence on why there is none."""

from __future__ import annotations

import html
from typing import Any

from bokeh.server.views.doc_handler import DocHandler
from tornado.web import RequestHandler

from ..errors import KitError

__all__ = ["Page", "Refused"]

LOCAL_ONLY = "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; connect-src 'self' ws://{host}"


class Refused(RequestHandler):
    """Answers who gets no page with a sentence."""

    def initialize(self, status: int, told: str) -> None:
        """Takes the status and the sentence."""
        self.status, self.told = status, told

    def prepare(self) -> None:
        """Answers whatever is asked."""
        self.set_status(self.status)
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(f"{self.told}\n")


class Page(DocHandler):  # type: ignore[misc]
    """The page, which the browser lets fetch nothing from elsewhere and keeps nowhere."""

    def set_default_headers(self) -> None:
        """Says what the browser may do with the page."""
        self.set_header("Content-Security-Policy", LOCAL_ONLY.format(host=self.request.host))
        self.set_header("Referrer-Policy", "no-referrer")
        self.set_header("Cache-Control", "no-store")

    def write_error(self, status_code: int, **about: Any) -> None:
        """Says why there is no page, such as a file of the store that is gone."""
        _, error, _ = about.get("exc_info", (None, None, None))
        text = str(error) if isinstance(error, KitError) else f"The page could not be made ({error!r})."
        self.finish(f"<!DOCTYPE html><title>astroclip-kit</title><p>{html.escape(text)}</p>")

    def log_exception(self, kind: Any, error: Any, trace: Any) -> None:
        """Logs what the kit did not foresee; the rest the page says."""
        if not isinstance(error, KitError):
            super().log_exception(kind, error, trace)
