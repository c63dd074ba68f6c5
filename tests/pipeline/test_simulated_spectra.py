"""`classify` with simulated spectra: what is told of them, and new objects by images alone."""

import shutil
import warnings
from dataclasses import replace

import numpy as np
import pytest

import astroclip_kit as ak
from astroclip_kit import pipeline
from astroclip_kit.data.splits import divide
from astroclip_kit.errors import UsageError
from astroclip_kit.features import FeatureSet
from astroclip_kit.models import load_model
from astroclip_kit.pipeline.simulated_spectra import cited
from astroclip_kit.results import read_results
from astroclip_kit.settings import Classification, Hardware, SpectralGAN, Split, Training
from astroclip_kit.storage import open_folder

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
        (spectral, "simulated"), (spectral, "retrieved"),
    ]  # fmt: skip
    results = read_results(out / "results")
    vectors = {(one.query, one.metric): one for one in results if one.task == "simulation"}
    told = ("", " (training, out of fold)", " (training, seen)")
    queries = [f"{source}{one}" for source in ("simulated", "retrieved") for one in told]
    assert list(dict.fromkeys(name for name, _ in vectors)) == queries
    assert list(dict.fromkeys(one.query for one in results if one.task == "leakage")) == queries
    assert not [one for one in results if "(training" in one.query and one.task not in ("leakage", "simulation")]
    assert all(-1 <= vectors[name, "cosine"].value <= 1 and vectors[name, "frechet"].value >= 0 for name in queries)
    page = (out / "results" / "report.html").read_text()
    assert "<h3>Simulated beside real vectors</h3>" in page and "<br>class mean " in page
    assert "<h3>Leakage: what the head of the spectrum reads in simulated vectors</h3>" in page
    assert "generator of spectral vectors" in page
    assert "doi 10.1088/1538-3873/acfbb9" in page and "Parker et al. 2024" in page  # retrieved in a contrastive space


def test_the_real_vectors_are_standardised_as_simulated_ones_are(learned):
    features = FeatureSet(learned[0] / "baselines" / "real" / "tokens")
    train = features.matrix("spectrum")[divide(features, SETTINGS.split) == "train"]
    np.testing.assert_allclose(train.mean(axis=0), 0, atol=0.01)
    scatter = train.std(axis=0)
    np.testing.assert_allclose(scatter[scatter > 0], 1, atol=0.01)


@pytest.mark.parametrize(
    ("changes", "contrastive", "count"),
    [
        ({}, True, 1),
        ({"baselines": ["svm"]}, False, 1),
        ({"stages": "two", "baselines": []}, False, 0),
        ({"stages": "aligned", "baselines": []}, True, 0),
    ],
)
def test_contrastive_papers_are_cited_where_there_is_such_a_space(changes, contrastive, count):
    found = cited(replace(SETTINGS, **changes))
    assert (found["contrastive"], len(found["citations"])) == (contrastive, count)


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


def test_a_space_of_objects_that_the_generator_learned_from_is_said_to_flatter(learned, stars, tmp_path):
    generator, whole = str(learned[0] / "simulation" / "whole"), str(learned[0] / "encoders" / "image")
    with pytest.warns(UserWarning, match="holds an encoder and its head: .* is taken, as 'image'"):
        features = ak.extract(stars / "data", {"image": whole, "simulated": generator}, tmp_path / "features")
    assert features.out_features("image") > 2  # not the logits
    assert features.manifest["modalities"]["simulated"]["learned"]["method"] == "spectral_gan"
    with (
        pytest.warns(
            UserWarning, match=r"'simulated' was trained \(spectral_gan, split .*\) on the side of \d+ of \d+"
        ),
        pytest.warns(UserWarning, match=r"'image' was trained \(supervised, split .*\) on the side of \d+ of \d+"),
    ):
        ak.align(features, tmp_path / "other", training=QUICK, split=Split(test=0.3, valid=0.3, seed=5))
    notes = open_folder(tmp_path / "other", "model")["notes"]
    assert len(notes) == 2 and "holds out: what is measured on them flatters it. Give the same split." in notes[1]
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        ak.align(features, tmp_path / "same", training=QUICK, split=SETTINGS.split)
    assert "notes" not in open_folder(tmp_path / "same", "model")


@pytest.mark.parametrize(
    ("encoders", "message"),
    [
        ({"photometry": {**STAMPS, "reads": "image"}}, "takes an encoder for image and spectrum each, found image, sp"),
    ],
)
def test_other_encoders_are_refused(stars, tmp_path, encoders, message):
    with pytest.raises(UsageError, match=message):
        learn(stars, tmp_path / "out", **encoders)
