"""`classify` with simulated spectra: what is told of them, and new objects by images alone."""

import shutil
import warnings

import pytest

import astroclip_kit as ak
from astroclip_kit import pipeline
from astroclip_kit.errors import UsageError
from astroclip_kit.models import load_model
from astroclip_kit.results import read_results
from astroclip_kit.settings import Classification, Hardware, SpectralGAN, Split, Training

QUICK = Training(epochs=1, batch_size=64, hardware=Hardware("cpu", "float32", threads=1))
STAMPS = {"class_path": "astroclip_kit.encoders.StampResNet", "init_args": {"width": 4, "stages": 1, "blocks": 1}}
ALONG = {
    "class_path": "astroclip_kit.encoders.ResNet1d",
    "init_args": {"widths": [4, 8], "blocks": 1, "out_features": 8},
}
SETTINGS = Classification(
    method="concat_mlp",
    stages="simulated",
    encoder_training=QUICK,
    training=QUICK,
    split=Split(test=0.3, valid=0.3),
    simulation=SpectralGAN(folds=2, noise=4, draws=2, generator={"encoder": STAMPS, "hidden_features": [16]}),
    simulation_training=QUICK,
    alignment_training=QUICK,
    baselines=["svm", "retrieved"],
)


def learn(stars, out, settings=SETTINGS, **encoders):
    given = {"image": STAMPS, "spectrum": ALONG, **encoders}
    labels = stars / "survey" / "labels.csv"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pipeline.classify(stars / "data", out, encoders=given, labels=labels, classification=settings)


@pytest.fixture(scope="module")
def learned(stars, tmp_path_factory):
    """Folder of a classifier, and the table that was shown."""
    out = tmp_path_factory.mktemp("learned") / "classifier"
    return out, learn(stars, out)


def test_the_classifier_stands_beside_the_image_alone_the_real_vector_and_checks(learned):
    out, table = learned
    head, spectral = "concatenated, hidden layer", "head of the spectrum"
    assert list(zip(table["model"], table["sees"], strict=True)) == [
        (head, "image+simulated"), ("encoder", "image"), ("encoder", "spectrum"),
        ("SVM", "spectrum"), (head, "image"), (head, "simulated"), (head, "image+spectrum"), (head, "image+retrieved"),
        (spectral, "simulated"), (spectral, "simulated (training, out of fold)"),
        (spectral, "simulated (training, seen)"), (spectral, "retrieved"),
        (spectral, "retrieved (training, out of fold)"), (spectral, "retrieved (training, seen)"),
    ]  # fmt: skip
    results = read_results(out / "results")
    vectors = {(one.query, one.metric): one for one in results if one.task == "simulation"}
    queries = ("image", "image (training, out of fold)", "image (training, seen)")
    of_other = ("image, retrieved", "image, retrieved (training, out of fold)", "image, retrieved (training, seen)")
    assert {name for name, _ in vectors} == {*queries, *of_other}
    assert all(-1 <= vectors[name, "cosine"].value <= 1 and vectors[name, "frechet"].value >= 0 for name in queries)
    page = (out / "results" / "report.html").read_text()
    assert "Simulated vectors" in page and "the mean of the class" in page
    assert "generator of spectral vectors" in page


def test_new_objects_are_classified_by_images_alone(learned, stars, tmp_path):
    shutil.copytree(stars / "survey" / "cutouts", tmp_path / "cutouts")
    for path in sorted((tmp_path / "cutouts").iterdir())[4:]:
        path.unlink()
    table = pipeline.classify(model=learned[0] / "model", input=str(tmp_path / "cutouts"))
    assert len(table) == 4 and {"p_bhb", "p_other"} < set(table.colnames)


def test_nothing_is_done_twice(learned, stars, capsys):
    learn(stars, learned[0])
    told = capsys.readouterr().err
    assert told.count("(done before)") == 7 == told.count("->")


def test_the_generator_is_an_encoder_of_images_for_the_other_verbs(learned, stars, tmp_path):
    generator = str(learned[0] / "simulation" / "whole")
    encoders = {"image": str(learned[0] / "encoders" / "image" / "encoder"), "simulated": generator}
    features = ak.extract(stars / "data", encoders, tmp_path / "features")
    assert features.names == ["image", "simulated"] and features.out_features("simulated") == 8
    both = Classification("class", "concat_mlp", encoder_training=QUICK, training=QUICK, split=SETTINGS.split)
    given = {"image": STAMPS, "simulated": generator}
    table = pipeline.classify(
        stars / "data", tmp_path / "out", encoders=given, labels=stars / "survey" / "labels.csv", classification=both
    )
    assert table["sees"][0] == "image+simulated" and load_model(tmp_path / "out" / "model").modalities == ("image",)


@pytest.mark.parametrize(
    ("encoders", "message"),
    [
        ({"photometry": {**STAMPS, "reads": "image"}}, "takes an encoder for image and spectrum each, found image, sp"),
    ],
)
def test_other_encoders_are_refused(stars, tmp_path, encoders, message):
    with pytest.raises(UsageError, match=message):
        learn(stars, tmp_path / "out", **encoders)
