"""What a reader talks to other programs with."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from bokeh.models import Button, Column, Div, Select

from ..session import Session
from ..stylesheet import line
from .samp import ALL, SampLink
from .samp_hub import start_hub

__all__ = ["SampControls"]

OFF = "TOPCAT, Aladin, DS9 and others take what is selected over SAMP. Open one of them, then connect."
ON = "Connected. What is selected or looked at here is shown there, and the other way, in tables that were sent."
NOBODY = "Connected, but no other program is there. Open TOPCAT, Aladin or DS9: it will be listed here."
ALL_NAMED = "all programs"


class SampControls:
    """Connects, lists the other programs and sends.

    Args:
        session: The page.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._link = SampLink(session, self._show)
        self._about = Div(name="samp-about")
        self._connect = self._button("Connect to SAMP", "samp-connect", self._link.connect)
        self._start = self._button("Start a hub here", "samp-start", self._start_hub)
        self._leave = self._button("Disconnect", "samp-disconnect", self._disconnect)
        self._to = Select(title="Send to", name="samp-to", width=170)
        self._table = self._button("Send selection", "samp-send", lambda: self._link.send_selection(self._to.value))
        self._image = Select(title="Image", name="samp-image", width=110, options=_images(session))
        self._image.value = next(iter(self._image.options), "")
        self._cutout = self._button("Send cutout", "samp-cutout", self._send_cutout)
        self._sending = line(self._to, self._table)
        self._showing = line(self._image, self._cutout)
        buttons = line(self._connect, self._start, self._leave)
        self.layout = Column(self._about, self._sending, self._showing, buttons, sizing_mode="stretch_width")
        session.on("selection", "focus", call=self.update)
        self._show()

    def _button(self, label: str, name: str, call: Callable[[], None]) -> Button:
        button = Button(label=label, name=name)
        button.on_click(partial(self._session.guarded, call))
        return button

    def _start_hub(self) -> None:
        start_hub()
        self._link.connect()

    def _disconnect(self) -> None:
        self._link.disconnect()
        self._show()

    def _send_cutout(self) -> None:
        self._link.send_cutout(self._image.value, self._to.value)

    def _show(self) -> None:
        """Shows who is there."""
        connected = self._link.is_connected
        programs = self._link.programs()
        self._about.text = OFF if not connected else ON if programs else NOBODY
        self._to.options = [(ALL, ALL_NAMED), *programs.items()]
        if self._to.value not in programs:
            self._to.value = ALL
        self._connect.visible = self._start.visible = not connected
        self._leave.visible = connected
        self._sending.visible = connected
        self.update()

    def update(self) -> None:
        """Shows what can be sent."""
        self._table.disabled = self._session.selection is None
        self._cutout.disabled = not self._session.state.focus
        self._showing.visible = self._link.is_connected and bool(self._image.options)


def _images(session: Session) -> list[str]:
    known = session.space.dataset.modalities if session.space.dataset is not None else {}
    return [name for name, modality in known.items() if modality.kind == "image"]
