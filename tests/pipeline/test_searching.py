"""The verbs search and index, over the command line and in Python."""

import json
import shutil

import numpy as np
import pytest
from astropy.io.votable import parse_single_table
from astropy.table import Table
from matplotlib.image import imread

from astroclip_kit import cli, pipeline
from astroclip_kit.embeddings import EmbeddingStore, Query
from astroclip_kit.errors import InputError, UsageError
from astroclip_kit.pipeline import searching
from astroclip_kit.settings import Training

FIRST, SECOND, THIRD = (f"9000-57000-{fiber}" for fiber in (1, 2, 3))


@pytest.fixture(scope="module")
def raw(chain, tmp_path_factory):
    """A space whose model encodes raw views itself."""
    root = tmp_path_factory.mktemp("raw")
    model = pipeline.align(chain.data, root / "model", encoders=chain.encoders, training=Training(epochs=1))
    return pipeline.embed(model, chain.data, root / "embeddings").root


@pytest.fixture
def files(chain):
    return {
        "image": chain.survey / "cutouts" / f"{FIRST}.fits",
        "spectrum": chain.survey / "spectra" / "spec-9000-57000-0001.fits",
    }


def answer(capsys, *words, style="json"):
    capsys.readouterr()
    assert cli.main([*map(str, words), "--format", style]) == 0
    text = capsys.readouterr().out
    return json.loads(text) if style == "json" else text


@pytest.mark.parametrize("kind", ["image", "spectrum"])
@pytest.mark.parametrize("space", ["heads", "raw"])
def test_a_new_file_finds_its_like(chain, raw, files, capsys, kind, space):
    folder = chain.embeddings if space == "heads" else raw
    rows = answer(capsys, "search", folder, "--file", files[kind], "-k", 3)
    others = answer(capsys, "search", folder, FIRST, "--query", kind, "-k", 3)  # nobody is like himself
    assert [row["object_id"] for row in rows] == [row["object_id"] for row in others] and len(rows) == 3
    assert pipeline.search(folder, file=files[kind], k=1).meta["object_id"] == FIRST
    across = pipeline.search(folder, file=files[kind], target="image" if kind == "spectrum" else "spectrum", k=60)
    assert FIRST in across["object_id"]


def test_the_strange_among_new_files_are_counted(chain, files, monkeypatch):
    said = "1 of 1 look unlike what the model was trained on"
    assert said not in pipeline.search(chain.embeddings, file=files["image"], k=1).meta["notes"]
    monkeypatch.setattr(searching, "STRANGE", 101)
    assert said in pipeline.search(chain.embeddings, file=files["image"], k=1).meta["notes"]


def test_the_model_is_found_or_named(chain, files, tmp_path, capsys, fails):
    shutil.copytree(chain.embeddings, tmp_path / "space")
    assert "say with `model` which model folder made" in fails("search", tmp_path / "space", "--file", files["image"])
    found = answer(capsys, "search", tmp_path / "space", "--file", files["image"], "--model", chain.model)
    assert found[0]["object_id"] != FIRST and len(found) == 10


def test_a_folder_of_files_asks_file_by_file(chain, capsys, tmp_path):
    for fiber in (4, 2):
        shutil.copy(chain.survey / "cutouts" / f"9000-57000-{fiber}.fits", tmp_path)
    (tmp_path / "broken.fits").write_bytes((tmp_path / "9000-57000-4.fits").read_bytes()[:4000])
    rows = answer(capsys, "search", chain.embeddings, "--file", tmp_path, "-k", 2)
    assert [(row["query"], row["rank"]) for row in rows] == [
        (f"9000-57000-{n}", rank) for n in (2, 4) for rank in (1, 2)
    ]
    assert all(row["object_id"] != row["query"] for row in rows)
    text = answer(capsys, "search", chain.embeddings, "--file", tmp_path, style="text")
    assert "asked with the image of 2 objects, answered by image" in text and "left out: " in text


