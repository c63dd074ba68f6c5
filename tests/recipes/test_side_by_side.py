"""Tables laid out as a paper lays them out."""

import math
import re
from dataclasses import replace

import pytest

from astroclip_kit.recipes import find_recipe
from astroclip_kit.recipes.side_by_side import Layout, SideBySide
from astroclip_kit.types import Result


def measured(task, name, metric, value, fold=-1, std=0.01, query="image+spectrum"):
    about = (task, query, query, name, metric, value, value - 0.02, value + 0.02, 300, 0, "stars", "mock")
    return Result(*about, space="supervised", fold=fold, std=std)


@pytest.fixture
def tables():
    results = [
        measured("batmm", "class", "macro_f1", 0.93),
        measured("batmm", "class", "macro_f1", 0.5, fold=0),
        measured("batmm", "class:bhb", "f1", 0.91),
        measured("svm", "class", "macro_f1", 0.83, query="spectrum"),
        measured("svm", "class:bhb", "f1", 0.8, query="spectrum"),
    ]
    return find_recipe("batmm").compare(results)


def test_each_row_has_published_and_measured_values_with_spreads(tables):
    rows = {row[0]: row for layout in tables.layouts for row in tables.cells(layout)}
    assert rows["BATMM, both classes"][5:7] == ["0.948 ± 0.004", "0.930 ± 0.010"]
    assert rows["BATMM, bhb"][5:7] == ["0.936 ± 0.005", "0.910 ± 0.010"]
    assert rows["SVM, bhb"][5:7] == ["", "0.800 ± 0.010"]
    assert rows["BATMM, both classes"][-3:] == ["0.990", "", "mock"]
    assert rows["XGBoost"][-1] == "not run"


def test_the_long_table_has_spreads_and_every_published_number(tables):
    table = tables.table
    assert table.colnames[5:11] == ["Wei et al. 2023", "Wei et al. 2023 ±", "measured", "±", "low", "high"]
    assert len(table) == 50 and (table["data"] == "mock").sum() == 3
    [line] = [row for row in table if (row["task"], row["metric"], row["property"]) == ("batmm", "macro_f1", "class")]
    assert (line["Wei et al. 2023"], line["Wei et al. 2023 ±"], line["measured"], line["±"]) == (
        0.9478,
        0.0038,
        0.93,
        0.01,
    )


def test_page_and_latex_hold_every_row(tables):
    page, text = tables.html(), tables.latex()
    count = sum(len(layout.rows) for layout in tables.layouts)
    assert "<td><b>0.930 ± 0.010</b><small><br>published 0.948 ± 0.004</small></td>" in page
    assert page.count("<tr>") == count + len(tables.layouts) and page.count("<h3>") == len(tables.layouts)
    assert "they may be those of the class bhb alone" in page and "12,032 stars" in page
    environments = re.findall(r"\\(begin|end)\{(\w+)\}", text)
    assert environments.count(("begin", "tabular")) == environments.count(("end", "tabular")) == len(tables.layouts)
    [columns, *_] = re.findall(r"\\begin\{tabular\}\{([lr]+)\}", text)
    rows = [line for line in text.splitlines() if line.endswith(r"\\") and "multicolumn" not in line]
    assert len(rows) == count + len(tables.layouts)
    assert all(row.count("&") == len(columns) - 1 for row in rows)


def test_one_seed_stands_with_its_interval_and_a_guess_with_its_mark():
    seen = ("stars", "mock", 0.4, "supervised")
    of = "image", "image", "class", "accuracy"
    results = [
        Result("poor", *of, 0.43, 0.3, 0.55, 35, 0, *seen),
        Result("good", *of, 0.7, 0.6, 0.8, 35, 0, *seen, std=0.05),
        Result("iicnet", "image", "image", "", "accuracy", 1e6, math.nan, math.nan, 1, 0, "", *seen[1:]),
    ]
    rows = {"Poor": ("poor", "class"), "Good": ("good", "class"), "Count": ("iicnet", ""), "Gone": ("gone", "class")}
    layout = Layout("Sweep", rows, ["accuracy"], intervals=True, absent="none right")
    page = SideBySide("Sweeps", [], results, layouts=[layout], space="supervised")
    assert list(page.cells(layout)) == [
        ["Poor", "", "0.430† (0.300 to 0.550)", "mock"],
        ["Good", "", "0.700 ± 0.050", "mock"],
        ["Count", "", "1,000,000", ""],
        ["Gone", "", "", "none right"],
    ]
    assert "<b>0.430†</b><small><br>0.300 to 0.550</small>" in page.html() and "† not told from guessing" in page.html()
    assert list(SideBySide("", [], [], layouts=[layout]).cells(layout))[3][-1] == "not run"
    counted = replace(layout, counts=True)
    assert [row[2] for row in page.cells(counted)] == [
        "0.430† (0.300 to 0.550, n = 35)",
        "0.700 ± 0.050 (0.600 to 0.800, n = 35)",
        "1,000,000 (n = 1)",
        "",
    ]
    elsewhere = replace(layout, rows={"Gone": ("gone", "class")})
    assert list(page.cells(elsewhere)) == [["Gone", "", "", "not run"]]
