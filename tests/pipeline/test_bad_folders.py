"""Folders that are missing, foreign, of another kind, newer, damaged or on a full disk."""

import json
import shutil
import subprocess
import sys

import pytest

from astroclip_kit import cli, pipeline
from astroclip_kit.storage import open_folder, write_json

KINDS = ("survey", "data", "features", "model", "embeddings")
ENCODERS = json.dumps(
    {"image": {"class_path": "astroclip_kit.encoders.ImageConvNet", "init_args": {"out_features": 8}}}
)


def commands(chain, out):
    """Every verb that writes a folder, writing to `out`."""
    return {
        "survey": ["simulate", "--count", 2, "--workers", 1, "--out", out],
        "data": ["ingest", "--images", chain.survey / "cutouts", "--reading.workers", 1, "--out", out],
        "features": ["extract", chain.data, "--encoders", ENCODERS, "--out", out],
        "model": ["align", chain.features, "--epochs", 1, "--out", out],
        "embeddings": ["embed", chain.model, chain.features, "--out", out],
        "results": ["evaluate", chain.embeddings, "--out", out],
    }


READERS = {
    "info": ("info", "{}"),
    "extract": ("extract", "{}", "--encoders", ENCODERS),
    "align": ("align", "{}"),
    "embed a model": ("embed", "{}", "{features}"),
    "embed data": ("embed", "{model}", "{}"),
    "index": ("index", "{}"),
    "search": ("search", "{}", "x"),
    "search with a model": ("search", "{embeddings}", "--file", "x.fits", "--model", "{}"),
    "predict": ("predict", "{}", "z"),
    "evaluate": ("evaluate", "{}", "z"),
    "evaluate with features": ("evaluate", "{embeddings}", "z", "--features", "{}"),
    "evaluate with a dataset": ("evaluate", "{embeddings}", "z", "--dataset", "{}"),
    "evaluate with a model": ("evaluate", "{embeddings}", "z", "--model", "{}"),
}
TAKES = {
    "info": KINDS,
    "extract": ("data",),
    "align": ("data", "features"),
    "embed a model": ("model",),
    "embed data": ("data", "features"),
    "index": ("embeddings",),
    "search": ("embeddings",),
    "search with a model": ("model",),
    "predict": ("embeddings",),
    "evaluate": ("embeddings",),
    "evaluate with features": ("features",),
    "evaluate with a dataset": ("data",),
    "evaluate with a model": ("model",),
}


def spelled(chain, words, folder):
    folders = {kind: str(getattr(chain, kind)) for kind in KINDS}
    return [str(folder) if word == "{}" else folders.get(word.strip("{}"), word) for word in words]


@pytest.mark.parametrize("reader", READERS)
def test_what_a_verb_reads_is_checked(chain, tmp_path, fails, reader):
    words = READERS[reader]
    (tmp_path / "notes.txt").write_text("mine")
    for folder, message in (
        (tmp_path / "nowhere", "nowhere: no such folder. Expected a"),
        (tmp_path / "notes.txt", "notes.txt: is a file. Expected a"),
        (tmp_path, "folder: it has no manifest.json. Was it written by astroclip_kit?"),
    )[: 1 if reader == "info" else 3]:  # info describes any folder
        assert message in fails(*spelled(chain, words, folder))
    for kind in set(KINDS) - set(TAKES[reader]):
        error = fails(*spelled(chain, words, getattr(chain, kind)))
        assert f"{getattr(chain, kind)}" in error and "expected a" in error
    newer = tmp_path / "newer"
    shutil.copytree(getattr(chain, TAKES[reader][0]), newer)
    write_json(newer / "manifest.json", {**json.loads((newer / "manifest.json").read_text()), "format_version": 99})
    assert "was written by a newer astroclip_kit" in fails(*spelled(chain, words, newer))
    (newer / "manifest.json").write_text("{half")
    assert "manifest.json was not written by astroclip_kit, or it is damaged" in fails(*spelled(chain, words, newer))
    (newer / "manifest.json").unlink()
    (newer / "journal.jsonl").write_text('{"inputs": "x"}\n')
    assert "The command that writes it was interrupted: run it again" in fails(*spelled(chain, words, newer))


