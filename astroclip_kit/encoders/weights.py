"""Weights that others have published for the encoders of the kit: what they are, where they are, and under which terms.

Every entry says only what its publisher, or this package's own sources, say: what nobody states is "not stated", NaN or
empty here. Sources: the README files of georgestein/ssl-legacysurvey, pmelchior/spender (its ``hubconf.py`` has the
addresses) and PolymathicAI/AstroCLIP, the pages of AstroMLCore at huggingface.co, and torchvision. Sizes and checksums
of specformer and astrodino are those that a public reproduction of their embeddings downloads and compares; the licence
of astrom3-clip-photo is stated by those who republished it (light-curve/astrom3).
"""

from __future__ import annotations

import json
import math
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from ..errors import FileError, UsageError

__all__ = ["WEIGHTS", "Origin", "Weights", "check_file", "check_whole", "weights_called"]

PICKLE = b"\x80\x02"  # files of torch.save before version 1.6
SAFETENSORS_LENGTH = 8  # bytes that say how long the header is
SIZES = 0.05  # relative: sizes are stated in round numbers, and in 2^20 bytes as well as in 10^6


@dataclass(frozen=True)
class Origin:
    """Where a file is.

    Args:
        url: Its address, or the page of the collection where it has to be fetched by hand.
        sha256: Its checksum, or as many of its first digits as are known; "" where nothing is.
        size_mb: Its size in 10^6 bytes; NaN where nobody states it.
        file: Its name here; "" for that of the address.
        by_hand: What a person has to do there; "" where the file can be downloaded.
    """

    url: str
    sha256: str = ""
    size_mb: float = math.nan
    file: str = ""
    by_hand: str = ""


@dataclass(frozen=True)
class Weights:
    """Published weights.

    Args:
        name: What the kit calls them.
        encodes: What the network was trained on.
        origin: Where they are.
        licence: Terms of the weights, as stated.
        cite: Publications to cite.
        encoder: Class of `astroclip_kit.encoders` that reads the file; "" where none does yet.
        arguments: What the encoder has to be told beside the file.
        converts: What `astroclip-kit convert` calls it with ``--to``, where the file is a whole model.
    """

    name: str
    encodes: str
    origin: Origin
    licence: str
    cite: str
    encoder: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    converts: str = ""

    @property
    def file(self) -> str:
        """Name of the file here."""
        return self.origin.file or PurePosixPath(urlsplit(self.origin.url).path).name

    def usage(self, path: str | Path) -> list[str]:
        r"""The line of Python, and that of a configuration, which use the file.

        Args:
            path: Where it is.

        Example:
            >>> print(*weights_called("specformer").usage("specformer.ckpt"), sep="\n")
            Python: from astroclip_kit.encoders import SpecFormer; SpecFormer.from_checkpoint("specformer.ckpt")
            YAML:   {class_path: astroclip_kit.encoders.SpecFormer, init_args: {checkpoint: specformer.ckpt}}
        """
        if self.converts:
            return [f"a whole model, for embed: astroclip-kit convert {path} {self.converts} --to {self.converts}"]
        if not self.encoder:
            return ["no encoder of the kit reads this file yet"]
        room = "astroclip_kit.encoders"
        python = "".join(f"{name}={value!r}, " for name, value in self.arguments.items())
        call = f'{self.encoder}.from_checkpoint({python + "path=" if python else ""}"{path}")'
        init = "".join(f"{name}: {value}, " for name, value in self.arguments.items())
        return [
            f"Python: from {room} import {self.encoder}; {call}",
            f"YAML:   {{class_path: {room}.{self.encoder}, init_args: {{{init}checkpoint: {path}}}}}",
        ]


def weights_called(name: str) -> Weights:
    """Published weights by their name.

    Raises:
        UsageError: If there are none of that name; names the ones that are called alike.
    """
    names = {one.name.lower(): one for one in WEIGHTS}
    if name.lower() in names:
        return names[name.lower()]
    parts = [known for known in names if name.lower() in known]
    word = get_close_matches(name.lower(), {one for known in names for one in known.split("-")}, 1)
    alike = [known for known in names if set(word) & set(known.split("-"))]  # "stien" is like a word of stein-resnet50
    close = parts or alike or get_close_matches(name.lower(), names, cutoff=0.5)
    hint = f"Did you mean {' or '.join(names[one].name for one in close[:4])}? " if close else ""
    raise UsageError(f"no published weights {name!r} are known. {hint}astroclip-kit weights lists them all.")


