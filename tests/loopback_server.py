"""A web server on this machine that answers as it is told, and remembers what it was asked."""

import json
import os
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

os.environ["NO_PROXY"] = "127.0.0.1"


@dataclass
class Answer:
    """What the server sends; `length` is what it announces, `cut` after how many bytes it hangs up."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    length: int | None = None
    cut: int | None = None
    delay: float = 0.0
    drip: float = 0.0  # seconds between two bytes
    etag: str = ""  # makes it a file of which parts can be asked for


@dataclass
class Asked:
    """One request."""

    method: str
    address: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.address).path

    @property
    def query(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(urlsplit(self.address).query, True).items()}

    @property
    def json(self):
        return json.loads(self.body)


class Loopback:
    """Serves `respond(asked) -> Answer`, after the faults that were ordered for an address."""

    def __init__(self, respond: Callable[[Asked], Answer]) -> None:
        self.respond = respond
        self.asked: list[Asked] = []
        self.faults: dict[str, list[Answer]] = {}
        self.open = self.most_open = 0
        self.lock = threading.Lock()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.server.handle_error = lambda *_: None  # who asked was killed
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def fail(self, text: str, *answers: Answer) -> None:
        """The next requests whose address contains the text get these answers."""
        self.faults[text] = list(answers)

    def count(self, text: str = "") -> int:
        """How many requests there were for addresses that match."""
        return sum(bool(re.search(text, one.address)) for one in self.asked)

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def answer(self, asked: Asked) -> Answer:
        with self.lock:
            self.asked.append(asked)
            faults = next((some for text, some in self.faults.items() if some and text in asked.address), None)
            if faults:
                return faults.pop(0)
        return self.respond(asked)

    def _handler(self):
        loopback = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self):
                super().setup()
                with loopback.lock:
                    loopback.open += 1
                    loopback.most_open = max(loopback.most_open, loopback.open)

            def finish(self):
                with loopback.lock:
                    loopback.open -= 1
                super().finish()

            def do_GET(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                answer = loopback.answer(Asked(self.command, self.path, dict(self.headers), body))
                time.sleep(answer.delay)
                send(self, answer)

            do_POST = do_GET

            def log_message(self, *_):
                pass

        return Handler


def send(handler: BaseHTTPRequestHandler, answer: Answer) -> None:
    status, body, headers = answer.status, answer.body, dict(answer.headers)
    if answer.etag:
        headers |= {"ETag": answer.etag, "Accept-Ranges": "bytes"}
        start = re.fullmatch(r"bytes=(\d+)-", handler.headers.get("Range", ""))
        if start and handler.headers.get("If-Range", answer.etag) == answer.etag:
            first = int(start[1])
            headers["Content-Range"] = f"bytes {first}-{len(body) - 1}/{len(body)}"
            status, body = (206, body[first:]) if first < len(body) else (416, b"")
    try:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body) if answer.length is None else answer.length))
        handler.end_headers()
        for start in range(len(body)) if answer.drip else ():
            handler.wfile.write(body[start : start + 1])
            time.sleep(answer.drip)
        handler.wfile.write(b"" if answer.drip else body[: answer.cut])
        handler.wfile.flush()
    except (BrokenPipeError, ConnectionResetError):  # whoever asked has gone
        handler.close_connection = True
    if answer.cut is not None or (answer.length or 0) > len(body):
        handler.close_connection = True
