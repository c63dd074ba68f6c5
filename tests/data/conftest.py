"""Small survey files of a made-up format, and a reader of them."""

import json
import sys
from dataclasses import dataclass, replace  # noqa: F401
from pathlib import Path

import numpy as np
import pytest

from astroclip_kit.data import ingest, staging
from astroclip_kit.errors import FileError
from astroclip_kit.types import Drop, Modality, Sample

IMAGE = Modality("image", "image", ("g", "r"), (2, 4, 4), "nmgy", (0.262,))
SPECTRUM = Modality("spectrum", "spectrum", ("flux", "ivar"), (2, 5), "", (4000.0, 4001.0, 4002.0, 4003.0, 4004.0))
LIGHTCURVE = Modality("lightcurve", "lightcurve", ("time", "value", "error", "band"), (-1, 4), "mag", (), ("g", "r"))


@dataclass
class JsonReader:
    """Reads ``*.json`` files: a list of objects with an id and, unless it is a catalogue, a view."""

    root: Path
    modality: Modality | None = None

    def files(self):
        return sorted(Path(self.root).glob("*.json"))

    def read(self, path):
        text = path.read_text()
        if text.startswith("<html"):
            raise FileError(path, "this is a web page, expected JSON. Download it again.")
        for row in json.loads(text):
            if "reason" in row:
                yield Drop(f"{path}: {row['id']}", row["reason"])
                continue
            views = {self.modality.name: np.array(row["view"], dtype=np.float32)} if self.modality else {}
            place = {key: row[key] for key in ("ra", "dec", "group") if key in row}
            yield Sample(row["id"], views, labels=row.get("labels", {}), **place)


@pytest.fixture
def fake():
    """This module: the reader, its modalities and the functions that make views."""
    return sys.modules[JsonReader.__module__]


@pytest.fixture
def survey(tmp_path, write, fake):
    """Readers of 12 images, 6 spectra, 4 light curves and a catalogue, by id; two files are bad."""
    ids = [f"o{i:02d}" for i in range(12)]
    place = [{"ra": 10.0 + i, "dec": -5.0} for i in range(12)]
    write(tmp_path / "i", [{"id": ids[i], "view": fake.image(i), **place[i]} for i in range(12)])
    write(tmp_path / "s", [{"id": ids[i], "view": fake.spectrum(i)} for i in range(0, 12, 2)])
    write(tmp_path / "l", [{"id": ids[i], "view": fake.light_curve(i, i + 1)} for i in range(4)], per_file=4)
    rows = [{"id": name, "labels": {"z": 0.1 * i, "class": "QSO" if i % 2 else "STAR"}} for i, name in enumerate(ids)]
    write(tmp_path / "c", [*rows[:10], {"id": "unknown", "labels": {"z": 9.0}}], per_file=100)
    (tmp_path / "i" / "bad.json").write_text("<html>404</html>")
    (tmp_path / "s" / "bad.json").write_text("")
    return {
        "image": JsonReader(tmp_path / "i", IMAGE),
        "spectrum": JsonReader(tmp_path / "s", SPECTRUM),
        "lightcurve": JsonReader(tmp_path / "l", LIGHTCURVE),
        "catalogue": JsonReader(tmp_path / "c"),
    }


@pytest.fixture
def write():
    """Writes rows into one JSON file each (or several rows into one)."""

    def function(folder: Path, rows, per_file: int = 1):
        folder.mkdir(parents=True, exist_ok=True)
        for start in range(0, len(rows), per_file):
            (folder / f"{start:05d}.json").write_text(json.dumps(rows[start : start + per_file]))
        return folder

    return function


def image(number: int):
    return (np.arange(32, dtype=float).reshape(2, 4, 4) + 100 * number).tolist()


def spectrum(number: int, snr: float = 1.0):
    return [[1.0 + number] * 5, [(snr / (1.0 + number)) ** 2] * 5]


def light_curve(number: int, length: int):
    return [[day, 20.0 + number, 0.1, 0] for day in range(length)]


@pytest.fixture
def images(tmp_path, write, fake, monkeypatch):
    """A reader of 60 files in chunks of 5."""
    monkeypatch.setattr(staging, "FILES_PER_CHUNK", 5)
    write(tmp_path / "i", [{"id": f"o{i:02d}", "view": fake.image(i)} for i in range(60)])
    return fake.JsonReader(tmp_path / "i", fake.IMAGE)


@pytest.fixture
def interrupt(monkeypatch):
    """Leaves a dataset folder where everything is read and nothing is gathered."""

    class Killed(BaseException):
        """Stands for the end of the process."""

    def run(images, out, **more):
        with monkeypatch.context() as patch:
            patch.setattr("astroclip_kit.data.build.gather", lambda *_: (_ for _ in ()).throw(Killed()))
            with pytest.raises(Killed):
                ingest({"image": images}, out, workers=1, quiet=True, **more)

    return run
