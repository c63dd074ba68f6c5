"""Whether a prediction says that its object does not belong: a spectrum of another survey, a galaxy among stars."""

import numpy as np
import pytest

from astroclip_kit.downstream import NewObjects, predict_table
from astroclip_kit.embeddings import EmbeddingStore
from astroclip_kit.settings.prediction import Prediction

COUNT, D = 500, 16
COVERAGE = Prediction(coverage=0.9)


def survey(centre, seed, count=COUNT):
    """Vectors of one kind of object: a cone around a direction, in which the first coordinate is a temperature."""
    rng = np.random.default_rng(seed)
    temperature = rng.uniform(0, 1, count)
    vectors = 0.05 * rng.normal(size=(count, D))
    vectors[:, centre] += np.cos(temperature)
    vectors[:, centre + 1] += np.sin(temperature)
    return vectors, temperature


@pytest.fixture(scope="module")
def stars(tmp_path_factory):
    """A space of stars with a gap between its modalities, as contrastive spaces have."""
    spectra, temperature = survey(0, seed=0)
    images = spectra + 0.05 * np.random.default_rng(9).normal(size=spectra.shape)
    images[:, 4] += 1
    split = np.where(np.arange(COUNT) % 5 == 0, "test", "train")
    kind = np.where(temperature < 0.5, "K", "G")
    return EmbeddingStore.write(
        tmp_path_factory.mktemp("stars") / "space",
        {"image": images, "spectrum": spectra},
        [f"star {i}" for i in range(COUNT)],
        catalog={"split": split},
        labels={"temperature": temperature, "class": kind},
    )


def test_stars_are_supported_in_a_space_of_stars(stars):
    more = NewObjects({"spectrum": survey(0, seed=1)[0]})
    table = predict_table(stars, ["temperature"], asked=more, query="spectrum", settings=COVERAGE)
    assert table["temperature_supported"].mean() > 0.95
    assert np.median(table["temperature_support"]) == pytest.approx(50, abs=15)
    assert np.isfinite(table["temperature_low"][table["temperature_supported"]]).all()


@pytest.mark.parametrize("memory", ["spectrum", "image", "any"])
def test_galaxies_are_not(stars, memory):
    galaxies = NewObjects({"spectrum": survey(8, seed=2)[0]})
    table = predict_table(
        stars, ["temperature", "class"], asked=galaxies, query="spectrum", memory=memory, settings=COVERAGE
    )
    assert not table["temperature_supported"].any() and (table["temperature_support"] == 0).all()
    assert np.isnan(table["temperature_low"]).all() and np.isnan(table["temperature_high"]).all()
    assert set(table["class_set"]) == {""}
    assert (
        "temperature: 500 of 500 outside of the memory (support below 1): do not rely on their values; they get no "
        "interval" in table.meta["notes"]
    )


def test_an_instrument_that_moves_all_vectors_is_noticed(stars):
    moved = survey(0, seed=1)[0] + 0.6 * np.eye(D)[10]
    table = predict_table(stars, ["class"], asked=NewObjects({"spectrum": moved}), query="spectrum")
    assert not table["class_supported"].any()
    assert table.meta["notes"][-1].endswith("do not rely on their values")


@pytest.mark.parametrize(("query", "memory"), [("image", "spectrum"), ("spectrum", "image"), ("image", "any")])
def test_the_gap_between_modalities_is_no_lack_of_support(stars, query, memory):
    table = predict_table(stars, ["temperature"], query=query, memory=memory)
    assert table["temperature_supported"].mean() > 0.95


def test_the_percentile_is_that_of_the_memory_without_the_own_object(stars):
    z = stars.vectors("spectrum").astype(float)
    similarity = z @ z.T
    np.fill_diagonal(similarity, -np.inf)
    third = -np.sort(-similarity, axis=1)[:, 2]
    held_out = stars.split == "test"  # those the model was not trained on say what is usual
    wanted = [100 * np.mean(third[held_out] <= one + 1e-9) for one in third[:20]]
    table = predict_table(stars, ["temperature"], asked=range(20), query="spectrum", settings=Prediction(k=3))
    np.testing.assert_allclose(table["temperature_support"], wanted, atol=1.01)


def test_the_limit_is_a_setting(stars):
    loose, strict = (
        predict_table(stars, ["temperature"], query="spectrum", settings=Prediction(least_support=least))
        for least in (0, 30)
    )
    assert loose["temperature_supported"].all()
    assert strict["temperature_supported"].mean() == pytest.approx(0.7, abs=0.12)


def test_without_anyone_to_compare_with_no_support_is_known(tmp_path):
    vectors, temperature = survey(0, seed=0, count=40)
    has_image = np.arange(40) < 20
    labels = {"temperature": np.where(has_image, np.nan, temperature)}
    present = {"image": has_image, "spectrum": ~has_image}
    ids = [str(i) for i in range(40)]
    store = EmbeddingStore.write(tmp_path / "s", dict.fromkeys(present, vectors), ids, present=present, labels=labels)
    table = predict_table(store, ["temperature"], query="image", memory="spectrum")
    assert np.isnan(table["temperature_support"]).all() and not table["temperature_supported"].any()
    assert table.meta["notes"][-1] == (
        "temperature: no support is known, as no object of the memory could ask in this way"
    )


def test_what_looks_unfamiliar_is_not_supported_although_its_vector_hides(stars):
    vectors = survey(0, seed=1, count=4)[0]
    new = NewObjects({"spectrum": vectors}, familiar={"spectrum": [80, 0.4, 50, 60]})
    table = predict_table(stars, ["temperature", "class"], asked=new, query="spectrum", settings=COVERAGE)
    assert list(table["temperature_supported"]) == [True, False, True, True]
    assert list(np.isnan(table["temperature_low"])) == [False, True, False, False]
    assert np.isfinite(table["temperature"]).all() and table["class_set"][1] == "" != table["class_set"][0]
    assert list(table["class_familiar"]) == [80, 0.4, 50, 60]
    assert "objects not trained on" in table["class_familiar"].description
    assert table["class_supported"].description == "support and familiarity of at least 1"
    assert not any("it is not known how familiar" in note for note in table.meta["notes"])
    images = vectors + np.eye(D)[4]
    both = NewObjects(
        {"spectrum": vectors, "image": images}, familiar={"spectrum": [80, 90, 50, 60], "image": [70, 0.5, 99, 60]}
    )
    table = predict_table(stars, ["class"], asked=both, query="image+spectrum")
    assert list(table["class_familiar"]) == [70, 0.5, 50, 60] and not table["class_supported"][1]
    assert "class: 1 of 4 outside of the memory (support or familiarity below 1)" in table.meta["notes"][-1]


def test_where_it_is_not_known_how_familiar_inputs_look_that_is_said(stars):
    table = predict_table(stars, ["class"], query="spectrum")
    assert "class_familiar" not in table.colnames
    assert table["class_supported"].description == "support of at least 1"
    assert table.meta["notes"][1].startswith("support is that of vectors alone, among which strange inputs can hide")
