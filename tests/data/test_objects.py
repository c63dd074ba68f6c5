"""Tests of how observations become objects and rows."""

import json

import numpy as np
import pandas as pd
import pytest

from astroclip_kit.data import objects
from astroclip_kit.errors import InputError, UsageError
from astroclip_kit.settings import Matching, Motion

ARCSEC = 1 / 3600


def table(rows):
    """Observations of a source: (object_id, changes)."""
    blank = {"group": None, "ra": None, "dec": None, "labels": {}, "snr": None}
    frame = pd.DataFrame([{**blank, "object_id": name, "group": name, **changes} for name, changes in rows])
    frame["labels"] = frame["labels"].map(json.dumps)
    return frame.astype({"ra": float, "dec": float, "snr": float})


def at(ra, **more):
    return {"ra": ra, "dec": 0.0, **more}


def test_by_id_an_object_may_lack_a_modality():
    made = objects.plan(
        {"image": table([("a", {}), ("b", {})]), "spectrum": table([("c", {}), ("b", {})])},
        ["image", "spectrum"],
        Matching(),
    )
    assert made.catalogue["object_id"].tolist() == ["a", "b", "c"]
    assert made.rows["image"].tolist() == [0, 1, -1] and made.rows["spectrum"].tolist() == [-1, 1, 0]
    assert made.drops.empty


def test_a_repeated_id_is_dropped_with_its_reason():
    made = objects.plan({"image": table([("a", {}), ("b", {}), ("a", {})])}, ["image"], Matching())
    assert made.rows["image"].tolist() == [0, 1]
    reason = "the object occurs more than once; kept by rule: first."
    assert made.drops.to_dict("records") == [{"source": "image", "dropped": "a", "reason": reason}]


@pytest.mark.parametrize(
    ("rule", "kept"),
    [
        ("first", 0),
        ("highest_snr", 1),
        ("lowest seeing", 2),
        ("highest seeing", 3),
        ("nearest mjd to maxdate", 2),
    ],
)
def test_which_repeat_is_kept(rule, kept):
    observed = [
        ("s#0", {"group": "s", "snr": 2.0, "labels": {"mjd": 10.0}}),
        ("s#1", {"group": "s", "snr": 9.0, "labels": {"seeing": 1.0, "mjd": 40.0}}),
        ("s#2", {"group": "s", "labels": {"seeing": 0.5, "mjd": 24.0}}),
        ("s#3", {"group": "s", "snr": 1.0, "labels": {"seeing": 2.0}}),
    ]
    sources = {"spectrum": table(observed), "catalogue": table([("s", {"labels": {"maxdate": 20.0}})])}
    made = objects.plan(sources, ["spectrum"], Matching(repeats={"spectrum": rule}))
    assert made.rows["spectrum"].tolist() == [kept] and made.catalogue["object_id"].tolist() == ["s"]
    assert made.drops["dropped"].tolist() == [f"s#{i}" for i in range(4) if i != kept]
    assert rule in made.drops["reason"].iloc[0]


def test_every_observation_makes_a_row_with_its_object_as_group():
    sources = {
        "lightcurve": table([("s", {}), ("t", {}), ("u", {})]),
        "spectrum": table([("u#0", {"group": "u"}), ("s#0", {"group": "s"}), ("u#1", {"group": "u"})]),
    }
    made = objects.plan(sources, ["lightcurve", "spectrum"], Matching(rows="spectrum"))
    assert made.catalogue["object_id"].tolist() == ["s#0", "t", "u#0", "u#1"]
    assert made.catalogue["group"].tolist() == ["s", "t", "u", "u"]
    assert made.rows["lightcurve"].tolist() == [0, 1, 2, 2] and made.rows["spectrum"].tolist() == [1, -1, 0, 2]


def test_rows_of_equal_ids_get_numbers():
    made = objects.plan({"x": table([("a", {}), ("a", {}), ("a#2", {"group": "b"})])}, ["x"], Matching(rows="x"))
    assert made.catalogue["object_id"].is_unique and made.catalogue["group"].tolist() == ["a", "a", "b"]


def test_by_position_ids_mean_nothing():
    sources = {
        "image": table([("1", at(10.0)), ("2", at(20.0))]),
        "spectrum": table([("1", at(20.0 + 0.5 * ARCSEC)), ("2", at(30.0))]),
    }
    made = objects.plan(sources, ["image", "spectrum"], Matching(by="position"))
    assert made.catalogue["object_id"].tolist() == ["1", "2", "2#2"]
    assert made.rows["spectrum"].tolist() == [-1, 0, 1]
    assert made.catalogue["ra"].tolist() == [10.0, 20.0, 30.0]


