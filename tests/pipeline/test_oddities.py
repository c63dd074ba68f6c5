"""The verb anomalies, over the command line and in Python."""

import numpy as np
import pytest
from astropy.table import Table

import astroclip_kit as ak
from astroclip_kit import cli
from astroclip_kit.errors import UsageError
from astroclip_kit.settings.oddities import Oddness


def test_the_first_are_shown_and_all_are_written(chain, tmp_path, capsys):
    out, figure = tmp_path / "odd.vot", tmp_path / "odd.png"
    words = ["anomalies", chain.embeddings, "--on", "image", "--label", "morphology", "--out", out, "--top", "5"]
    assert cli.main([str(one) for one in [*words, "--figure", figure, "--dataset", chain.data, "--k", "4"]]) == 0
    printed = capsys.readouterr().out
    first = printed.splitlines()[2].split()
    assert first[0] == "1" and first[3] in ("odd", "mislabelled")
    for expected in (
        "60 objects ranked by their image, the first 5 shown",
        f"written: {out}",
        f"written: {figure}",
        f"next:    astroclip-kit search {chain.embeddings} {first[1]} --query image",
    ):
        assert expected in printed
    table = Table.read(out)
    assert len(table) == 60 and table["rank"].tolist() == list(range(1, 61)) and figure.stat().st_size > 1000
    assert table["ra"].meta["ucd"] == "pos.eq.ra;meta.main"
    assert {"morphology", "suggested", "neighbours_percentile", "disagreement", "ra"} <= set(table.colnames)


def test_a_sheet_draws_as_many_as_are_shown(chain, tmp_path, monkeypatch):
    from astroclip_kit.report import figures

    drawn, draw = [], figures.anomaly_sheet
    monkeypatch.setattr(figures, "anomaly_sheet", lambda *args, **how: drawn.append(how["count"]) or draw(*args, **how))
    for top in (3, 0, 20):
        how = {"top": top, "figure": str(tmp_path / "odd.png"), "dataset": chain.data, "by": "neighbours"}
        ak.anomalies(chain.embeddings, **how)
    assert drawn == [3, 12, 12]


@pytest.mark.parametrize("ending", ["fits", "csv", "ecsv", "parquet"])
def test_other_endings(chain, tmp_path, ending):
    path = tmp_path / f"odd.{ending}"
    shown = ak.anomalies(chain.embeddings, out=str(path), top=0, where="z > 0.1", scoring=Oddness("neighbours", k=3))
    written = Table.read(path)
    assert len(shown) == len(written) == (ak.EmbeddingStore(chain.embeddings).labels["z"] > 0.1).sum()
    np.testing.assert_allclose(written["neighbours"], shown["neighbours"], rtol=1e-6)


def test_what_is_wrong_is_said(chain, tmp_path, fails):
    assert "out is 'odd.doc', expected a file that ends with .fits" in fails(
        "anomalies", chain.embeddings, "--out", "odd.doc"
    )
    assert "say with --dataset where they are" in fails("anomalies", chain.embeddings, "--figure", "a.pdf")
    assert "top is -1, expected a number of objects" in fails("anomalies", chain.embeddings, "--top=-1")
    assert "expected 1 to 59" in fails("anomalies", chain.embeddings, "--k", "60")
    assert "no label 'kind'" in fails("anomalies", chain.embeddings, "--label", "kind")


def test_in_python_the_scoring_is_keywords(chain):
    found = ak.anomalies(chain.embeddings, k=5, by="neighbours", top=3)
    given = ak.anomalies(chain.embeddings, scoring=Oddness("neighbours", k=5), top=3)
    assert list(found["object_id"]) == list(given["object_id"])
    np.testing.assert_array_equal(found["score"], given["score"])
    with pytest.raises(
        UsageError, match=r"there is no argument 'neighbors'\. Of a scoring there are: by, where, k, seed"
    ):
        ak.anomalies(chain.embeddings, neighbors=5)


def test_by_labels_wrong_ones_and_strange_members_are_ranked(chain, tmp_path, capsys, fails):
    out, sheet, plane = (tmp_path / name for name in ("audit.ecsv", "sheet.png", "plane.png"))
    words = ["anomalies", chain.embeddings, "--label", "morphology", "--by", "labels", "--top", "3", "--out", out]
    assert cli.main([str(one) for one in [*words, "--figure", sheet, "--dataset", chain.data]]) == 0
    assert "60 objects with morphology by their mean: " in capsys.readouterr().out
    table = Table.read(out)
    assert {"label_odds", "own_distance", "nearest", "says_image", "says_spectrum"} <= set(table.colnames)
    shown = ak.anomalies(chain.embeddings, label="morphology", by="labels", on="image", figure=str(plane))
    assert shown.meta["on"] == "image" and sheet.stat().st_size > 1000 and plane.stat().st_size > 1000
    assert shown.meta["notes"][-1].endswith("--query image")
    page = tmp_path / "page.html"
    assert cli.main(["report", str(page), "--anomalies", str(out), "--dataset", str(chain.data)]) == 0
    assert "Labels against the space" in page.read_text() and "The oddest objects" in page.read_text()
    assert "by labels: say with label which label" in fails("anomalies", chain.embeddings, "--by", "labels")
