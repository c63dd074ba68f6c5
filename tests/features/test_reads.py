"""Several encoders of one modality, under names of their own."""

import numpy as np
import pytest
import torch
from fake_survey import Mean, run

from astroclip_kit.alignment import align
from astroclip_kit.embeddings import embed
from astroclip_kit.encoders import TabularMLP
from astroclip_kit.errors import UsageError
from astroclip_kit.features import FeatureSet
from astroclip_kit.models import load_model, save_model
from astroclip_kit.settings import Hardware, Training
from astroclip_kit.types import reads_of


class OfImages(Mean):
    """What it reads, its class says."""

    reads = "image"


def told(encoder, reads):
    """An encoder that was told what it reads."""
    encoder.reads = reads
    return encoder


def test_an_encoder_reads_what_it_says_and_else_its_name():
    assert reads_of("image", Mean()) == "image" == reads_of("simulated", OfImages())
    assert reads_of("second", told(Mean(), "table")) == "table"


def test_two_encoders_of_one_modality_give_two_matrices_and_nothing_is_computed_twice(survey, tmp_path):
    encoders = {"image": Mean(), "simulated": OfImages(), "second": told(TabularMLP(2, 5), "table")}
    features = run(survey, encoders, tmp_path / "features")
    assert features.names == ["image", "simulated", "second"]
    np.testing.assert_array_equal(features.matrix("image"), features.matrix("simulated"))
    assert (features.present("simulated") == survey.present("image")).all()
    assert (features.present("second") == survey.present("table")).all()
    assert features.modalities["simulated"] == survey.modalities["image"]
    assert survey.rows_read("image") == 2 * np.flatnonzero(survey.present("image")).tolist()
    survey.reads.clear()
    again = run(survey, encoders, tmp_path / "features")
    assert not survey.reads and again.data_hash("simulated") == features.data_hash("simulated")
    kept = load_model(FeatureSet(tmp_path / "features").encoder_folders["second"])
    assert kept.reads == "table"  # a class that does not say it is told again


def test_features_under_other_names_are_aligned_and_embedded(survey, tmp_path):
    encoders = {"image": Mean(), "simulated": OfImages(), "table": TabularMLP(2, 5)}
    features = run(survey, encoders, tmp_path / "features")
    model = align(features, tmp_path / "model", training=Training(epochs=1, hardware=Hardware("cpu")), quiet=True)
    store = embed(model, features, tmp_path / "space", quiet=True)
    assert store.names == ["image", "simulated", "table"]
    assert (store.present("simulated") == survey.present("image")).all()


def test_what_an_encoder_is_told_to_read_survives_its_folder_and_is_no_part_of_its_output(tmp_path):
    from astroclip_kit.features import fingerprint

    encoder = told(TabularMLP(2, 5), "table")
    save_model(encoder, tmp_path / "encoder")
    loaded = load_model(tmp_path / "encoder")
    assert loaded.reads == "table"
    torch.testing.assert_close(loaded(torch.ones(3, 2)), encoder.eval()(torch.ones(3, 2)))
    before = fingerprint(encoder)
    assert fingerprint(told(encoder, "other")) == before


@pytest.mark.parametrize(
    ("encoders", "message"),
    [
        (
            {"simulated": told(Mean(), "radio")},
            "'simulated' reads 'radio', of which there is nothing in the data: image",
        ),
        ({"table": OfImages()}, "'table' reads 'image', and 'table' is a modality too. Call it otherwise"),
        ({"a b": OfImages()}, "an encoder cannot be called 'a b': expected letters, digits and underscores"),
        ({"radio": Mean()}, "there is no modality 'radio' in the data; they have image, table"),
    ],
)
def test_a_name_that_says_nothing_or_two_things_is_refused(survey, tmp_path, encoders, message):
    with pytest.raises(UsageError, match=message):
        run(survey, encoders, tmp_path / "features")


def test_on_raw_views_each_modality_has_one_encoder(survey, tmp_path):
    encoders = {"image": Mean(), "simulated": OfImages(), "table": TabularMLP(2, 5)}
    with pytest.raises(UsageError, match="'simulated' reads 'image': several encoders of one modality"):
        align(survey, tmp_path / "model", encoders=encoders, quiet=True)
