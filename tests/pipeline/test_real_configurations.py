"""The configurations of real data: each can be read anywhere, and runs where the data are."""

from pathlib import Path

import numpy as np
import pytest

from astroclip_kit.data import Dataset
from astroclip_kit.pipeline import run
from astroclip_kit.pipeline.configuration import load_configuration
from astroclip_kit.pipeline.parts import part

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
FOLDERS = {
    "asas_variables": "asas-variables",
    "lamost_photometry": "lamost-spectra",
    "sdss_photometry": "sdss-spectra",
    "supernovae": "supernovae",
    "ztf_alerts": "ztf-alerts",
}
DIFFERENCE_IMAGE = {"magpsf", "sigmapsf", "magap", "sigmagap", "magdiff", "scorr", "rb", "drb", "fid", "sumrat"}


def test_every_configuration_is_tested():
    recipes = {"astroclip_thesis", "astroclip_v1", "batmm", "iicnet"}  # tests/recipes
    # test_classify_configurations.py:
    classify = {"batmm_cutouts", "lamost_types", "sdss_classes", "spectral_gan", "spectral_gan_cutouts"}
    # test_wise_configurations.py, tests/surveys/test_ready_configurations.py, tests/pipeline/test_fine_tuned.py:
    others = {"iicnet_cutouts", "astrom3", "astrom3_mock"}
    trimodal = {"asas_classes", "supernovae_astrom3", "ztf_alerts_astrom3"}  # test_trimodal_configurations.py
    assert {path.stem for path in CONFIGS.glob("*.yaml")} == set(FOLDERS) | recipes | classify | others | trimodal


@pytest.mark.parametrize("name", FOLDERS)
def test_a_configuration_fits_the_verbs_and_its_parts_can_be_built(name):
    configuration = load_configuration(CONFIGS / f"{name}.yaml")
    assert list(configuration.sections) == ["ingest", "extract", "align", "embed", "evaluate"]
    assert (configuration.folds, configuration.by, configuration.data) == (
        5,
        "group",
        f"../shared/data/{FOLDERS[name]}",
    )
    sources = configuration.sections["ingest"]["sources"]
    readers = {source: part(value) for source, value in sources.items()}
    assert all(hasattr(reader, "read") for reader in readers.values())
    assert set(configuration.sections["extract"]["encoders"]) <= set(sources)
    assert configuration.sections["align"]["training"].hardware.threads == 1


def test_the_table_of_an_alert_holds_nothing_of_the_other_modalities():
    sources = load_configuration(CONFIGS / "ztf_alerts.yaml").sections["ingest"]["sources"]
    columns = sources["table"]["init_args"]["columns"]
    assert len(columns) == 12 and not DIFFERENCE_IMAGE & set(columns)


def quickly(name, shared_data, folder, *changes):
    """Two folds and few epochs: that it runs, not how well it does."""
    few = ["folds=2", "align.training.epochs=20", "align.alignment.members=1", "align.training.schedule.warmup_steps=2"]
    changes = [f"data={shared_data / FOLDERS[name]}", *few, *changes]
    return run(CONFIGS / f"{name}.yaml", folder / "run", overrides=changes)


def value(table, metric, query, target, space="aligned"):
    ours = np.isin(table["task"], ["retrieval", "classification"])
    chosen = ours & (table["metric"] == metric) & (table["query"] == query) & (table["target"] == target)
    [row] = table[chosen & (table["space"] == space)]
    return row


@pytest.mark.slow
@pytest.mark.shared_data
def test_lamost_spectra_and_photometry(shared_data, tmp_path):
    table = quickly("lamost_photometry", shared_data, tmp_path, "evaluate.properties=[teff]")
    data = Dataset(tmp_path / "run" / "data")
    groups, visits = np.unique(data.groups, return_counts=True)
    assert len(data) == 315 and len(groups) == 216 and visits[visits > 1].sum() == 177
    stars = np.isfinite(data.labels["teff"])
    assert stars.sum() >= 101 and {*np.unique(data.labels["type"])} == set("AFGKM")
    found = value(table, "recall@5", "photometry", "spectrum")
    assert found["low"] > found["chance"] and found["n"] == data.present("photometry").sum()
    visit = value(table, "recall@1", "lines", "lines")
    assert visit["value"] > 0.4 > 0.1 > visit["chance"] and visit["n"] == 177


@pytest.mark.slow
@pytest.mark.shared_data
def test_ztf_alerts_in_six_directions(shared_data, tmp_path):
    table = quickly("ztf_alerts", shared_data, tmp_path)
    data = Dataset(tmp_path / "run" / "data")
    assert len(data) == 263 and len(np.unique(data.groups)) == 236
    assert data.modalities["lightcurve"].bands == ("g", "r", "g_limit", "r_limit")
    asked = (table["task"] == "retrieval") & (table["space"] == "aligned") & (table["metric"] == "recall@10")
    across = table[asked & (table["query"] != table["target"])]
    assert len(across) == 6 and (across["value"] > 1.5 * across["chance"]).all() and (across["n"] == 263).all()


@pytest.mark.slow
@pytest.mark.shared_data
def test_asas_variables_by_their_halves(shared_data, tmp_path):
    fast = [f"extract.encoders.{half}.init_args.highest_frequency=4" for half in ("early", "late")]
    table = quickly("asas_variables", shared_data, tmp_path, *fast)
    data = Dataset(tmp_path / "run" / "data")
    classes, counts = np.unique(data.labels["class"][data.labels["class"] != ""], return_counts=True)
    assert len(data) == 810 and len(classes) == 15 and counts.min() == 20
    for query, target in (("early", "late"), ("late", "early")):
        assert value(table, "recall@10", query, target)["low"] > 0.1
    for space in ("aligned", "features", "supervised"):
        found = value(table, "balanced_accuracy", "early+late", "early+late", space)
        assert found["value"] > 0.3 and found["n"] == counts.sum()