def test_examples_conditions_and_tables(chain, capsys, tmp_path):
    rows = answer(capsys, "search", chain.embeddings, f"{FIRST},{SECOND}", "--unlike", THIRD, "-k", 5)
    assert not {row["object_id"] for row in rows} & {FIRST, SECOND, THIRD}
    assert rows == answer(capsys, "search", chain.embeddings, "--like", f"{FIRST},{SECOND}", "--unlike", THIRD, "-k", 5)
    weighted = ["search", chain.embeddings, f"{FIRST},{SECOND}", "--weights", "1,5", "-k", 5]
    assert len(answer(capsys, *weighted)) == 5
    near = answer(capsys, "search", chain.embeddings, FIRST, "-k", 3, "--where", "z < 0.15 and z_err < 1")
    assert all(row["z"] < 0.15 for row in near)
    Table({"object_id": [SECOND, FIRST]}).write(tmp_path / "who.csv")
    rows = answer(capsys, "search", chain.embeddings, "--table", tmp_path / "who.csv", "-k", 2)
    assert [(row["query"], row["rank"]) for row in rows] == [(SECOND, 1), (SECOND, 2), (FIRST, 1), (FIRST, 2)]


def test_every_format_is_written(chain, files, tmp_path, capsysbinary):
    for style in ("csv", "votable", "fits"):
        assert cli.main(["search", str(chain.embeddings), "--file", str(files["image"]), "--format", style]) == 0
        (tmp_path / f"found.{style}").write_bytes(capsysbinary.readouterr().out)
    assert FIRST not in Table.read(tmp_path / "found.csv")["object_id"]
    assert FIRST not in Table.read(tmp_path / "found.fits")["object_id"]
    assert FIRST not in parse_single_table(tmp_path / "found.votable").to_table()["object_id"]


def test_in_python_the_query_is_keywords(chain, files):
    found = pipeline.search(chain.embeddings, file=files["spectrum"], target="image", k=4, where="z > 0")
    again = pipeline.search(EmbeddingStore(chain.embeddings), asking=Query(file=files["spectrum"]), target="image", k=4)
    assert list(found["object_id"]) == list(again["object_id"]) and found.meta["query"] == "spectrum"
    store = EmbeddingStore(chain.embeddings)
    here = pipeline.search(store, coordinates=[store.ra[4], store.dec[4]], k=1)
    assert here.meta["object_id"] == store.object_ids[4]
    with pytest.raises(UsageError, match=r"there is no argument 'files'. Of a query there are: like, unlike"):
        pipeline.search(store, files="new.fits")
    with pytest.raises(UsageError, match=f"say who asks once: object_id is '{FIRST}', like is '{SECOND}'"):
        pipeline.search(store, FIRST, asking=Query(like=SECOND))


