"""What figures of an object share."""

from astroclip_kit.explorer.objects.plots import axis_title, plot


def test_units_are_short_and_titles_plain_where_there_is_none():
    assert axis_title("flux", "nmgy") == "flux [nmgy]" and axis_title("flux", "") == "flux"
    assert axis_title("flux", "1e-17 erg / (Angstrom s cm2)") == "flux [10⁻¹⁷ erg/s/cm²/Å]"


def test_the_first_tool_is_what_dragging_does():
    drawn = plot("mine", "xpan,wheel_zoom")
    assert drawn.toolbar.active_drag is drawn.tools[0] and drawn.toolbar.logo is None and drawn.name == "mine"
