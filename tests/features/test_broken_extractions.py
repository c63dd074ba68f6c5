import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from fake_survey import FLOAT32, Mean, run
from torch import nn

from astroclip_kit.encoders import TabularMLP
from astroclip_kit.errors import FolderError, InputError, OutputError, UsageError
from astroclip_kit.features import FeatureSet, extract
from astroclip_kit.storage import new_folder, write_manifest

KILLED = """
import os, signal, sys
sys.path.insert(0, {here!r})
from fake_survey import FakeSurvey, Mean
from astroclip_kit.features import extract
from astroclip_kit.models import load_model
from astroclip_kit.settings import Hardware
import astroclip_kit.features.extraction
sys.modules["astroclip_kit.features.extraction"].SHARD_ROWS = 16

class Killed(FakeSurvey):
    def views(self, name, rows):
        if len(self.rows_read(name)) >= {after}:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().views(name, rows)

extract(Killed(), {{"image": Mean()}}, {out!r}, batch_size=8, hardware=Hardware("cpu", "float32"))
"""


def test_an_extraction_that_was_killed_goes_on(survey, tmp_path):
    here, out = str(Path(__file__).parent), tmp_path / "features"
    script = KILLED.format(here=here, out=str(out), after=32)
    killed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=600)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    with pytest.raises(FolderError, match="interrupted: run it again"):
        FeatureSet(out)
    rows = np.flatnonzero(survey.present("image"))
    features = run(survey, {"image": Mean()}, out)
    assert survey.rows_read("image") in (rows[16:].tolist(), rows[32:].tolist())
    whole = run(survey, {"image": Mean()}, tmp_path / "whole")
    assert np.array_equal(features.matrix("image"), whole.matrix("image"))
    assert (features.present("image") == whole.present("image")).all()


def test_a_cut_off_journal_line_and_a_lost_matrix_cost_only_time(survey, tmp_path):
    encoders = {"image": Mean(), "table": TabularMLP(2, 5)}
    features = run(survey, encoders, tmp_path / "features")
    before = features.matrix("image").copy()
    next(features.root.glob("image-*.npy")).unlink()
    with (features.root / "journal.jsonl").open("a") as handle:
        handle.write('{"matrix": "ima')
    again = run(survey, encoders, tmp_path / "features")
    assert survey.rows_read("table") == [] and len(survey.rows_read("image")) == survey.present("image").sum()
    assert np.array_equal(again.matrix("image"), before)
    assert run(survey, encoders, tmp_path / "features").names == ["image", "table"] and survey.reads == []


def test_weights_that_come_back_are_computed_again(survey, tmp_path):
    encoders = {"image": Mean()}
    first = run(survey, encoders, tmp_path / "features").matrix("image").copy()
    run(survey, {"image": Mean(2.0)}, tmp_path / "features")
    assert np.array_equal(run(survey, encoders, tmp_path / "features").matrix("image"), first)
    assert len(survey.rows_read("image")) == survey.present("image").sum()


def test_a_full_disk_is_one_clear_error(survey, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(OutputError, match="no space left to write"):
        run(survey, {"image": Mean()}, tmp_path / "features")
    monkeypatch.undo()
    assert run(survey, {"image": Mean()}, tmp_path / "features").present("image").any()


def test_space_is_set_aside_where_the_system_cannot_do_it_at_once(survey, tmp_path, monkeypatch):
    expected = run(survey, {"image": Mean()}, tmp_path / "one").matrix("image")
    monkeypatch.delattr(os, "posix_fallocate")
    assert np.array_equal(run(survey, {"image": Mean()}, tmp_path / "two").matrix("image"), expected)


def test_foreign_folders_are_left_alone(survey, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("do not touch")
    with pytest.raises(FolderError, match="was not written by astroclip_kit"):
        run(survey, {"image": Mean()}, tmp_path / "mine")
    with new_folder(tmp_path / "model", "model") as folder:
        write_manifest(folder, "model", {})
    with pytest.raises(FolderError, match="is a model folder, expected a features folder"):
        run(survey, {"image": Mean()}, tmp_path / "model")


def test_a_folder_of_a_newer_version_is_refused(survey, tmp_path):
    features = run(survey, {"image": Mean()}, tmp_path / "features")
    manifest = features.root / "manifest.json"
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "format_version": 99}))
    with pytest.raises(FolderError, match="newer astroclip_kit"):
        FeatureSet(features.root)


def test_a_damaged_folder_says_so(survey, tmp_path):
    features = run(survey, {"image": Mean()}, tmp_path / "features")
    next(features.root.glob("image-*.npy")).write_bytes(b"\x93NUMPY")
    with pytest.raises(FolderError, match=r"image-.*\.npy is missing or damaged"):
        features.matrix("image")
    (features.root / "catalog.parquet").write_bytes(b"PAR1")
    with pytest.raises(FolderError, match=r"catalog\.parquet is damaged"):
        FeatureSet(features.root).labels  # noqa: B018


@pytest.mark.parametrize(
    "encoders, arguments, error, message",
    [
        ({}, {}, UsageError, "no encoders were given. Give one for at least one of: image, table"),
        ({"spectrum": Mean()}, {}, UsageError, "no modality 'spectrum' in the data; they have image, table"),
        ({"image": nn.Flatten()}, {}, InputError, "Flatten is no encoder"),
        ({"table": TabularMLP(7, 5)}, {}, InputError, "TabularMLP cannot encode 'table'"),
        ({"image": Mean()}, {"batch_size": 0}, UsageError, "batch_size is 0, expected at least 1"),
        ({"image": Mean()}, {"views": 0}, UsageError, "views is 0, expected at least 1"),
        ({"image": Mean()}, {"augmentations": {"img": torch.add}}, UsageError, "no modality 'img'"),
    ],
)
def test_what_cannot_be_extracted_is_refused(survey, tmp_path, encoders, arguments, error, message):
    with pytest.raises(error, match=message):
        extract(survey, encoders, tmp_path / "features", hardware=FLOAT32, **arguments)


def test_a_modality_that_nobody_has_is_refused(survey, tmp_path):
    survey.presence["image"][:] = False
    with pytest.raises(InputError, match="no object of the dataset has a 'image'"):
        run(survey, {"image": Mean()}, tmp_path / "features")
