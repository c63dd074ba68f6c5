import math
from dataclasses import replace

import pytest
from astropy.table import Table

from astroclip_kit.errors import InputError
from astroclip_kit.report import cluster_figures, result_figures
from astroclip_kit.report.wording import axis_title, guess, method, task_title, title
from astroclip_kit.types import Result

R2 = Result("regression", "image", "image", "z", "r2", 0.5, 0.4, 0.6, 100, 0, "galaxies", "mock", chance=0.0)
RECALL = replace(R2, task="retrieval", target="spectrum", property="", metric="recall@10", chance=0.02)
COVERAGE = replace(R2, task="coverage", metric="coverage@0.9", value=0.88, low=0.85, high=0.91, chance=math.nan)
SPACE = replace(R2, task="space", property="", metric="hubness@10", chance=math.nan)
CLUSTERS = replace(R2, task="clustering", property="", metric="silhouette@2", chance=math.nan)
ODD = replace(R2, task="anomaly", property="trail", metric="recall@planted")


def labels(axes):
    return [text.get_text() for text in axes.get_yticklabels()]


def test_tasks_without_results_have_no_figure():
    assert result_figures([]) == {} and result_figures([R2]) == {}
    assert result_figures([replace(RECALL, fold=0), replace(SPACE, value=math.nan)]) == {}


def test_retrieval_stands_by_direction_with_what_guessing_reaches():
    back = replace(RECALL, query="spectrum", target="image")
    centred = replace(RECALL, space="aligned, centred")
    (figure,) = result_figures([RECALL, back, centred, replace(RECALL, metric="median_rank")]).values()
    first = figure.axes[0]
    assert labels(first) == ["image → spectrum", "image → spectrum, centred", "spectrum → image"]
    assert first.get_xlabel() == "recall@10 (share of the queries)" and first.lines[1].get_xdata()[0] == 0.02
    assert figure.axes[1].get_xlabel() == "median rank (1 best)" and figure.task == "retrieval"


def test_methods_are_compared_where_there_are_several():
    probe = replace(R2, task="probe_linear", value=0.6)
    supervised = replace(R2, space="supervised")
    (figure,) = result_figures([R2, probe, supervised, replace(R2, metric="nmad")]).values()
    assert labels(figure.axes[0]) == ["image: k-NN", "image: linear probe", "image: gradient boosting"]
    assert figure.axes[0].get_xlabel() == "R² (1 best)" and figure.task == "probe_linear"
    assert next(iter(result_figures([R2, supervised]).values())).task == "regression"


def test_classifiers_are_compared_by_what_they_see_the_best_first():
    one = replace(R2, task="svm", query="spectrum", property="class", metric="macro_f1", space="supervised")
    better = replace(one, task="batmm", query="image+spectrum", value=0.9)
    classes = [replace(each, property="class:bhb", metric="f1") for each in (one, better)]
    others = [replace(one, metric="balanced_accuracy"), replace(R2, space="supervised")]
    (figure,) = result_figures([one, better, *classes, *others]).values()
    assert labels(figure.axes[0]) == ["BATMM (image + spectrum)", "SVM (spectrum)"]
    assert labels(figure.axes[1]) == []  # they stand once, at the left
    assert figure.axes[1].get_xlabel() == "F1: bhb against the rest (class)" and figure.task == "classifiers"
    assert result_figures([one, classes[0]]) == {}


def test_coverage_by_bin_and_against_what_was_wanted():
    inside = replace(COVERAGE, metric="coverage@0.9 of 0.1..0.3", n=20)
    half = replace(COVERAGE, metric="coverage@0.5", value=0.5, low=0.4, high=0.6)
    width = replace(COVERAGE, metric="width@0.9", value=2.0)
    first, second, curve = result_figures([COVERAGE, inside, half, width]).values()
    assert labels(first.axes[0]) == ["all (n = 100)", "0.1..0.3 (n = 20)"] and labels(second.axes[0]) == [
        "all (n = 100)"
    ]
    assert curve.axes[0].lines[1].get_xdata().tolist() == [0.5, 0.9]
    assert len(result_figures([COVERAGE])) == 1


def test_space_clusters_and_oddities():
    agreement = replace(CLUSTERS, property="class", metric="ami")
    more = [replace(CLUSTERS, metric=f"silhouette@{k}") for k in (3, 4)]
    found = result_figures([SPACE, CLUSTERS, *more, agreement, ODD])
    assert [figure.task for figure in found.values()] == ["space", "clustering", "clustering", "anomaly"]
    space, silhouettes, classes, odd = found.values()
    assert space.axes[0].get_xlabel() == "hubness@10 (skewness; 0: fair)"
    assert labels(silhouettes.axes[0]) == ["2 (chosen)", "3", "4"]
    assert classes.axes[0].get_xlabel() == "AMI" and labels(classes.axes[0]) == ["class"]
    assert labels(odd.axes[0]) == ["trail image"]


