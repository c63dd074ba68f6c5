"""Tables that take their data from other files or addresses are refused before anything there is opened."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from ...errors import FileError

__all__ = ["check_contained", "opened_hdf5"]

BLOCK = 1 << 20  # bytes
ELSEWHERE = "refers to data in another file, which is not read: save it with the data inside."
HDF5 = b"\x89HDF\r\n\x1a\n"
XML = (b"<", b"\xff\xfe", b"\xfe\xff")  # beginnings: of bytes or of UTF-16
SPACE = b" \t\r\n\0"
TELLING = (b"href", b"<!ENTITY", b"\0")  # a reference holds one of these, however it is written


def check_contained(path: str | Path, stream: BinaryIO) -> None:
    """Refuses a VOTable or an HDF5 file whose data lie elsewhere; other formats of tables have no such references.

    Args:
        path: What it is called in the error.
        stream: Its unpacked bytes, from the beginning; it is where it was afterwards.

    Raises:
        FileError: If it refers to another file.
    """
    begin = stream.read(100).removeprefix(b"\xef\xbb\xbf").lstrip(SPACE)
    stream.seek(0)
    if begin.startswith(HDF5):
        import h5py

        with h5py.File(stream) as file:
            _check_hdf5(path, file)
    elif not begin or begin.startswith(XML):
        _check_votable(path, stream)
    stream.seek(0)


def _check_votable(path: str | Path, stream: BinaryIO) -> None:
    from astropy.utils.xml.iterparser import get_xml_iterator

    if not any(one in block for block in _blocks(stream) for one in TELLING):
        return
    stream.seek(0)
    try:
        with get_xml_iterator(stream) as elements:
            is_elsewhere = any(
                begins and tag == "STREAM" and "href" in attributes for begins, tag, attributes, _ in elements
            )
    except (ValueError, UnicodeDecodeError):  # as who reads the table will say
        return
    if is_elsewhere:
        raise FileError(path, ELSEWHERE)


def _blocks(stream: BinaryIO) -> Iterator[bytes]:
    """All bytes, with the end of each block again at the beginning of the next."""
    end = b""
    while block := stream.read(BLOCK):
        yield end + block
        end = block[-len(max(TELLING, key=len)) :]


@contextmanager
def opened_hdf5(path: str | Path) -> Iterator[Any]:
    """An HDF5 file that holds all its data.

    Raises:
        FileError: If it refers to another file.
    """
    import h5py

    with h5py.File(path) as file:
        _check_hdf5(path, file)
        yield file


def _check_hdf5(path: str | Path, file: Any) -> None:
    """Refuses links to other files, and arrays that are stored in other files or put together from such."""
    import h5py

    def linked(name: str, link: Any) -> bool | None:
        return isinstance(link, h5py.ExternalLink) or None

    def stored(name: str, one: Any) -> bool | None:
        if not isinstance(one, h5py.Dataset):
            return None
        parts = one.virtual_sources() if one.is_virtual else ()
        return bool(one.external) or any(part.file_name != "." for part in parts) or None

    if file.visititems_links(linked) or file.visititems(stored):
        raise FileError(path, ELSEWHERE)
