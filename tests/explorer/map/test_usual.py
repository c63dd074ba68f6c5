"""What colours the map of a page that asks for nothing."""

import numpy as np
import pytest

from astroclip_kit.embeddings import EmbeddingStore
from astroclip_kit.explorer.map import usual as module
from astroclip_kit.explorer.map.usual import usual_colour
from astroclip_kit.explorer.space import Space

N = 4000
NUMBER = np.arange(N)
HALF = np.where(NUMBER % 2, NUMBER / N, np.nan)
KINDS = {
    "source_id": NUMBER,
    "name": [f"n{one}" for one in NUMBER],
    "same": ["A"] * N,
    "none": np.full(N, np.nan),
    "half": HALF,
    "mass": NUMBER / N,
    "morphology": np.array(["E", "S", ""])[NUMBER % 3],
    "class": np.array(["STAR", "QSO", "", ""])[NUMBER % 4],
    "Z": HALF,
    "subclass": ["unknown"] * N,
    "objclass": [f"F{one % 40}" for one in NUMBER],
    "type": np.array(["Ia", "II", "", ""])[NUMBER % 4],
    "subtype": np.array(["a", "b", "c", ""])[NUMBER % 4],
    "log10_z": HALF,
    "time_zero_mjd": NUMBER / N,
}


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (list(KINDS), "class"),
        (["mass", "Z"], "Z"),
        (["mass", "subclass"], "mass"),
        (["half", "morphology"], "morphology"),
        (["morphology", "mass"], "mass"),
        (["time_zero_mjd", "log10_z", "type"], "type"),  # few classes, of however few objects
        (["objclass", "type", "Z"], "type"),
        (["time_zero_mjd", "objclass", "log10_z"], "log10_z"),
        (["subtype", "Z"], "Z"),  # which is known where a class has none within it
        (["subtype", "mass"], "subtype"),
        (["time_zero_mjd", "half"], "half"),
        (["source_id", "name", "same", "none"], ""),
        ([], ""),
    ],
)
def test_a_class_or_a_redshift_or_what_most_have_colours_the_map(tmp_path, names, expected):
    place = {"ra": NUMBER / 100, "dec": NUMBER / 100}
    settings = {"catalog": place, "labels": {name: KINDS[name] for name in names}}
    store = EmbeddingStore.write(tmp_path / "space", {"image": np.ones((N, 3))}, [f"o{i}" for i in NUMBER], **settings)
    assert usual_colour(store) == expected == Space(store).planes.colour


def test_of_very_many_objects_no_column_is_read_unasked(tmp_path, monkeypatch):
    store = EmbeddingStore.write(tmp_path / "few", {"image": np.eye(3)}, list("abc"), labels={"z": [1, 2, 3]})
    assert usual_colour(store) == "z"
    monkeypatch.setattr(module, "LARGEST", 2)
    assert usual_colour(store) == ""
