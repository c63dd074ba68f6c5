from dataclasses import replace

from astroclip_kit.report import write_report
from astroclip_kit.report.groups import clusters_html
from astroclip_kit.report.tables import results_html
from astroclip_kit.types import Result

Z = {"property": "z", "effect": "cliffs_delta", "value": -0.57, "low": -0.6, "high": -0.54, "q": 2e-5, "level": ""}
Z |= {"inside": 0.1234, "outside": 0.25}
TYPE = {**Z, "property": "<type>", "effect": "cramers_v", "level": "spiral", "value": 0.19, "low": 0.16, "high": 0.22}
TYPE |= {"inside": 0.65, "outside": 0.45}
OPEN = {**Z, "property": "plate", "q": 0.3}
SUMMARY = {"considered": 90, "modality": "image", "method": "kmeans", "in_no_cluster": 4}
SUMMARY |= {
    "clusters": [
        {"cluster": 0, "size": 60, "share": 0.6667, "separating": [Z, TYPE, OPEN]},
        {"cluster": 1, "size": 30, "share": 0.3333, "separating": [OPEN]},
    ]
}
SILHOUETTE = Result("clustering", "image", "image", "", "silhouette@2", 0.3, 0.2, 0.4, 90, 0, "galaxies", "mock")


def test_what_sets_a_cluster_apart_stands_on_the_page(tmp_path):
    page = write_report(tmp_path / "r.html", [], clusters=[SUMMARY]).read_text()
    assert "<h2>Clusters</h2>" in page and "90 objects by image, kmeans; 4 in no cluster" in page
    z = "<td>z</td><td>0.123</td><td>0.25</td><td>Cliff&#x27;s d -0.57</td><td>-0.60 to -0.54</td><td>2e-05</td>"
    assert f"60 objects (66.7%)</small></td>{z}</tr>" in page and "<td rowspan='2'><b>0</b>" in page
    assert "&lt;type&gt; = spiral</td><td>65%</td><td>45%</td><td>Cramér&#x27;s V 0.19" in page
    assert "<td>plate" not in page and "30 objects (33.3%)</small></td><td>nothing that is known" in page


def test_a_division_of_one_group_is_called_so_after_what_was_noted(tmp_path):
    one = {**SUMMARY, "subclasses": 1, "notes": ["ROT is <one> group"]}
    page = write_report(tmp_path / "r.html", [], clusters=[one]).read_text()
    head, noted = (
        page.index("What differs in a division of one group: 90 objects"),
        page.index("ROT is &lt;one&gt; group."),
    )
    assert head < noted < page.index("nothing is tested") and "AMI and ARI" not in page
    assert "<th>q</th>" not in page and "<td>plate</td>" in page and "2e-05" not in page
    assert "What sets the clusters apart" not in page
    agreement = replace(SILHOUETTE, metric="ami", property="class")
    assert "AMI and ARI are 0" in write_report(tmp_path / "s.html", [agreement], clusters=[SUMMARY]).read_text()


def test_no_clusters_no_table():
    assert clusters_html({**SUMMARY, "clusters": []}) == ""


def test_the_number_of_clusters_that_was_chosen_is_marked():
    three = replace(SILHOUETTE, metric="silhouette@3", value=0.5)
    table = results_html([SILHOUETTE, three])
    assert "<td>2</td>" in table and "<td>3 (chosen)</td>" in table
    assert "answers from" not in table and "space" not in table
    assert "chosen" not in results_html([SILHOUETTE])
    other = replace(SILHOUETTE, query="spectrum", target="spectrum", value=0.9)
    assert results_html([SILHOUETTE, three, other]).count("(chosen)") == 1
