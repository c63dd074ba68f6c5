import re

import numpy as np
import pytest

from astroclip_kit.downstream import NewObjects, knn, predict_table
from astroclip_kit.embeddings import EmbeddingStore
from astroclip_kit.errors import InputError, UsageError
from astroclip_kit.settings.prediction import Prediction

COVERAGE = Prediction(coverage=0.9)


def test_values_are_those_of_the_nearest_others(sky, sky_store):
    rows = [4, 7]
    table = predict_table(
        sky_store, ["z", "class"], asked=rows, query="image", memory="spectrum", settings=Prediction(5)
    )
    image, spectrum = (sky_store.vectors(name) for name in ("image", "spectrum"))
    for name, truth in (("z", sky.z), ("class", sky.kind)):
        said = knn.predict(spectrum, truth, image[rows], k=5, exclude=(sky.groups[rows], sky.groups))
        np.testing.assert_array_equal(table[name], said.value)
        np.testing.assert_allclose(table[f"{name}_spread"], said.spread)
        ids = table[f"{name}_neighbours"][0].split(",")
        assert ids == list(sky.object_ids[said.rows[0]]) and not {"o4", "o5"} & set(ids)
    shares = [table[f"class_probability_{kind}"] for kind in ("GALAXY", "QSO", "STAR")]
    np.testing.assert_allclose(np.sum(shares, axis=0), 1)
    np.testing.assert_allclose(np.max(shares, axis=0), 1 - table["class_spread"])
    assert len(predict_table(sky_store, ["z"])) == sky.count


def test_logarithms_come_back_in_both_and_angles_go_round(sky, sky_store):
    near_zero = np.flatnonzero((sky.angle < 3) | (sky.angle > 177))
    names = ["log10(z)", "circular(angle_deg, 180)"]
    table = predict_table(sky_store, names, asked=near_zero, query="spectrum", settings=COVERAGE)
    for end in ("", "_low", "_high"):
        np.testing.assert_allclose(table[f"z{end}"], 10 ** table[f"log10(z){end}"])
    off = (table["angle_deg"] - sky.angle[near_zero] + 90) % 180 - 90
    assert np.abs(off).max() < 12 and table["angle_deg_spread"].max() < 15
    low, value, high = (table[name] for name in ("angle_deg_low", "angle_deg", "angle_deg_high"))
    half = (high - low) % 180 / 2
    inside = table["angle_deg_supported"]
    np.testing.assert_allclose(((value - low) % 180)[inside], half[inside])
    assert (low > high).any() and (low[inside] >= 0).all() and (high[inside] <= 180).all()
    plain = predict_table(sky_store, ["angle_deg"], asked=near_zero, query="spectrum")
    assert np.abs(plain["angle_deg"] - sky.angle[near_zero]).max() > 60  # what a plain mean makes of it


def test_where_chooses_the_memory(sky, sky_store):
    table = predict_table(sky_store, ["z"], asked=[0, 1], where="zwarning == 0 and z > 0.3")
    rows = [int(one[1:]) for text in table["z_neighbours"] for one in text.split(",")]
    assert (np.array(rows) % 5 != 0).all() and (sky.z[rows] > 0.3).all()
    assert table.meta["notes"][0].endswith("each object's image, among objects with zwarning == 0 and z > 0.3")
    with pytest.raises(UsageError, match="where 'snr > 5'"):
        predict_table(sky_store, ["z"], where="snr > 5")
    with pytest.raises(InputError, match="no object that `where` lets answer has image, so there is no memory"):
        predict_table(sky_store, ["z"], where="z > 7")


def test_new_objects_are_asked_about_by_their_vectors(sky, sky_store):
    old = predict_table(sky_store, ["z"], asked=[4, 9], query="spectrum", settings=COVERAGE)
    vectors = {"spectrum": sky_store.vectors("spectrum")[[4, 9]] * 3}
    new = predict_table(sky_store, ["z"], asked=NewObjects(vectors, ["o4", "o9"]), query="spectrum", settings=COVERAGE)
    np.testing.assert_allclose(new["z"], old["z"], rtol=1e-5)  # another file of a known object: not its own neighbour
    unknown = predict_table(sky_store, ["z"], asked=NewObjects(vectors), query="spectrum")
    assert list(unknown["object_id"]) == ["new 1", "new 2"] and unknown["z"][0] == pytest.approx(sky.z[4], abs=1e-6)
    both = {**vectors, "image": sky_store.vectors("image")[[4, 9]]}
    pair = predict_table(sky_store, ["z"], asked=NewObjects(both, ["o4", "o9"]), memory="image+spectrum")
    known = predict_table(sky_store, ["z"], asked=[4, 9], memory="image+spectrum")
    assert list(pair["z_neighbours"]) == list(known["z_neighbours"])


