"""Pages without pictures, for tests that are about what else they hold: drawing takes most of the time of a page."""

import pytest

from astroclip_kit.report.figures import canvas

EMPTY = b'<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>\n'


@pytest.fixture(scope="module", autouse=True)
def empty_pictures():
    """Figures are made as ever, and left out where they would be drawn; tests/report draws each kind of them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(canvas, "encoded", lambda figure, kind, dpi=200: EMPTY)
        yield
