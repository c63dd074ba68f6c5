"""Every file in configs/surveys reads what its survey writes."""

from pathlib import Path

import layout_astroclip
import layout_astrom3
import layout_hugging_face
import layout_images
import layout_lightcurves
import layout_provabgs
import layout_wise
import numpy as np
import pyarrow as pa
import pytest
import yaml

from astroclip_kit import pipeline
from astroclip_kit.data import Dataset
from astroclip_kit.mock import simulate_galaxies
from astroclip_kit.pipeline.configuration import load_configuration
from astroclip_kit.pipeline.parts import part
from astroclip_kit.surveys import write_sdss_spectrum
from astroclip_kit.surveys.recognition import SURVEYS

CONFIGS = Path(__file__).parents[2] / "configs"
REAL = {  # rows, modalities
    "asas": ("asas-variables", 810, ["lightcurve"]),
    "asas_sn": ("format-examples", 1, ["lightcurve"]),
    "cosmos_hst": ("cosmos-hst", 100, ["image", "photometry"]),
    "desi": ("format-examples", 3, ["spectrum"]),
    "gaia_xp": ("format-examples", 2, ["xp"]),
    "lamost": ("lamost-spectra", 315, ["spectrum"]),
    "legacysurvey": ("format-examples", 1, ["image"]),
    "sdss": ("sdss-spectra", 203, ["spectrum"]),
    "ztf_alerts": ("ztf-alerts", 263, ["image", "lightcurve", "alert"]),
    "ztf_sn_ia": ("ztf-sn-ia", 2259, ["lightcurve"]),
}
PLACES = {"1": (150.0, 2.0), "2": (150.006, 1.994), "3": (149.993, 2.006)}
SMALL = ["ingest.sources.image.init_args.size=16"]


def run(name, folder, tmp_path, changes=()):
    pipeline.run(CONFIGS / "surveys" / f"{name}.yaml", tmp_path / "run", overrides=[f"data={folder}", *changes])
    return Dataset(tmp_path / "run" / "data")


@pytest.mark.shared_data
@pytest.mark.parametrize("name", REAL)
def test_on_real_files(shared_data, tmp_path, name):
    folder, rows, modalities = REAL[name]
    dataset = run(name, shared_data / folder, tmp_path)
    assert len(dataset) == rows and list(dataset.modalities) == modalities


def positions(folder):
    layout_images.write_positions(folder).rename(folder / "positions.csv")


def frames(folder):
    for band in "ugriz":
        layout_images.write_frame(folder, band)
    positions(folder)


def tiles(folder):
    for band in (1, 2):
        layout_images.write_tile(folder, band)
    positions(folder)


def bricks(folder):
    for band in "grz":
        layout_images.write_brick(folder, band)
    positions(folder)


@pytest.mark.parametrize(
    ("name", "write"), [("sdss_frames", frames), ("unwise", tiles), ("legacysurvey_bricks", bricks)]
)
def test_images_cut_at_positions(tmp_path, name, write):
    (tmp_path / "images").mkdir()
    write(tmp_path / "images")
    dataset = run(name, tmp_path / "images", tmp_path, SMALL)
    assert sorted(dataset.object_ids) == ["1", "2", "3"]
    assert dataset.views("image").max() > 0.2


def test_variable_stars_of_asas_sn(tmp_path):
    (tmp_path / "stars").mkdir()
    layout_lightcurves.make_asas_sn_variables(tmp_path / "stars")
    made = run("asas_sn_variables", tmp_path / "stars", tmp_path)
    assert len(made) == 2 and made.modalities["lightcurve"].bands == ("V",)


def test_allwise_cut_in_arcseconds(tmp_path):
    (tmp_path / "images").mkdir()
    for band in (1, 2, 3, 4):
        layout_wise.write_atlas(tmp_path / "images", band)
    positions(tmp_path / "images")
    image = run("allwise", tmp_path / "images", tmp_path).modalities["image"]
    assert image.shape == (8, 80, 80) and image.grid == (0.625, 1.375)