def test_the_same_seed_gives_the_same_table_and_columns_say_what_they_are(sky_store):
    one, two = (predict_table(sky_store, ["z", "class"], settings=COVERAGE) for _ in range(2))
    assert one.meta["notes"] == two.meta["notes"]
    for name in one.colnames:
        np.testing.assert_array_equal(one[name], two[name])
        assert one[name].info.description or name in ("object_id", "ra", "dec")
    other = predict_table(sky_store, ["z"], settings=Prediction(coverage=0.9, seed=1))
    assert not np.array_equal(other["z_low"], one["z_low"])
    promise = (
        "z: the interval holds the truth for 90 % of objects like the 120 of 600 that calibrate it, 120 of them not"
    )
    assert promise in " ".join(one.meta["notes"])
    for rare in ("z: .* at the ends of the range", "class: .* of a rare class"):
        assert re.search(rf"{rare} it may hold less often", "\n".join(one.meta["notes"]))
    assert one["z_low"].info.description.endswith("for 90 % of objects on average")


def test_vectors_that_are_no_numbers_are_told_with_their_modality(sky, tmp_path):
    store = sky.write(tmp_path / "space")
    z = np.array(store.vectors("spectrum"))
    z[[3, 8], 0] = np.nan
    np.save(store.root / "spectrum.npy", z)
    with pytest.raises(InputError, match=r"space: embeddings of spectrum: 2 of 1200 vectors hold NaN .* Embed again"):
        predict_table(store, ["z"], query="image", memory="spectrum")
    assert len(predict_table(store, ["z"], asked=[3], query="image"))


@pytest.mark.parametrize(
    ("calibration", "coverage", "count", "unseen"),
    [(0.2, 0.9, 120, 120), (0.5, 0.9, 240, 240), (0.5, 0.996, 300, 240)],
)
def test_others_calibrate_only_where_those_not_trained_on_are_too_few(sky_store, calibration, coverage, count, unseen):
    settings = Prediction(coverage=coverage, calibration=calibration, k=4)
    table = predict_table(sky_store, ["z"], asked=NewObjects({"image": sky_store.vectors("image")}), settings=settings)
    notes = "\n".join(table.meta["notes"])
    fewer = rf" (calibration={calibration} allows more)" if count < calibration * 600 else ""
    assert f"like the {count} of 600 that calibrate it{fewer}, {unseen} of them not trained on; " in notes
    assert ("probably too narrow" in notes) == (unseen < count)
    assert (f"{count - unseen} of the {count} that calibrate it are not known to be new" in notes) == (unseen < count)
    assert np.isfinite(table["z_low"][table["z_supported"]]).all()


def test_who_gets_no_interval_is_promised_none(sky_store):
    strange = NewObjects({"image": np.eye(8)[[7]]})
    table = predict_table(sky_store, ["z"], asked=strange, settings=COVERAGE)
    assert not table["z_supported"].any() and "holds the truth" not in " ".join(table.meta["notes"])


def test_units_go_with_the_numbers(sky_store, monkeypatch):
    from astropy import units as u

    table = sky_store.to_table()
    table["z"].unit, table["angle_deg"].unit = u.Mpc, u.deg
    monkeypatch.setattr(type(sky_store), "to_table", lambda self: table)
    names = ["log10(z)", "circular(angle_deg, 180)"]
    found = predict_table(sky_store, names, asked=[0], settings=COVERAGE)
    assert {found[name].unit for name in ("angle_deg", "angle_deg_low", "angle_deg_spread")} == {u.deg}
    assert found["z"].unit == found["z_high"].unit == u.Mpc and found["log10(z)"].unit is None
    assert found["log10(z)"].description == "log10(z) in Mpc: mean of 16 neighbours"


