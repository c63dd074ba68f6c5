"""Header-data units by name, from FITS files that may be larger than memory."""

from __future__ import annotations

import mmap
import re
from io import BufferedReader, BytesIO
from pathlib import Path
from typing import BinaryIO

from .fits_files import BLOCK, Hdu, data_size, opened, read_header, truncated

__all__ = ["map_hdus", "release"]


def map_hdus(path: str | Path, names: str) -> dict[str, Hdu]:
    """Finds header-data units of a FITS file by name.

    Those of a plain file are mapped, so that only what is used of them is read; those of a packed file are unpacked
    into memory. The others are passed over.

    Args:
        path: The file.
        names: Regular expression that a whole EXTNAME, in capitals, has to fit.

    Returns:
        EXTNAME in capitals to its `Hdu`, in the order of the file; the first one is always there, as "PRIMARY".

    Raises:
        FileError: If the file is missing, empty, truncated or no FITS file.
    """
    path, wanted = Path(path), re.compile(names)
    found: dict[str, Hdu] = {}
    number = 0
    with opened(path) as stream:
        whole = _mapped(stream)
        while (header := read_header(path, stream, number)) is not None:
            name = str(header.get("EXTNAME", "")).upper() if number else "PRIMARY"
            keep = number == 0 or wanted.fullmatch(name) is not None
            start, size = stream.tell(), data_size(path, header)
            if whole is not None:
                data: bytes | memoryview = whole[start : start + size]
            else:
                data = stream.read(size) if keep else b""
            have = len(data) if keep or whole is not None else stream.seek(start + size) - start
            if have < size:
                raise truncated(path, number, size, have)
            stream.seek(start + size + -size % BLOCK)
            if keep:
                found[name] = Hdu(path, number, header, data)
            number += 1
    return found


def _mapped(stream: BinaryIO) -> memoryview | None:
    """All bytes, those of a plain file read where they are used; None where they have to be unpacked first."""
    if isinstance(stream, BytesIO):
        return stream.getbuffer()
    if not isinstance(stream, BufferedReader) or not stream.peek(1):
        return None
    return memoryview(mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ))


def release(hdu: Hdu) -> None:
    """Gives back the memory of what was read so far of a mapped file; it is read again where it is used again."""
    source = hdu.data.obj if isinstance(hdu.data, memoryview) else None
    if isinstance(source, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        source.madvise(mmap.MADV_DONTNEED)