def check_file(path: Path, of: Weights) -> None:
    """Makes sure that a file can be those weights, as far as can be said without its checksum: whole, of their size.

    Raises:
        FileError: If it is not.
    """
    check_whole(path)
    expected, found = of.origin.size_mb, path.stat().st_size / 1e6
    if not of.origin.sha256 and abs(found / expected - 1) > SIZES:  # not of NaN
        raise FileError(
            path, f"it has {found:.4g} MB, expected {expected:.4g} MB of {of.name}. Look at {of.origin.url}"
        )
    with path.open("rb") as stream:
        if of.file.endswith(".safetensors") and stream.read(SAFETENSORS_LENGTH + 1)[-1:] != b"{":
            raise FileError(path, f"is no safetensors, as {of.name} should be. Look at {of.origin.url}")


def check_whole(path: Path) -> None:
    """Makes sure that a file is a checkpoint and no page of a website, and that its end is there.

    Raises:
        FileError: If it is not.
    """
    with path.open("rb") as stream:
        head = stream.read(SAFETENSORS_LENGTH + 1)
        if head.startswith(PICKLE) or (head.startswith(b"PK") and zipfile.is_zipfile(path)):
            return
        if head[SAFETENSORS_LENGTH:] == b"{" and path.stat().st_size == _safetensors_size(head, stream.read):
            return
    what = "its end is missing" if head.startswith(b"PK") or head[8:] == b"{" else f"it begins with {head!r}"
    raise FileError(path, f"no whole checkpoint: {what}. Fetch it again.")


def _safetensors_size(head: bytes, read: Any) -> int:
    """Bytes that a safetensors file has, by its own header; -1 where the header itself is cut off."""
    length = int.from_bytes(head[:SAFETENSORS_LENGTH], "little")
    try:
        tensors = json.loads(head[SAFETENSORS_LENGTH:] + read(length - 1))
    except ValueError:
        return -1
    ends = (one["data_offsets"][1] for name, one in tensors.items() if name != "__metadata__")
    return SAFETENSORS_LENGTH + length + max(ends, default=0)


NOT_STATED = "not stated (code {})"
GLOBUS = "59c818dc-8542-46d8-80d9-ab144669c7b6"
STEIN = Origin(
    f"https://app.globus.org/file-manager?origin_id={GLOBUS}&origin_path=%2Fssl-legacysurvey%2F",
    file="resnet50.ckpt",
    by_hand=f"It is in the Globus collection {GLOBUS} under /ssl-legacysurvey/: the Lightning checkpoint of the "
    f"ResNet50, whose path below that is not published (globus ls {GLOBUS}:/ssl-legacysurvey/ shows what there is).",
)
SPENDER = "https://hub.pmelchior.net/spender."
MELCHIOR = "Melchior et al. 2023, AJ 166, 74 (arXiv:2211.07890)"
LIANG = f"{MELCHIOR}; Liang et al. 2023 (arXiv:2302.02496)"
LIANG_DESI = f"{LIANG}; Liang et al. 2023 (arXiv:2307.07664)"
HUB = "https://huggingface.co"
PARKER = "Parker et al. 2024, MNRAS 531, 4990 (arXiv:2310.03024)"
RIZHKO = "Rizhko & Bloom 2024 (arXiv:2411.08842)"


def _spender(name: str, encodes: str, file: str, cite: str) -> Weights:
    """Spender's files have the first eight digits of their checksum in their names, which torch's hub checks too."""
    digits = file.removesuffix(".pt").rpartition("-")[2]
    origin, grid = Origin(f"{SPENDER}{file}", digits), file[:4]  # not every file holds its wavelengths
    return Weights(name, encodes, origin, NOT_STATED.format("MIT"), cite, "SpenderEncoder", {"grid": grid})