def test_a_property_that_few_objects_have(sky, tmp_path):
    few = np.where(np.arange(sky.count) < 30, sky.z, np.nan)
    store = sky.write(tmp_path / "space", mass=few, constant=np.ones(sky.count), only=np.full(sky.count, "STAR"))
    table = predict_table(store, ["mass"], asked=[500])
    assert "mass: known for 30 of 1200 objects of the memory" in table.meta["notes"]
    with pytest.raises(InputError, match=r"k: expected 1 to 28 .*, found 31; mass is known for 30 of 1200 objects"):
        predict_table(store, ["mass"], asked=[500], settings=Prediction(k=31))
    with pytest.raises(InputError, match=r"mass: a coverage of 0.9 takes at least 10 objects .* 0.2 of 15 are 3"):
        predict_table(store, ["mass"], asked=[500], settings=COVERAGE)
    with pytest.raises(InputError, match=r"takes at least 13 objects"):  # some of those who ask would calibrate
        predict_table(store, ["mass"], settings=COVERAGE)
    with pytest.raises(InputError, match=r"k: expected 1 to 6 \(rows .* that do not calibrate \(12 do\), .*, found 16"):
        predict_table(store, ["mass"], asked=[500], settings=Prediction(coverage=0.9, calibration=0.8))
    none = sky.write(tmp_path / "none", mass=np.full(sky.count, np.nan))
    with pytest.raises(InputError, match="mass is known for 0 of 1200 objects with image, so nothing can be predicted"):
        predict_table(none, ["mass"])
    table = predict_table(store, ["constant", "only"], settings=COVERAGE)
    assert (table["constant"] == 1).all() and (table["only_probability_STAR"] == 1).all()
    inside = table["constant_supported"]
    assert (table["constant_low"] == table["constant_high"])[inside].all() and set(table["only_set"][inside]) == {
        "STAR"
    }
    assert "constant: 1.0 for every object of the memory, so an interval has no width" in table.meta["notes"]
    assert "only: STAR for every object of the memory, so nothing to choose from" in table.meta["notes"]


VECTORS = np.eye(8, dtype=np.float32)[:2]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (
            {"asked": NewObjects({"image": VECTORS * np.nan})},
            InputError,
            "image of new objects: vector 0 is zero or not",
        ),
        (
            {"asked": NewObjects({"image": VECTORS[0]})},
            InputError,
            r"expected vectors \[Q, 8\] of this space, found \(8,",
        ),
        (
            {"asked": NewObjects({"image": VECTORS[:, :5]})},
            InputError,
            r"expected vectors \[Q, 8\] of this space, found \(2, 5",
        ),
        ({"asked": NewObjects({"image": VECTORS}, ["a"])}, InputError, "expected one for each of 2 vectors, found 1"),
        ({"asked": NewObjects({"spectrum": VECTORS})}, UsageError, "have no image, only spectrum. Say with `query`"),
        ({"properties": ["z", "log10(z)"]}, UsageError, "'z' would be two columns of the table"),
        ({"properties": ["mass"]}, UsageError, "no property 'mass' among the labels: z, angle_deg, class, zwarning"),
        ({"query": "radio"}, UsageError, "has no modality 'radio'"),
        ({"settings": Prediction(k=0)}, InputError, "k: expected 1 to 1198"),
        ({"settings": Prediction(k=5000)}, InputError, "k: expected 1 to 1198 .* z is known for 1200 of 1200 objects"),
        ({"settings": Prediction(coverage=0.999)}, InputError, "a coverage of 0.999 takes at least 1250 objects"),
    ],
)
def test_bad_input_is_refused(sky_store, arguments, error, message):
    with pytest.raises(error, match=message):
        predict_table(sky_store, **{"properties": ["z"], **arguments})


def test_an_object_without_the_modality_cannot_ask(sky, tmp_path):
    present = {"image": np.arange(sky.count) > 0}
    vectors = {name: np.ones((sky.count, 2)) for name in ("spectrum", "image")}
    store = EmbeddingStore.write(tmp_path / "s", vectors, sky.object_ids, present=present, labels={"z": sky.z})
    with pytest.raises(InputError, match="'o0' has no image, which is needed to ask with it"):
        predict_table(store, ["z"], asked=[0], memory="image+spectrum")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"coverage": 1.0}, "coverage is 1.0, expected 0.5 to below 1"),
        ({"coverage": 0.2}, "coverage is 0.2, expected 0.5 to below 1"),
        ({"calibration": 0.0}, "calibration is 0.0, expected a share"),
        ({"least_support": 101}, "least_support is 101, expected a percentile"),
        ({"seed": -1}, "seed is -1, expected 0 or more"),
        ({"weights": "gaussian"}, "expected weights distance or uniform, found gaussian"),
    ],
)
def test_settings_that_mean_nothing(settings, message):
    with pytest.raises(UsageError, match=message):
        Prediction(**settings)
