"""The verb that repeats a published experiment and puts what comes out beside what was published."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..arguments import explain, unknown_key
from ..errors import UsageError
from ..settings import Material
from .configuration import Configuration, resolve_configuration
from .experiment import Step, plan, run_steps
from .memory import check_count, check_memory, division
from .outcome import REPORT, More, write_results
from .parts import Folder, words
from .preparation import Prepared, prepare
from .pretraining import pretrain
from .steps import signature_of

if TYPE_CHECKING:
    from astropy.table import Table

    from ..recipes import Comparison, Recipe
    from ..types import Result

__all__ = ["reproduce"]

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
        name: Which: "astroclip".
        out: Folder of the run, ``runs/<name>`` by default; run again, an interrupted one goes on.
        material: Data and weights; without data a mock survey is simulated, see `Material`.
        configuration: Settings as they were published, by name (astroclip: "thesis" or "v1"), or a YAML file.
        size: "full" as published, or "small", which runs in minutes; by default small for a mock and full for data.
        seed: Of everything that is drawn.
        overrides: Changes to the settings, ``section.argument=value`` (``--set`` on the command line).

    Returns:
        Published beside measured, each line marked real, mock or not run.
    """
    from ..recipes import find_recipe

    recipe = find_recipe(name)
    prepared = prepare(recipe, Path(out or Path("runs") / name), material, configuration, size)
    content, changes = {**prepared.content, "seed": seed}, prepared.change(overrides or [])
    settings = resolve_configuration(content, prepared.path, changes)
    check_count(settings)
    steps = list(_steps(recipe, prepared, settings))
    run_steps(steps, prepared.root, settings.text)
    return _outcome(recipe, prepared, settings, steps[-1])


def _steps(recipe: Recipe, prepared: Prepared, settings: Configuration) -> Iterator[Step]:
    """Those of the configuration with pretraining before features, and at the end what the recipe measures."""
    sections = {verb: values for verb, values in settings.sections.items() if verb != "evaluate"}
    folders: dict[str, Path] = {} if prepared.dataset is None else {"dataset": prepared.dataset}
    kinds = {"ingest": "dataset", "extract": "features", "align": "model", "embed": "embeddings"}
    for step in plan(replace(settings, sections=sections), prepared.root, prepared.dataset):
        if step.verb == "extract":
            dataset = folders["dataset"]
            for name, section in prepared.pretrain.items():
                arguments = {**_arguments(section, name), "modality": name, "split": division(settings)}
                arguments["training"] = replace(arguments["training"], seed=settings.seed)
                out = prepared.root / "encoders" / name
                yield _checked(Step("pretrain", f"pretrain-{name}", out, {"data": dataset}, arguments), settings)
            step = _checked(step, settings)
        if step.verb in kinds:
            folders[kinds[step.verb]] = step.out
        yield step
    asked = {key: settings.sections["evaluate"][key] for key in ("properties", "settings")}
    last = Step("measure", "measure", prepared.root / "results", folders, {**asked, "changes": prepared.changes})
    yield replace(last, call=lambda: _measure(recipe, prepared, settings, last))


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


def _measure(recipe: Recipe, prepared: Prepared, settings: Configuration, step: Step) -> None:
    """Measures and writes the results folder, with the comparison on its page and as files."""
    import yaml

    wanted = words(step.arguments["properties"])
    found = recipe.measure({"root": prepared.root, **step.inputs}, wanted, step.arguments["settings"])
    comparison = _compared(recipe, prepared, step, found.results)
    lines = [*found.notes, *prepared.changes]
    listed = "".join(f"<li>{escape(line)}</li>" for line in lines)
    more = More(
        title=recipe.title,
        parts={
            "Published and measured": f"<p class='about'>{escape(f'{ABOUT} {recipe.about}')}</p>{comparison.html()}",
            "What is not as published": f"<ul>{listed}</ul>" if lines else "",
        },
        files={"comparison.tex": comparison.latex(), "comparison.csv": comparison.csv()},
        citations=recipe.citations,
        clusters=found.clusters,
    )
    then = f"astroclip-kit search {step.inputs['embeddings']} --query image --target spectrum OBJECT_ID"
    text = settings.text + (yaml.safe_dump({"pretrain": prepared.pretrain}) if prepared.pretrain else "")
    write_results(step.out, found.results, found.figures, text, then, more)


def _compared(recipe: Recipe, prepared: Prepared, step: Step, results: list[Result]) -> Comparison:
    return recipe.compare(results, step.arguments["settings"], prepared.remark)


def _outcome(recipe: Recipe, prepared: Prepared, settings: Configuration, step: Step) -> Table:
    """The comparison as a table, with where everything lies."""
    from ..results import read_results

    comparison = _compared(recipe, prepared, step, read_results(step.out))
    table = comparison.table
    changed = ["", "not as published:", *(f"  {line}" for line in prepared.changes)] if prepared.changes else []
    files = [f"report: {step.out / REPORT}", f"LaTeX:  {step.out / 'comparison.tex'}"]
    table.meta |= {"notes": [*changed, "", *files]}
    return table
