"""The configurations that classify: stars from survey frames, from cutouts and from LAMOST."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from few_stars import BANDS, PLATE, SIZE, write_stars

from astroclip_kit import pipeline
from astroclip_kit.data import Dataset
from astroclip_kit.pipeline.configuration import load_configuration
from astroclip_kit.pipeline.parts import encoder_for, part
from astroclip_kit.surveys import LegacySurveyCutouts

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
BRIEF = ["encoder_training.epochs=1", "training.epochs=1", "baselines=[image]", "split={test: 0.3, valid: 0.3}"]
NARROW = [
    "encoders.image.init_args={name: resnet18, width: 8, size: 32, stages: 1}",
    "encoders.spectrum.init_args={widths: [4, 8], depths: [1, 1]}",
    *(f"classification.{one}" for one in BRIEF),
    "classification.fusion={init_args: {size: {width: 8, blocks: 1, heads: 2, hidden_features: 8}}}",
]


def write_frames(survey, folder):
    """The cutouts of a survey side by side in one frame per band: each star where its coordinates say, and a border."""
    reader = LegacySurveyCutouts(survey / "cutouts", bands=BANDS)
    stars = [star for path in reader.files() for star in reader.read(path)]
    step = 0.01 * 3600 * np.cos(np.radians(2.0)) / 0.396  # pixels between stars
    width = int(step * (len(stars) + 2))
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval, wcs.wcs.crpix = (150.0 + 0.005 * len(stars), 2.0), (width / 2, 60.0)
    wcs.wcs.cdelt = (-0.396 / 3600, 0.396 / 3600)
    rng = np.random.default_rng(0)
    for number, band in enumerate(BANDS):
        frame = rng.normal(0, 0.1, (120, width)).astype(np.float32)
        for star in stars:
            x, y = (int(np.round(float(one))) for one in wcs.all_world2pix(star.ra, star.dec, 0))
            half = SIZE // 2
            frame[y - half : y + half, x - half : x + half] += star.views["image"][number]
        header = wcs.to_header()
        header.update({"BUNIT": "nanomaggy", "FILTER": band, "CAMCOL": 1})
        (folder / "301").mkdir(parents=True, exist_ok=True)
        fits.writeto(folder / "301" / f"frame-{band}-000094-1-0131.fits", frame, header)
    places = pd.DataFrame(
        {"object_id": [s.object_id for s in stars], "ra": [s.ra for s in stars], "dec": [s.dec for s in stars]}
    )
    return places


@pytest.fixture
def sky(tmp_path):
    """SDSS frames, spectra, positions and a table of classes without ids."""
    write_stars(tmp_path / "survey", 40)
    folder = tmp_path / "sky"
    places = write_frames(tmp_path / "survey", folder)
    (tmp_path / "survey" / "spectra").rename(folder / str(PLATE))
    places[["ra", "dec"]].to_csv(folder / "positions.csv", index=False)
    known = pd.read_csv(tmp_path / "survey" / "labels.csv").merge(places, on="object_id")
    known[["ra", "dec", "class"]].to_csv(folder / "labels.csv", index=False)
    return folder


@pytest.mark.slow
def test_stars_of_survey_frames_are_classified_as_published(sky, tmp_path):
    changes = [f"classify.{one}" for one in NARROW] + ["ingest.reading.workers=1"]
    table = pipeline.classify(CONFIGS / "batmm.yaml", tmp_path / "out", overrides=[f"data={sky}", *changes])
    assert any("40 labelled, 40 with image, 40 with image and spectrum" in note for note in table.meta["notes"]), (
        table.meta
    )
    data = Dataset(tmp_path / "out" / "data")
    assert data.modalities["image"].shape == (5, 64, 64) and data.modalities["image"].channels == BANDS
    assert data.modalities["spectrum"].shape == (2, 3522) and data.object_ids[0].startswith(f"{PLATE}-57000-")
    image = data.views("image", [5])[0]
    peaks = [np.unravel_index(plane.argmax(), plane.shape) for plane in image]
    assert all(abs(row - 31.5) < 2 and abs(column - 31.5) < 2 for row, column in peaks)
    assert table["model"][0] == "cross-attention" and table["n"][0] > 5


def test_the_encoders_of_the_cutouts_fit_what_is_read(stars):
    small = "ingest.sources.image.init_args.reader.init_args.size=16"
    sections = load_configuration(CONFIGS / "batmm_cutouts.yaml", [f"data={stars / 'survey'}", small]).sections
    sources = {name: part(one) for name, one in sections["ingest"]["sources"].items()}
    modalities = {name: reader.modality for name, reader in sources.items()}
    encoders = {name: encoder_for(one, modalities, name) for name, one in sections["classify"]["encoders"].items()}
    assert encoders["image"].out_features == encoders["spectrum"].out_features == 64
    settings = sections["classify"]["classification"]
    assert settings.encoder_training.schedule is not settings.training.schedule
    assert (settings.encoder_training.optimizer.name, settings.training.optimizer.name) == ("adam", "adamw")


FEW = [
    "encoders.image.init_args={width: 4, stages: 1, blocks: 1}",
    "encoders.spectrum.init_args={widths: [4, 8], blocks: 1, out_features: 8}",
    "classification.split={test: 0.3, valid: 0.3}",
    "classification.simulation={folds: 2, generator: {hidden_features: [16]}}",
    *(f"classification.{name}.epochs=1" for name in ("encoder_training", "training", "simulation_training")),
]


@pytest.mark.slow
def test_spectra_of_point_sources_are_simulated_from_cutouts(stars, tmp_path):
    small = ["ingest.sources.image.init_args.reader.init_args.size=16", "ingest.reading.workers=1"]
    changes = [f"data={stars / 'survey'}", *small, *(f"classify.{one}" for one in FEW)]
    generator = "classify.classification.simulation.generator.encoder"
    tiny = f"{generator}={{class_path: astroclip_kit.encoders.StampResNet, init_args: {{width: 4, stages: 1}}}}"
    table = pipeline.classify(CONFIGS / "spectral_gan_cutouts.yaml", tmp_path / "out", overrides=[*changes, tiny])
    assert table["sees"][0] == "image+simulated" and table["n"][0] > 10
    assert Dataset(tmp_path / "out" / "data").modalities["spectrum"].shape == (2, 3700)


@pytest.mark.slow
def test_spectra_of_point_sources_are_simulated_from_survey_frames(sky, tmp_path):
    changes = [f"data={sky}", "ingest.reading.workers=1", *(f"classify.{one}" for one in FEW)]
    table = pipeline.classify(CONFIGS / "spectral_gan.yaml", tmp_path / "out", overrides=changes)
    assert any("40 labelled, 40 with image, 40 with image and spectrum" in note for note in table.meta["notes"])
    data = Dataset(tmp_path / "out" / "data")
    assert data.modalities["image"].shape == (5, 32, 32) and data.modalities["spectrum"].shape == (2, 3700)
    new = pipeline.classify(model=tmp_path / "out" / "model", input=str(tmp_path / "out" / "data"))
    assert len(new) == 40


@pytest.mark.slow
@pytest.mark.shared_data
def test_types_of_lamost_stars(shared_data, tmp_path):
    few = ["encoder_training.epochs=15", "training.epochs=5", "baselines=[spectrum, svm]"]
    changes = [f"data={shared_data / 'lamost-spectra'}", "folds=2", *(f"classify.classification.{one}" for one in few)]
    table = pipeline.run(CONFIGS / "lamost_types.yaml", tmp_path / "run", overrides=changes)
    data = Dataset(tmp_path / "run" / "data")
    grid = data.modalities["spectrum"].wavelength_angstrom
    assert grid[0] >= 4000 and grid[-1] <= 8900 and len(data) == 315
    svm = table[table["model"] == "SVM"]
    assert table["n"][0] == 299 and svm["balanced_accuracy"][0] > 0.5 > svm["majority"][0]


@pytest.mark.slow
@pytest.mark.shared_data
def test_classes_of_sdss_spectra(shared_data, tmp_path):
    few = ["encoder_training.epochs=8", "training.epochs=8", "baselines=[spectrum, photometry]"]
    narrow = "classify.encoders.spectrum.init_args={widths: [4, 8, 16], blocks: 1}"
    data = f"data={shared_data / 'sdss-spectra'}"
    changes = [data, "folds=2", narrow, *(f"classify.classification.{one}" for one in few)]
    table = pipeline.run(CONFIGS / "sdss_classes.yaml", tmp_path / "run", overrides=changes)
    assert Dataset(tmp_path / "run" / "data").modalities["spectrum"].shape == (2, 3700)
    assert table["n"][0] == 193 and 0.77 < table["majority"][0] < 0.78
    assert list(table["sees"]) == ["spectrum+photometry", "spectrum", "photometry"]
