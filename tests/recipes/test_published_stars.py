"""BATMM's published numbers, as shares."""

import math

import pytest

from astroclip_kit.recipes.batmm_models import BATMM_TABLES, CLAIMS, MODELS
from astroclip_kit.recipes.published_stars import BATMM


def test_all_are_shares_with_a_source_and_are_there_once():
    assert all(0 < one.value < 1 and one.source for one in BATMM)
    assert len({one.key for one in BATMM}) == len(BATMM) == 16 * 3 + 2
    spreads = [one.spread for one in BATMM if math.isfinite(one.spread)]
    assert len(spreads) == 48 and max(spreads) < 0.02


def test_the_first_row_is_that_of_both_classes_and_the_mean_of_the_next_two():
    row = {(one.property, one.metric): one.value for one in BATMM if one.task == "batmm"}
    for metric in ("precision", "recall", "f1"):
        mean = (row["class:bhb", metric] + row["class:other", metric]) / 2
        assert row["class", f"macro_{metric}"] == pytest.approx(mean, abs=1.5e-4)
    assert row["class", "auc"] == 0.99


def test_every_published_model_is_run_and_stands_in_a_table():
    published = {one.task for one in BATMM} - {"shares"}
    shown = {task for table in BATMM_TABLES for task, *_ in table.rows.values()}
    assert published | {"aligned", "joint"} == set(MODELS) == shown
    assert {name for pair in CLAIMS for name in pair} == published
    for one in BATMM:
        assert one.query == (MODELS[one.task].query if one.task in MODELS else "image")


def test_the_published_numbers_of_the_baselines_look_like_those_of_one_class():
    rows = {}
    for one in BATMM:
        if one.property == "class" and one.metric.startswith("macro_"):
            rows.setdefault(one.task, {})[one.metric.removeprefix("macro_")] = one.value
    gap = {name: abs(2 * p * r / (p + r) - f1) for name, (p, r, f1) in ((k, v.values()) for k, v in rows.items())}
    assert max(gap["svm"], gap["xgboost"]) < 1e-4  # as the note of the table says
    assert gap["batmm"] > 2e-4 and gap["vgg1d"] > 5e-4
