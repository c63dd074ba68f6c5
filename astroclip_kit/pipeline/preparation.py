"""Which data, weights and size a published experiment is repeated with: its configuration, filled in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import UsageError
from ..settings import Material
from .configuration import change_value, read_configuration
from .departures import Departures
from .described import class_name, defaults_of, merged, with_arguments
from .model_folders import READ_ONCE
from .parts import words
from .spectral_grid import put_on_grid, source_grid
from .steps import STEPS

if TYPE_CHECKING:
    from ..recipes import Recipe

__all__ = ["Prepared", "prepare"]

RANDOM = "random"


@dataclass
class Prepared:
    """What is run.

    Args:
        path: The configuration that it came from, for messages.
        content: Its sections, as a configuration file holds them.
        root: Folder of the run.
        dataset: Dataset folder that is there already.
        pretrain: Modality to the arguments of its pretraining.
        experiment: Settings of the recipe's own.
        remarks: What a reader has to know of every number that is measured.
        departures: What is not as published.
        weights: Which files were read, a line each.
        published: Modality to its encoder as it was published.
    """

    path: Path
    content: dict[str, Any]
    root: Path
    dataset: Path | None = None
    pretrain: dict[str, dict[str, Any]] = field(default_factory=dict)
    experiment: dict[str, Any] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    departures: Departures = field(default_factory=Departures)
    weights: list[str] = field(default_factory=list)
    published: dict[str, Any] = field(default_factory=dict)

    @property
    def remark(self) -> str:
        """The remarks as one text, "untrained encoders" where both are."""
        states = dict.fromkeys(one.partition(" ")[0] for one in self.remarks)
        if len(states) == 1 and len(self.remarks) == len(self.content["extract"]["encoders"]):
            return f"{next(iter(states))} encoders"
        return ", ".join(self.remarks)

    @property
    def changes(self) -> list[str]:
        """What is not as published, a line each."""
        return self.departures.lines

    @property
    def own(self) -> dict[str, dict[str, Any]]:
        """The sections that are not verbs of `run`."""
        return {"pretrain": self.pretrain, "experiment": self.experiment}

    @property
    def side(self) -> int:
        """Pixels along a side of the images, 0 where they have not been read yet."""
        from ..data import Dataset

        if self.dataset is not None:
            return int(Dataset(self.dataset).modalities["image"].shape[-1])
        return int(self.content.get("simulate", {}).get("observing", {}).get("size", 0))

    def encoder(self, name: str) -> dict[str, Any]:
        """What an encoder is: class_path and init_args, also of one in a folder and of one that is pretrained here."""
        from ..storage import open_folder

        own = self.pretrain.get(name, {}).get("encoder", {})
        value = own if name in self.pretrain else self.content["extract"]["encoders"][name]
        described: dict[str, Any] = value if isinstance(value, dict) else open_folder(value, "model")["model"]
        return described

    def simulate(self, sections: Mapping[str, Any]) -> None:
        """Reads a mock survey instead of files."""
        self.content.pop("ingest", None)
        list(merged(self.content, {"data": str(self.root / "survey"), **sections}))

    def simulate_on(self, grid: str) -> None:
        """Simulates spectra on a grid, and reads them on it."""
        self.content["simulate"] |= {"spectra": grid}
        self.content["ingest"]["sources"]["spectrum"]["init_args"]["grid"] = grid

    def read(self, material: Material, labels: Mapping[str, str]) -> None:
        """Reads what is given: survey files with their catalogue, or a dataset folder.

        Args:
            material: What is given.
            labels: Names of properties, of which a dataset may have the one or the other.

        Raises:
            UsageError: If there is nothing, or a catalogue where it has no place.
        """
        from ..storage import open_folder, own_manifest

        path = Path(material.data)
        if not path.exists():
            raise UsageError(f"--data {path}: there is no such file or folder.")
        self.content["data"] = str(path)
        sources, classes = self.content.get("ingest", {}).get("sources", {}), self.content.get("classify", {})
        made = path.is_dir() and own_manifest(path).get("kind", "survey") != "survey"
        if "labels" in classes:  # the classes are in a table of their own, or in the dataset
            classes["labels"] = material.catalogue or ("" if made else classes["labels"])
        if made:
            if material.catalogue and not classes:
                raise UsageError(f"{path} is a dataset and holds its labels. Ingest it again with the catalogue.")
            self.dataset = path
            self.content.pop("ingest", None)
            if evaluated := self.content.get("evaluate"):
                there = open_folder(path, "dataset")["labels"]
                asked = words(evaluated["properties"])
                evaluated["properties"] = [one if one in there else labels.get(one, one) for one in asked]
        elif "labels" in classes:
            return
        elif not material.catalogue:
            sources.pop("catalogue", None)
        elif "catalogue" in sources:
            sources["catalogue"] = with_arguments(sources["catalogue"], path=material.catalogue)
        else:
            self.content.setdefault("ingest", {})["catalogue"] = material.catalogue

    def shrink(self, smaller: Mapping[str, Any], count: int) -> None:
        """Takes over what is smaller than published, and says so."""
        self.pretrain = {name: dict(one) for name, one in smaller.get("pretrain", {}).items()}
        sections = {verb: values for verb, values in smaller.items() if verb in self.content}
        if count:
            sections["simulate"] = {**sections.get("simulate", {}), "count": count}
        defaults = {verb: defaults_of(STEPS[verb]) for verb in sections if verb in STEPS}
        changed = [*merged(self.content, sections, defaults=defaults)]
        changed += merged(self.experiment, smaller.get("experiment", {}), "experiment.")
        for key, value, published in changed:
            self.departures.add(f"{key}: {value}, not {published}", key, str(published))

    def change(self, overrides: Sequence[str]) -> None:
        """Takes over overrides, also those of its own sections, ``pretrain.image.training.epochs=5``, and notes them.

        Raises:
            UsageError: If one is of another form, or of an encoder that is not pretrained.
        """
        before = {name: self._origin(name) for name in self.published}
        for one in overrides:
            section, _, rest = one.partition("=")[0].partition(".")
            if section == "pretrain" and rest.partition(".")[0] not in self.pretrain:
                known = ", ".join(self.pretrain) or "none: weights are given, or it is no small run"
                raise UsageError(f"--set {one}: there is no such pretraining. There are: {known}.")
            change_value(self.own if section in self.own else self.content, one)
            if any(not isinstance(own, dict) for own in self.pretrain.values()):
                raise UsageError(
                    f"--set {one}: expected a mapping, in quotes: 'pretrain.{rest}={{method: ..., encoder: "
                    f"{{class_path: ...}}}}', or one argument of it, such as pretrain.{rest}.training.epochs=5."
                )
            self.departures.override(one)
        for name in [name for name in before if before[name] != self._origin(name)]:  # a replaced one is not pretrained
            self._tell(name)

    def check_experiment(self, published: Mapping[str, Any]) -> None:
        """Refuses settings that the recipe does not have.

        Args:
            published: Those that it has, with their values.

        Raises:
            UsageError: If there is no such setting, or its value is of another kind.
        """
        for name, value in self.experiment.items():
            if name not in published:
                known = ", ".join(published) or "none"
                raise UsageError(f"experiment.{name}: there is no such setting. There are: {known}.")
            if type(value) is not (kind := type(published[name])):
                raise UsageError(f"experiment.{name} is {value!r}, expected one of type {kind.__name__}.")

    def weigh(self, name: str, weights: str) -> None:
        """Gives an encoder its weights: a file or folder of them, those that are pretrained here, or random ones.

        Raises:
            UsageError: If there is no such file or folder, no encoder, or nothing that it could encode.
        """
        from ..data import Dataset

        encoders = self.content["extract"].setdefault("encoders", {})
        if name not in encoders:
            raise UsageError(f"{self.path}: extract.encoders has none of {name!r}, which the recipe needs. Add it.")
        published = self.published[name] = encoders[name]
        if isinstance(published, dict) and "class_path" not in published:
            raise UsageError(f"{self.path}: extract.encoders.{name} has no class_path. Name the class of the encoder.")
        there = list(Dataset(self.dataset).modalities) if self.dataset is not None else [name]
        if name not in there:
            raise UsageError(
                f"--data {self.dataset}: it has {', '.join(there)}, and no {name!r}. Ingest both together."
            )
        own = self.pretrain.pop(name, {}) if weights else self.pretrain.get(name, {})
        path = None if weights in ("", RANDOM) else Path(weights)
        if path is not None and not path.exists():
            raise UsageError(f"--{name}-weights {weights}: there is no such file or folder, nor is it {RANDOM!r}.")
        self._head(name, weights if path is not None and path.is_file() else None)
        if path is not None:
            encoders[name] = weights if path.is_dir() else with_arguments(published, checkpoint=weights)
        elif name in self.pretrain:
            encoders[name] = str(self.root / "encoders" / name)
        else:
            encoders[name] = own.get("encoder") or with_arguments(published, checkpoint=None)
        self._tell(name)

    def _origin(self, name: str) -> str:
        """What an encoder and its weights come from, to be compared."""
        return repr([self.content["extract"].get("encoders"), self.pretrain.get(name)])

    def _tell(self, name: str) -> None:
        """Says where the weights of an encoder come from that has not those of a file; one of another is dropped."""
        encoders = self.content["extract"].get("encoders")
        value = encoders.get(name) if isinstance(encoders, dict) else None
        self.remarks = [one for one in self.remarks if not one.endswith(f" {name} encoder")]
        replaced = value != str(self.root / "encoders" / name) and self.pretrain.pop(name, None) is not None
        self.departures.forget(about := f"{name} encoder")
        if replaced:
            self.departures.forget(f"pretrain.{name}")
        if own := self.pretrain.get(name):
            self.remarks.append(f"own {name} encoder")
            small, large = class_name(own.get("encoder") or "the usual encoder"), class_name(self.published[name])
            how = f"pretrained here by {own.get('method')}, not {'its published weights' if small == large else large}"
            self.departures.add(f"{about}: a small {small}, {how}", about)
        elif isinstance(value, dict) and not any((value.get("init_args") or {}).get(one) for one in READ_ONCE):
            self.remarks.append(f"untrained {name} encoder")
            self.departures.add(f"{about}: {class_name(value)} with random weights", about)

    def _head(self, name: str, checkpoint: str | None) -> None:
        """A head that begins with released weights takes those of its encoder."""
        heads = self.content["align"].get("heads") or {}
        if "checkpoint" in (heads.get(name) or {}).get("init_args", {}):
            heads[name] = with_arguments(heads[name], checkpoint=checkpoint)
            if not checkpoint:
                self.departures.add(f"{name} head: random weights, not the published ones")


def prepare(recipe: Recipe, root: Path, material: Material, configuration: str, size: str) -> Prepared:
    """Fills in the configuration of a recipe.

    Args:
        recipe: What to repeat.
        root: Folder of the run.
        material: Data and weights.
        configuration: Name of a configuration of the recipe, or a YAML file; "" for the first.
        size: "small", "full", or "" for small where data is simulated.

    Raises:
        UsageError: If a name is unknown, or data or weights are not where they are said to be.
    """
    if size not in ("", "small", "full"):
        raise UsageError(f"size is {size!r}, expected small or full.")
    path = Path(configuration) if configuration.endswith((".yaml", ".yml")) else recipe.file(configuration)
    prepared = Prepared(path, read_configuration(path), root, departures=Departures(recipe.differences))
    prepared.experiment = {**recipe.experiment, **prepared.content.pop("experiment", {})}
    if missing := [verb for verb in recipe.sections if verb not in prepared.content]:
        expected = ", ".join(recipe.sections)
        raise UsageError(f"{path}: expected the sections {expected}; there is no {missing[0]!r}. Add it.")
    for name in ("image", "spectrum"):
        if getattr(material, f"{name}_weights") and name not in recipe.encoders:
            raise UsageError(f"--{name}-weights: {recipe.name} trains its own encoders. Leave it out.")
    if material.data:
        prepared.read(material, recipe.labels)
    else:
        prepared.simulate(read_configuration(recipe.folder / recipe.mock))
        if "spectrum" in recipe.encoders:
            prepared.simulate_on(material.grid)
    small = size == "small" or not (size or material.data)
    unsaid = [f"--{name}-weights" for name in recipe.encoders if not getattr(material, f"{name}_weights")]
    if unsaid and not small and not material.data:
        raise UsageError(
            f"--size full without --data would simulate as many objects as were published, and encode them with "
            f"random weights. Give {' and '.join(unsaid)} ({RANDOM}, if that is meant), or leave --size out."
        )
    prepared.shrink(read_configuration(recipe.folder / recipe.small) if small else {}, material.count)
    for name in recipe.encoders:
        prepared.weigh(name, str(getattr(material, f"{name}_weights")))
    if "spectrum" in recipe.encoders:
        own = prepared.pretrain.get("spectrum")
        holder, key = (own, "encoder") if own else (prepared.content["extract"]["encoders"], "spectrum")
        holder[key], note = put_on_grid(holder[key], source_grid(prepared.content, prepared.dataset), material.grid)
        if note:
            prepared.departures.add(note)
    return prepared
