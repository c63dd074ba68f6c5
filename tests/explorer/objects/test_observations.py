"""Which observation of an object is shown."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from odd_objects import MODALITIES, spectrum

import astroclip_kit as ak
from astroclip_kit.embeddings import EmbeddingStore
from astroclip_kit.explorer.objects.observations import same_object
from astroclip_kit.explorer.objects.panel import object_panel
from astroclip_kit.explorer.session import Session
from astroclip_kit.explorer.space import Space
from astroclip_kit.settings.data import Matching
from astroclip_kit.types import Modality, Sample

COUNT = 5
OBJECTS = ["star", "star", "star", "lone", "other"]
IDS = [f"visit {number}" for number in range(COUNT)]
UNIT = MODALITIES["spectrum"].unit


@dataclass
class Visits:
    """Spectra of visits, each a little brighter than that before."""

    root: Path
    modality: Modality

    def files(self):
        return [self.root / "visits.txt"]

    def read(self, path):
        for number, (own, group) in enumerate(zip(IDS, OBJECTS, strict=True)):
            yield Sample(own, {self.modality.name: spectrum(0) + number}, group=group)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    root = tmp_path_factory.mktemp("visits")
    (root / "visits.txt").write_text("")
    grid = MODALITIES["spectrum"].wavelength_angstrom
    sources = {name: Visits(root, Modality.spectrum(name, grid, UNIT)) for name in ("spectrum", "lines")}
    return ak.ingest(root / "data", sources=sources, matching=Matching(rows="spectrum"))


def pooled(root, data):
    names = ["lone", "other", "star"]
    vectors = {"spectrum": np.eye(3)}
    return Space(EmbeddingStore.write(root / "s", vectors, names, values={"pool": "group"}), data)


def single(root, data):
    vectors = {"spectrum": np.eye(COUNT)}
    return Space(EmbeddingStore.write(root / "s", vectors, IDS, catalog={"group": OBJECTS}), data)


def test_of_one_row_for_all_visits_each_can_be_seen(tmp_path, data):
    space = pooled(tmp_path, data)
    session = Session(space)
    panel = object_panel(session)
    number, line = (panel.select_one({"name": name}) for name in ("observation", "spectrum-spectrum"))
    session.look_at(2)
    assert (number.high, number.value) == (3, 3) and np.nanmedian(line.data["flux"]) == pytest.approx(3, abs=0.1)
    told = panel.select_one({"name": "observation-told"})
    assert "of 3: visit 2." in told.text
    number.value = 1
    assert np.nanmedian(line.data["flux"]) == pytest.approx(1, abs=0.1) and "of 3: visit 0." in told.text
    session.look_at(0)
    assert number.high == 1 and not panel.children[1].children[0].visible
    assert np.nanmedian(line.data["flux"]) == pytest.approx(4, abs=0.1)


def test_a_row_of_its_own_for_each_visit_shows_that_one_and_names_the_others(tmp_path, data):
    space = single(tmp_path, data)
    assert space.observations(1).tolist() == [1]
    assert same_object(space, 1) == "Object star. Also observed as visit 0, visit 2."
    assert same_object(space, 3) == "Object lone."
    session = Session(space)
    panel = object_panel(session)
    session.look_at(1)
    assert "Also observed as visit 0, visit 2." in panel.select_one({"name": "object"}).text


def test_what_is_the_same_is_drawn_once(tmp_path, data):
    session = Session(single(tmp_path, data))
    panel = object_panel(session)
    session.look_at(3)
    first, second = (panel.select_one({"name": f"note-{name}"}) for name in ("spectrum", "lines"))
    assert first.text and not second.text
    assert "is the same observation as its" in panel.select_one({"name": "object"}).text


def test_a_store_of_no_dataset_has_no_observations(tmp_path, data):
    assert len(Space(pooled(tmp_path, data).store).observations(0)) == 0
