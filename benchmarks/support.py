"""Which strange inputs `astroclip-kit predict` flags, and how many honest ones.

    python benchmarks/support.py runs/support --sdss sdss-spectra --lamost lamost-spectra

Two spaces of 800 mock galaxies: *trained*, convolutional encoders trained with the heads, as `quickstart` does; and
*frozen*, heads on an untrained `ImageConvNet` and on `SpectralShape`. Into each go 400 new galaxies of the same
survey and inputs that are no such thing, the folders of real spectra among them where they are given. Every other one
of the strange is left out: two numbers of how features are compared were chosen on those (--chosen-on shows them).
Flagged is what lies below the first percentile: of the vectors' similarity (16 neighbours), of the features, and of
either.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.stats import binomtest

import astroclip_kit as ak
from astroclip_kit.downstream import NewObjects, predict_table
from astroclip_kit.embeddings import EmbeddingStore, Query, embed_queries
from astroclip_kit.embeddings.observations import adapted, read_observations
from astroclip_kit.errors import KitError
from astroclip_kit.pipeline import align, embed, extract, ingest, simulate
from astroclip_kit.settings import Alignment, Optimizer, Schedule, Training
from astroclip_kit.surveys import LAMOSTSpectra, SDSSSpectra
from astroclip_kit.types import Drop, Modality, Sample

COUNT = 200  # of each strange input that is made here
ENCODERS = ("ImageConvNet", "SpectrumConvNet", "SpectralShape")
Views = dict[str, np.ndarray]


class Given:
    """A reader of what is in memory."""

    def __init__(self, views: np.ndarray, modality: Modality) -> None:
        self.views, self.modality = views, modality

    def files(self) -> list[Path]:
        return [Path("memory")]

    def read(self, path: Path) -> Iterator[Sample]:
        for number, view in enumerate(self.views):
            yield Sample(f"new {number}", {self.modality.name: np.ascontiguousarray(view, np.float32)})


def survey(root: Path, name: str, count: int, seed: int, spectra: str = "sdss") -> Path:
    if not (root / name).exists():
        simulate(out=root / name, count=count, seed=seed, spectra=spectra, workers=1)
    return root / name


def spaces(root: Path, seed: int) -> Iterator[tuple[str, EmbeddingStore, Path]]:
    mock, data = survey(root, "mock", 800, seed=0), root / "data"
    ingest(data, images=str(mock / "cutouts"), spectra=str(mock / "spectra"), catalogue=str(mock / "catalogue.fits"))
    parts = {name: {"class_path": f"astroclip_kit.encoders.{name}"} for name in ENCODERS}
    turned = {"image": {"class_path": "astroclip_kit.transforms.RandomFlipRotate"}}
    trained = Alignment(trainable={"image": "all", "spectrum": "all"}, augmentations=turned)
    encoders = {"image": parts["ImageConvNet"], "spectrum": parts["SpectrumConvNet"]}
    optimizer, schedule = Optimizer(learning_rate=2e-3, weight_decay=0.05), Schedule(warmup_steps=20)
    training = Training(epochs=40, batch_size=256, optimizer=optimizer, schedule=schedule, seed=seed)
    align(data, root / "trained", encoders=encoders, alignment=trained, training=training)
    yield "trained", embed(root / "trained", data, root / "trained_space"), root / "trained"
    extract(data, {"image": parts["ImageConvNet"], "spectrum": parts["SpectralShape"]}, root / "features")
    align(root / "features", root / "frozen", training=Training(epochs=20, seed=seed))
    yield "frozen", embed(root / "frozen", root / "features", root / "frozen_space"), root / "frozen"


def read(folder: Path, modality: Modality) -> np.ndarray:
    return np.stack([one.views[modality.name] for one in read_observations([folder], None, modality)[0]])


def strange_spectra(x: np.ndarray, modality: Modality, rng: np.random.Generator) -> Views:
    flux, ivar = x[:COUNT, 0], x[:COUNT, 1]
    level = np.nanmedian(np.abs(flux), axis=1)[:, None]
    order, wavelength = rng.permutation(flux.shape[1]), modality.wavelength_angstrom
    kelvin = rng.uniform(12_000, 40_000, (len(flux), 1))
    star = 1 / (wavelength**5 * np.expm1(1.4388e8 / (wavelength * kelvin)))
    noise = rng.normal(size=flux.shape) * np.where(ivar > 0, ivar.clip(1e-12) ** -0.5, 0)
    made = {
        "white noise": level * rng.normal(size=flux.shape),
        "pixels in random order": flux[:, order],
        "red and blue exchanged": flux[:, ::-1],
        "hot black body, with noise": level * star / np.median(star, axis=1)[:, None] + noise,
        "constant, without noise": level + 0 * flux,
    }
    return {name: np.stack([one, ivar], axis=1) for name, one in made.items()}


def strange_images(x: np.ndarray, rng: np.random.Generator) -> Views:
    one = x[:COUNT]
    sky = 1.48 * np.median(np.abs(x - np.median(x, axis=(2, 3), keepdims=True)), axis=(0, 2, 3))[:, None, None]
    bright, grid = one.std(axis=(2, 3), keepdims=True), np.indices(one.shape[2:]) - one.shape[2] / 2
    psf = np.exp(-np.square(grid).sum(axis=0) / 8)
    star = one.sum(axis=(1, 2, 3))[:, None, None, None].clip(1) / 3 * psf / psf.sum()
    order = rng.permutation(psf.size)
    return {
        "noise of the sky": rng.normal(size=one.shape) * sky,
        "noise as bright as a galaxy": rng.normal(size=one.shape) * bright,
        "pixels in random order": one.reshape(*one.shape[:2], -1)[..., order].reshape(one.shape),
        "negative": -one,
        "bands exchanged": one[:, ::-1],
        "20 pixels off centre": np.roll(one, (20, 20), axis=(2, 3)),
        "blue star": star * np.array([1.2, 1, 0.8])[:, None, None] + rng.normal(size=one.shape) * sky,
    }


def real_spectra(sdss: Path | None, lamost: Path | None, modality: Modality) -> Views:
    found: dict[str, list[np.ndarray]] = {}
    if sdss:
        with (sdss / "catalog.csv").open() as file:
            kinds = {row["file"]: row["class"] for row in csv.DictReader(file)}
        for path in SDSSSpectra(sdss / "spectra").files():
            try:
                [sample] = read_observations([path], None, modality)[0]
            except KitError as error:
                print(f"left out: {error}")
                continue
            found.setdefault(f"real SDSS {kinds[path.name]}", []).append(sample.views[modality.name])
    if lamost:
        reader = LAMOSTSpectra(lamost)
        given = replace(reader.modality, unit=modality.unit)  # its flux is relative: predict itself refuses it
        samples = (one for path in reader.files()[:COUNT] for one in reader.read(path) if not isinstance(one, Drop))
        found["real LAMOST stars"] = [adapted(one.views[reader.modality.name], given, modality) for one in samples]
    return {name: np.stack(views) for name, views in found.items()}


def row(store: EmbeddingStore, model: Path, modality: Modality, views: np.ndarray) -> str:
    query = Query(file="memory", reader=Given(views, modality), model=model)
    found = embed_queries(store, query, modality.name)
    new = NewObjects({found.name: found.vectors}, found.object_ids, {found.name: found.familiar})
    table = predict_table(store, ["z"], asked=new, query=found.name)
    flagged = [table["z_support"] < 1, table["z_familiar"] < 1, ~table["z_supported"]]
    low, high = binomtest(int(flagged[2].sum()), len(table)).proportion_ci(method="wilson")
    shares = "".join(f"{np.mean(one):10.3f}" for one in flagged)
    return f"{shares}   {low:.3f} to {high:.3f}{len(table):6d}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path, help="folder for surveys, models and spaces")
    parser.add_argument("--sdss", type=Path, help="folder with catalog.csv (file, class) and spectra/")
    parser.add_argument("--lamost", type=Path, help="folder of LAMOST spectra")
    parser.add_argument("--cutouts", type=Path, help="Legacy Survey cutouts in g, r, z")
    parser.add_argument("--seed", type=int, default=0, help="of the training")
    parser.add_argument("--chosen-on", action="store_true", help="show the half on which the method was chosen")
    options = parser.parse_args()
    new, desi = survey(options.root, "new", 400, seed=9), survey(options.root, "desi", COUNT, 5, spectra="desi")
    for space, store, model in spaces(options.root, options.seed):
        data = ak.Dataset(options.root / "data")
        for name, folder in (("spectrum", "spectra"), ("image", "cutouts")):
            modality, rng = data.modalities[name], np.random.default_rng(0)
            x = data.batch(np.arange(len(data))).views[name].numpy()
            made = strange_images(x, rng) if name == "image" else strange_spectra(x, modality, rng)
            if name == "spectrum":
                made |= {"mock DESI galaxies": read(desi / folder, modality)}
                made |= real_spectra(options.sdss, options.lamost, modality)
            made = {key: views[int(not options.chosen_on) :: 2] for key, views in made.items()}
            if name == "image" and options.cutouts:
                made["real Legacy Survey"] = read(options.cutouts, modality)
            print(f"\n{space + ' ' + name:32}{'vectors':>10}{'features':>10}{'either':>10}   {'95 %':16}{'n':>5}")
            for key, views in {"new galaxies of the survey": read(new / folder, modality), **made}.items():
                print(f"{key:32}{row(store, model, modality, views)}", flush=True)


if __name__ == "__main__":
    main()
