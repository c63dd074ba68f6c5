"""How the page looks: one screen of a desk, one column on a phone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bokeh.models import InlineStyleSheet, Row

if TYPE_CHECKING:
    from bokeh.models import UIElement

__all__ = ["BODY", "CHIPS", "CLOSED", "HEAD", "MAP", "MESSAGE", "NOTE", "PAGE", "ROOT", "SIDE", "TITLE", "WIDGET"]
__all__ += ["line"]

NARROW = "@media (max-width: 800px)"
ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Crect width='16' height='16'"
    " rx='3' fill='%230072B2'/%3E%3Ccircle cx='6' cy='9' r='3' fill='%23fff'/%3E%3Ccircle cx='11' cy='5' r='1.6'"
    " fill='%23E69F00'/%3E%3C/svg%3E"
)

PAGE = f"""
{{% block postamble %}}
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="{ICON}">
<style>
:root {{ color-scheme: light; --bokeh-base-font: system-ui, sans-serif; --bokeh-font-size: 14px; }}
{NARROW} {{ html {{ scroll-padding-top: 76px; }} }}
body {{ font: 14px/1.4 system-ui, sans-serif; color: #1a1a1a; background: #fff; }}
</style>
{{% endblock %}}
"""

WRAPPED = ":host { flex-flow: row wrap; gap: 6px 8px; align-items: flex-end; }"

WIDGET = """
:host { --primary: #00588c; --primary-border: #00486f; --primary-hover: #004a76; --primary-hover-border: #003a5c;
  --primary-active: #003a5c; --primary-active-border: #002c45; --primary-disabled: #4d6b7e; }
"""

# A tab that is closed takes no room, but has a width, for which its figures are drawn.
CLOSED = '[style*="visibility: hidden"] { position: absolute !important; width: calc(36% - 24px); min-width: 336px; }'

ROOT = f"""
:host {{ position: relative; overflow: clip; display: flex; flex-direction: column; gap: 6px; width: auto;
  height: 100vh; box-sizing: border-box; padding: 8px 12px; }}
{NARROW} {{ :host {{ height: auto; min-height: 100vh; }} }}
"""

HEAD = f"""
:host {{ display: flex; flex-flow: row wrap; gap: 4px 16px; align-items: center; flex: none; }}
{NARROW} {{ :host {{ gap: 4px; }} }}
"""

BODY = f"""
:host {{ display: grid; grid-template: "map side" minmax(0, 1fr) "map chips" auto / minmax(0, 1fr) minmax(340px, 36%);
  gap: 0 12px; flex: 1 1 0; min-height: 0; }}
{NARROW} {{ :host {{ grid-template: "map" auto "chips" auto "side" auto / minmax(0, 1fr); flex: none; }} }}
"""

CHIPS = ":host { grid-area: chips; min-width: 0; max-height: 25vh; overflow-y: auto; }"  # no place of the map's

MAP = f"""
:host {{ grid-area: map; min-width: 0; min-height: 0; width: auto; height: auto; }}
{NARROW} {{ :host {{ height: 75vh; }} }}
"""

SIDE = f"""
{CLOSED}
:host(.bk-above) {{ grid-area: side; position: static; min-width: 0; min-height: 0; width: auto; height: auto;
  overflow-y: auto; scroll-padding-top: 44px; align-content: start;
  grid-template: "header" max-content "stack" max-content / minmax(0, 1fr); }}
.bk-header {{ position: sticky; top: 0; z-index: 5; background: #fff; }}
:host(.bk-above) .bk-headers-wrapper {{ flex-wrap: wrap; }}
.bk-tab {{ padding: 6px; font-size: 13px; }}
.bk-tab.bk-active {{ color: #005a8e; font-weight: 600; border-color: #0072B2; }}
.bk-tab:focus-visible {{ outline: 2px solid #0072B2; outline-offset: -3px; }}
{NARROW} {{ :host(.bk-above) {{ overflow: visible; }} }}
"""

TITLE = f"""
:host {{ flex: 0 1 auto; min-width: 0; max-width: 45%; }}
h1 {{ font-size: 17px; line-height: 1.3; margin: 0; overflow-wrap: anywhere; }}
span {{ color: #444; margin-right: 10px; }}
.mock {{ color: #1a1a1a; background: #fff4d6; border-left: 4px solid #E69F00; padding: 1px 6px; }}
{NARROW} {{ :host {{ flex: 1 1 100%; max-width: none; }} }}
"""

LINE = """
p { margin: 0; padding: 4px 8px; max-height: 4.2em; overflow: hidden auto; overflow-wrap: anywhere;
  border-left: 4px solid #0072B2; background: #eef5fa; }
p.error { border-left-color: #D55E00; background: #fdf0e8; }
"""

MESSAGE = f"""
:host {{ flex: 1 1 240px; min-width: 0; }}{LINE}
p {{ max-height: 48px; box-sizing: border-box; padding: 1px 8px; font-size: 13px; line-height: 15px; }}
{NARROW} {{ :host {{ flex: 1 1 100%; }} p {{ max-height: 8em; }} }}
"""
NOTE = f":host {{ flex: none; min-width: 0; }}{LINE}"


def line(*parts: UIElement, **settings: Any) -> Row:
    """Widgets beside each other, which go on in the next line where there is no room."""
    return Row(*parts, stylesheets=[InlineStyleSheet(css=WRAPPED)], **settings)
