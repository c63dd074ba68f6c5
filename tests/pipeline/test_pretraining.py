"""The verb `pretrain`, from a dataset to features of the encoder that it made."""

import numpy as np
import pytest
from few_stars import write_stars

import astroclip_kit as ak
from astroclip_kit import cli, pipeline
from astroclip_kit.classifiers import train_encoder
from astroclip_kit.encoders import ImageConvNet, ResNet1d
from astroclip_kit.errors import UsageError
from astroclip_kit.features import FeatureSet
from astroclip_kit.models import load_model
from astroclip_kit.settings import Classification, Optimizer, Split, Training
from astroclip_kit.storage import open_folder
from astroclip_kit.surveys import LegacySurveyCutouts, SDSSSpectra, TableReader

QUICK = ["--epochs", "2", "--training.batch_size", "16", "--training.hardware.precision", "float32"]
SMALL = "{class_path: astroclip_kit.encoders.ImageConvNet, init_args: {out_features: 8}}"


def test_an_encoder_is_pretrained_described_and_extracted_with(chain, tmp_path, capsys):
    out = str(tmp_path / "encoder")
    words = ["pretrain", str(chain.data), "moco", out, "--encoder", SMALL, "--moco.queue", "32", *QUICK]
    assert cli.main(words) == 0
    described = capsys.readouterr().out
    assert "ImageConvNet" in described and "method: moco" in described and "queue: 32" in described
    assert cli.main(["extract", str(chain.data), "--encoders.image", out, "--out", str(tmp_path / "features")]) == 0
    assert "random weights" not in capsys.readouterr().err
    h = FeatureSet(tmp_path / "features").matrix("image")
    assert h.shape[1] == 8 and np.isfinite(h).all()


def test_masked_spectra_end_in_an_encoder_that_info_describes(chain, tmp_path, capsys):
    out = str(tmp_path / "encoder")
    encoder = "{class_path: astroclip_kit.encoders.SpecFormer, init_args: {width: 8, depth: 1, heads: 2}}"
    words = ["--encoder", encoder, "--training.epochs", "1", *QUICK[2:]]
    assert cli.main(["pretrain", str(chain.data), "masked", out, *words]) == 0
    printed = capsys.readouterr().out
    assert "SpecFormer" in printed and "heads=2" in printed and "method: masked" in printed
    assert "head of" not in printed and printed.strip() == pipeline.info(out).strip()


def test_an_encoder_folder_is_where_a_pretraining_may_start(chain, tmp_path):
    still = Training(epochs=1, batch_size=64, optimizer=Optimizer(learning_rate=1e-12))
    first = pipeline.pretrain(chain.data, "moco", tmp_path / "a", training=still)
    again = pipeline.pretrain(chain.data, "moco", tmp_path / "b", encoder=str(tmp_path / "a"), training=still)
    assert isinstance(first, ImageConvNet) and isinstance(load_model(tmp_path / "b"), ImageConvNet)
    for one, other in zip(first.parameters(), again.parameters(), strict=True):
        np.testing.assert_allclose(one.detach(), other.detach(), atol=1e-6)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["simclr"], "there is no pretraining 'simclr'. One of: moco, autoencoder, masked, spectral_gan"),
        (["moco", "--modality", "radio"], "there is no 'radio' in the data; it has image, spectrum"),
        (
            ["moco", "--modality", "spectrum"],
            "ImageConvNet encodes data of kind 'image', and 'spectrum' is of kind 'spectrum'",
        ),
        (["moco", "--moco.momentum", "2"], "moco.momentum is 2.0, expected 0 to below 1"),
        (["spectral_gan"], "spectral_gan simulates the vectors that a classifier of spectra has: give its folder with"),
        (["spectral_gan", "--spectrum-encoder", "nowhere"], "nowhere: no such folder"),
    ],
)
def test_what_cannot_be_pretrained(chain, tmp_path, fails, words, message):
    assert message in fails("pretrain", chain.data, *words, "--out", tmp_path / "encoder")


