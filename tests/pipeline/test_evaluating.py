"""The verb that judges a space: its settings from the command line, a configuration and a notebook."""

import numpy as np
import pytest

from astroclip_kit import cli, pipeline
from astroclip_kit.downstream import probes
from astroclip_kit.embeddings import EmbeddingStore
from astroclip_kit.errors import UsageError
from astroclip_kit.pipeline.configuration import load_configuration
from astroclip_kit.results import read_results
from astroclip_kit.settings import Evaluation


@pytest.fixture
def store(chain, tmp_path):
    """The space of the chain, with labels that make trouble."""
    whole = EmbeddingStore(chain.embeddings)
    rows = np.arange(len(whole))
    labels = {
        "z": whole.labels["z"],
        "mass": np.where(rows % 3 == 0, 10.0, np.nan),
        "zwarning": (rows % 4 == 0).astype(float),
    }
    vectors = {name: whole.vectors(name) for name in whole.names}
    catalog = {"group": whole.groups, "split": whole.split}
    return EmbeddingStore.write(tmp_path / "space", vectors, whole.object_ids, catalog=catalog, labels=labels)


def test_short_flags_reach_the_settings(store, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(probes, "EPOCHS", 2)
    out = tmp_path / "results"
    words = ["--k", "4", "--seed", "2", "--n-boot", "5", "--probes", "--centre", "--where", "zwarning == 0"]
    assert cli.main(["evaluate", str(store.root), "z", "--out", str(out), *words]) == 0
    printed = capsys.readouterr().out
    assert "only objects with zwarning == 0: " in printed and " of 60" not in printed
    results = read_results(out)
    assert {"probe_linear", "probe_mlp", "selection", "retrieval", "regression"} <= {one.task for one in results}
    assert {one.space for one in results} == {"aligned", "aligned, centred"}
    assert '"k": 4' in (out / "report.html").read_text().replace("&quot;", '"')


def test_who_calibrates_intervals_is_said(store, tmp_path):
    settings = Evaluation(k=2, n_boot=2, coverage=0.8)
    notes = "\n".join(pipeline.evaluate(store, "z", tmp_path / "results", settings=settings).meta["notes"])
    assert "z by image: " in notes and " objects that calibrate intervals were not trained on" in notes
    assert "; as too few are, intervals of new objects are probably too narrow" in notes


def test_intervals_that_hold_too_little_are_told(store, tmp_path):
    wrong = np.where(store.split == "test", 9.0, store.labels["z"])
    vectors, catalog = {name: store.vectors(name) for name in store.names}, {"split": store.split}
    odd = EmbeddingStore.write(tmp_path / "odd", vectors, store.object_ids, catalog=catalog, labels={"z": wrong})
    notes = pipeline.evaluate(odd, "z", tmp_path / "results", k=2, n_boot=2, coverage=0.8).meta["notes"]
    assert any(
        "z by image: what is to hold the truth of 0.8 of the objects holds that of 0.000" in one for one in notes
    )


def test_a_protocol_is_one_flag(store, tmp_path, capsys):
    out = tmp_path / "results"
    assert cli.main(["evaluate", str(store.root), "z", "--out", str(out), "--protocol", "astroclip-k16"]) == 0
    expected = pipeline.evaluate(store, "z", tmp_path / "again", metric="euclidean", k=16)
    found = [one.value for one in read_results(out) if one.metric == "r2"]
    assert found == list(expected["value"][expected["metric"] == "r2"])
    capsys.readouterr()
    assert cli.main(["evaluate", str(store.root), "z", "--protocol", "astroclip-k64", "--k", "5"]) == 2
    assert "protocol astroclip-k64 has k = 64, found 5. Leave one of them out" in capsys.readouterr().err


def test_what_is_known_of_few_or_the_same_for_all_is_said(store, tmp_path):
    table = pipeline.evaluate(store, ["mass"], tmp_path / "results", settings=Evaluation(k=2, n_boot=2))
    notes = "\n".join(table.meta["notes"])
    assert "mass: known for " in notes and " held-out and " in notes
    assert "mass: 10.0 for all objects, so there is nothing to predict" in notes
    with pytest.raises(
        UsageError, match=r"there is no argument 'neighbours'\. Of an evaluation there are: protocol, k"
    ):
        pipeline.evaluate(store, "z", tmp_path / "results", neighbours=4)


def test_a_configuration_holds_the_settings(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(
        "data: x\nseed: 3\nevaluate: {properties: [z], settings: {protocol: astroclip-k64, where: z > 0}}\n"
    )
    settings = load_configuration(path).sections["evaluate"]["settings"]
    assert settings == Evaluation(protocol="astroclip-k64", where="z > 0", seed=3)
    path.write_text("data: x\nevaluate: {k: 8}\n")
    with pytest.raises(UsageError, match=r"unknown key 'evaluate.k'. Did you mean 'evaluate.settings.k'\?"):
        load_configuration(path)
