"""The table of published beside measured, in its three forms."""

import math
import re

import pytest

from astroclip_kit.errors import UsageError
from astroclip_kit.recipes import Comparison, Published, find_recipe
from astroclip_kit.settings import Evaluation
from astroclip_kit.types import Result

PUBLISHED = (
    Published("paper", "regression", "image", "image", "z", "r2", 0.71, "paper & table_1"),
    Published("paper", "regression", "spectrum", "spectrum", "z", "r2", 0.97, "paper & table_1"),
    Published("50% thesis", "regression", "image", "image", "z", "r2", 0.65, "thesis", spread=0.02),
    Published("50% thesis", "model", "image", "image", "", "parameters", 4_458_624, "thesis"),
)


def result(query="image", target="image", name="z", value=0.6, task="regression", metric="r2", **more):
    return Result(task, query, target, name, metric, value, value - 0.1, value + 0.1, 300, 0, "demo", "mock", **more)


@pytest.fixture
def comparison():
    measured = [
        result(),
        result(space="features", value=0.9),
        result(value=0.1, fold=1),
        result(task="probe_mlp", value=0.5),
        result("image", "spectrum", "", 0.25, "retrieval", "recall@10"),
        result("image", "spectrum", "", 12.0, "retrieval", "median_rank"),
    ]
    return Comparison(
        "Two_papers", PUBLISHED, measured, "untrained encoders", (("probe_mlp", "r2"), ("retrieval", "recall@10"))
    )


def test_each_line_has_both_columns_and_says_where_it_was_measured(comparison):
    table = comparison.table
    assert comparison.columns == ["paper", "50% thesis"]
    assert table["data"].tolist() == ["mock", "not run", "not run", "mock", "mock"]
    assert table["metric"].tolist() == ["r2", "r2", "parameters", "r2", "recall@10"]
    first = table[0]
    assert (first["paper"], first["50% thesis"], first["measured"], first["n"]) == (0.71, 0.65, 0.6, 300)
    assert (first["low"], first["high"]) == (pytest.approx(0.5), pytest.approx(0.7))
    assert math.isnan(table[1]["measured"]) and math.isnan(table[1]["50% thesis"]) and table[1]["n"] == 0
    assert table["remark"].tolist() == ["untrained encoders", "", "", *["untrained encoders"] * 2]


def test_what_was_not_run_has_no_numbers_in_print(comparison):
    lines = comparison.table.pformat(max_width=-1)
    assert "nan" not in "".join(lines) and "4,458,624" in lines[4] and "not run" in lines[3]


def test_the_page_shows_every_line_and_every_source_once(comparison):
    page = comparison.html()
    assert page.count("<tr>") == 1 + 5 and page.count("paper &amp; table_1") == 1
    assert (
        "<td>z, image: R²</td><td>0.710</td><td>0.650 ± 0.020</td><td>0.600</td><td><small>0.500 to 0.700</small></td>"
        in page
    )
    assert "<td>image asks, spectrum answers: recall@10</td>" in page.replace("retrieval, ", "")
    assert "<td>z, image, neural probe: R²</td>" in page
    assert "mock, untrained encoders" in page and "head, image: parameters" in page


def test_a_label_that_the_data_lack_is_said_to_be_the_reason():
    published = [Published("paper", "regression", "image", "image", "mass", "r2", 0.5, "table 1")]
    [line, *_] = Comparison("Mass", published, [result()]).lines
    assert (line.state, line.remark) == ("not run", "no label mass in these data")


def test_latex_is_balanced_and_as_wide_as_it_says(comparison):
    text = comparison.latex()
    assert re.findall(r"\\begin\{(\w+)\}", text) == re.findall(r"\\end\{(\w+)\}", text)[::-1] == ["table", "tabular"]
    plain = re.sub(r"\\.", "", text)  # escaped characters
    assert plain.count("{") == plain.count("}") and plain.count("$") % 2 == 0
    [columns] = re.findall(r"\\begin\{tabular\}\{([lr]+)\}", text)
    rows = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert len(rows) == 6
    assert all(len(re.findall(r"(?<!\\)&", row)) == len(columns) - 1 for row in rows)
    assert r"50\% thesis" in text and r"Two\_papers" in text and r"0.650 $\pm$ 0.020" in text and "R$^2$" in text


def test_comma_separated_values_can_be_read_again(comparison):
    from astropy.table import Table

    read = Table.read(comparison.csv(), format="ascii.csv")
    assert read["measured"][0] == 0.6 and read["data"].tolist() == comparison.table["data"].tolist()


def test_only_what_was_published_by_the_same_protocol_is_compared():
    recipe = find_recipe("astroclip")
    first, second = (recipe.compare([], Evaluation(protocol=name)) for name in ("astroclip-k16", "astroclip-k64"))
    assert first.columns == ["AstroCLIP", "thesis", "AstroCLIP v2"]
    assert [one.value for one in second.published if one.metric == "r2"] == [0.79, 0.99]


def test_a_mass_of_provabgs_stands_beside_the_published_mass():
    compared = find_recipe("astroclip").compare([result(name="log_mstar")], Evaluation(protocol="astroclip-k16"))
    [line] = [one for one in compared.lines if one.measured]
    assert line.key[3] == "logmstar" and line.published["thesis"].value == 0.57


def test_unknown_recipes_and_configurations_are_refused():
    with pytest.raises(UsageError, match=r"there is no recipe 'alchemy'\. One of: astroclip"):
        find_recipe("alchemy")
    with pytest.raises(UsageError, match=r"astroclip has no configuration 'v9'\. One of: thesis, v1, or a file"):
        find_recipe("astroclip").file("v9")