@pytest.fixture(scope="module")
def stars(tmp_path_factory):
    """A dataset of few stars, and the folder of a classifier of their spectra."""
    root = tmp_path_factory.mktemp("stars")
    write_stars(root / "survey", 60)
    images = LegacySurveyCutouts(root / "survey" / "cutouts", bands="ugriz")
    spectra = SDSSSpectra(root / "survey" / "spectra")
    table = TableReader(root / "survey" / "labels.csv", id_column="object_id", labels=["class"])
    data = ak.ingest(root / "data", images=images, spectra=spectra, catalogue=table, labels=["class"])
    encoder = ResNet1d.for_modality(data.modalities["spectrum"], widths=(4,), blocks=1, out_features=8)
    settings = Classification(encoder_training=Training(2, 16), split=Split(test=0.2, valid=0.2))
    train_encoder(data, root / "spectra", modality="spectrum", encoder=encoder, settings=settings, quiet=True)
    return root


def test_a_generator_of_spectral_vectors_is_a_third_view(stars, capsys):
    network = "{class_path: astroclip_kit.encoders.StampResNet, init_args: {width: 4, stages: 2, out_features: 8}}"
    words = ["pretrain", str(stars / "data"), "spectral_gan", str(stars / "generator"), "--encoder", network]
    words += ["--spectrum-encoder", str(stars / "spectra"), "--split.test", "0.2", "--split.valid", "0.2"]
    assert cli.main([*words, "--spectral_gan.draws", "2", *QUICK]) == 0
    described = capsys.readouterr().out
    assert "SpectralGenerator" in described and "method: spectral_gan" in described and "loss: hinge" in described
    assert open_folder(stars / "generator", "model")["training"]["optimizer"]["betas"] == [0.5, 0.9]
    words = ["extract", str(stars / "data"), "--encoders.simulated", str(stars / "generator")]
    assert cli.main([*words, "--encoders.spectrum", str(stars / "spectra" / "encoder"), "--out", str(stars / "f")]) == 0
    features = FeatureSet(stars / "f")
    assert features.matrix("simulated").shape == features.matrix("spectrum").shape == (60, 8)
    assert cli.main(["align", str(stars / "f"), str(stars / "space"), "--epochs", "1"]) == 0


def test_vectors_may_be_those_of_the_nearest_spectra_instead(stars, capsys):
    network = "{class_path: astroclip_kit.encoders.StampResNet, init_args: {width: 4, stages: 2, out_features: 8}}"
    words = ["pretrain", str(stars / "data"), "spectral_gan", str(stars / "retriever"), "--encoder", network]
    words += ["--spectrum-encoder", str(stars / "spectra"), "--split.test", "0.2", "--split.valid", "0.2"]
    assert cli.main([*words, "--source", "retrieved", "--neighbours", "3", *QUICK]) == 0
    assert "RetrievedSpectra" in capsys.readouterr().out
    assert load_model(stars / "retriever").neighbours == 3


def test_classes_that_the_spectra_do_not_have_are_read_from_a_table(stars, tmp_path, capsys):
    """As after `classify --labels`, where the dataset has the class of the spectral pipeline."""
    data = ak.ingest(tmp_path / "data", images=LegacySurveyCutouts(stars / "survey" / "cutouts", bands="ugriz"),
                     spectra=SDSSSpectra(stars / "survey" / "spectra"))  # fmt: skip
    assert set(data.labels["class"]) == {"STAR"}
    network = "{class_path: astroclip_kit.encoders.StampResNet, init_args: {width: 4, stages: 1, out_features: 8}}"
    words = ["pretrain", str(tmp_path / "data"), "spectral_gan", "--out", str(tmp_path / "out"), "--encoder", network]
    words += ["--spectrum-encoder", str(stars / "spectra"), "--split.test", "0.2", "--split.valid", "0.2", *QUICK]
    assert cli.main(words) == 1
    told = capsys.readouterr().err
    assert "that the target knows (bhb, other); 'class' has STAR. Give the table that it learned from (--labels" in told
    assert "--spectral_gan.classes 0" in told
    assert cli.main([*words, "--labels", str(stars / "survey" / "labels.csv")]) == 0
    assert open_folder(tmp_path / "out", "model")["label"]["missing"] == 0


def test_features_are_not_pretrained_on(chain, tmp_path, fails):
    assert "expected a dataset folder to train on, found features" in fails(
        "pretrain", chain.features, "moco", "--out", tmp_path / "encoder"
    )


def test_a_method_says_what_kind_of_data_it_misses(chain, tmp_path, fails):
    from astroclip_kit.data import Dataset

    spectra = Dataset(chain.data)
    del spectra.modalities["image"]
    with pytest.raises(UsageError, match="moco is for data of kind 'image', of which there are"):
        pipeline.pretrain(spectra, "moco", tmp_path / "encoder")
