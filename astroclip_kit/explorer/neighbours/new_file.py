"""A file that somebody hands to the page, checked and placed in the space: nothing in it is run or believed."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from math import prod
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ...embeddings import EmbeddingStore
from ...embeddings.queries import Asked, ask_files
from ...embeddings.query import Query
from ...errors import FileError, InputError, KitError, UsageError
from ...surveys.files.fits_files import BLOCK, CARD, damaged_header, data_size, read_header, truncated
from ...surveys.recognition import survey_of
from ..texts import printable
from ..transfer import LARGEST_FILE
from ..unpacking import unpacked

__all__ = ["NewFile", "model_is_known", "read_new_file"]

CARDS = 200  # of a header that are shown
NAME = 80  # letters of a file's name that are kept
STAMPS_READER = "ImageCubes"
STAMPS: dict[str, Any] = {  # of plain images: the planes are the bands of the model, which take the place of this one
    "class_path": f"astroclip_kit.surveys.{STAMPS_READER}",
    "init_args": {"bands": ["plane"]},
}
OWN_WORDS = {  # of messages, as patterns, and what the page has in place of an argument
    "with `query`": "under The file holds",
    "or say how with `reader`": "or choose under The file holds what it is",
    "; or say the unit with `reader`[^.]*": "",
    r"Start from \S+\.yaml, or in Python give the reader \w+": "Choose under The file holds what it is",
}


@dataclass(frozen=True, eq=False)
class NewFile:
    """A new observation in the space.

    Args:
        name: What the file is called.
        kind: What it was recognised as.
        asked: Its unit vector, and the rows of the same object, if any.
        cards: Its first header, as text.
        count: Observations in the file, of which the first asks.
    """

    name: str
    kind: str
    asked: Asked
    cards: tuple[str, ...]
    count: int = 1


def model_is_known(store: EmbeddingStore) -> bool:
    """Whether the model that made a store still lies where it lay."""
    place = store.manifest.get("model_folder", "")
    return bool(place) and Path(os.path.normpath(store.root.resolve() / place)).is_dir()


def read_new_file(store: EmbeddingStore, name: str, content: bytes, *, holds: str = "", model: str = "") -> NewFile:
    """Places the observation of a FITS file in a space; the file is on the disk only meanwhile.

    Args:
        store: The space.
        name: What the file is called.
        content: Its bytes, plain or packed by gzip or bzip2.
        holds: Modality that it holds; by default the one that it looks like.
        model: Folder of the model that made the space; by default the one that the store names.

    Raises:
        InputError: If the file is no whole FITS file, is too large unpacked, or is not what the model was trained on.
        UsageError: If it is not known which model made the space.
    """
    if not model and not model_is_known(store):
        raise UsageError("It is not known which model made this space: give its folder in the field Model folder.")
    name = Path(name.replace("\\", "/")).name
    plain = _checked(name, content, store.names)
    with TemporaryDirectory(prefix="astroclip-kit-") as folder:
        path = Path(folder) / f"{re.sub(r'[^A-Za-z0-9_+-]', '_', name.split('.')[0])[:NAME] or 'new'}.fits"
        path.write_bytes(plain)
        try:
            survey = survey_of(path)
            reader = STAMPS if holds and survey and survey.reader == STAMPS_READER else ""
            asked = ask_files(store, Query(file=str(path), model=model, reader=reader), holds)
        except Exception as error:  # a file of a stranger can fail in any way; here it is one sentence
            told = _of_page(str(error).replace(str(path), name))
            raise InputError(told if isinstance(error, KitError) else f"{name}: cannot be used ({told}).") from error
    first = replace(asked, vectors=asked.vectors[:1], labels=asked.labels[:1], rows=asked.rows[:1])
    kind = survey.name if survey else "a file of no survey that the kit knows"
    return NewFile(name, kind, first, _cards(plain), len(asked.labels))


def _of_page(text: str) -> str:
    """A sentence for who writes Python or a configuration, as one of what the page has."""
    for words, own in OWN_WORDS.items():
        text = re.sub(words, own, text)
    return text


def _checked(name: str, content: bytes, kinds: Sequence[str]) -> bytes:
    """The file itself, where it was packed.

    Raises:
        InputError: If it is no whole FITS file, or would be far larger in memory, as tiles that are packed can be.
    """
    path, number = Path(name), 0
    try:
        content = unpacked(name, content)
        stream = BytesIO(content)
        while header := read_header(path, stream, number):
            size, start = data_size(path, header), stream.tell()
            if start + size > len(content):
                raise truncated(path, number, size, len(content) - start)
            sides = [header.get(f"ZNAXIS{axis}") for axis in range(1, 10)]
            with damaged_header(path):
                large = prod(side for side in sides if isinstance(side, int)) * abs(int(header.get("ZBITPIX", 8))) // 8
            if large > LARGEST_FILE:
                raise InputError(f"{name}: unpacks to more than {LARGEST_FILE >> 20} MB. Cut out what is asked about.")
            stream.seek(start + size + -size % BLOCK)
            number += 1
    except FileError as error:
        told = f" A query is one FITS file, of {' or '.join(kinds)}." if "not a FITS file" in error.problem else ""
        raise InputError(f"{error}{told}") from error
    return content


def _cards(content: bytes) -> tuple[str, ...]:
    """The cards of the first header as they stand there, up to its end."""
    cards = []
    for start in range(0, CARD * CARDS, CARD):
        card = content[start : start + CARD].decode("ascii", "replace").rstrip()
        if card == "END":
            break
        cards.append(printable(card))
    return tuple(card for card in cards if card)