@pytest.mark.parametrize(
    ("metric", "head", "axis"),
    [
        ("r2", "R²", "R² (1 best)"),
        ("recall@5", "recall@5", "recall@5 (share of the queries)"),
        ("ami_clustered", "AMI clustered", "AMI clustered"),
        ("coverage@0.9 of 1..2", "coverage (0.9 wanted) for 1 to 2", "coverage (0.9 wanted) for 1 to 2"),
        ("width@0.9", "width of intervals (0.9 wanted)", "width of intervals (0.9 wanted)"),
        ("effective_rank", "effective rank", "effective rank (dimensions)"),
        ("macro_precision", "macro precision", "macro precision"),
        ("ece_uncalibrated", "ECE before the temperature", "ECE before the temperature"),
    ],
)
def test_metrics_have_names_that_read(metric, head, axis):
    assert (title(metric), axis_title(metric)) == (head, axis)


def test_words_for_tasks_methods_and_guesses():
    assert task_title("probe_mlp", "z") == "Neural probe of z"
    assert task_title("retrieval", "") == "Among held-out objects"  # the section is called Retrieval already
    assert axis_title("alignment") == "alignment (distance²; 0 best)"
    assert (task_title("clustering", ""), task_title("clustering", "class")) == ("Silhouettes", "Agreement with class")
    assert method(replace(R2, task="probe_mlp", space="features")) == "neural probe before alignment"
    assert guess(replace(R2, task="probe_mlp")) == "the mean"
    assert guess(replace(R2, task="probe_mlp", metric="accuracy")) == "the majority class"


def test_words_for_classifiers_and_their_classes():
    one = replace(R2, task="batmm", property="class", metric="macro_f1", space="supervised")
    of_class = replace(one, property="class:bhb", metric="f1")
    assert (task_title("batmm", "class"), method(one)) == ("BATMM of class", "BATMM")
    assert task_title("early_add", "class:bhb") == "Early add of bhb against the rest (class)"
    assert (title("f1"), title("auc"), title("average_precision")) == ("F1", "AUC", "average precision")
    assert (guess(one), guess(of_class)) == ("the majority class", "saying it at random")
    assert method(replace(R2, space="supervised")) == "gradient boosting" and guess(
        replace(one, task="regression")
    ) == ("the mean")


def clusters(space):
    number = (space.labels["z"] > 0.3).astype(int)
    table = Table({"object_id": space.object_ids, "cluster": number, "x": space.labels["z"], "y": space.ra * 0})
    table["y"] = range(len(table))
    ids = [table["object_id"][table["cluster"] == one].tolist() for one in (0, 1)]
    members = [
        {"cluster": one, "size": len(ids[one]), "nearest": ids[one][:5], "farthest": ids[one][-5:]} for one in (0, 1)
    ]
    return table, members


def test_clusters_are_shown_on_the_map_by_their_spectra_and_by_their_members(space, survey):
    table, members = clusters(space)
    labels = {"z": space.labels["z"], "class": space.labels["class"], "none": space.labels["z"] * math.nan}
    found = cluster_figures(table, members, dataset=survey, labels=labels, units={"z": "km/s"}, method="pca")
    assert list(found)[:3] == ["Clusters on the map.", "z on the map.", "class on the map."] and len(found) == 5
    assert found["z on the map."].axes[1].get_ylabel() == "z [km/s]"
    spectra, sheet = list(found.values())[3:]
    assert [axes.texts[0].get_text() for axes in spectra.axes] == ["cluster 0 (n = 30)", "cluster 1 (n = 30)"]
    assert [text.get_text() for text in sheet.texts] == ["cluster 0 (30 objects)", "cluster 1 (30 objects)"]
    assert {figure.task for figure in found.values()} == {"clustering"}


def test_clusters_without_a_map_or_a_dataset(space):
    table, members = clusters(space)
    assert list(cluster_figures(table, members)) == ["Clusters on the map."]
    table.remove_columns(["x", "y"])
    assert cluster_figures(table, members) == {}
    table.remove_column("cluster")
    with pytest.raises(InputError, match="the table has no column 'cluster'"):
        cluster_figures(table)


def test_objects_in_no_cluster_have_no_spectra(space, survey):
    table, _ = clusters(space)
    table["cluster"] = -1
    assert list(cluster_figures(table, dataset=survey)) == ["Clusters on the map."]
