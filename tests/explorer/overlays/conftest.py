"""Overlays on a small sky."""

import pytest
from small_sky import small_session

from astroclip_kit.explorer.overlays.panel import Overlays


@pytest.fixture
def session(tmp_path):
    return small_session(tmp_path / "space")


@pytest.fixture
def overlays(session):
    return Overlays(session, lambda short: None)
