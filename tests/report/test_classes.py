"""Classifiers side by side, in a table and on a page, and the selection of their objects."""

import math

import numpy as np
import pytest

from astroclip_kit.classifiers import judge
from astroclip_kit.report.classes import classes_html, classes_table, is_classifier, selection_html
from astroclip_kit.report.classifier_figures import Said, Shares, classifier_figures
from astroclip_kit.report.sections import sections
from astroclip_kit.results import combine

CLASSES = ("bhb", "other")


def said(model="batmm", query="image+spectrum", count=60, seed=0, temperature=True):
    rng = np.random.default_rng(seed)
    true = np.array(CLASSES)[rng.integers(0, 2, count)]
    p = np.clip(0.5 + 0.3 * (true == "bhb") - 0.15 + 0.2 * rng.normal(size=count), 0.01, 0.99)
    p = np.stack([p, 1 - p], axis=1)
    names = np.array([f"star {row}" for row in range(count)])
    return Said(
        model, query, names, names, true, CLASSES, p, p**2 / (p**2).sum(1, keepdims=True) if temperature else None
    )


def judged(one, seed=0):
    about = {"task": one.model, "query": one.query, "dataset": "stars", "origin": "mock"}
    return judge(
        one.true,
        one.probabilities,
        CLASSES,
        label="class",
        uncalibrated=one.uncalibrated,
        n_boot=20,
        seed=seed,
        **about,
    )


@pytest.fixture
def results():
    return judged(said()) + judged(said("svm", "spectrum", temperature=False))


def test_the_table_has_a_row_for_each_model(results):
    table = classes_table(results)
    assert list(table["model"]) == ["BATMM", "SVM"] and list(table["sees"]) == ["image+spectrum", "spectrum"]
    own = {one.metric: one for one in results if one.task == "batmm" and one.property == "class"}
    row = table[0]
    assert row["macro_f1"] == own["macro_f1"].value and (row["low"], row["high"]) == (
        own["macro_f1"].low,
        own["macro_f1"].high,
    )
    assert row["majority"] == own["accuracy"].chance >= 0.5 and row["n"] == 60
    folds = classes_table(
        combine([results, judged(said(seed=1)) + judged(said("svm", "spectrum", seed=1, temperature=False))])
    )
    assert list(folds["n"]) == [120, 120]
    lacking = classes_table([one for one in results if one.metric != "auc"])
    assert math.isnan(lacking["auc"][0])


def test_the_page_has_a_table_of_all_classes_and_of_each(results):
    html = classes_html(results)
    heads = ("class: all classes", "class bhb against the rest", "class other against the rest")
    assert [html.index(f"<h3>{head}</h3>") for head in heads] == sorted(
        html.index(f"<h3>{head}</h3>") for head in heads
    )
    of_all, *of_each = html.split("<section>")[1:]
    assert of_all.count("<table>") == 2 and all(one.count("<table>") == 2 for one in of_each)  # ten metrics, and seven
    assert all("<th>F1</th><th>one-vs-rest accuracy</th>" in one for one in of_each)
    assert html.count("<td>BATMM</td><td>image + spectrum</td>") == 6 and html.count("<td>SVM</td>") == 6
    found = sections(results, {})
    assert list(found) == ["Classes"] and all(is_classifier(one) for one in results)


def test_figures_of_a_classifier():
    one, rng = said(), np.random.default_rng(0)
    history = [{"epoch": epoch, "loss": 1 / (1 + epoch), "val_loss": 1.0} for epoch in range(3)]
    weights = rng.dirichlet(np.ones(3), len(one.true))
    drawn = classifier_figures(
        one, histories={"fusion": [history, history]}, shares=[Shares("image", ("u", "g", "r"), weights, one.true)]
    )
    assert [caption.partition(" of ")[0].partition(",")[0] for caption in drawn] == [
        "Training", "Which class is taken for which", "ROC curves", "Precision and recall",
        "Calibration", "Calibration", "What the encoder",
    ]  # fmt: skip
    assert [figure.task for figure in drawn.values()] == ["training", *["classifiers"] * 5, "attention"]
    plain = classifier_figures(said(temperature=False))
    assert len(plain) == 4 and not any("temperature" in caption for caption in plain)


def test_the_selection_is_a_table_with_its_reasons():
    html = selection_html(["labelled", "with image"], ["a & b", "c"], [[1200, 3], [1100, 2]], [])
    assert "<th>a &amp; b</th><th>c</th><th>all</th>" in html
    assert (
        "<tr><td>with image</td><td>1,100</td><td>2</td><td>1,102</td></tr>" in html and "left out because" not in html
    )
    drops = [{"source": "image", "reason": "less than 95% <good>", "count": 1001}]
    assert "<td>image</td><td>less than 95% &lt;good&gt;</td><td>1,001</td>" in selection_html(
        ["a"], ["b"], [[1]], drops
    )
