"""What is absent is skipped, or fails where nothing may be skipped."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from _pytest.outcomes import Failed, Skipped
from peers import library, program


@pytest.mark.parametrize(("wanted", "outcome"), [("", Skipped), ("required", Failed)])
def test_what_is_absent_is_skipped_unless_it_is_required(monkeypatch, wanted, outcome):
    monkeypatch.setenv("ASTROCLIP_KIT_PEERS", wanted)
    monkeypatch.setitem(sys.modules, "selenium", None)
    monkeypatch.delitem(sys.modules, "browser", raising=False)
    with pytest.raises(outcome, match="selenium is not installed"):
        library("selenium", "browser")
    with pytest.raises(outcome, match="no-such-program is not installed"):
        program("no-such-program")
    assert library("json") is sys.modules["json"]


SKIPS = """
import pytest

@pytest.mark.shared_data
def test_of_data():
    pytest.skip("no shared data")

@pytest.mark.skipif({wanted}, reason="no such peer")
def test_of_a_peer():
    assert True
"""


@pytest.mark.parametrize(("wanted", "peers", "status"), [(True, "", 0), (True, "required", 1), (False, "required", 0)])
def test_a_session_that_skips_fails_where_peers_are_required(tmp_path, wanted, peers, status):
    (tmp_path / "conftest.py").write_text((Path(__file__).parent / "conftest.py").read_text())
    (tmp_path / "test_two.py").write_text(SKIPS.format(wanted=wanted))
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = shared_data: reads shared data")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:cov"]
    ran = subprocess.run(
        command, cwd=tmp_path, env={**os.environ, "ASTROCLIP_KIT_PEERS": peers}, capture_output=True, text=True
    )
    assert ran.returncode == status, ran.stdout
    assert ("ASTROCLIP_KIT_PEERS=required: test_two.py::test_of_a_peer\n" in ran.stdout) == (status == 1)
