"""What `reproduce` refuses, before anything runs."""

import pytest
from planned import plan_of

from astroclip_kit import pipeline
from astroclip_kit.errors import UsageError
from astroclip_kit.settings import Material

RANDOM = ["--image-weights", "random", "--spectrum-weights", "random"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "data: x\nextract: {encoders: {}}\n",
            "expected the sections extract, align, embed, evaluate; there is no 'align'",
        ),
        (
            "data: x\nextract:\n  encoders: {image: {class_path: a.B}}\nalign:\nembed:\nevaluate: {properties: [z]}\n",
            "extract.encoders has none of 'spectrum', which the recipe needs",
        ),
        (
            "data: x\nextract:\n  encoders: {image: {class_path: a.B}, spectrum: {init_args: {}}}\nalign:\nembed:\n"
            "evaluate: {properties: [z]}\n",
            r"own\.yaml: extract\.encoders\.spectrum has no class_path\. Name the class of the encoder",
        ),
    ],
)
def test_a_file_of_one_s_own_needs_what_the_recipe_measures(text, message, tmp_path):
    (tmp_path / "own.yaml").write_text(text)
    with pytest.raises(UsageError, match=message):
        plan_of(Material(), tmp_path, str(tmp_path / "own.yaml"))


@pytest.mark.parametrize(
    ("kind", "files", "other"), [("images", "cutouts", "spectrum"), ("spectra", "spectra", "image")]
)
def test_a_dataset_of_images_or_spectra_alone_is_refused(chain, tmp_path, kind, files, other):
    pipeline.ingest(tmp_path / "data", **{kind: str(chain.survey / files)})
    with pytest.raises(UsageError, match=rf"data: it has \w+, and no '{other}'\. Ingest both together"):
        plan_of(Material(str(tmp_path / "data")), tmp_path)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["alchemy"], "there is no recipe 'alchemy'"),
        (["--size", "huge"], "size is 'huge', expected small or full"),
        (["--configuration", "v9"], "astroclip has no configuration 'v9'"),
        (["--configuration", "missing.yaml"], "missing.yaml: no such configuration file"),
        (["--data", "nowhere.h5"], "--data nowhere.h5: there is no such file or folder"),
        (
            ["--image-weights", "nowhere.ckpt"],
            "--image-weights nowhere.ckpt: there is no such file or folder, nor is it",
        ),
        (["--count", "-1"], "count is -1: expected 0, or the number of objects to simulate without data"),
        (["--catalogue", "masses.fits"], "a catalogue needs the data that it describes: give --data, too"),
        (
            ["--count", "100"],
            "count is 100: about 5 objects would be the memory of 16 neighbours. Simulate at least 480",
        ),
        (["--set", "align.training.epoch=3"], "epoch"),
        (["--set", "pretrain.image.training.epoch=3"], "epoch"),
        (
            ["--set", "pretrain.images.training.epochs=3"],
            "--set pretrain.images.training.epochs=3: there is no such pretraining. There are: image, spectrum.",
        ),
        (["--set", "pretrain=3"], "--set pretrain=3: there is no such pretraining. There are: image, spectrum."),
        (
            ["--set", "extract.encoders={image: {class_path: astroclip_kit.encoders.ImageConvNet}}"],
            "--set extract.encoders: none is left of 'spectrum', which the recipe needs. Add it.",
        ),
        (
            ["--set", "pretrain.spectrum="],
            "--set pretrain.spectrum=: expected a mapping, in quotes: 'pretrain.spectrum={method: ..., encoder: "
            "{class_path: ...}}', or one argument of it, such as pretrain.spectrum.training.epochs=5.",
        ),
        (
            ["--set", "extract.encoders.spectrum.init_args.out_features=8"],
            "and takes no 'out_features'. Another part is 'extract.encoders.spectrum={class_path: ..., init_args: "
            "{...}}', in quotes.",
        ),
        (
            ["--spectrum-weights", "random", "--set", "pretrain.spectrum.method=masked"],
            "there is no such pretraining. There are: image.",
        ),
        (
            [*RANDOM, "--set", "pretrain.image.method=moco"],
            "There are: none: weights are given, or it is no small run.",
        ),
        (
            ["--size", "full", "--image-weights", "random"],
            "--size full without --data would simulate as many objects as were published, and encode them with random "
            "weights. Give --spectrum-weights (random, if that is meant), or leave --size out.",
        ),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_runs(words, message, fails, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert message in fails("reproduce", *words)
    assert not list(tmp_path.iterdir())


def test_a_dataset_has_its_labels_already(chain, fails, tmp_path):
    words = ["reproduce", "--data", chain.data, "--catalogue", tmp_path, "--out", tmp_path / "run"]
    assert "is a dataset and holds its labels. Ingest it again with the catalogue" in fails(*words)


def test_cutouts_have_a_configuration_of_their_own(stars, fails, tmp_path):
    words = ["reproduce", "batmm", "--size", "small", "--data", stars / "survey", "--out", tmp_path / "run"]
    assert "positions.csv: no such file. It is the table of the positions to cut images at" in (said := fails(*words))
    assert "cutouts already need none: LegacySurveyCutouts reads them" in said
