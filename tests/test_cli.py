import json
import subprocess
import sys

import pytest
from astropy.table import Table

from astroclip_kit import cli, pipeline
from astroclip_kit.errors import FolderError


def run(capsys, *words):
    code = cli.main(list(words))
    return code, *capsys.readouterr()


def test_help_of_every_verb_comes_from_its_function_and_needs_no_torch():
    code = """
import sys
from astroclip_kit import cli, pipeline
for verb in pipeline.VERBS:
    assert cli.main([verb, "--help"]) == 0
print("torch" in sys.modules, "astropy" in sys.modules, file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.split() == ["False", "False"]
    assert "Trains a shared space" in done.stdout and "--training.optimizer.learning_rate" in done.stdout


def test_the_overview_names_every_verb(capsys):
    code, out, _ = run(capsys, "--help")
    assert code == 0 and all(f"  {verb}" in out for verb in pipeline.VERBS)
    assert run(capsys)[0] == 2
    assert run(capsys, "--version")[1].startswith("astroclip-kit 0.")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["fly"], "no verb 'fly'. One of: quickstart"),
        (["align"], "data"),
        (["align", "x", "--bogus", "1"], "unrecognized arguments: --bogus"),
        (["export", "x", "--format", "hats"], "unrecognized arguments: --format hats. Did you mean '--to'?"),
        (
            ["align", "x", "--learning-rate", "fast"],
            "--training.optimizer.learning_rate: expected a number, found 'fast'. See",
        ),
        (["simulate", "unicorns"], "cannot simulate 'unicorns'"),
        (["run", "absent.yaml"], "absent.yaml: no such configuration file"),
        (["search", "x", "--coordinates", "north"], "no such folder"),
    ],
)
def test_bad_usage_is_one_clear_line(capsys, words, message):
    code, _, err = run(capsys, *words)
    assert code in (1, 2) and message in err and "Traceback" not in err
    assert err.startswith("astroclip-kit: ") and err.count("\n") == 1


def test_a_failure_is_exit_code_1_and_debug_shows_the_traceback(capsys, tmp_path):
    code, _, err = run(capsys, "info", str(tmp_path / "nowhere"))
    assert code == 1 and "no such folder" in err
    code, _, err = run(capsys, "info", str(tmp_path / "nowhere"), "--debug")
    assert code == 1 and "Traceback" in err


def test_an_unexpected_error_is_one_line_too(capsys, monkeypatch):
    def broken(words):
        raise KeyError("inner")

    monkeypatch.setattr(cli, "_dispatch", broken)
    code, _, err = run(capsys, "info")
    assert code == 1 and "unexpected KeyError in broken" in err and "report it" in err


def test_a_short_flag_stands_for_the_only_one_that_ends_so():
    flags = ["--training.optimizer.learning_rate", "--split.seed", "--training.seed", "--k"]
    assert cli._full_flag("--learning-rate=1", flags) == "--training.optimizer.learning_rate=1"
    assert cli._full_flag("--seed", flags) == "--seed"
    assert cli._full_flag("--k", flags) == "--k"
    assert cli._full_flag("-3", flags) == "-3"


def test_words_beyond_the_last_position_are_names_of_it():
    assert cli._joined(["get", "a", "b", "--out", "c"], pipeline.weights) == ["get", "a,b", "--out", "c"]
    assert cli._joined(["get", "a"], pipeline.weights) == ["get", "a"]
    assert cli._joined(["a", "b"], pipeline.info) == ["a", "b"]


def test_every_set_of_a_run_is_gathered():
    words = cli._gather_changes(["a.yaml", "--set", "seed=1", "--set=align.training.epochs=2"])
    assert words[0] == "a.yaml" and json.loads(words[1].partition("=")[2]) == ["seed=1", "align.training.epochs=2"]


@pytest.mark.parametrize("style", ["csv", "votable", "fits", "json"])
def test_a_table_survives_every_format(style, tmp_path):
    table = Table({"object_id": ["a", "b"], "z": [0.1, float("nan")]}, units={"z": ""})
    data = cli.serialise(table, style)
    if style == "json":
        assert json.loads(data) == [{"object_id": "a", "z": 0.1}, {"object_id": "b", "z": None}]
        return
    path = tmp_path / f"table.{style}"
    path.write_bytes(data)
    back = Table.read(path, format="ascii.csv" if style == "csv" else style)
    assert list(back["object_id"]) == ["a", "b"] and back["z"][0] == 0.1


def test_a_closed_pipe_is_no_error(monkeypatch):
    def closed(words):
        raise FolderError("x") from BrokenPipeError()

    monkeypatch.setattr(cli, "_dispatch", closed)
    assert cli.main([]) == 1
    code = "import sys; from astroclip_kit import cli; sys.exit(cli.main(['--help']))"
    done = subprocess.run(
        f'{sys.executable} -c "{code}" | true', shell=True, capture_output=True, text=True, check=True
    )
    assert "Traceback" not in done.stderr


def test_torchrun_may_start_only_what_is_made_for_it(capsys, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    code, _, err = run(capsys, "info", "x")
    assert code == 2 and "info runs in one process: start it without torchrun" in err