@pytest.mark.parametrize("kind", [*KINDS, "results"])
def test_what_a_verb_writes_replaces_nothing_else(chain, tmp_path, fails, kind):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("years of work")
    assert "mine exists and was not written by astroclip_kit. Choose" in fails(
        *commands(chain, tmp_path / "mine")[kind]
    )
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.tex"]
    other = tmp_path / "other"
    shutil.copytree(chain.data if kind != "data" else chain.features, other)
    before = {path: path.read_bytes() for path in other.rglob("*") if path.is_file()}
    error = fails(*commands(chain, other)[kind])
    assert f"{other} is a {'dataset' if kind != 'data' else 'features'} folder, expected a" in error
    assert before == {path: path.read_bytes() for path in other.rglob("*") if path.is_file()}
    assert "thesis.tex" in fails(*commands(chain, tmp_path / "mine" / "thesis.tex" / "out")[kind])


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_of_a_folder_that_was_cut_off(chain, tmp_path, fails, kind):
    reads = {
        "survey": ["ingest", "--catalogue", "{}/catalogue.fits", "--images", "{}/cutouts", "--strict", "true"],
        "data": ["extract", "{}", "--encoders", ENCODERS],
        "features": ["align", "{}", "--epochs", 1],
        "model": ["embed", "{}", chain.features],
        "embeddings": ["search", "{}", "9000-57000-1"],
    }
    big = {"survey": "catalogue.fits", "data": "data-*.arrow", "features": "*.npy", "model": "*.safetensors"}
    for pattern in [big[kind]] if kind in big else ["image.npy", "catalog.parquet", "presence.npy"]:
        copy = tmp_path / f"{kind} {pattern.strip('*')}"
        shutil.copytree(getattr(chain, kind), copy)
        for file in copy.glob(pattern):
            file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
        words = [str(word).replace("{}", str(copy)) for word in reads[kind]]
        error = fails(*words, *([] if kind == "embeddings" else ["--out", tmp_path / "out"]))
        assert str(copy) in error
        assert not (tmp_path / "out" / "manifest.json").exists()


FULL = """
import resource, sys
from astroclip_kit import cli, pipeline
import astroclip_kit.alignment, astroclip_kit.data, astroclip_kit.embeddings, astroclip_kit.features
import astroclip_kit.mock, astroclip_kit.report, astroclip_kit.surveys
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
out, commands = sys.argv[1], __import__("json").loads(sys.argv[2])
for kind, words in commands.items():
    print(kind, file=sys.stderr)
    resource.setrlimit(resource.RLIMIT_FSIZE, (700, hard))
    code = cli.main(words)
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    print("exit code", code, file=sys.stderr)
"""


@pytest.mark.slow
def test_a_full_disk(chain, tmp_path):
    """Each verb in turn, in one process whose files may not grow."""
    words = {kind: [str(word) for word in commands(chain, tmp_path / kind)[kind]] for kind in [*KINDS, "results"]}
    line = [sys.executable, "-c", FULL, str(tmp_path), json.dumps(words)]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    for kind in words:
        said = done.stderr.partition(f"{kind}\n")[2].partition("exit code ")
        assert said[2][0] == "1" and "no space left to write. Free some and run the same" in said[0], done.stderr
        assert "Traceback" not in said[0]
        assert not (tmp_path / kind / "manifest.json").exists()
    left = [path for path in tmp_path.iterdir() if path.name.startswith(".") and path.suffix != ".training"]
    assert not left
    for kind in ("data", "features", "model"):  # with space again, the same command ends well
        assert cli.main(words[kind]) == 0
        assert open_folder(tmp_path / kind, "")["kind"] in ("dataset", "features", "model")


def test_a_training_that_failed_does_not_block_the_next(chain, tmp_path, fails):
    words = ["align", chain.features, "--out", tmp_path / "model", "--epochs", 1]
    assert "no pair of modalities was usable" in fails(*words, "--batch-size", 1)
    error = fails(*words)
    assert "holds a training with another batch_size: 1 there, 256 now" in error and "delete that folder" in error
    shutil.rmtree(tmp_path / ".model.training")
    assert cli.main([str(word) for word in words]) == 0
    assert pipeline.info(tmp_path / "model").startswith(f"{tmp_path / 'model'}: model")


def test_a_manifest_of_an_archive_is_not_taken_for_the_kit_s(tmp_path, fails):
    (tmp_path / "manifest.json").write_text('{"files": ["a.fits"]}')
    (tmp_path / "a.fits").write_text("")
    assert pipeline.info(tmp_path).startswith(f"{tmp_path}: survey files")
    error = fails("simulate", "--out", tmp_path, "--count", 3)
    assert "manifest.json was not written by astroclip_kit" in error and "Delete" not in error
