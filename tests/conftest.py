"""Fixtures that every test may use."""

import os
import sys
import threading
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # for loopback_server.py
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # as many workers as cores


def pytest_collection_modifyitems(items):
    """Slow tests train in miniature: what the kit says of data that are too few is no fault there."""
    for item in items:
        if item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.filterwarnings("ignore::UserWarning"))


def pytest_make_parametrize_id(val, argname):
    """Bytes are not part of a test's name: packed ones hold the time, and each worker would have other tests."""
    return argname if isinstance(val, bytes) else None


def pytest_sessionfinish(session):
    """Where the programs of others are required nothing may be skipped, but for want of the shared data."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or os.environ.get("ASTROCLIP_KIT_PEERS") != "required":
        return
    skipped = [
        one.nodeid for one in reporter.stats.get("skipped", []) if "shared_data" not in getattr(one, "keywords", ())
    ]
    if skipped and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        reporter.write_line(f"\nskipped, though ASTROCLIP_KIT_PEERS=required: {', '.join(skipped)}", red=True)


@pytest.fixture(scope="session", autouse=True)
def files_need_not_reach_the_disk():
    """Nobody waits until a file is on the disk, which would outlive a power cut, and that no test brings about."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", os.fstat)
        yield


@pytest.fixture(autouse=True)
def servers_end_with_their_test():
    """No server of the explorer, nor what it does before the first page, goes on beside the next test."""
    yield
    left = [one for one in threading.enumerate() if one.name in ("explorer", "explorer rehearsal")]
    for thread in left:
        thread.join(60)
    assert not any(thread.is_alive() for thread in left), "a server of the explorer was not closed"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real survey data beside the repository; tests that need it are skipped where it is absent."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the real survey data is not beside this repository (../shared/data)")
    return folder
