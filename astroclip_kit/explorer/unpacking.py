"""Files that somebody hands to the page may be packed; what they unpack to is no larger than what they may be plain."""

from __future__ import annotations

import zlib
from io import BytesIO

from ..errors import FileError
from ..surveys.files.fits_files import UNPACK
from .transfer import LARGEST_FILE

__all__ = ["unpacked"]

OTHERS = {b"\xfd7zXZ": "xz", b"\x1f\x9d": "compress", b"\x28\xb5\x2f\xfd": "zstd"}


def unpacked(name: str, content: bytes) -> bytes:
    """The bytes of a file, without the packing by gzip or bzip2 that it may have.

    Args:
        name: What it is called in the error.
        content: Its bytes as they came.

    Raises:
        FileError: If it is damaged, unpacks to more than `LARGEST_FILE`, or is packed otherwise or twice.
    """
    if content[:2] in UNPACK:
        packing, unpack = UNPACK[content[:2]]
        try:
            with unpack(BytesIO(content)) as stream:
                content = stream.read(LARGEST_FILE + 1)
        except (EOFError, OSError, zlib.error) as error:
            raise FileError(name, f"truncated or damaged {packing} file ({error}). Download it again.") from error
        if len(content) > LARGEST_FILE:
            raise FileError(name, f"unpacks to more than {LARGEST_FILE >> 20} MB. Cut out what is asked about.")
    others = {**OTHERS, **{begin: packing for begin, (packing, _) in UNPACK.items()}}
    if packing := next((told for begin, told in others.items() if content.startswith(begin)), ""):
        raise FileError(name, f"is packed by {packing}: unpack it, or pack it once by gzip.")
    return content
