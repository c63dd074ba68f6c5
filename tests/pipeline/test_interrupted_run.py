"""`run` goes on where it was interrupted, repeats what a change touches, and nothing else."""

import shutil
import sys

import pytest
from kills import kill_again_and_again

from astroclip_kit import cli, pipeline
from astroclip_kit.data import Dataset
from astroclip_kit.errors import UsageError
from astroclip_kit.features import FeatureSet
from astroclip_kit.pipeline import experiment
from astroclip_kit.pipeline.configuration import load_configuration
from astroclip_kit.storage import read_journal
from astroclip_kit.training import loop

CONFIGURATION = """
data: {survey}
ingest:
  images: ${{data}}/cutouts
  spectra: ${{data}}/spectra
  catalogue: ${{data}}/catalogue.fits
  labels: [z]
  reading: {{workers: 1}}
extract:
  batch_size: 16
  encoders:
    image: {{class_path: astroclip_kit.encoders.ImageConvNet, init_args: {{out_features: 8}}}}
    spectrum: {{class_path: astroclip_kit.encoders.SpectrumConvNet, init_args: {{out_features: 8}}}}
align:
  training: {{epochs: 2, batch_size: 16, hardware: {{checkpoint_seconds: 0}}}}
embed: {{}}
evaluate: {{}}
"""
STEPS = ["ingest", "extract", "align", "embed", "evaluate"]


class Killed(BaseException):
    """Stands for the end of the process."""


@pytest.fixture(scope="module")
def config(chain, tmp_path_factory):
    path = tmp_path_factory.mktemp("config") / "tiny.yaml"
    path.write_text(CONFIGURATION.format(survey=chain.survey))
    return path


@pytest.fixture(scope="module")
def finished(config, tmp_path_factory):
    """A run that was not interrupted."""
    out = tmp_path_factory.mktemp("run") / "whole"
    pipeline.run(config, out)
    return out


@pytest.fixture
def copied(finished, tmp_path):
    shutil.copytree(finished, tmp_path / "whole")
    return tmp_path / "whole"


def results(out):
    return (out / "results" / "results.jsonl").read_bytes()


def run_steps(capsys):
    """The steps that the last run did not skip."""
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("[")]
    assert len(lines) == 5
    return [step for step, line in zip(STEPS, lines, strict=True) if "done before" not in line]


def test_a_second_run_does_nothing(config, finished, monkeypatch, capsys):
    before = {path: path.stat().st_mtime_ns for path in finished.rglob("*") if path.name != "config.yaml"}
    entries = read_journal(finished)
    monkeypatch.setattr(experiment.Step, "run", lambda step: pytest.fail(f"{step.name} ran again"))
    table = pipeline.run(config, finished)
    assert run_steps(capsys) == [] and len(table) > 5
    after = {path: path.stat().st_mtime_ns for path in finished.rglob("*") if path.name != "config.yaml"}
    before.pop(finished, None)
    assert {path: when for path, when in after.items() if path != finished} == before
    assert read_journal(finished) == entries


@pytest.mark.slow
def test_a_change_repeats_only_what_it_touches(config, copied, capsys):
    pipeline.run(config, copied, overrides=["evaluate.settings.seed=3"])
    assert run_steps(capsys) == ["evaluate"]
    pipeline.run(config, copied, overrides=["evaluate.settings.seed=3", "align.training.epochs=1"])
    assert run_steps(capsys) == ["align", "embed", "evaluate"]


def test_a_folder_that_is_gone_is_made_again(config, finished, copied, capsys):
    shutil.rmtree(copied / "embeddings")
    pipeline.run(config, copied)
    assert run_steps(capsys) == ["embed"] and results(copied) == results(finished)


def test_changed_survey_files_are_read_again(survey, tmp_path, capsys):
    (tmp_path / "read.yaml").write_text(f"data: {survey}\ningest: {{images: {survey}/cutouts}}\n")
    for removed, skipped in ((0, False), (0, True), (7, False), (0, True)):
        (survey / "cutouts" / f"9000-57000-{removed}.fits").unlink(missing_ok=True)
        pipeline.run(tmp_path / "read.yaml", tmp_path / "out")
        assert ("ingest (done before)" in capsys.readouterr().err) == skipped
    assert len(Dataset(tmp_path / "out" / "data")) == 7


@pytest.mark.parametrize("folds", [0, 3])
@pytest.mark.parametrize("text", ["by: plate\nalign: {}", "align: {split: {by: plate}}"])
def test_a_split_by_a_label_is_one_wherever_it_is_asked_for(tmp_path, folds, text):
    (tmp_path / "c.yaml").write_text(f"data: x\nfolds: {folds}\ningest: {{images: x}}\n{text}\n")
    steps = list(experiment.plan(load_configuration(tmp_path / "c.yaml"), tmp_path / "out"))
    splits = [step.arguments["split"] for step in steps if step.verb == "align"]
    assert [(split.by, split.folds, split.fold) for split in splits] == [
        ("plate", folds, fold) for fold in range(max(folds, 1))
    ]


