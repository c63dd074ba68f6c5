import math
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from astroclip_kit.errors import OutputError
from astroclip_kit.report import figures, results_table, write_report
from astroclip_kit.report.page import report_parts
from astroclip_kit.report.tables import remark, results_html
from astroclip_kit.results import combine
from astroclip_kit.types import Result

RECALL = Result(
    "retrieval", "image", "spectrum", "", "recall@10", 0.43, 0.38, 0.49, 600, 3, "galaxies", "mock", chance=0.017
)
ACCURACY = Result(
    "classification", "spectrum", "spectrum", "type", "accuracy", 0.7, 0.66, 0.74, 106, 3, "sn", "real", chance=0.68
)
R2 = Result("regression", "spectrum", "spectrum", "z", "r2", 0.5, 0.4, 0.6, 106, 3, "sn", "real", chance=-0.0001)


class Page(HTMLParser):
    """Tags that must be closed, in order, and every address that the page names."""

    def __init__(self):
        super().__init__()
        self.open, self.addresses, self.text = [], [], ""

    def handle_starttag(self, tag, attrs):
        self.addresses += [value for key, value in attrs if key in ("src", "href")]
        if tag not in ("meta", "br", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def read(path):
    page = Page()
    page.feed(path.read_text(encoding="utf-8"))
    assert not page.open
    return page


def test_what_was_learned_without_a_contrastive_space_cites_none():
    cited = [report_parts([RECALL], figures={}, contrastive=one)["How to cite"] for one in (True, False)]
    assert ["Parker et al. 2024" in one for one in cited] == [True, False]


def test_what_the_class_alone_reaches_is_no_guess_that_vectors_are_marked_against():
    cosine = replace(RECALL, task="simulation", property="vector", metric="cosine", space="supervised", chance=0.9)
    page = results_html([cosine])
    assert "class mean 0.900" in page and "†" not in page and "<h3>Simulated beside real vectors</h3>" in page


def test_the_page_holds_everything_and_asks_the_network_for_nothing(tmp_path):
    drawn = {"Loss & more": figures.learning_curves([{"epoch": 1, "loss": 1.0}])}
    path = write_report(
        tmp_path / "report.html",
        [RECALL],
        figures=drawn,
        configuration={"align": {"epochs": 50}},
        citations=["Ahumada et al. 2020, ApJS 249, 3"],
        next_command="astroclip-kit search demo/embeddings <ID>",
    )
    page = read(path)
    assert page.addresses and all(one.startswith("data:image/svg+xml;base64,") for one in page.addresses)
    assert not re.search(r"(src|href)='(?!data:)|url\(|@import", path.read_text())
    for said in (
        "0.430",
        "0.380 to 0.490",
        "chance 0.017",
        "600",
        "Seed 3",
        "Mock data.",
        "Loss & more",
        '"epochs": 50',
        "torch",
        "Ahumada",
        "Parker et al. 2024",
        "search demo/embeddings <ID>",
        "bootstrap",
    ):
        assert said in page.text, said


def test_real_data_are_not_called_mock(tmp_path):
    text = read(write_report(tmp_path / "r.html", [R2])).text
    assert "Mock" not in text and "sn: real observations" in text and "-0.000" not in text


def test_a_large_figure_is_stored_as_pixels(tmp_path, monkeypatch):
    monkeypatch.setattr("astroclip_kit.report.figures.canvas.LARGEST_SVG", 10)
    drawn = {"a": figures.learning_curves([{"epoch": 1, "loss": 1.0}])}
    (address,) = read(write_report(tmp_path / "r.html", [], figures=drawn)).addresses
    assert address.startswith("data:image/png;base64,")


def test_folds_are_shown_as_mean_and_spread(tmp_path):
    folds = [[replace(R2, value=value)] for value in (0.4, 0.5, 0.6)]
    text = read(write_report(tmp_path / "r.html", combine(folds))).text
    assert "0.500 ± 0.100" in text and "318" in text and "Student's t of the mean over the folds. 3 folds." in text
    seeds = [[replace(R2, value=value, seed=seed)] for seed, value in enumerate((0.4, 0.5, 0.6))]
    assert "mean over the seeds. 3 seeds." in read(write_report(tmp_path / "s.html", combine(seeds, 0.1))).text
    assert text.count("0.500") == 1


@pytest.mark.parametrize(
    ("result", "said"),
    [
        (RECALL, ""),
        (replace(RECALL, low=0.01), "no better than guessing"),
        (ACCURACY, "no better than the majority class"),
        (replace(ACCURACY, low=0.69), "unaligned features reach it"),
        (replace(ACCURACY, low=0.69, value=0.9), ""),
        (replace(ACCURACY, low=0.69, target="lightcurve"), ""),
        (replace(R2, low=-0.1), "no better than the mean"),
        (replace(R2, metric="nmad", value=0.1, low=0.05, high=0.15, chance=0.2), ""),
        (replace(R2, metric="nmad", value=0.1, low=0.05, high=0.25, chance=0.2), "no better than the mean"),
        (replace(R2, low=math.nan, high=math.nan), ""),
    ],
)
def test_what_a_guess_or_the_features_reach_is_called_that(result, said):
    features = replace(ACCURACY, space="features", value=0.8, low=0.75)
    assert remark(result, [result, features]) == said


@pytest.mark.parametrize(
    ("metric", "low", "high", "said"),
    [
        ("coverage@0.9", 0.85, 0.95, ""),
        ("coverage@0.9", 0.8, 0.89, "less than wanted"),
        ("coverage@0.9 of 0.1..0.3", 0.91, 0.99, "more than wanted"),
        ("width@0.9", 2.0, 3.0, ""),
    ],
)
def test_coverage_that_is_not_as_wanted_is_called_that(metric, low, high, said):
    result = replace(
        RECALL, task="coverage", metric=metric, value=(low + high) / 2, low=low, high=high, chance=math.nan
    )
    assert remark(result, [result]) == said
    assert ("↓" in results_html([result])) == (said == "less than wanted")


def test_results_as_a_table():
    table = results_table([RECALL, ACCURACY])
    assert len(table) == 2 and table["remark"][1] == "no better than the majority class"
    assert "value" in results_table([]).colnames


def test_names_from_outside_are_escaped(tmp_path):
    evil = replace(RECALL, dataset="<script>alert(1)</script>", query="<b>image")
    assert "<script>" not in write_report(tmp_path / "r.html", [evil]).read_text()


def test_no_results_are_said_so(tmp_path):
    assert "Nothing was measured." in read(write_report(tmp_path / "r.html", [])).text


def test_a_full_disk_is_one_clear_error(tmp_path, monkeypatch):
    def full(self, *args, **settings):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_text", full)
    with pytest.raises(OutputError, match="no space left"):
        write_report(tmp_path / "r.html", [RECALL])
    assert not list(tmp_path.iterdir())


NEW = [
    replace(R2, task="probe_linear"),
    replace(R2, task="coverage", metric="coverage@0.9"),
    replace(R2, task="space", property="", metric="uniformity", value=-2.0, low=-2.1, high=-1.9),
    replace(R2, task="clustering", property="type", metric="ami"),
    replace(R2, task="anomaly", property="", metric="auc"),
    replace(R2, task="selection", property="zwarning == 0", metric="judged", value=1234, low=math.nan, high=math.nan),
]
HEADS = {
    "probe_linear": "Probes beside nearest neighbours",
    "coverage": "Coverage of intervals",
    "space": "The space itself",
    "clustering": "Clusters",
    "anomaly": "Oddities",
    "selection": "Which objects are judged",
}


@pytest.mark.parametrize("result", NEW, ids=lambda one: one.task)
def test_a_section_is_there_when_there_are_results_of_its_tasks(tmp_path, result):
    there = write_report(tmp_path / "there.html", [R2, result]).read_text()
    absent = write_report(tmp_path / "absent.html", [R2]).read_text()
    assert f"<h2>{HEADS[result.task]}</h2>" in there and f"<h2>{HEADS[result.task]}</h2>" not in absent


def test_a_count_has_no_interval(tmp_path):
    text = read(write_report(tmp_path / "r.html", [NEW[-1]])).text
    assert "1,234" in text and "no interval" not in text and "Objects that are judged where zwarning == 0" in text


def test_figures_stand_in_the_section_of_their_task(tmp_path):
    curves = figures.learning_curves([{"epoch": 1, "loss": 1.0}])
    own = figures.interval_plot({"anything": [figures.Interval("a", 1.0)]})
    page = write_report(tmp_path / "r.html", [RECALL], figures={"Curves": curves, "Own": own}).read_text()
    order = [page.index(one) for one in ("<h2>Training", "Curves</fig", "<h2>Retrieval", "<h2>Further", "Own</fig")]
    assert order == sorted(order)


def test_a_sheet_of_oddities_alone_is_no_measurement(tmp_path):
    sheet = figures.interval_plot({"anything": [figures.Interval("a", 1.0)]}, task="anomaly")
    alone = write_report(tmp_path / "a.html", [R2], figures={"Sheet": sheet}).read_text()
    measured = write_report(tmp_path / "m.html", [NEW[4]], figures={"Sheet": sheet}).read_text()
    assert "The objects that belong least" in alone and "are found." not in alone
    assert "mislabelled, are found." in measured and "belong least" not in measured


def test_many_metrics_stand_below_each_other(tmp_path):
    bins = [replace(R2, task="coverage", metric=f"coverage@0.9 of {low}..{low + 1}") for low in range(6)]
    page = write_report(tmp_path / "r.html", bins).read_text()
    assert page.count("<tr>") == 7 and "<th>metric</th>" in page and "coverage (0.9 wanted) for 5 to 6" in page


def test_tables_and_figures_are_not_cut_in_print(tmp_path):
    page = write_report(tmp_path / "r.html", [R2]).read_text()
    printed = page[page.index("@media print") : page.index("</style>")]
    assert "tr { break-inside: avoid" in printed and "table-header-group" in printed and "<thead>" in page
    assert re.search(r"section \{[^}]*break-inside: avoid", printed) and re.search(r"figure \{[^}]*avoid", printed)


def test_coverage_in_many_bins_is_a_row_per_bin_with_a_column_per_direction():
    bins = [f"coverage@0.9 of {low}..{low + 1}" for low in range(6)]
    own = replace(RECALL, task="coverage", query="image", target="image", n=40, chance=math.nan)
    results = [replace(own, metric=metric) for metric in bins]
    results += [replace(own, metric=metric, target="spectrum", n=7) for metric in bins[1:]]
    table = results_html(results)
    assert table.count("<tr>") == 1 + len(bins) and "image, answers from spectrum, aligned" in table
    assert table.count("n 40") == 6 and table.count("n 7") == 5 and table.count("<td></td>") == 1


def test_numbers_of_one_row_that_were_taken_of_different_objects_each_tell_how_many():
    one = replace(RECALL, task="clustering", property="class", metric="ami", n=595, chance=math.nan)
    table = results_html([one, replace(one, metric="ami_clustered", n=455)])
    assert "n 595" in table and "n 455" in table and "<td>595</td>" not in table
    assert "<td>595</td>" in results_html([one])