def test_by_position_across_0_h_and_without_coordinates():
    sources = {"image": table([("a", at(359.99999)), ("b", {})]), "spectrum": table([("x", at(0.00001))])}
    made = objects.plan(sources, ["image", "spectrum"], Matching(by="position"))
    assert made.rows["image"].tolist() == [0] and made.rows["spectrum"].tolist() == [0]
    assert made.drops["reason"].tolist() == ["no coordinates to match by position."]


def test_an_ambiguous_match_is_taken_and_listed():
    sources = {
        "image": table([("a", at(10.0))]),
        "spectrum": table([("x", at(10.0 + 0.8 * ARCSEC)), ("y", at(10.0 + 0.2 * ARCSEC))]),
    }
    made = objects.plan(sources, ["image", "spectrum"], Matching(by="position"))
    assert made.rows["spectrum"].tolist() == [1, 0]
    (rival,) = made.ambiguous
    assert (rival.source, rival.object_id, rival.matched_to, rival.candidates) == ("spectrum", "y", "a", 2)
    assert (rival.matched_source, rival.rivals) == ("image", "spectrum x 0.800")
    assert rival.separation_arcsec == pytest.approx(0.2, abs=1e-6)


def test_a_match_that_was_given_up_is_listed():
    sources = {
        "c": table([("c", at(10.0 + 0.8 * ARCSEC))]),
        "b": table([("b", at(10.0 + 0.5 * ARCSEC))]),
        "a": table([("a1", at(10.0)), ("a2", at(10.0 + 1.5 * ARCSEC))]),
    }
    made = objects.plan(sources, ["c", "b", "a"], Matching(by="position"))
    assert made.rows["a"].tolist() == [0, 1] and made.rows["b"].tolist() == [0, -1]
    (given_up,) = [one for one in made.ambiguous if not one.matched_to]
    assert (given_up.source, given_up.object_id, given_up.matched_source) == ("a", "a2", "c")
    assert given_up.rivals == "c c 0.700; a a1 0.800" and np.isnan(given_up.separation_arcsec)


@pytest.mark.parametrize("order", [("image", "spectrum", "radio"), ("radio", "spectrum", "image")])
def test_every_pair_of_sources_may_have_its_own_radius(order):
    sources = {
        "image": table([("i", at(10.0))]),
        "spectrum": table([("s", at(10.0 + 1.4 * ARCSEC))]),
        "radio": table([("r", at(10.0 - 4 * ARCSEC))]),
        "catalogue": table([("c", at(10.0 + 2.4 * ARCSEC, labels={"z": 1.0}))]),
    }
    sources = {name: sources[name] for name in (*order, "catalogue")}
    radii = {"image-spectrum": 1.5, "radio-image": 5.0, "catalogue-spectrum": 1.1}
    made = objects.plan(sources, list(order), Matching(by="position", radius_arcsec=0.5, radii=radii))
    assert made.catalogue["object_id"].tolist() == [order[0][0]] and made.labels["z"].tolist() == [1.0]
    apart = objects.plan(sources, list(order), Matching(by="position", radius_arcsec=0.5))
    assert len(apart.catalogue) == 3 and apart.labels == {}


def test_visits_are_put_together_with_their_own_radius():
    visits = table([("v1", at(10.0)), ("v2", at(10.0 + 2 * ARCSEC)), ("w", at(20.0))])
    matching = Matching(by="position", rows="spectrum", group="id", radii={"spectrum-spectrum": 3.0})
    assert objects.plan({"spectrum": visits}, ["spectrum"], matching).catalogue["group"].tolist() == ["v1", "v1", "w"]


def test_repeat_visits_are_found_by_position():
    visits = table([("v1", at(10.0, snr=1.0)), ("v2", at(10.0 + 0.5 * ARCSEC, snr=5.0)), ("w", at(20.0))])
    sources = {"image": table([("a", at(10.0))]), "spectrum": visits}
    one = objects.plan(sources, ["image", "spectrum"], Matching(by="position", repeats={"spectrum": "highest_snr"}))
    assert one.rows["spectrum"].tolist() == [1, 2] and one.drops["dropped"].tolist() == ["v1"]
    every = objects.plan(sources, ["image", "spectrum"], Matching(by="position", rows="spectrum"))
    assert every.catalogue["object_id"].tolist() == ["v1", "v2", "w"]
    assert every.catalogue["group"].tolist() == ["a", "a", "w"] and every.rows["image"].tolist() == [0, 0, -1]


