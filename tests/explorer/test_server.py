"""The server, asked as any program of this machine could ask it."""

import http.client
import socket
import threading
import time
import urllib.error
import urllib.request

import numpy as np
import pytest

from astroclip_kit.embeddings import EmbeddingStore
from astroclip_kit.errors import UsageError
from astroclip_kit.explorer.server import Server, serve, serve_once
from astroclip_kit.explorer.space import Space

UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
}


@pytest.fixture
def store(tmp_path):
    labels = {"z": np.linspace(0, 1, 10)}
    return EmbeddingStore.write(tmp_path / "ten", {"image": np.eye(10)}, [f"o{i}" for i in range(10)], labels=labels)


@pytest.fixture(autouse=True)
def rehearsed(monkeypatch):
    """Servers whose first page was rehearsed, which no test here waits for."""
    began = []
    monkeypatch.setattr("astroclip_kit.explorer.server.rehearse", lambda space, is_over: began.append((space, is_over)))
    monkeypatch.setattr("astroclip_kit.explorer.server.ENDED_AFTER", 600_000)  # on a busy machine pages take long
    return began


@pytest.fixture
def server(store):
    server = serve(Space(store), open_browser=False)
    yield server
    server.close()


def answer(server, path, headers=()):
    """Status, text and headers of the answer to a request."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=180)
    connection.request("GET", path, headers=dict(headers))
    got = connection.getresponse()
    body = "" if got.status == 101 else got.read().decode()
    connection.close()
    return got.status, body, got.headers


def token(server):
    return server.address.partition("?")[2]


def test_it_listens_on_this_machine_alone_and_every_server_has_a_token_of_its_own(store, server):
    other = Server(Space(store))
    assert server.address.startswith(f"http://127.0.0.1:{server.port}/?token=") and token(server) != token(other)
    assert len(token(server)) > 30 and server.port != other.port
    other.close()
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(other.address, timeout=180)


@pytest.mark.parametrize(
    "path", ["/", "/ws", "/metadata", "/autoload.js", "/favicon.ico", "/?token=", "/?token=%C3%A9"]
)
def test_who_has_no_token_gets_a_plain_sentence(server, path):
    status, text, _ = answer(server, path)
    assert status == 403 and text.startswith("This page opens with the whole address") and "<" not in text
    assert answer(server, path, UPGRADE)[0] == 403


def test_a_token_that_is_nearly_right_is_wrong(server):
    assert answer(server, f"/?{token(server)[:-1]}")[0] == 403
    assert answer(server, f"/?{token(server)}x")[0] == 403
    assert answer(server, f"/?{token(server)}")[0] == 200


def test_the_page_loads_from_this_server_alone(server, monkeypatch):
    for name, value in {"RESOURCES": "cdn", "MINIFIED": "false", "LOG_LEVEL": "trace", "CDN_VERSION": "3.0.0"}.items():
        monkeypatch.setenv(f"BOKEH_{name}", value)
    _, page, headers = answer(server, f"/?{token(server)}")
    assert 'src="/static/js/bokeh.min.js' in page and "cdn.bokeh.org" not in page
    assert "https:" not in page and page.count("http:") == page.count("http://www.w3.org/2000/svg")
    rules = headers["Content-Security-Policy"]
    assert rules.startswith("default-src 'self'") and rules.endswith(f"ws://127.0.0.1:{server.port}")
    assert headers["Referrer-Policy"] == "no-referrer" and headers["Cache-Control"] == "no-store"
    assert answer(server, "/static/js/bokeh.min.js")[0] == 200


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://127.0.0.1:{}", 101),
        ("http://127.0.0.1:1", 403),
        ("http://evil.example:{}", 403),
        ("http://localhost:{}", 403),  # another origin than that of the page that was asked for
        ("null", 403),
    ],
)
def test_only_a_page_of_this_server_opens_the_socket(server, monkeypatch, origin, status):
    monkeypatch.setenv("BOKEH_ALLOW_WS_ORIGIN", "evil.example:80,*")
    headers = {**UPGRADE, "Origin": origin.format(server.port), "Sec-WebSocket-Protocol": "bokeh, x"}
    assert answer(server, f"/ws?{token(server)}", headers)[0] == status


def test_a_name_that_points_here_is_no_name_of_this_server(server):
    host = f"rebound.example:{server.port}"
    headers = {**UPGRADE, "Host": host, "Origin": f"http://{host}", "Sec-WebSocket-Protocol": "bokeh, x"}
    assert answer(server, f"/ws?{token(server)}", headers)[0] == 403


@pytest.mark.parametrize("host", ["rebound.example:{}", "rebound.example", "localhost.example:80", "127.0.0.1.example"])
def test_with_the_token_another_name_is_told_which_one_opens(server, host):
    status, text, headers = answer(server, f"/?{token(server)}", {"Host": host.format(server.port)})
    assert status == 403 and headers["Content-Type"].startswith("text/plain")
    assert text == (
        "This page does not open under that name. Put 127.0.0.1 or [::1] or localhost in its place in the address.\n"
    )
    assert "token included" in answer(server, "/?token=x", {"Host": host.format(server.port)})[1]


@pytest.mark.parametrize(
    "host", ["localhost:9999", "localhost", "127.0.0.1:8080", "LOCALHOST:1", "[::1]:9999", "[::1]"]
)
def test_a_port_may_be_forwarded(server, host):
    status, _, headers = answer(server, f"/?{token(server)}", {"Host": host})
    assert status == 200 and headers["Content-Security-Policy"].endswith(f"ws://{host}")
    socket_of = {**UPGRADE, "Host": host, "Sec-WebSocket-Protocol": "bokeh, x"}
    assert answer(server, f"/ws?{token(server)}", {**socket_of, "Origin": f"http://{host.lower()}"})[0] == 101
    assert answer(server, f"/ws?{token(server)}", {**socket_of, "Origin": "http://localhost:1234"})[0] == 403


def test_pages_that_nobody_opens_are_few(server, monkeypatch):
    monkeypatch.setattr("astroclip_kit.explorer.server.MOST_UNUSED", 2)
    answers = [answer(server, f"/?{token(server)}") for _ in range(4)]
    assert [status for status, *_ in answers] == [200, 200, 503, 503] and len(server.sessions) == 2
    assert answers[-1][1].startswith("Too many pages were asked for at once. Wait a minute and load this one again")


def test_the_page_is_told_nothing_of_other_servers_cookies(server):
    _, page, _ = answer(server, f"/?{token(server)}", {"Cookie": "jupyter=secret"})
    [session] = server.sessions
    assert session.document.session_context.request.cookies == {} and "secret" not in page


def test_pages_share_the_space_and_have_a_session_each(server, rehearsed):
    [(space, is_over)] = rehearsed
    assert space is server.space and not is_over()
    for _ in range(3):
        assert answer(server, f"/?{token(server)}&where=has_image")[0] == 200
    assert len(server.sessions) == 3 and {id(one.space) for one in server.sessions} == {id(server.space)}


def test_a_page_that_ended_frees_what_it_held(store, monkeypatch):
    monkeypatch.setattr("astroclip_kit.explorer.server.ENDED_AFTER", 1)
    monkeypatch.setattr("astroclip_kit.explorer.server.LOOKED_AFTER", 20)
    server = Server(Space(store))
    answer(server, f"/?{token(server)}")
    for _ in range(500):
        if not server.sessions:
            break
        server._thread.join(0.02)
    assert server.sessions == []
    server.close()


def test_a_page_that_cannot_be_made_says_why(store, server, monkeypatch, caplog):
    (store.root / "catalog.parquet").unlink()
    status, page, _ = answer(server, f"/?{token(server)}")
    assert status == 500 and "catalog.parquet is damaged" in page and "Embed again." in page
    assert "Traceback" not in caplog.text and not server.sessions
    monkeypatch.setattr("astroclip_kit.explorer.server.fill", lambda *given: {}["<b>"])
    status, page, _ = answer(server, f"/?{token(server)}")
    assert status == 500 and "The page could not be made (KeyError(&#x27;&lt;b&gt;&#x27;))." in page
    assert "Traceback" in caplog.text


def test_a_server_that_was_closed_leaves_no_thread_and_ends_its_rehearsal(store, monkeypatch):
    begun, before = threading.Event(), set(threading.enumerate())

    def rehearse(space, is_over):
        begun.set()
        while not is_over():
            time.sleep(0.001)

    monkeypatch.setattr("astroclip_kit.explorer.server.rehearse", rehearse)
    server = Server(Space(store))
    answer(server, f"/?{token(server)}")
    assert begun.wait(60)
    threads = set(threading.enumerate()) - before
    assert {"explorer", "explorer rehearsal"} <= {one.name for one in threads}
    server.close()
    assert not any(thread.is_alive() for thread in threads)


def test_a_server_that_is_closed_waits_for_what_its_pages_have_begun(store):
    server, begun, done = Server(Space(store)), threading.Event(), threading.Event()
    answer(server, f"/?{token(server)}")
    [session] = server.sessions

    def job():
        begun.set()
        time.sleep(0.5)
        done.set()

    session.work(job, lambda _: None, lane="long")
    assert begun.wait(60)
    server.close()
    assert done.is_set() and not any(one.name == "explorer long" for one in threading.enumerate())


def test_what_takes_longer_than_some_seconds_is_not_waited_for(store, monkeypatch):
    monkeypatch.setattr("astroclip_kit.explorer.server.LONGEST_END", 0.2)
    server, begun, held = Server(Space(store)), threading.Event(), threading.Event()
    answer(server, f"/?{token(server)}")
    server.sessions[0].work(lambda: begun.set() or held.wait(60), lambda _: None, lane="longer")
    assert begun.wait(60)
    server.close()
    [worker] = [one for one in threading.enumerate() if one.name == "explorer longer"]
    held.set()
    worker.join(60)
    assert not worker.is_alive()


def test_ctrl_c_closes_the_server(store, server, monkeypatch, capsys):
    def interrupted(timeout):
        monkeypatch.undo()
        raise KeyboardInterrupt

    monkeypatch.setattr(server._thread, "join", interrupted)
    server.wait()
    assert not server.is_open and capsys.readouterr().out == "\n"


def test_a_port_in_use_and_a_host_of_another_machine_are_said(store, server):
    with pytest.raises(UsageError, match=rf"port {server.port} of 127.0.0.1 cannot be had .* Give another"):
        serve(Space(store), port=server.port)
    with pytest.raises(UsageError, match=r"host '192\.0\.2\.7' is no address of this machine"):
        serve(Space(store), host="192.0.2.7")
    with pytest.raises(UsageError, match="host 'no such host' is no address of this machine"):
        serve(Space(store), host="no such host", port=7)
    with pytest.raises(UsageError, match="port is 70000, expected 1 to 65535"):
        serve(Space(store), port=70000)


def test_all_addresses_are_listened_on_only_when_that_is_said(store):
    server = Server(Space(store), host="0.0.0.0")
    assert f"//{socket.gethostname()}:" in server.address
    headers = {**UPGRADE, "Host": "a.name:1", "Origin": "http://a.name:1", "Sec-WebSocket-Protocol": "bokeh, x"}
    assert answer(server, f"/ws?{token(server)}", headers)[0] == 101
    server.close()


def test_the_browser_is_opened_where_that_is_asked_for(store, monkeypatch):
    opened = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    server = serve(Space(store))
    assert opened == [server.address]
    server.close()
    server.close()  # again does nothing
    assert not server.is_open and repr(server).startswith("Served ")


def test_a_notebook_on_another_machine_is_told_how_its_page_is_reached(store, monkeypatch):
    server = store.explore()
    monkeypatch.delenv("JUPYTERHUB_SERVICE_PREFIX", raising=False)
    command = f"ssh -L {server.port}:127.0.0.1:{server.port} {socket.gethostname()}"
    assert f"<code>{command}</code>, and show this again" in server._repr_html_()
    monkeypatch.setenv("JUPYTERHUB_SERVICE_PREFIX", "/user/me/")
    assert f"copy {store.root} to your machine" in server._repr_html_() and command not in server._repr_html_()
    server.close()


def test_a_notebook_has_one_server_for_a_store(store, tmp_path):
    server = store.explore()
    assert EmbeddingStore(store.root).explore() is server is serve_once(store, port=server.port)
    assert f'<iframe src="{server.address}"' in server._repr_html_()
    EmbeddingStore(store.root).save_column("later", np.arange(10))
    assert "later" in store.explore().space.columns
    EmbeddingStore.write(store.root, {"image": np.eye(10)[::-1]}, [f"o{i}" for i in range(10)])
    changed = EmbeddingStore(store.root).explore()
    assert changed is not server and not server.is_open and "iframe" not in server._repr_html_()
    changed.close()
    again = EmbeddingStore(store.root).explore()
    assert again is not changed and again.is_open
    again.close()