def test_what_lies_elsewhere_is_read_again(tmp_path, monkeypatch, capsys):
    """A table outside the folder of the data, and the code of a user's encoder."""
    (tmp_path / "data").mkdir()
    table, code = tmp_path / "table.csv", tmp_path / "my_encoders_elsewhere.py"
    monkeypatch.syspath_prepend(tmp_path)
    part = f"{{class_path: astroclip_kit.surveys.TableReader, init_args: {{path: {table}, columns: [a, b]}}}}"
    (tmp_path / "c.yaml").write_text(
        f"data: {tmp_path / 'data'}\ningest: {{sources: {{t: {part}}}}}\n"
        f"extract: {{encoders: {{t: {{class_path: {code.stem}.Own}}}}}}\n"
    )
    text = "import torch\nclass Own(torch.nn.Module):\n    out_features = 2\n    def forward(self, x): return {}\n"
    table.write_text("a,b\n1,2\n3,5\n")
    code.write_text(text.format("x"))
    for change, skipped in (
        (lambda: None, []),
        (lambda: None, ["ingest", "extract"]),
        (lambda: code.write_text(text.format("x * 2 + 1")), ["ingest"]),
        (lambda: table.write_text("a,b\n10,20\n30,50\n70,90\n"), []),
        (lambda: None, ["ingest", "extract"]),
    ):
        change()
        sys.modules.pop(code.stem, None)
        pipeline.run(tmp_path / "c.yaml", tmp_path / "out")
        said = capsys.readouterr().err
        assert [step for step in ("ingest", "extract") if f"{step} (done before)" in said] == skipped
    assert FeatureSet(tmp_path / "out" / "features").matrix("t").tolist() == [[21, 41], [61, 101], [141, 181]]


@pytest.mark.parametrize(
    "step", [one if one == "extract" else pytest.param(one, marks=pytest.mark.slow) for one in STEPS]
)
def test_killed_before_and_after_a_step(config, finished, tmp_path, monkeypatch, step):
    """Its folder is whole, but the journal does not know it yet."""
    run, out = experiment.Step.run, tmp_path / "whole"
    last = STEPS[STEPS.index(step) - 1] if step != "ingest" else ""
    for name in ("config.yaml", *(experiment.FOLDERS[one] for one in STEPS[: STEPS.index(step)])):
        copy = shutil.copytree if (finished / name).is_dir() else shutil.copy
        out.mkdir(exist_ok=True)
        copy(finished / name, out / name)
    lines = (finished / "journal.jsonl").read_text().splitlines(keepends=True)
    (out / "journal.jsonl").write_text("".join(lines[: 2 * STEPS.index(step)]))

    def killed(one):
        run(one)
        raise Killed

    monkeypatch.setattr(experiment.Step, "run", killed)
    with pytest.raises(Killed):
        pipeline.run(config, out)
    assert [entry["step"] for entry in read_journal(out) if "step" in entry] == STEPS[
        : STEPS.index(last) + 1 if last else 0
    ]
    monkeypatch.undo()
    pipeline.run(config, out)
    assert results(out) == results(finished)


@pytest.mark.slow
def test_killed_in_the_middle_of_a_training(config, finished, tmp_path, monkeypatch, capsys):
    out = tmp_path / "whole"
    shutil.copytree(finished, out, ignore=shutil.ignore_patterns("model", "embeddings", "results"))
    lines = (finished / "journal.jsonl").read_text().splitlines(keepends=True)
    (out / "journal.jsonl").write_text("".join(lines[:4]))
    steps, step = [], loop.check_loss

    def killed(value, where):
        steps.append(where)
        if len(steps) == 3:
            raise Killed
        return step(value, where)

    monkeypatch.setattr(loop, "check_loss", killed)
    with pytest.raises(Killed):
        pipeline.run(config, out)
    assert (out / ".model.training").exists() and not (out / "model").exists()
    left = shutil.copytree(out, tmp_path / "changed") / ".model.training"
    steps[:] = [None] * 10
    pipeline.run(config, out)
    assert results(out) == results(finished) and not (out / ".model.training").exists()
    capsys.readouterr()
    pipeline.run(config, tmp_path / "changed", overrides=["align.training.batch_size=20"])  # the other one is forgotten
    assert run_steps(capsys) == ["align", "embed", "evaluate"] and not left.exists()


@pytest.mark.slow
def test_kill_minus_9(config, finished, tmp_path):
    out = tmp_path / "whole"
    kills, ended = kill_again_and_again(["run", config, "--out", out], out, (0.0, 0.3, 0.6, 0.2, 0.4, 0.1))
    assert kills >= 3 and ended == 0
    assert results(out) == results(finished)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("extract: {encoders: {image: {class_path: a.B}}}", "section 'extract' needs what section 'ingest' writes"),
        ("align: {}", "section 'align' needs what section 'ingest' writes"),
        ("ingest: {images: x}\nembed: {}", "section 'embed' needs what section 'align' writes"),
        ("ingest: {images: x}\nevaluate: {}", "section 'evaluate' needs what section 'embed' writes"),
    ],
)
def test_sections_that_lack_what_they_read(tmp_path, text, message):
    (tmp_path / "a.yaml").write_text(f"data: x\n{text}\n")
    with pytest.raises(UsageError, match=message):
        pipeline.run(tmp_path / "a.yaml", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_where_a_run_must_not_write(config, chain, tmp_path, fails):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("years of work")
    for folder in (tmp_path / "mine", tmp_path / "mine" / "thesis.tex", chain.data):
        error = fails("run", config, "--out", folder)
        assert f"{folder} is a file, or a folder that holds no run. Choose another folder with --out" in error
    assert "no such configuration file" in fails("run", tmp_path / "absent.yaml")
    assert "expected a whole number, found 'x'" in fails("run", config, "--set", "align.training.epochs=x")
    assert "expected KEY=VALUE" in fails("run", config, "--set")


def test_a_run_that_fails_says_why_and_keeps_what_is_done(config, finished, copied, fails):
    assert "no property 'mass' among the labels" in fails(
        "run", config, "--out", copied, "--set", "evaluate.properties=mass"
    )
    assert "epochs is 0, expected" in fails("run", config, "--out", copied, "--set", "align.training.epochs=0")
    assert cli.main(["run", str(config), "--out", str(copied)]) == 0
    assert results(copied) == results(finished)
