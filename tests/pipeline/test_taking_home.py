"""A dataset and embeddings in other tools' layouts, and two spaces side by side."""

import numpy as np
import pytest
from astropy.table import Table

import astroclip_kit as ak
from astroclip_kit import cli, pipeline
from astroclip_kit.data import Dataset
from astroclip_kit.downstream import Map
from astroclip_kit.embeddings import EmbeddingStore
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
    assert "cannot export a dataset to 'votable'; there is: hats" in fails(
        "export", chain.data, tmp_path / "o", "--to", "votable"
    )
    assert "expected a dataset" in fails("export", chain.features, tmp_path / "o")
    assert "no label 'zz' in the dataset; it has z" in fails("export", chain.data, tmp_path / "o", "--labels", "zz")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    assert "mine" in fails("export", chain.data, tmp_path / "mine") and (tmp_path / "mine" / "notes.txt").exists()


def test_embeddings_with_what_was_found_in_them(chain, tmp_path, capsys):
    store, out = EmbeddingStore(chain.embeddings), tmp_path / "space.vot"
    pipeline.project(chain.embeddings, tmp_path / "map", on="image", method="pca")
    pipeline.cluster(chain.embeddings, tmp_path / "clusters", map=tmp_path / "map")
    words = ["export", chain.embeddings, out, "--map", tmp_path / "map", "--clusters", tmp_path / "clusters"]
    assert cli.main([str(one) for one in [*words, "--units", '{"z": "km / s"}', "--labels", "z"]]) == 0
    assert capsys.readouterr().out == f"{out}: {len(store)} objects of {store.root} as votable\n"
    found = Table.read(out)
    assert [str(one) for one in found["object_id"]] == store.object_ids.tolist() and "morphology" not in found.colnames
    assert found["z"].unit == "km / s" and found["ra"].meta["ucd"] == "pos.eq.ra;meta.main"
    np.testing.assert_array_equal(found["image"], store.vectors("image"))
    np.testing.assert_array_equal(found["map_x"], Map(tmp_path / "map").coordinates[:, 0])
    assert {"map_y", "cluster", "cluster_probability", "has_spectrum"} <= set(found.colnames)


@pytest.mark.parametrize(("name", "to"), [("hats", ""), ("s.npz", ""), ("s.dat", "fits"), ("s.csv", "")])
def test_embeddings_in_other_forms(chain, tmp_path, name, to):
    assert f"{tmp_path / name}: 60 objects of" in ak.export(chain.embeddings, tmp_path / name, to=to)
    assert (tmp_path / name).exists()


def test_embeddings_without_vectors_are_a_small_table(chain, tmp_path):
    ak.export(EmbeddingStore(chain.embeddings), tmp_path / "s.parquet", vectors=False)
    assert "image" not in Table.read(tmp_path / "s.parquet").colnames


def test_what_is_wrong_with_embeddings_is_said(chain, tmp_path, fails):
    space, out = chain.embeddings, tmp_path / "s.fits"
    pipeline.project(space, tmp_path / "map", on="image", method="pca")
    assert "s.doc: expected a name that ends with one of .fits" in fails("export", space, tmp_path / "s.doc")
    assert "cannot export embeddings to 'multimodal_universe'" in fails(
        "export", space, out, "--to", "multimodal_universe"
    )
    assert "no label 'zz' in the embeddings; it has z" in fails("export", space, out, "--labels", "zz")
    assert "units: no column 'teff'" in fails("export", space, out, "--units", '{"teff": "K"}')
    assert "units: 'parsnip' of z is no unit" in fails("export", space, out, "--units", '{"z": "parsnip"}')
    assert "belong to embeddings" in fails("export", chain.data, tmp_path / "o", "--map", tmp_path / "map")
    other = EmbeddingStore.write(tmp_path / "other", {"image": np.eye(3)}, ["a", "b", "c"], labels={"map_x": [1, 2, 3]})
    assert "holds no object of" in fails("export", other.root, out, "--map", tmp_path / "map")
    twin = EmbeddingStore(space)
    values = {"map_x": np.zeros(len(twin))}
    named = EmbeddingStore.write(tmp_path / "twin", {"image": twin.vectors("image")}, twin.object_ids, labels=values)
    assert "'map_x' would be two columns of the table" in fails("export", named.root, out, "--map", tmp_path / "map")


def test_two_spaces_side_by_side(chain, tmp_path, capsys, fails):
    out = tmp_path / "both.csv"
    words = ["compare", chain.embeddings, chain.embeddings, "--properties", "z", "--k", "4", "--out", out]
    assert cli.main([str(one) for one in words]) == 0
    printed = capsys.readouterr().out
    assert "mutual_knn@10" in printed and "(the same model)" in printed and f"written: {out}" in printed
    assert {"difference", "one_low", "better", "seed"} <= set(Table.read(out).colnames)
    assert "out is 'b.doc', expected a file" in fails("compare", chain.embeddings, chain.embeddings, "--out", "b.doc")


def test_units_of_labels_go_with_them_from_the_catalogue_to_the_export(chain, tmp_path):
    words = ["ingest", tmp_path / "data", "--images", chain.survey / "cutouts", "--workers", "1"]
    words += ["--catalogue", chain.survey / "catalogue.fits", "--labels", "z,vdisp,mag_r"]
    assert cli.main([str(word) for word in words]) == 0
    data = Dataset(tmp_path / "data")
    assert data.manifest["units"] == {"vdisp": "km / s", "mag_r": "mag"}
    assert str(data.catalogue()["vdisp"].unit) == "km / s"
    encoders = {"image": chain.encoders["image"]}
    features = pipeline.extract(data, encoders, tmp_path / "features")
    assert features.manifest["units"] == data.manifest["units"]
    data = pipeline.ingest(
        tmp_path / "both",
        images=str(chain.survey / "cutouts"),
        spectra=str(chain.survey / "spectra"),
        catalogue=str(chain.survey / "catalogue.fits"),
        labels="vdisp",
    )
    features = pipeline.extract(data, chain.encoders, tmp_path / "features")
    store = pipeline.embed(chain.model, features, tmp_path / "space")
    assert store.units["vdisp"] == "km / s"
    pipeline.export(store, tmp_path / "space.fits")
    assert str(Table.read(tmp_path / "space.fits")["vdisp"].unit) == "km / s"


def test_a_mock_beside_a_real_survey_is_said(tmp_path):
    z, ids = np.eye(12)[:, :6] + 0.1, [f"o{n}" for n in range(12)]
    vectors = {"image": z, "spectrum": z[:, ::-1]}
    split = {"catalog": {"split": np.repeat(["train", "test"], 6)}}
    one = EmbeddingStore.write(tmp_path / "a", vectors, ids, values={"dataset": "sim", "origin": "mock"}, **split)
    two = EmbeddingStore.write(tmp_path / "b", vectors, ids, values={"dataset": "sky", "origin": "real"}, **split)
    assert "the first is of sim (mock), the second of sky (real)" in " ".join(ak.compare(one, two, k=3).meta["notes"])
    assert "the first is of" not in " ".join(ak.compare(one, one, k=3).meta["notes"])
