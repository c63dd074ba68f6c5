"""The verb that repeats a published experiment and puts what comes out beside what was published."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import replace
from functools import partial
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..arguments import explain, unknown_key
from ..errors import UsageError
from ..settings import Material
from .classifier_steps import Learner
from .configuration import Configuration, resolve_configuration
from .experiment import Step, plan, run_steps
from .given_weights import check_weights, fetch_pretrained
from .memory import check_count, check_memory, division
from .outcome import REPORT, More, write_results
from .parts import Folder, open_data, words
from .preparation import Prepared, prepare
from .pretraining import pretrain
from .steps import signature_of

if TYPE_CHECKING:
    from astropy.table import Table

    from ..recipes import Comparison, Recipe, Run
    from ..types import Result

__all__ = ["reproduce"]

WRITES = {"ingest": "dataset", "extract": "features", "align": "model", "embed": "embeddings"}

ABOUT = (
    "Published values were measured on real data with published encoders. A line marked mock says that the method "
    "works, not how well it works on the sky; one marked not run has no value here."
)


def reproduce(
    name: str = "astroclip",
    out: Folder = "",
    *,
    material: Material = Material(),
    configuration: str = "",
    size: str = "",
    seed: int = 0,
    overrides: list[str] | None = None,
) -> Table:
    """Repeats a published experiment: its settings, its protocol, and its table with one more column.

    Args:
        name: Which: "astroclip", "astrom3", "batmm", "iicnet" or "spectral_gan".
        out: Folder of the run, ``runs/<name>`` by default; run again, an interrupted one goes on.
        material: Data and weights; without data a mock survey is simulated, see `Material`.
        configuration: Settings as they were published, by name (astroclip: "thesis" or "v1"; others: "full"), or a YAML
            file.
        size: "full" as published, or "small", which runs in minutes; by default small for a mock and full for data.
        seed: Of everything that is drawn.
        overrides: Changes to the settings, ``section.argument=value`` (``--set`` on the command line). Those of the
            experiment itself are ``experiment.name=value``; a wrong name is answered with those that there are.

    Returns:
        Published beside measured, each line marked real, mock or not run.
    """
    from ..recipes import find_recipe

    recipe = find_recipe(name)
    prepared = prepare(recipe, Path(out or Path("runs") / name), material, configuration, size)
    prepared.content["seed"] = seed
    prepared.change(overrides or [])
    prepared.check_experiment(recipe.experiment)
    check_count(resolve_configuration(prepared.content, prepared.path))
    check_weights(prepared, recipe.encoders, material.grid)
    settings = _resolved(recipe, prepared)
    steps = list(_steps(recipe, prepared, settings))
    if not steps[-1].out.exists():
        fetch_pretrained(settings.sections)
    run_steps(steps, prepared.root, settings.text)
    return _outcome(recipe, prepared, settings, steps[-1])


def _resolved(recipe: Recipe, prepared: Prepared) -> Configuration:
    """All settings; what they change of what was published is noted."""
    settings = resolve_configuration(prepared.content, prepared.path)
    if recipe.departures is not None:
        prepared.departures.put_first(recipe.departures(settings.sections, prepared.encoder("image"), prepared.side))
    return settings


def _steps(recipe: Recipe, prepared: Prepared, settings: Configuration) -> Iterator[Step]:
    """Those of the verbs, with pretraining before features, the stages of the recipe, and at the end what it measures.

    Raises:
        UsageError: If there are folds.
    """
    from ..recipes import Run

    if settings.folds:
        raise UsageError(f"folds is {settings.folds}: a recipe divides objects as was published. Leave folds out.")
    verbs = {verb: values for verb, values in settings.sections.items() if verb in WRITES or verb == "simulate"}
    folders: dict[str, Path] = {} if prepared.dataset is None else {"dataset": prepared.dataset}
    for step in plan(replace(settings, sections=verbs), prepared.root, prepared.dataset):
        if step.verb == "extract":
            yield from _pretraining(prepared, settings, folders["dataset"])
            step = _checked(step, settings)
        if step.verb in WRITES:
            folders[WRITES[step.verb]] = step.out
        yield step
    judged = {verb: values for verb, values in settings.sections.items() if verb not in verbs}
    if "evaluate" in judged:
        judged["evaluate"] = {**judged["evaluate"], "properties": words(judged["evaluate"]["properties"])}
    judged |= {"experiment": prepared.experiment} if prepared.experiment else {}
    opened = partial(_objects, folders["dataset"], judged.get("classify"))
    run = Run({"root": prepared.root, **folders}, judged, opened, settings.seed)
    for one in recipe.stages(run) if recipe.stages is not None else ():
        folders[one.name] = one.out
        yield Step("stage", one.name, one.out, one.inputs, one.arguments, call=one.run)
    run = replace(run, folders={**run.folders, **folders})
    asked = {f"{verb}.{key}": value for verb, values in judged.items() for key, value in values.items()}
    last = Step("measure", "measure", prepared.root / "results", folders, {**asked, "changes": prepared.changes})
    yield replace(last, call=lambda: _measure(recipe, prepared, settings, run))


def _objects(dataset: Path, classify: Mapping[str, Any] | None) -> Any:
    """The dataset, or those of its objects that a classifier learns from."""
    if classify is None:
        return open_data(dataset)
    encoders, settings = classify["encoders"], classify["classification"]
    return Learner(dataset, dataset, encoders, settings, classify["labels"]).whole


def _pretraining(prepared: Prepared, settings: Configuration, dataset: Path) -> Iterator[Step]:
    """A step for each encoder that is trained here without labels."""
    for name, section in prepared.pretrain.items():
        arguments = {**_arguments(section, name), "modality": name, "split": division(settings)}
        arguments["training"] = replace(arguments["training"], seed=settings.seed)
        out = prepared.root / "encoders" / name
        yield _checked(Step("pretrain", f"pretrain-{name}", out, {"data": dataset}, arguments), settings)


def _checked(step: Step, settings: Configuration) -> Step:
    """A step before which the dataset is looked at."""

    def call() -> Any:
        check_memory(step.inputs["data"], settings)
        return step.run()

    return replace(step, call=call)


def _arguments(section: dict[str, Any], name: str) -> dict[str, Any]:
    """The arguments of a pretraining, checked, with what the section leaves out.

    Raises:
        UsageError: If a key or a value is wrong.
    """
    from argparse import ArgumentError

    from jsonargparse import ArgumentParser

    parser = ArgumentParser(exit_on_error=False)
    parser.add_function_arguments(signature_of(pretrain), skip={"data", "out"})
    try:
        problem = unknown_key(section, parser)
        built = {} if problem else vars(parser.instantiate_classes(parser.parse_object(deepcopy(section))))
    except (ArgumentError, TypeError, ValueError) as error:
        problem = explain(error, parser)
    if problem:
        raise UsageError(f"pretrain.{name}: {problem.rstrip('.')}. astroclip-kit pretrain --help explains it.")
    return {**built, "encoder": section.get("encoder")}


def _measure(recipe: Recipe, prepared: Prepared, settings: Configuration, run: Run) -> None:
    """Measures and writes the results folder, with the comparison on its page and as files."""
    import yaml

    from ..report.lists import bullets

    found = recipe.measure(run)
    comparison = _compared(recipe, prepared, settings, found.results)
    lines = [*found.notes, *prepared.changes]
    more = More(
        title=recipe.title,
        parts={
            "Published and measured": f"<p class='about'>{escape(f'{ABOUT} {recipe.about}')}</p>{comparison.html()}",
            **found.parts,
            "Weights": bullets(prepared.weights),
            "What is not as published": bullets(lines),
        },
        files={"comparison.tex": comparison.latex(), "comparison.csv": comparison.csv()},
        citations=recipe.citations,
        clusters=found.clusters,
    )
    own = {name: section for name, section in prepared.own.items() if section}
    text = settings.text + (yaml.safe_dump(own) if own else "")
    then = recipe.then.format(root=prepared.root)
    write_results(prepared.root / "results", found.results, found.figures, text, then, more)


def _compared(recipe: Recipe, prepared: Prepared, settings: Configuration, results: list[Result]) -> Comparison:
    evaluation = settings.sections.get("evaluate", {}).get("settings")
    return recipe.compare(results, evaluation, prepared.remark)


def _outcome(recipe: Recipe, prepared: Prepared, settings: Configuration, step: Step) -> Table:
    """The comparison as a table, with where everything lies."""
    from ..results import read_results

    comparison = _compared(recipe, prepared, settings, read_results(step.out))
    table = comparison.table
    changed = ["", "not as published:", *(f"  {line}" for line in prepared.changes)] if prepared.changes else []
    files = [
        *(f"weights: {line}" for line in prepared.weights),
        f"report: {step.out / REPORT}",
        f"LaTeX:  {step.out / 'comparison.tex'}",
    ]
    table.meta |= {"notes": [*changed, "", *files]}
    return table