@pytest.mark.parametrize("who", ["file", "several", "table"])
def test_the_figure_shows_the_query(chain, files, tmp_path, who):
    path = tmp_path / "like-this.png"
    Table({"object_id": [SECOND, FIRST]}).write(tmp_path / "who.csv")
    asked = {"file": {"file": files["image"]}, "several": {"like": [FIRST, SECOND]}}
    asked["table"] = {"table": str(tmp_path / "who.csv")}
    pipeline.search(chain.embeddings, k=3, dataset=chain.data, figure=path, **asked[who])
    picture = imread(path)[..., :3]
    width = picture.shape[1] // 4  # the query and three answers
    assert picture[:, :width].std() > 0.1 and picture.shape[0] > 200
    if who == "file":  # a new file has no spectrum, its answers do
        bottom = picture[picture.shape[0] * 2 // 3 :, :]
        assert bottom[:, :width].std() < bottom[:, width : 2 * width].std()


def test_an_index_is_built_and_taken(chain, tmp_path, capsys):
    space = tmp_path / "space"
    shutil.copytree(chain.embeddings, space)
    before = answer(capsys, "search", space, FIRST, "-k", 4)
    [image] = answer(capsys, "index", space, "IVF4,Flat", "--modalities", "image", "--recall", 1)
    assert image["modality"] == "image" and image["rows"] == 60 and image["recall"] == 1
    assert (space / "index" / "image.faiss").is_file()
    assert answer(capsys, "search", space, FIRST, "-k", 4) == before
    assert {row["factory"] for row in answer(capsys, "index", space)} == {"exact"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--factory", "Nonsense"), "factory 'Nonsense': faiss cannot build it from 60 vectors"),
        (("--modalities", "radio"), "has no modality 'radio'; it has image, spectrum"),
        (("--factory", "Flat", "--recall", "2"), "recall is 2.0, expected a share"),
        (("--recall", "much"), "--recall: expected a number, found 'much'"),
    ],
)
def test_an_index_that_cannot_be_built(chain, tmp_path, fails, words, message):
    shutil.copytree(chain.embeddings, tmp_path / "space")
    assert message in fails("index", tmp_path / "space", *words)
    assert not (tmp_path / "space" / "index").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--file", "nosuch.fits"), "nosuch.fits: no such file."),
        (("--file", "{empty}"), "found nothing that the kit knows. Say with `query` which it is: image, spectrum"),
        (("--file", "{empty}", "--query", "image"), "LegacySurveyCutouts finds no files there"),
        (("--file", "{cut}"), "cut.fits"),
        (("--file", "{table}"), "found tables, the model takes image, spectrum. Give"),
        (
            ("--file", "{image}", "--query", "spectrum"),
            "expected spectrum files of a survey, found Legacy",
        ),
        (("--file", "{image}", "--query", "radio"), "has no modality 'radio'; it has image, spectrum"),
        (("--file", "{image}", "--reader", "Nonsense"), "reader 'Nonsense': there is no such reader; there is: "),
        (("--file", "{image}", "--model", "{data}"), "is a dataset folder, expected a model folder"),
        (("--file", "{image}", FIRST), f"unrecognized arguments: {FIRST}. Write {FIRST} before the options."),
        (("--coordinates", "1 2", "--file", "{image}"), "say which object: give either object_id"),
        (("--table", "{table}"), "expected a column object_id, or ra and dec, or file; found a, b"),
        (("--table", "nosuch.csv"), "nosuch.csv: no such file"),
        (("--like", f"{FIRST},M31,M33"), "no one object with the id 'M31', 'M33' (2 of 3)"),
        (("--like", FIRST, "--where", "mass > 3"), "where 'mass > 3': name 'mass' is not defined"),
        (("--like", FIRST, "--where", "z > 99"), "no object with image fulfils 'z > 99'."),
        (("--like", FIRST, "--weights", "[1, 2]"), "weights: expected 1 positive numbers"),
        (("--like", FIRST, "--weights", "much"), "weights: expected numbers such as 2,1,3, found 'much'"),
    ],
)
def test_one_clear_line(chain, files, tmp_path, fails, words, message):
    (tmp_path / "empty").mkdir()
    (tmp_path / "cut.fits").write_bytes(files["image"].read_bytes()[:4000])
    (tmp_path / "table.csv").write_text("a,b\n1,2\n")
    places = {"empty": tmp_path / "empty", "cut": tmp_path / "cut.fits", "table": tmp_path / "table.csv"}
    places |= {"image": files["image"], "data": chain.data}
    assert message in fails("search", chain.embeddings, *(word.format(**places) for word in words))


def test_spaces_of_other_models_and_surveys(chain, raw, files, tmp_path, fails):
    said = fails("search", chain.embeddings, "--file", files["image"], "--model", raw.parent / "model")
    assert "was made by another model than" in said
    from astroclip_kit.surveys import write_legacysurvey_cutout

    write_legacysurvey_cutout(tmp_path / "coarse.fits", np.ones((3, 64, 64)), 1.0, 2.0, pixel_scale_arcsec=2.75)
    said = fails("search", chain.embeddings, "--file", tmp_path / "coarse.fits")
    assert "coarse: 2.7500 arcsec per pixel, the model was trained on 0.2620" in said


