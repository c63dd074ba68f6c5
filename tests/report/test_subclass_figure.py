"""The figure of subclasses shows what the summary holds."""

import numpy as np
import pytest
from astropy.table import Table

from astroclip_kit.errors import InputError
from astroclip_kit.report import cluster_figures
from astroclip_kit.report.figures import subclass_figure
from astroclip_kit.report.figures.canvas import NONE

N = 60
RANKED = [
    {"property": "bp_rp", "value": -0.8, "low": -0.9, "high": -0.6, "chance": 0.2, "p_any": 0.001},
    {"property": "field", "value": 0.1, "low": 0.0, "high": 0.2, "chance": 0.15, "p_any": 0.4},
    {"property": "period", "value": 0.05, "low": -0.1, "high": 0.2, "chance": 0.2, "p_any": 0.9},
]
VALLEY = {
    "groups": [0], "others": [1, 2], "n": 20, "inside": 8, "between": 0, "beyond": 7, "p": 1e-3, "q": 2e-3,
    "windows": [[-0.17, 0.17], [0.3, 0.6], [0.83, 1.17]], "edges": [-1.0, 0.5, 2.0], "counts": [11, 9],
}  # fmt: skip


@pytest.fixture
def table():
    number = np.arange(N) % 3
    rng = np.random.default_rng(0)
    return Table(
        {
            "object_id": [f"o{i}" for i in range(N)],
            "cluster": np.where(number < 2, number, -1),
            "probability": np.where(np.arange(N) < 50, 1.0, np.nan),
            "x": rng.normal(size=N),
            "y": rng.normal(size=N),
        }
    )


def about(**changes):
    one = {"within": "ROT", "modality": "mean", "subclasses": 2, "valleys": [VALLEY, VALLEY | {"q": 0.4, "p": 0.2}]}
    return one | {"columns": RANKED} | changes


def axes_of(figure):
    return [axes for panel in figure.subfigs for axes in panel.axes]


def test_map_valleys_and_ranking(table):
    figure = subclass_figure(table, about())
    plane, first, second, ranking = axes_of(figure)
    assert figure.get_suptitle() == "ROT by mean: 2 subclasses" and figure.task == "clustering"
    assert [text.get_text() for text in plane.figure.legends[0].get_texts()] == ["in no group (16)", "0 (20)", "1 (20)"]
    assert first.get_title(loc="left") == "pieces 0 and 1 + 2: q 0.002, apart"
    assert second.get_title(loc="left") == "pieces 0 and 1 + 2: q 0.4, not apart"
    assert [text.get_text() for text in ranking.get_yticklabels()] == ["bp_rp", "field", "period"]
    interval, point, chance = ranking.lines[:3]
    assert interval.get_xdata().tolist() == [0.6, 0.9] and point.get_xdata() == [0.8] and chance.get_xdata() == [0.2]
    assert ranking.lines[6].get_xdata().tolist() == [0, 0.2]  # an interval on both sides of none
    figure.savefig("/dev/null", format="svg")


def test_one_group_and_nothing_found(table):
    unknown = [one | {"chance": None, "p_any": None} for one in RANKED]
    one = subclass_figure(table, about(subclasses=1, columns=unknown))
    assert "one group" in one.get_suptitle() and {line.get_color() for line in axes_of(one)[-1].lines} == {NONE}
    table["cluster"] = -1
    empty = subclass_figure(table, about(subclasses=1, valleys=[], columns=[]), title="Rotational")
    assert empty.get_suptitle() == "Rotational by mean: one group, in which none is found" and len(axes_of(empty)) == 1


def test_it_leads_the_figures_of_clusters(table):
    first, *others = cluster_figures(table, summary=about())
    assert first.startswith("Groups inside ROT: ") and others == []  # the map is drawn once
    labels = {"z": np.arange(N) * 1.0}
    assert list(cluster_figures(table, summary=about(), labels=labels))[1:] == ["z on the map."]
    assert list(cluster_figures(table, summary={"modality": "mean"})) == ["Clusters on the map."]


def test_what_does_not_fit_is_said(table):
    with pytest.raises(InputError, match=r"no groups inside a class\. Give the summary of find_subclasses"):
        subclass_figure(table, {"within": "ROT"})
    table.remove_column("x")
    with pytest.raises(InputError, match="the table has no column 'x'"):
        subclass_figure(table, about())
