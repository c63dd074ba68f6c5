"""What is not as published, read off the settings."""

import pytest

from astroclip_kit.pipeline.configuration import load_configuration
from astroclip_kit.recipes import find_recipe

RECIPE = find_recipe("astroclip")
STEIN = "astroclip_kit.encoders.MocoResNet50"
SMALL = {"class_path": "astroclip_kit.encoders.ImageConvNet"}


def told(name="thesis", changes=(), encoder=None, side=152):
    sections = load_configuration(RECIPE.file(name), changes).sections
    encoder = sections["extract"]["encoders"]["image"] if encoder is None else encoder
    return list(RECIPE.departures(sections, encoder, side))


def test_the_published_files_differ_in_the_head_and_the_views():
    thesis, first = told(), told("v1")
    assert [line.partition(":")[0] for line in thesis] == ["spectrum head", "image views"]
    assert thesis[0].startswith("spectrum head: relu between its layers and a dropout of 0.1, where the thesis's")
    assert [line.partition(":")[0] for line in first] == ["spectrum head", "image views"]
    assert "(of SpecFormer, the mean of its tokens), where the first version attended over all tokens" in first[0]


def test_the_head_is_told_as_it_is():
    changes = ["align.heads.spectrum.init_args.activation=gelu", "align.heads.spectrum.init_args.dropout=0.2"]
    assert told(changes=changes)[0].startswith("spectrum head: gelu between its layers and a dropout of 0.2, where")
    own = ["align.heads.spectrum.class_path=mine.Head"]
    assert [line.partition(":")[0] for line in told(changes=own)] == ["image views"]


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ("views=2", "image views: one of 2 that are kept is drawn at each epoch, not a new one at each step"),
        ("views=1", "image views: the same, as it was observed, is taken at each epoch, not a new one at each step"),
        (
            "augmentations={}",
            "image views: the same, as it was observed, is taken at each epoch, not a new one at each step",
        ),
    ],
)
def test_views_are_those_of_the_settings(change, line):
    assert told(changes=[f"extract.{change}"])[1] == line


@pytest.mark.parametrize(
    ("encoder", "side", "line"),
    [
        (SMALL, 64, "cutouts of 64 pixels are encoded whole, not cropped to 96"),
        (SMALL, 152, "cutouts of 152 pixels are encoded whole, not cropped to 96"),
        (SMALL, 0, "cutouts are encoded whole, not cropped to 96"),
        (SMALL, 96, ""),
        ({"class_path": STEIN}, 64, "cutouts of 64 pixels are encoded whole, not cropped to 96"),
        ({"class_path": STEIN}, 0, ""),
        ({"class_path": STEIN, "init_args": {"crop": 144}}, 0, "cutouts are cropped to 144 pixels, not to 96"),
        ({"class_path": STEIN, "init_args": {"crop": 152}}, 152, "cutouts of 152 pixels are encoded whole, not "),
    ],
)
def test_cutouts_are_those_that_the_encoder_sees(encoder, side, line):
    found = "".join(told(encoder=encoder, side=side)[2:])
    assert found.startswith(line) and bool(found) == bool(line)


def test_the_crop_of_a_saved_encoder_is_read_off_its_steps():
    from astroclip_kit.encoders import MocoResNet50
    from astroclip_kit.models import describe
    from astroclip_kit.types import Modality

    modality = Modality("image", "image", ("g", "r", "z"), (3, 152, 152), "nmgy", (0.262,))
    for crop, told_of in ((96, []), (144, ["cutouts are cropped to 144 pixels, not to 96"])):
        encoder = describe(MocoResNet50.for_modality(modality, crop=crop))
        assert told(encoder=encoder)[2:] == told_of
