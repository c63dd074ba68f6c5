"""A dataset in other tools' layouts."""

import numpy as np
import pytest

from astroclip_kit import cli, pipeline
from astroclip_kit.data import Dataset
from astroclip_kit.surveys import HATSCatalogue, MultimodalUniverse


@pytest.mark.parametrize("to", ["hats", "multimodal_universe"])
def test_a_dataset_comes_back_as_it_was(chain, tmp_path, to, capsys):
    out = tmp_path / "out"
    assert cli.main(["export", str(chain.data), str(out), "--to", to]) == 0
    dataset = Dataset(chain.data)
    assert capsys.readouterr().out == f"{out}: {len(dataset)} objects of {dataset.root} as {to}\n"
    for name in dataset.modalities:
        reader = (
            HATSCatalogue(out, name, labels=["z"])
            if to == "hats"
            else MultimodalUniverse(out / name, name, labels=["z"])
        )
        found = {sample.object_id: sample for path in reader.files() for sample in reader.read(path)}
        assert sorted(found) == sorted(dataset.object_ids)
        for row in (0, 17):
            sample = found[str(dataset.object_ids[row])]
            np.testing.assert_allclose(sample.views[name], dataset[row].views[name], rtol=1e-4, atol=1e-3)
            assert sample.labels["z"] == pytest.approx(dataset.labels["z"][row])
            assert sample.ra == pytest.approx(dataset.ra[row])
    shown = pipeline.info(out)
    assert ("HATS catalogue: 1 file" if to == "hats" else "Multimodal Universe: ") in shown


def test_what_is_wrong_is_said(chain, tmp_path, fails):
    assert "cannot export to 'votable'; there is: hats" in fails(
        "export", chain.data, tmp_path / "o", "--to", "votable"
    )
    assert "expected a dataset" in fails("export", chain.features, tmp_path / "o")
    assert "no label 'zz' in the dataset; it has z" in fails("export", chain.data, tmp_path / "o", "--labels", "zz")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    assert "mine" in fails("export", chain.data, tmp_path / "mine") and (tmp_path / "mine" / "notes.txt").exists()