@pytest.fixture
def downloaded(tmp_path):
    folder = tmp_path / "sky"
    folder.mkdir()
    for band in (1, 2, 3, 4):
        layout_wise.write_atlas(folder, band, stars=PLACES, shape=(110, 110))
    rows = "".join(f"{ra},{dec}\n" for ra, dec in PLACES.values())
    (folder / "positions.csv").write_text("ra,dec\n" + rows + "149.995,1.99\n")  # where nothing is
    (folder / "colours.csv").write_text("ra,dec,w1_w2,w2_w3\n" + rows.replace("\n", ",0.9,\n"))
    wavelength = 10 ** np.arange(3.58, 3.97, 1e-4)
    for fiber, (ra, dec) in enumerate(PLACES.values(), start=1):
        row = {"plate": 1, "mjd": 55000, "fiber": fiber, "ra": ra, "dec": dec}
        path = folder / f"spec-0001-55000-{fiber:04d}.fits"
        write_sdss_spectrum(path, wavelength, np.ones(len(wavelength)), np.ones(len(wavelength)), row)
    return folder


@pytest.mark.parametrize(
    ("path", "seen"),
    [
        ("configs/iicnet.yaml", ["image", "colours"]),
        ("astroclip_kit/recipes/iicnet_full.yaml", ["spectrum", "image", "colours"]),
    ],
)
def test_published_data_is_ingested_as_it_is_downloaded(downloaded, tmp_path, path, seen):
    told = yaml.safe_load((CONFIGS.parent / path).read_text())
    del told["classify"]
    (tmp_path / "ingest.yaml").write_text(yaml.safe_dump(told, sort_keys=False))
    pipeline.run(tmp_path / "ingest.yaml", tmp_path / "run", overrides=[f"data={downloaded}"])
    made = Dataset(tmp_path / "run" / "data")
    image = made.modalities["image"]
    assert image.channels == ("w1", "w2", "w3", "w4") and image.shape[1:] == (80, 80) and image.grid == (0.625, 1.375)
    assert len(made) == 3 and ("1-55000-1" in made.object_ids) == ("spectrum" in seen)
    assert list(made.modalities) == seen and all(made.present(name).all() for name in seen)
    assert made.manifest["quality"]["image"]["without_sky"] is True
    assert {one["reason"] for one in made.manifest["drops"]} == {
        "no source in the middle: less than 5 sigma in every band."
    }


def test_astroclip_and_its_mirror(tmp_path):
    (tmp_path / "joint").mkdir()
    layout_astroclip.write_joint(tmp_path / "joint")
    both = run("astroclip", tmp_path / "joint", tmp_path)
    assert both.present("image").any() and (both.present("image") & both.present("spectrum")).any()


def test_astroclip_with_labels_of_provabgs(tmp_path):
    (tmp_path / "joint").mkdir()
    layout_astroclip.write_joint(tmp_path / "joint")
    layout_provabgs.write_provabgs(tmp_path / "joint", modelled=True)
    labelled = run("provabgs", tmp_path / "joint", tmp_path, ["ingest.reading.where=log_mstar > 0"])
    assert len(labelled) == 5 and labelled.present("image").all() and labelled.present("spectrum").all()
    assert {"ssfr", "ssfr_astroclip", "t_age", "ln_z_mw", "astroclip_split"} <= set(labelled.labels)


def test_astrom3(tmp_path):
    layout_astrom3.write_subset(tmp_path)
    made = run("astrom3", tmp_path / "full_42", tmp_path)
    assert len(made) == 9 and list(made.modalities) == ["lightcurve", "spectrum", "metadata"]
    assert all(made.present(name).all() for name in made.modalities)