def test_visits_to_one_position_share_a_group_when_matched_by_position():
    visits = table([("v1", at(10.0)), ("v2", at(10.0 + 0.5 * ARCSEC)), ("w", at(20.0))])
    sources = {"image": table([("a", at(10.0))]), "spectrum": visits}
    made = objects.plan(sources, ["image", "spectrum"], Matching(by="position"))
    assert made.catalogue["object_id"].tolist() == ["a", "v2", "w"]
    assert made.catalogue["group"].tolist() == ["a", "a", "w"]
    apart = objects.plan(sources, ["image", "spectrum"], Matching(by="position", group="id"))
    assert apart.catalogue["group"].tolist() == ["a", "v2", "w"]


@pytest.mark.parametrize("first", ["spectrum", "catalogue"])
def test_every_row_takes_the_labels_of_the_nearest_catalogue_entry(first):
    visits = [("v1", at(10.0)), ("v2", at(10.0 + 0.5 * ARCSEC)), ("w", at(20.0)), ("far", at(10.0 + 3 * ARCSEC))]
    entries = [("c", at(10.0, labels={"z": 1.0})), ("d", at(10.0 + 1.2 * ARCSEC, labels={"z": 2.0}))]
    sources = {"spectrum": table(visits), "catalogue": table([*entries, ("e", at(30.0, labels={"z": 3.0}))])}
    sources = {first: sources[first], **sources}
    made = objects.plan(sources, ["spectrum"], Matching(by="position", radius_arcsec=0.6))
    z = dict(zip(made.rows["spectrum"].tolist(), made.labels["z"].tolist(), strict=True))
    assert [z[row] for row in range(4)] == pytest.approx([1.0, 1.0, np.nan, np.nan], nan_ok=True)
    assert made.unmatched == {"catalogue": 2}


def test_groups_by_position_and_by_label():
    rows = [("a", at(10.0, labels={"plate": 1.0})), ("b", at(10.0 + 0.5 * ARCSEC, labels={"plate": 2.0}))]
    sources = {"spectrum": table([*rows, ("c", {"labels": {"plate": 2.0}})])}
    by_position = objects.plan(sources, ["spectrum"], Matching(group="position"))
    assert by_position.catalogue["group"].tolist() == ["a", "a", "c"]
    by_label = objects.plan(sources, ["spectrum"], Matching(group="plate"))
    assert by_label.catalogue["group"].tolist() == ["1.0", "2.0", "2.0"]


def test_labels_come_from_the_catalogue_first():
    sources = {
        "spectrum": table([("a", {"labels": {"z": 1.0, "mjd": 5.0}}), ("b", {"labels": {"z": 2.0}})]),
        "catalogue": table([("a", {"labels": {"z": 1.5, "class": "QSO"}}), ("x", {"labels": {"z": 9.0}})]),
    }
    made = objects.plan(sources, ["spectrum"], Matching())
    assert made.labels["z"].tolist() == [1.5, 2.0]
    assert made.labels["class"].tolist() == ["QSO", None] and made.labels["mjd"].isna().tolist() == [False, True]
    assert made.unmatched == {"catalogue": 1}


def test_numbers_among_text_become_text():
    sources = {"x": table([("a", {"labels": {"type": "M4"}}), ("b", {"labels": {"type": 2.0}}), ("c", {})])}
    assert objects.plan(sources, ["x"], Matching()).labels["type"].tolist() == ["M4", "2.0", None]


@pytest.mark.parametrize(
    ("matching", "message"),
    [
        (Matching(by="name"), "matching.by is 'name', expected 'id' or 'position'"),
        (Matching(radius_arcsec=0), "matching.radius_arcsec is 0, expected a positive angle"),
        (Matching(rows="radio"), "matching names 'radio', which is no modality here. Choose of: image, spectrum"),
        (Matching(repeats={"image": "best"}), "matching.repeats of 'image' is 'best', expected 'first'"),
        (Matching(rows="image", repeats={"image": "first"}), "matching.rows keeps every 'image'"),
        (Matching(radii={"image": 1.0}), r"names 'image', expected pairs of image, .* \{image-spectrum: 1.0\}"),
        (Matching(radii={"image-radio": 1.0}), "matching.radii names 'image-radio', expected pairs of image, spectrum"),
        (Matching(radii={"spectrum-image": 0.0}), "matching.radii of 'spectrum-image' is 0.0, expected a positive"),
        (
            Matching(motion=Motion(epochs={"gaia": 2016.0})),
            "matching.motion.epochs names 'gaia', which is no source. Choose of: image, spec",
        ),
        (
            Matching(motion=Motion(epochs={"image": 57388.0})),
            "matching.motion.epochs of 'image' is 57388.0, expected a Julian year",
        ),
        (Matching(motion=Motion(epoch=0.0)), "matching.motion.epoch is 0.0, expected a Julian year"),
    ],
)
def test_settings_that_make_no_sense(matching, message):
    with pytest.raises(UsageError, match=message):
        objects.check_matching(matching, ["image", "spectrum"])


