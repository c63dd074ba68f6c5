"""What experiments in miniature share: a mock survey as a dataset, a run of few seeds, and its stages run once."""

import json

from astroclip_kit import pipeline
from astroclip_kit.data import Dataset
from astroclip_kit.pipeline.configuration import read_configuration
from astroclip_kit.recipes import Run
from astroclip_kit.settings import Matching, Observing, Reading


def make_dataset(recipe, root, survey, count, size):
    """The mock survey of a recipe, read as its configuration says: objects that have every modality, and a class."""
    pipeline.simulate(survey, root / "survey", count=count, observing=Observing(size=size), workers=1)
    text = json.dumps(read_configuration(recipe.folder / recipe.mock)).replace("${data}", f"{root}/survey")
    given = json.loads(text)["ingest"]
    pipeline.ingest(
        root / "data",
        sources=given["sources"],
        catalogue=given.get("catalogue", f"{root}/survey/labels.csv"),
        labels=[*given.get("labels", []), "class"],
        matching=Matching(require=list(given["sources"])),
        reading=Reading(workers=1),
    )
    return root / "data"


def run_of(root, dataset, encoders, settings, experiment, seed):
    """An experiment in a folder, on a dataset."""
    classify = {"encoders": encoders, "classification": settings, "labels": ""}
    sections = {"classify": classify, "experiment": experiment}
    return Run({"root": root, "dataset": dataset}, sections, lambda: Dataset(dataset), seed=seed)


def run_all(stages):
    """Runs stages, each of which finds what it reads and writes what it says."""
    written = []
    for stage in stages:
        assert all((folder / "manifest.json").exists() for folder in stage.inputs.values()), stage.name
        stage.run()
        assert (stage.out / "manifest.json").exists(), stage.name
        written.append(stage)
    return written
