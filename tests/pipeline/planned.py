"""The steps of `reproduce astroclip`, without running any of them."""

from astroclip_kit.pipeline import reproducing
from astroclip_kit.pipeline.preparation import prepare
from astroclip_kit.recipes import find_recipe


def plan_of(material, tmp_path, configuration="", size="", changes=()):
    """What is prepared, and its steps."""
    recipe = find_recipe("astroclip")
    prepared = prepare(recipe, tmp_path / "run", material, configuration, size)
    prepared.change(list(changes))
    return prepared, list(reproducing._steps(recipe, prepared, reproducing._resolved(recipe, prepared)))
