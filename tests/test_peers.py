"""What is absent is skipped, or fails where nothing may be skipped."""

import sys

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
