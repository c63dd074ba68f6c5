"""The house has one direction: a room imports only the rooms above it (the list of the README's map)."""

import ast
from pathlib import Path

import astroclip_kit

PACKAGE = Path(astroclip_kit.__file__).parent
EVERYONE = {"errors", "types", "contracts", "settings", "progress", "filters", "_lazy", "__init__"}
DATA_ROOMS = {"storage", "transforms", "surveys"}
MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "types": set(),
    "contracts": set(),
    "settings": set(),
    "progress": set(),
    "filters": set(),
    "_lazy": set(),
    "__init__": set(),
    "hashes": set(),
    "replacement": {"hashes"},
    "locks": set(),
    "storage": {"hashes", "locks", "replacement"},
    "download": {"storage"},
    "models": {"storage"},
    "metrics": set(),
    "results": {"storage", "metrics"},
    "losses": set(),
    "convolutions": set(),
    "training": {"convolutions", "storage", "metrics"},
    "transforms": set(),
    "surveys": {"storage", "transforms", "download"},
    "mock": DATA_ROOMS,
    "data": DATA_ROOMS,
    "encoders": {"convolutions", "transforms", "storage", "models"},
    "pretraining": {"encoders", "data", "training", "transforms", "losses", "storage", "models"},
    "features": {"data", "encoders", "transforms", "storage", "models", "training"},
    "alignment": {"features", "data", "encoders", "transforms", "training", "losses", "metrics", "storage", "models"},
    "embeddings": {"alignment", "features", "data", "surveys", "transforms", "storage", "models", "training"},
    "downstream": {"embeddings", "features", "data", "storage", "training", "metrics", "results"},
    "report": {"embeddings", "downstream", "classifiers", "data", "transforms", "metrics", "results", "storage"},
}
MAY_IMPORT["classifiers"] = {
    *MAY_IMPORT["alignment"],
    *MAY_IMPORT["downstream"],
    "alignment",
    "downstream",
    "pretraining",
}
MAY_IMPORT["recipes"] = {
    "report",
    *MAY_IMPORT["report"],
    "encoders",
    "features",
    "alignment",
    "models",
    "classifiers",
    "pretraining",
}
MAY_IMPORT["explorer"] = {
    "data",
    "downstream",
    "embeddings",
    "locks",
    "metrics",
    "report",
    "results",
    "storage",
    "surveys",
    "transforms",
}
DOORS = {
    "embeddings/store.py": {"explorer"}
}  # `EmbeddingStore.explore`, the one thing of a store that shows it on a page
ABOVE_ALL = {"pipeline", "arguments", "cli", "__main__"}


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_rooms(path: Path) -> set[str]:
    """Rooms that a file imports, at its top or inside its functions."""
    package = ("astroclip_kit", *path.relative_to(PACKAGE).parts[:-1])
    rooms = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            module = (node.module or "").split(".") if node.module else []
            full = [*package[: len(package) - node.level + 1], *module] if node.level else module
            names = [[*full, alias.name] for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name.split(".") for alias in node.names]
        else:
            continue
        rooms |= {name[1] for name in names if name[0] == "astroclip_kit" and len(name) > 1}
    return rooms - {room(path)} - {"__version__"}


def test_every_room_imports_only_the_rooms_above_it():
    wrong = []
    for path in sorted(PACKAGE.rglob("*.py")):
        if room(path) not in ABOVE_ALL:
            assert room(path) in MAY_IMPORT, f"{path} is in no room of the list"
            door = DOORS.get(path.relative_to(PACKAGE).as_posix(), set())
            wrong += [f"{path}: {name}" for name in imported_rooms(path) - EVERYONE - MAY_IMPORT[room(path)] - door]
    assert not wrong, "\n".join(wrong)


def test_a_door_is_used_and_opens_only_when_it_is_asked_for():
    for name, rooms in DOORS.items():
        path = PACKAGE / name
        assert rooms <= imported_rooms(path)
        at_once = [node for node in ast.parse(path.read_text()).body if isinstance(node, ast.ImportFrom)]
        assert not {one.module for one in at_once if one.level == 2} & rooms


def test_the_list_itself_has_no_cycle():
    done: set[str] = set()
    while rest := {name: needs - done for name, needs in MAY_IMPORT.items() if name not in done}:
        free = {name for name, needs in rest.items() if not needs}
        assert free, f"cycle among {sorted(rest)}"
        done |= free


def test_the_check_sees_an_import_inside_a_function():
    assert "data" in imported_rooms(PACKAGE / "pipeline" / "survey.py")


def test_no_room_is_called_by_a_word_that_says_nothing():
    names = {path.stem for path in PACKAGE.rglob("*.py")}
    assert not names & {"utils", "helpers", "common", "base", "misc", "core"}
