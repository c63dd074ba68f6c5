"""AstroM3's published numbers, as shares, and the settings that were released with them."""

import math

import pytest

from astroclip_kit.pipeline.configuration import read_configuration
from astroclip_kit.recipes.astrom3_models import MODELS, TABLES
from astroclip_kit.recipes.published_variables import (
    ASTROM3,
    COUNTS,
    KEPT,
    MODES,
    OBJECTS,
    PARAMETERS,
    SUBSETS,
    task_of,
)


def test_all_have_a_source_are_there_once_and_are_shares_or_counts():
    assert len({one.key for one in ASTROM3}) == len(ASTROM3) == 2 + 24 + 3 + 7 + 10 + 7
    assert all(one.source and one.by for one in ASTROM3)
    assert all(0 < one.value <= 1 for one in ASTROM3 if one.metric != "parameters")
    spreads = [one.spread for one in ASTROM3 if math.isfinite(one.spread)]
    assert len(spreads) == 24 and max(spreads) == 0.056


def test_numbers_of_the_notebooks_are_called_so():
    by = {one.by for one in ASTROM3 if one.task.endswith(("_50", "_25", "_10"))}
    assert by == {"notebooks, in development"}
    [pretrained] = [one for one in ASTROM3 if one.task == task_of("photometry", True, 100)]
    assert (pretrained.by, pretrained.value) == ("AstroM3, first version", 0.915)


def test_the_parts_of_the_model_and_of_the_data_add_up():
    counts = [count for task, (_, count) in PARAMETERS.items() if task != "whole"]
    assert sum(counts) + 3 == PARAMETERS["whole"][1] == 15_869_827  # a scale for each pair
    assert [sum(side) for side in zip(*COUNTS.values(), strict=True)] == [17_063, 2_152, 2_225]
    assert SUBSETS[100] == OBJECTS == 21_440


def test_the_subsets_are_what_the_kit_draws():
    from astroclip_kit.data.label_shares import class_cap

    for percent, factor in ((50, 2), (25, 4), (10, 10)):
        kept = 0
        for side in zip(*COUNTS.values(), strict=True):
            cap = class_cap(side, sum(side) // factor, smallest_whole=True)
            kept += sum(min(one, cap) for one in side)
        assert kept == SUBSETS[percent]


def test_every_published_number_stands_in_a_table_and_every_row_is_a_model():
    shown = {row[:2] for table in TABLES for row in table.rows.values()}
    assert {(one.task, one.property) for one in ASTROM3} <= shown
    assert set(MODELS) <= {task for task, _ in shown} and len(MODELS) == 32
    assert {row[2] for table in TABLES for row in table.rows.values() if row[0] == "modalities"} == {
        "+".join(kept) for kept in KEPT
    }
    for one in ASTROM3:
        if one.task in MODELS:
            assert one.query == MODELS[one.task].query
    assert MODELS["all_clip_25"].counterpart == "all_25"


def test_each_row_has_the_settings_that_it_was_tuned_to():
    from astroclip_kit.recipes import find_recipe

    content = read_configuration(find_recipe("astrom3").file())
    rows = content["experiment"]["rows"]
    assert set(rows) == set(MODELS)
    for task, tuned in rows.items():
        assert set(tuned["dropout"]) == set(MODELS[task].sees)
        assert set(tuned) == {"learning_rate", "beta1", "weight_decay", "factor", "clip_norm", "dropout"}
        assert 1e-5 < tuned["learning_rate"] < 1e-2 and 0.7 <= tuned["beta1"] <= 0.99  # where Optuna looked
        assert 1e-5 < tuned["weight_decay"] < 1e-1 and 0.1 < tuned["factor"] < 1
        assert all(0 < one < 0.4 for one in tuned["dropout"].values())
        assert tuned["clip_norm"] == (5.0 if MODELS[task].mode in ("photometry", "spectra") else 0.0)
    assert rows["photometry_clip_10"]["learning_rate"] == pytest.approx(0.000320969)
    assert MODES["all"] == tuple(content["classify"]["encoders"])
