"""The hub that the explorer starts, and where SAMP comes from."""

import sys

import pytest

from astroclip_kit.errors import UsageError
from astroclip_kit.explorer.exchange import samp_hub
from astroclip_kit.explorer.exchange.samp_hub import joined, samp_library, start_hub


@pytest.fixture
def lock(tmp_path, monkeypatch):
    """Where a hub of this test says how it is reached; there is none yet."""
    monkeypatch.setenv("SAMP_HUB", f"std-lockurl:{(tmp_path / 'samp').as_uri()}")
    return tmp_path / "samp"


def test_a_hub_is_started_here_once_and_again_after_it_ended(lock):
    start_hub()
    own = samp_hub._own_hub()
    try:
        start_hub()
        assert samp_hub._own_hub() is own and "samp.hub.xmlrpc.url" in lock.read_text()
        assert own.params["samp.hub.xmlrpc.url"].startswith("http://127.0.0.1:")
        joined("me", "a test").disconnect()
    finally:
        own.stop()
    start_hub()
    samp_hub._own_hub().stop()
    assert not lock.exists()


def test_where_no_hub_can_be_started_it_is_said(monkeypatch, tmp_path):
    monkeypatch.setenv("SAMP_HUB", f"std-lockurl:{(tmp_path / 'no' / 'folder' / 'samp').as_uri()}")
    samp_hub._own_hub.cache_clear()
    with pytest.raises(UsageError, match="no SAMP hub could be started here"):
        start_hub()


def test_an_astropy_without_samp_leaves_it_to_pyvo(monkeypatch):
    pytest.importorskip("pyvo.samp")
    monkeypatch.setitem(sys.modules, "astropy.samp", None)
    monkeypatch.delattr("astropy.samp", raising=False)
    samp_library.cache_clear()
    try:
        assert samp_library().__name__ == "pyvo.samp" and not samp_library().conf.use_internet
    finally:
        samp_library.cache_clear()
