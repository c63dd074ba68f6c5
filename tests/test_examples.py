"""The scripts of `examples/`: what each must be, its parts, and the pictures of the README. CI runs them, too."""

import ast
import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from astropy.table import Table

import astroclip_kit as ak

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
ASKED = {  # journey to its script
    "align two surveys": "align_two_surveys",
    "search with a new spectrum": "search_with_a_new_spectrum",
    "an own modality and encoder": "own_modality",
    "few-label classification": "few_label_classification",
    "mislabelled objects": "find_mislabelled_objects",
    "a tour that ends in the explorer": "tour",
}
NOT_RUN = {"radio_cubes", "readme_figures"}  # by CI, see there
PICTURES = re.findall(r"!\[[^\]]*\]\(([^)\s]+)\)", (ROOT / "README.md").read_text())


def loaded(name):
    """A script as a module, which runs nothing of it."""
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_journey_has_a_script_and_every_script_is_run():
    assert {path.stem for path in EXAMPLES.glob("*.py")} == {*ASKED.values(), *NOT_RUN}
    ci = (ROOT / ".ci" / "run").read_text()
    assert set(re.findall(r"\*/(\w+)\.py\) continue", ci)) == NOT_RUN and "for example in examples/*.py" in ci


@pytest.mark.parametrize("name", ASKED.values())
def test_a_script_says_what_it_shows_and_how_long_it_takes_and_checks_what_it_prints(name):
    text = (EXAMPLES / f"{name}.py").read_text()
    tree = ast.parse(text)
    told = ast.get_docstring(tree)
    assert re.search(r"[Aa]bout \d+ (seconds|minutes)", told) and "mock" in told
    assert len(text.splitlines()) <= 90
    found = list(ast.walk(tree))
    assert any(isinstance(one, ast.Assert) for one in found)
    assert any(isinstance(one, ast.Call) and ast.unparse(one.func) == "print" for one in found)
    assert "tempfile.TemporaryDirectory()" in text and "sys.argv[1]" in text


@pytest.mark.parametrize("picture", PICTURES)
def test_every_picture_of_the_readme_is_made_by_a_script(picture):
    scripts = "\n".join(path.read_text() for path in EXAMPLES.glob("*.py"))
    assert (ROOT / picture).is_file() and (ROOT / picture).parent == EXAMPLES
    assert Path(picture).name in scripts and "examples/readme_figures.py" in (ROOT / "README.md").read_text()
    assert (ROOT / picture).stat().st_size < 300_000


def test_the_wrong_labels_are_as_many_as_are_said_and_each_is_wrong():
    plant = loaded("find_mislabelled_objects").plant
    true = np.repeat(["galaxy", "qso", "star"], 40)
    labels = Table({"object_id": [f"o{number}" for number in range(120)], "class": true})
    planted = plant(labels, 12)
    changed = labels["class"] != true
    assert len(planted) == 12 == changed.sum() and set(labels["object_id"][changed]) == planted
    assert set(labels["class"]) == set(true)


def test_the_parts_of_the_own_survey_meet_the_contracts(tmp_path):
    cubes = loaded("radio_cubes")
    cubes.write_survey(tmp_path, count=3)
    reader = cubes.cubes(tmp_path)
    ak.check_reader(reader)
    [sample] = reader.read(reader.files()[0])
    [view] = sample.views.values()
    assert view.shape == (16, 24, 24) and reader.modality.unit == "Jy / beam" and len(reader.files()) == 3
    import torch

    encoder = cubes.RadioEncoder(out_features=5)
    batch = encoder.preprocess(torch.from_numpy(np.asarray(view, dtype=np.float32))[None])
    assert encoder(batch).shape == (1, 5) and float(batch.max()) <= 2


def test_a_script_imports_nothing_that_the_kit_does_not_bring():
    known = {*sys.stdlib_module_names, "astroclip_kit", "astropy", "numpy", "torch", "PIL", "selenium", "radio_cubes"}
    for path in EXAMPLES.glob("*.py"):
        for one in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in one.names] if isinstance(one, ast.Import) else []
            names += [one.module] if isinstance(one, ast.ImportFrom) else []
            assert {name.split(".")[0] for name in names} <= known, path


@pytest.mark.slow
def test_the_pictures_of_the_readme_are_made(tmp_path):
    from PIL import Image

    ak.quickstart(tmp_path / "demo", count=100)
    asks = ak.EmbeddingStore(tmp_path / "demo" / "embeddings").object_ids[0]
    script = loaded("readme_figures")
    made = {path.name: path for path in script.main(tmp_path / "demo", tmp_path / "pictures", str(asks))}
    assert set(made) == {"retrieval.png", "explorer.png"}
    with Image.open(made["explorer.png"]) as page:
        assert page.size == (1280, 720) and len(page.convert("RGB").getcolors(2**24)) > 50
    assert made["explorer.png"].stat().st_size < 300_000


def test_without_a_browser_the_picture_of_the_explorer_is_left_as_it_is(tmp_path, monkeypatch):
    script = loaded("readme_figures")
    monkeypatch.setattr(script.shutil, "which", lambda name: None)
    assert script.explorer(tmp_path, tmp_path, "") is None and list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_script_runs_in_the_folder_that_is_given(tmp_path):
    command = [sys.executable, EXAMPLES / "own_modality.py", tmp_path / "given"]
    said = subprocess.run(command, check=True, capture_output=True, text=True, cwd=tmp_path).stdout
    [by_python, by_yaml] = re.findall(r"R2 (0\.\d+), by YAML (0\.\d+)", said)[0]
    assert by_python == by_yaml and float(by_python) > 0.9
    assert (tmp_path / "given" / "run" / "embeddings").is_dir()
