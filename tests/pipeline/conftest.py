"""One tiny mock survey from files to a shared space, made once for all tests of the verbs."""

import shutil
import sys
from pathlib import Path

import pytest
from pictures import empty_pictures  # noqa: F401  (used by every test here)

from astroclip_kit import cli, pipeline
from astroclip_kit.settings import Reading, Training
from astroclip_kit.surveys import LegacySurveyCutouts, SDSSSpectra

sys.path.insert(0, str(Path(__file__).parent))  # for few_stars.py

ENCODERS = {
    "image": {"class_path": "astroclip_kit.encoders.ImageConvNet", "init_args": {"out_features": 8}},
    "spectrum": {"class_path": "astroclip_kit.encoders.SpectrumConvNet", "init_args": {"out_features": 8}},
}


class Chain:
    """Folders of the chain: survey, data, features, model, embeddings."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.encoders = ENCODERS
        self.survey, self.data, self.features = root / "survey", root / "data", root / "features"
        self.model, self.embeddings = root / "model", root / "embeddings"


@pytest.fixture(scope="session")
def chain(tmp_path_factory):
    made = Chain(tmp_path_factory.mktemp("chain"))
    pipeline.simulate(out=made.survey, count=60, workers=1)
    pipeline.ingest(
        made.data,
        images=str(made.survey / "cutouts"),
        spectra=str(made.survey / "spectra"),
        catalogue=str(made.survey / "catalogue.fits"),
        labels="z,morphology",
        reading=Reading(workers=1),
    )
    pipeline.extract(made.data, ENCODERS, made.features)
    pipeline.align(made.features, made.model, training=Training(epochs=2))
    pipeline.embed(made.model, made.features, made.embeddings)
    return made


@pytest.fixture(scope="session")
def stars(tmp_path_factory):
    """Survey files of a few stars with a table of their classes, and a dataset of them without it."""
    from few_stars import write_stars

    root = tmp_path_factory.mktemp("stars")
    write_stars(root / "survey")
    images = LegacySurveyCutouts(root / "survey" / "cutouts", bands=("u", "g", "r", "i", "z"), size=16)
    spectra = SDSSSpectra(root / "survey" / "spectra", grid="sdss 4000-9000")
    pipeline.ingest(root / "data", images=images, spectra=spectra, reading=Reading(workers=1))
    return root


@pytest.fixture
def survey(chain, tmp_path):
    """A copy of the survey with 8 objects, to be damaged."""
    for name, file in (("cutouts", "9000-57000-{}.fits"), ("spectra", "spec-9000-57000-{:04d}.fits")):
        (tmp_path / "survey" / name).mkdir(parents=True)
        for fiber in range(1, 9):
            shutil.copy(chain.survey / name / file.format(fiber), tmp_path / "survey" / name)
    shutil.copy(chain.survey / "catalogue.fits", tmp_path / "survey")
    return tmp_path / "survey"


@pytest.fixture
def fails(capsys):
    """Runs a command that must fail with one clear line; returns that line."""

    def run(*words):
        capsys.readouterr()
        code = cli.main([str(word) for word in words])
        error = capsys.readouterr().err
        last = error.strip().splitlines()[-1]
        assert code in (1, 2), error
        assert last.startswith("astroclip-kit: ") and "Traceback" not in error and "Please report it" not in last, error
        assert "<class" not in last and "typing." not in last, last
        return last

    return run