def test_the_radius_of_an_only_source_is_that_of_its_repeats():
    with pytest.raises(UsageError, match=r"expected \{spectrum-spectrum: 1.0\}, for .*: spectrum is the only"):
        objects.check_matching(Matching(radii={"image-spectrum": 1.5}), ["spectrum"])
    objects.check_matching(Matching(radii={"spectrum-spectrum": 3.0}), ["spectrum"])


def test_labels_that_cannot_be_used():
    sources = {"x": table([("a", {"labels": {"type": "M4"}}), ("b", {})])}
    with pytest.raises(InputError, match="1 rows have no label 'type' to be grouped by"):
        objects.plan(sources, ["x"], Matching(group="type"))
    with pytest.raises(UsageError, match="'plate', expected 'id' or 'position', or the name of a label: type"):
        objects.plan(sources, ["x"], Matching(group="plate"))
    with pytest.raises(InputError, match="compares the label 'type', which is text"):
        objects.plan(sources, ["x"], Matching(repeats={"x": "highest type"}))
    with pytest.raises(InputError, match="compares the label 'mjd', which no observation has"):
        objects.plan(sources, ["x"], Matching(repeats={"x": "lowest mjd"}))


def test_a_catalogue_without_coordinates_matches_nothing_by_position():
    sources = {"image": table([("a", at(10.0))]), "catalogue": table([("a", {"labels": {"z": 1.0}})])}
    made = objects.plan(sources, ["image"], Matching(by="position"))
    assert made.labels == {} and made.rows["image"].tolist() == [0] and len(made.drops) == 1


def test_objects_without_a_required_modality_are_left_out_and_listed():
    sources = {"image": table([("a", {}), ("b", {})]), "spectrum": table([("c", {}), ("b", {})])}
    made = objects.plan(sources, ["image", "spectrum"], Matching(require=["image", "spectrum"]))
    assert made.catalogue["object_id"].tolist() == ["b"]
    assert made.rows["image"].tolist() == [1] and made.rows["spectrum"].tolist() == [1]
    listed = made.drops[["source", "dropped", "reason"]].to_numpy().tolist()
    assert sorted(listed) == [
        ["image", "a", "the object has no spectrum, which is required."],
        ["spectrum", "c", "the object has no image, which is required."],
    ]
    with pytest.raises(InputError, match="no object has image and spectrum"):
        objects.plan(
            {**sources, "spectrum": table([("c", {})])}, ["image", "spectrum"], Matching(require=["image", "spectrum"])
        )
    with pytest.raises(UsageError, match="names 'radio', which is no modality"):
        objects.check_matching(Matching(require=["radio"]), ["image"])


def test_rows_that_a_condition_excludes_are_dropped_and_listed():
    table = pd.DataFrame(
        {
            "object_id": ["a", "b", "c"],
            "group": ["a", "b", "c"],
            "ra": [1.0, 2.0, 3.0],
            "dec": 0.0,
            "labels": ['{"z": 0.1, "class": "QSO"}', '{"z": 0.7, "class": "QSO"}', '{"class": "STAR"}'],
            "snr": 1.0,
        }
    )
    made = objects.plan({"spectrum": table}, ["spectrum"], Matching(), 'z < 0.5 and class == "QSO" and dec > -1')
    assert made.catalogue["object_id"].tolist() == ["a"] and made.labels["z"].tolist() == [0.1]
    assert made.rows["spectrum"].tolist() == [0]
    assert sorted(made.drops["dropped"]) == ["b", "c"] and made.drops["reason"].str.contains("does not hold").all()
    with pytest.raises(InputError, match=r"where 'z > 5' holds for none of 3 rows"):
        objects.plan({"spectrum": table}, ["spectrum"], Matching(), "z > 5")
    with pytest.raises(UsageError, match="name 'q' is not defined"):
        objects.plan({"spectrum": table}, ["spectrum"], Matching(), "q > 5")