@pytest.mark.parametrize("order", [("good", "bad"), ("bad", "good")])
def test_a_missing_file_of_a_table_is_left_out_wherever_it_stands_and_told_beside_any_format(
    chain, files, tmp_path, capsys, order
):
    names = {"good": str(files["image"]), "bad": "nothere.fits"}
    (tmp_path / "ask.csv").write_text("\n".join(["file", *(names[one] for one in order)]) + "\n")
    words = ["search", chain.embeddings, "--table", tmp_path / "ask.csv", "-k", "2", "--format", "csv"]
    assert cli.main([str(one) for one in words]) == 0
    printed = capsys.readouterr()
    assert len(printed.out.splitlines()) == 3
    assert "nothere.fits: no such file" in printed.err and "mock data" in printed.err


def test_a_reader_by_its_class_takes_the_file_itself(chain, files, capsys):
    reader = '{"class_path": "astroclip_kit.surveys.SDSSSpectra"}'
    rows = answer(capsys, "search", chain.embeddings, "--file", files["spectrum"], "--reader", reader, "-k", 2)
    assert len(rows) == 2


def test_every_pair_of_modalities_answers_in_one_table_and_one_figure(chain, tmp_path, capsys):
    figure = tmp_path / "pairs.png"
    words = ["search", chain.embeddings, FIRST, "--query", "all", "--target", "all", "-k", 2]
    rows = answer(capsys, *words, "--figure", figure, "--dataset", chain.data)
    pairs = [(row["query_modality"], row["target_modality"], row["rank"]) for row in rows]
    kinds = ("image", "spectrum")
    assert pairs == [(one, other, rank) for one in kinds for other in kinds for rank in (1, 2)]
    single = answer(capsys, "search", chain.embeddings, FIRST, "--query", "spectrum", "--target", "image", "-k", 2)
    assert [row["object_id"] for row in single] == [row["object_id"] for row in rows[4:6]]
    image = imread(figure)
    assert image.shape[0] > image.shape[1]  # four rows of two panels each
    told = pipeline.search(chain.embeddings, FIRST, query="mean", target="all", k=2)
    assert len(told) == 4 and FIRST not in told["object_id"]
    assert told.meta["notes"][0] == f"asked with the mean of {FIRST}, answered by image and spectrum"


def test_what_is_printed_starts_with_who_and_how_similar(tmp_path):
    labels = {f"number_{i}": np.arange(4.0) for i in range(9)} | {"survey": list("xxxx"), "kind": list("aabb")}
    space = EmbeddingStore.write(
        tmp_path / "s", {"image": np.eye(4)}, list("abcd"), labels={**labels, "class": list("ssgg")}
    )
    found = pipeline.search(space, "a", k=3)
    assert found.meta["shown"] == ["object_id", "similarity", "class", "kind", *(f"number_{i}" for i in range(4))]
    assert "8 more columns are in --format csv" in found.meta["notes"] and len(found.colnames) == 16
    few = EmbeddingStore.write(tmp_path / "t", {"image": np.eye(4)}, list("abcd"), labels={"z": np.arange(4.0)})
    found = pipeline.search(few, "a", k=3)
    assert found.meta["shown"] == ["object_id", "similarity", "z", "ra", "dec"]
    assert not any("more columns" in one for one in found.meta["notes"])


def test_pairs_that_cannot_be_answered_are_told(tmp_path):
    present = {"spectrum": np.arange(4) > 0}
    space = EmbeddingStore.write(
        tmp_path / "s", {"image": np.eye(4), "spectrum": np.eye(4)}, list("abcd"), present=present
    )
    found = pipeline.search(space, "a", query="all", target="all", k=2)
    assert set(found["query_modality"]) == {"image"} and len(found) == 4
    assert "left out: object 'a' has no spectrum, which is needed to search with it." in found.meta["notes"]
    with pytest.raises(InputError, match="'a' has no spectrum"):
        pipeline.search(space, "a", query="spectrum", target="all", k=2)
