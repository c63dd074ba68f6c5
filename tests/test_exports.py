"""The public names: said once, sorted, complete, and cheap to import."""

import importlib
import pkgutil
import subprocess
import sys

import pytest

import astroclip_kit

HEAVY = {"torch", "matplotlib", "umap", "faiss", "open_clip", "lightning_fabric", "sklearn", "astropy", "pandas"}
ROOMS = sorted(room.name for room in pkgutil.iter_modules(astroclip_kit.__path__) if room.ispkg)


def test_the_public_names_are_sorted_and_all_are_there():
    assert astroclip_kit.__all__ == sorted(astroclip_kit.__all__)
    for name in astroclip_kit.__all__:
        assert getattr(astroclip_kit, name).__doc__, name
    assert set(dir(astroclip_kit)) == set(astroclip_kit.__all__)


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_keeps_its_promise(room):
    module = importlib.import_module(f"astroclip_kit.{room}")
    assert module.__doc__ and module.__all__ == sorted(module.__all__)
    for name in module.__all__:
        value = getattr(module, name)
        assert not isinstance(value, type(sys)), f"{room}.{name} is hidden by a module of the same name"


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        _ = astroclip_kit.nonsense


@pytest.mark.parametrize("what", ["astroclip_kit", "astroclip_kit.pipeline", *(f"astroclip_kit.{r}" for r in ROOMS)])
def test_importing_is_cheap(what):
    code = f"import {what}, sys; print(*sorted({HEAVY!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
