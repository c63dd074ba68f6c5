"""Files between the page and the server, over the line that they have anyway: no upload address, no file in between."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from bokeh.events import DocumentReady
from bokeh.models import Button, ColumnDataSource, CustomJS

from ..errors import UsageError
from .session import Session

__all__ = ["LARGEST_FILE", "downloads", "upload_button"]

LARGEST_FILE = 200 << 20  # bytes

SAVE = """
for (const [name, bytes] of Object.entries(source.data)) {
  const link = document.createElement("a")
  link.href = URL.createObjectURL(new Blob([bytes]))
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 60000)
}
"""

CHOOSE = "document.getElementById(id).click()"

RECEIVE = """
const input = document.createElement("input")
Object.assign(input, {type: "file", id, accept, hidden: true, tabIndex: -1})
input.setAttribute("aria-label", label)
input.take = async (file) => {
  if (file.size > largest)
    source.tags = [file.name, file.size, Date.now()]
  else
    source.data = {[file.name]: new Uint8Array(await file.arrayBuffer())}
}
input.is_open = () => Bokeh.index.find_one(button)?.el.checkVisibility({visibilityProperty: true})
input.onchange = async () => { for (const file of input.files) await input.take(file); input.value = "" }
document.body.append(input)
if (!window.takes_drops) {
  window.takes_drops = true
  window.addEventListener("dragover", (event) => event.preventDefault())
  window.addEventListener("drop", async (event) => {
    event.preventDefault()
    const inputs = [...document.querySelectorAll("body > input[type=file]")]
    for (const file of event.dataTransfer.files) {
      const fits = inputs.filter((one) => one.accept.split(",").some((end) => file.name.toLowerCase().endsWith(end)))
      const takes = fits.find((one) => one.is_open()) ?? fits[0] ?? inputs[0]
      await takes.take(file)
    }
  })
}
"""


def downloads(session: Session) -> ColumnDataSource:
    """What the page must hold so that `Session.offer` saves a file in the browser."""
    source = ColumnDataSource(name="downloads")
    source.js_on_change("data", CustomJS(args={"source": source}, code=SAVE))

    def offered() -> None:
        name, content = session.offered
        source.data = {name: np.frombuffer(content, np.uint8)}
        source.data = {}  # frees it, and lets the same file be saved again

    session.on("offered", call=offered)
    return source


def upload_button(
    session: Session,
    label: str,
    take: Callable[[str, bytes], None],
    accept: str = ".fits,.fits.gz",
    largest: int = LARGEST_FILE,
    **settings: Any,
) -> Button:
    """A button that asks for a file of the reader's machine; files may also be dropped anywhere on the page.

    A drop goes to the button that is to be seen and takes such a file, else to the first that takes it. The page has
    an ``<input type=file>`` whose id is that of the button.

    Args:
        session: The page.
        label: What the button says.
        take: Called with the name and the content of the file.
        accept: Endings of names, small letters with a comma between.
        largest: Bytes; larger files are refused before they are read.
        settings: Of the button, such as its name.
    """
    button = Button(label=label, **settings)
    source = ColumnDataSource(name=f"{button.id}-file")
    about = {"source": source, "button": button, "id": button.name or button.id, "label": label}

    def check(name: str, size: float) -> None:
        if size > largest:
            raise UsageError(
                f"{name} has {size / 1e6:,.4g} MB, expected up to {largest / 1e6:,.4g} MB. Cut out what is asked about."
            )

    def given(name: str, content: Any) -> None:
        check(name, len(content))
        take(name, np.asarray(content, np.uint8).tobytes())

    def refused(attribute: str, old: Any, new: list[Any]) -> None:
        session.guarded(lambda: check(str(new[0]), float(new[1])))

    def arrived(attribute: str, old: Any, new: dict[str, Any]) -> None:
        for name, content in new.items():
            source.data = {}  # the same file can be given again
            session.guarded(partial(given, name, content))

    source.on_change("tags", refused)
    source.on_change("data", arrived)
    button.js_on_click(CustomJS(args=about, code=CHOOSE))
    if session.document is not None:
        receive = CustomJS(args={**about, "accept": accept, "largest": largest}, code=RECEIVE)
        session.document.js_on_event(DocumentReady, receive)
    return button