def test_astrom3_is_read_as_its_survey_and_divided_as_published():
    configuration = load_configuration(CONFIGS / "astrom3.yaml")
    assert list(configuration.sections) == ["ingest", "align", "embed", "evaluate"]
    survey = load_configuration(CONFIGS / "surveys" / "astrom3.yaml")
    assert configuration.sections["ingest"]["sources"] == survey.sections["ingest"]["sources"]
    align = configuration.sections["align"]
    assert align["split"].column == "published_split" and set(align["alignment"].trainable.values()) == {"all"}
    encoders = [part(encoder) for encoder in align["encoders"].values()]
    assert [one.out_features for one in encoders] == [25_600, 1184, 512]


@pytest.mark.slow
def test_astrom3_from_its_files_to_its_space(tmp_path):
    layout_astrom3.write_subset(tmp_path, {"train": [12, 8], "validation": [8], "test": [9]})
    small = ["lightcurve.init_args.width=16", "lightcurve.init_args.depth=1", "metadata.init_args.hidden_features=16"]
    changes = [f"align.encoders.{change}" for change in small] + ["align.alignment.head.out_features=8"]
    changes += ["align.training.epochs=1", "align.training.batch_size=8", "align.training.hardware.threads=1"]
    changes += [f"data={tmp_path / 'full_42'}"]
    results = pipeline.run(CONFIGS / "astrom3.yaml", tmp_path / "run", overrides=changes)
    assert set(results["n"][results["property"] == "class"]) == {9}


def test_hugging_face(tmp_path):
    rng = np.random.default_rng(0)
    rows = [
        {"targetid": n, "image": rng.normal(size=(8, 8, 3)).tolist(), "spectrum": rng.normal(size=(7781, 1)).tolist()}
        | {"redshift": 0.1 * n}
        for n in (1, 2)
    ]
    layout_hugging_face.write_dataset(tmp_path / "saved", pa.Table.from_pylist(rows))
    dataset = run("hugging_face", tmp_path / "saved", tmp_path)
    assert dataset.present("image").all() and dataset.present("spectrum").all()
    np.testing.assert_allclose(
        dataset.views("spectrum", [1])[0, 0], np.ravel(rows[1]["spectrum"]), rtol=1e-4, atol=1e-4
    )


@pytest.fixture
def mock(tmp_path):
    survey = simulate_galaxies(tmp_path / "mock", count=12, workers=1, quiet=True)
    sources = {"images": str(survey / "cutouts"), "spectra": str(survey / "spectra")}
    return pipeline.ingest(tmp_path / "mock-data", **sources)


def test_multimodal_universe(mock, tmp_path):
    out = tmp_path / "mmu"
    pipeline.export(mock, out, to="multimodal_universe")
    (out / "image").rename(out / "legacysurvey")
    (out / "spectrum").rename(out / "sdss")
    dataset = run("multimodal_universe", out, tmp_path)
    assert dataset.manifest["origin"] == "mock" and set(dataset.labels) == set(Dataset(mock).labels)
    assert len(dataset) == 12 and (dataset.present("image") & dataset.present("spectrum")).all()


def test_hats(mock, tmp_path):
    pipeline.export(mock, tmp_path / "hats" / "mmu_legacysurvey")
    pipeline.export(mock, tmp_path / "hats" / "mmu_sdss_sdss")
    dataset = run("hats", tmp_path / "hats", tmp_path)
    assert dataset.manifest["origin"] == "mock" and set(dataset.labels) == set(Dataset(mock).labels)
    assert len(dataset) == 12 and (dataset.present("image") & dataset.present("spectrum")).all()


def test_every_survey_has_a_configuration_and_a_test():
    tested = {
        *REAL,
        "sdss_frames",
        "unwise",
        "asas_sn_variables",
        "allwise",
        "legacysurvey_bricks",
        "astroclip",
        "provabgs",
        "hugging_face",
        "hats",
        "astrom3",
    }
    assert {path.stem for path in (CONFIGS / "surveys").glob("*.yaml")} == tested | {"multimodal_universe"}
    assert all((CONFIGS / f"{survey.config}.yaml").is_file() for survey in SURVEYS if survey.config)