def _astrom3(
    name: str, encodes: str, encoder: str = "", size_mb: float = math.nan, licence: str = "not stated"
) -> Weights:
    """The whole model where there is no encoder."""
    repository = name.replace("astrom3-clip", "AstroM3-CLIP")
    url = f"{HUB}/AstroMLCore/{repository}/resolve/main/model.safetensors"
    origin, whole = Origin(url, "", size_mb, f"{name}.safetensors"), "" if encoder else "astrom3"
    return Weights(name, encodes, origin, licence, RIZHKO, encoder, converts=whole)


WEIGHTS = (
    Weights(
        "stein-resnet50", "images, Legacy Survey DR9 grz (MoCo v2)", STEIN, NOT_STATED.format("MIT"),
        "Stein et al. 2021 (arXiv:2110.13151, arXiv:2110.00023)", "MocoResNet50",
    ),
    _spender("spender-desi-edr", "galaxy spectra, DESI EDR BGS, z < 0.8", "desi-edr.galaxyae-b9bc8d12.pt", LIANG_DESI),
    _spender("spender-desi-edr-star", "star spectra, DESI EDR MWS", "desi-edr.starae-2e33f4e5.pt", LIANG_DESI),
    _spender("spender-sdss-I", "galaxy spectra, SDSS main, z < 0.5", "sdss.paperI-08798cbc.pt", MELCHIOR),
    _spender("spender-sdss-I-superres", "the same, rest frame twice as fine", "sdss.paperI.superres-0403266c.pt",
             MELCHIOR),
    _spender("spender-sdss-II", "the same, redshift-invariant latents", "sdss.paperII-c273bb69.pt", LIANG),
    Weights(
        "specformer", "spectra, DESI EDR (masked modelling)",
        Origin(f"{HUB}/polymathic-ai/specformer/resolve/160d67f0c07daf33d192568ca60ff38d76c39d66/specformer.ckpt",
               "712c5c1fd4024baa2d85991071d5884b2b13a377bd08f94d08a403a10e9a93f8", 170.0),
        "MIT", PARKER, "SpecFormer",
    ),
    Weights(
        "astrodino", "images, Legacy Survey DR9 grz (DINOv2)",
        Origin(f"{HUB}/polymathic-ai/astrodino/resolve/7dff336ca31bdb35204c341ab6267923e8885c68/astrodino.ckpt",
               "0b8be1adc5f0095aba8a14e8056bc6b14e4986673a055cb37e9d3caef8c7bdf3", 1310.0),
        "MIT", PARKER,
    ),
    Weights(
        "astroclip-v2", "images and spectra, Legacy Survey x DESI",
        Origin(f"{HUB}/polymathic-ai/astroclip/resolve/main/astroclip.ckpt"), "MIT", PARKER,
    ),
    _astrom3("astrom3-clip", "light curve, spectrum, table of a star", size_mb=66.1),
    _astrom3("astrom3-clip-all", "the same, trained on to classify", size_mb=66.1),
    _astrom3("astrom3-clip-photo", "light curves, ASAS-SN variables", "Informer", licence="CC-BY-4.0"),
    _astrom3("astrom3-clip-spectra", "spectra, LAMOST, of the variables", "GalSpecNet"),
    _astrom3("astrom3-clip-meta", "tables, of the variables", "MetadataMLP"),
    Weights(
        "imagenet-resnet50-v1", "photographs, ImageNet (torchvision V1)",
        Origin("https://download.pytorch.org/models/resnet50-0676ba61.pth", "0676ba61", 102.5),
        NOT_STATED.format("BSD"), "He et al. 2016, CVPR (arXiv:1512.03385)", "ImageBackbone",
        {"name": "resnet50"},
    ),
    Weights(
        "imagenet-resnet50-v2", "photographs, ImageNet (torchvision V2)",
        Origin("https://download.pytorch.org/models/resnet50-11ad3fa6.pth", "11ad3fa6", 102.5),
        NOT_STATED.format("BSD"), "He et al. 2016, CVPR (arXiv:1512.03385)", "ImageBackbone",
        {"name": "resnet50"},
    ),
)  # fmt: skip
