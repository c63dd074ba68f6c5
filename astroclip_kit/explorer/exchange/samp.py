"""The line of a page to TOPCAT, Aladin, DS9 and others: tables and cutouts go out, rows come and go.

Source: SAMP 1.3 and its message types, https://wiki.ivoa.net/twiki/bin/view/IVOA/SampMTypes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import numpy as np
import numpy.typing as npt

from ...embeddings.export import MOST_TEXT, write_export
from ...errors import UsageError
from ...surveys.files.coordinates import in_range
from ..session import Session
from ..texts import cut
from .cutout_files import write_cutout
from .samp_hub import GONE, hub_errors, joined, leave
from .samp_rows import place_of, places_of
from .samp_tables import ENDINGS, fetched
from .saving import selection_table

__all__ = ["ALL", "MOST_ROWS", "SampLink"]

ALL = ""  # in place of the id of a program
MOST_ROWS = 100_000  # numbers in one message, each of which is a text of its own
TABLES, IMAGES = "table.load.votable", "image.load.fits"
NOBODY = "no program is there that takes it. Open TOPCAT, Aladin or DS9, and send it again."
DS9_IS_EMPTY = f"DS9 reads tables of up to {MOST_TEXT:,} rows, and shows this one empty."


class SampLink:
    """One page among the programs of a hub.

    Args:
        session: The page.
        changed: Called in the page's turn when programs come or go, or the hub ends.
    """

    def __init__(self, session: Session, changed: Callable[[], None] = lambda: None) -> None:
        self._session, self._changed = session, changed
        self._client: Any = None
        self._folder: TemporaryDirectory[str] | None = None
        self._tables: dict[str, npt.NDArray[np.int64]] = {}  # rows of the store, by table-id
        self._hearing = False
        session.on("focus", call=self._tell_focus)
        session.on("selection", call=self._tell_selection)
        session.on("closed", call=self.disconnect)

    @property
    def is_connected(self) -> bool:
        """Whether there is a hub."""
        return self._client is not None

    def connect(self) -> None:
        """Registers with the hub of this machine.

        Raises:
            UsageError: If there is none.
        """
        if self._client is not None:
            return
        name = self._session.space.store.root.resolve().name
        client = joined(f"astroclip-kit: {name}", "A page of the explorer of an embedding space.")
        self._folder = TemporaryDirectory(prefix="astroclip-kit-samp-")
        heard: dict[str, Callable[[dict[str, Any]], None]] = {
            "table.select.rowList": self._select,
            "table.highlight.row": self._highlight,
            "samp.hub.event.register": self._others,
            "samp.hub.event.unregister": self._others,
            "samp.hub.event.metadata": self._others,
            "samp.hub.event.shutdown": self._ended,
            "samp.hub.disconnect": self._ended,
            **dict.fromkeys(ENDINGS, self._others),
        }
        self._client = client
        with hub_errors(GONE):
            for mtype, take in heard.items():
                client.bind_receive_message(mtype, self._receiver(take))
        self._changed()
        self._session.say("Connected to SAMP.")

    def disconnect(self) -> None:
        """Leaves the hub; the files that were sent are deleted."""
        client, self._client = self._client, None
        folder, self._folder = self._folder, None
        if folder is not None:
            folder.cleanup()
        self._tables.clear()
        if client is not None:
            leave(client)

    def programs(self) -> dict[str, str]:
        """Id and name of every other program that takes tables or images.

        Raises:
            UsageError: If the hub is gone.
        """
        if self._client is None:
            return {}
        with hub_errors(GONE):
            ids = dict.fromkeys(one for kind in (TABLES, IMAGES) for one in self._client.get_subscribed_clients(kind))
            return {str(one): str(self._client.get_metadata(one).get("samp.name", one)) for one in ids}

    def send_selection(self, to: str = ALL) -> None:
        """Sends what is selected as a table; its rows are then the same here and there.

        Args:
            to: Id of a program; all that take tables by default.

        Raises:
            UsageError: If nothing is selected, or there is no hub.
        """
        session, selection = self._session, self._session.selection
        if selection is None:
            raise UsageError("nothing is selected to send. Draw around objects of the map with the lasso first.")
        table_id, name = f"astroclip-kit-{uuid4()}", session.space.store.root.resolve().name
        path = self._file(f"{table_id}.vot")
        own = list(session.own_columns.values())

        def job() -> None:
            write_export(selection_table(session.space, selection, own), path)

        def then(nothing: None) -> None:
            rows = np.flatnonzero(selection)
            self._tables[table_id] = rows
            about = {"url": path.as_uri(), "table-id": table_id, "name": f"{name} ({len(rows):,} objects)"}
            said = f"{len(rows):,} objects were sent to {self._named(to)}."
            is_text = len(rows) <= MOST_TEXT or not self._sees_text_alone(to)
            self._give(TABLES, about, to, said if is_text else f"{said} {DS9_IS_EMPTY}")

        session.work(job, then, f"writing {int(selection.sum()):,} objects", lane="samp")

    def send_cutout(self, modality: str, to: str = ALL) -> None:
        """Sends the image of the object that is looked at as a FITS file.

        Raises:
            UsageError: If no object is looked at, it has no such image, or there is no hub.
        """
        row, path = self._session.focus, self._file(f"cutout-{uuid4()}.fits")
        if row < 0:
            raise UsageError("no object is looked at. Click one in the map or in a list first.")
        name = write_cutout(self._session.space, row, modality, path)
        about = {"url": path.as_uri(), "image-id": path.stem, "name": name}
        self._give(IMAGES, about, to, f"The {modality} of {name} was sent to {self._named(to)}.")

    def _file(self, name: str) -> Path:
        if self._folder is None:
            raise UsageError("there is no connection to SAMP. Connect first.")
        return Path(self._folder.name) / name

    def _named(self, to: str) -> str:
        return self.programs().get(to, to) if to else "all programs that take it"

    def _sees_text_alone(self, to: str) -> bool:
        """Whether DS9 is meant, which reads no table of binary rows."""
        return any("ds9" in name.lower() for one, name in self.programs().items() if to in (ALL, one))

    def _send(self, mtype: str, about: Mapping[str, str | list[str]]) -> None:
        """Tells all programs that listen to such."""
        message = {"samp.mtype": mtype, "samp.params": dict(about)}
        if self._client is not None:
            with hub_errors(GONE):
                if self._client.get_subscribed_clients(mtype):  # else the hub complains
                    self._client.notify_all(message)

    def _give(self, mtype: str, about: Mapping[str, str], to: str, said: str) -> None:
        """Sends a file, and says who has it, or why not, as they answer."""
        client, session, names = self._client, self._session, self.programs()
        failed: list[str] = []

        def told(sender: str, answer: Mapping[str, Any]) -> None:
            name = names.get(sender, sender)
            if answer.get("samp.status") != "samp.ok":
                reason = str(answer.get("samp.error", {}).get("samp.errortxt", "")) or "it does not say why"
                failed.append(f"{name} could not take what was sent ({cut(reason, 200)}).")
                session.say(" ".join(failed), "error")
            elif not failed:
                session.say(f"{said} {name} has it.")

        def answered(key: str, sender: str, tag: str, answer: Mapping[str, Any]) -> None:
            session.later(partial(told, sender, answer))

        message, tag = {"samp.mtype": mtype, "samp.params": dict(about)}, uuid4().hex
        if client is not None:
            with hub_errors(GONE):
                if not client.get_subscribed_clients(mtype):
                    session.say(NOBODY, "error")
                    return
                session.say(said)
                client.bind_receive_response(tag, answered)
                client.call(to, tag, message) if to else client.call_all(tag, message)

    def _tell_focus(self) -> None:
        """Highlights the row there, and points at its place."""
        row = self._session.focus
        if self._client is None or self._hearing or row < 0:
            return
        for table_id, rows in self._tables.items():
            place = int(np.searchsorted(rows, row))
            if place < len(rows) and rows[place] == row:
                self._send("table.highlight.row", {"table-id": table_id, "row": str(place)})
        known = self._session.space.store.catalog.at([row], ["ra", "dec"])
        ra, dec = (float(known[name][0]) for name in ("ra", "dec"))
        if in_range(ra, dec):
            self._send("coord.pointAt.sky", {"ra": str(ra), "dec": str(dec)})

    def _tell_selection(self) -> None:
        """Selects the rows of tables that were sent."""
        selection = self._session.selection
        if self._client is None or self._hearing:
            return
        for table_id, rows in self._tables.items():
            places = np.flatnonzero(selection[rows]) if selection is not None else np.empty(0, np.int64)
            if len(places) > MOST_ROWS:
                self._session.say(f"Other programs are told of up to {MOST_ROWS:,} rows. Send the selection instead.")
            else:
                named = [str(one) for one in places.tolist()]
                self._send("table.select.rowList", {"table-id": table_id, "row-list": named})

    def _receiver(self, take: Callable[[dict[str, Any]], None]) -> Callable[..., None]:
        """Takes a message in the page's turn, and answers it where an answer is waited for."""

        def receive(key: str, sender: str, message: str | None, mtype: str, about: dict[str, Any], more: Any) -> None:
            client = self._client
            if client is None or sender == client.get_public_id():
                return
            answer: dict[str, Any] = {"samp.status": "samp.ok", "samp.result": {}}
            try:  # a table is read before the answer, after which its sender may end
                call = (
                    partial(self._session.arrive, *fetched(mtype, about)) if mtype in ENDINGS else partial(take, about)
                )
            except Exception as error:  # whatever it is, the sender waits for an answer
                call = partial(self._session.failed, error)
                answer = {"samp.status": "samp.error", "samp.error": {"samp.errortxt": str(error)}}
            try:
                self._session.later(call)
            finally:
                if message is not None:
                    client.reply(message, answer)

        return receive

    def _rows(self, about: dict[str, Any]) -> npt.NDArray[np.int64]:
        """Rows of the store of the table that a message is about; none of tables of others."""
        named = str(about.get("table-id", "")) or Path(urlsplit(str(about.get("url", ""))).path).stem
        return self._tables.get(named, np.empty(0, np.int64))

    def _select(self, about: dict[str, Any]) -> None:
        rows, selection = self._rows(about), np.zeros(len(self._session.space), dtype=bool)
        selection[rows[places_of(about.get("row-list", []), len(rows))]] = True
        if len(rows):
            self._hear(lambda: self._session.select(selection))

    def _highlight(self, about: dict[str, Any]) -> None:
        rows, place = self._rows(about), place_of(about.get("row", -1))
        if 0 <= place < len(rows):
            self._hear(lambda: self._session.look_at(int(rows[place])))

    def _hear(self, call: Callable[[], None]) -> None:
        """Does what another program asked for, without telling it back."""
        self._hearing = True
        try:
            call()
        finally:
            self._hearing = False

    def _others(self, about: dict[str, Any]) -> None:
        self._changed()

    def _ended(self, about: dict[str, Any]) -> None:
        client, self._client = self._client, None
        Thread(target=leave, args=(client,), daemon=True).start()  # the hub waits until it is no longer listened to
        self.disconnect()
        self._changed()
        self._session.say("The SAMP hub has ended. Connect again when another one is running.")
