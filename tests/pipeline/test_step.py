"""What a step of a run depends on."""

from pathlib import Path

from astroclip_kit.pipeline.step import Step


def state(**arguments):
    return Step("extract", "extract", Path("out"), {}, arguments).state()


def test_a_file_that_an_argument_names_is_part_of_the_state(tmp_path):
    path = tmp_path / "weights.pt"
    absent = state(checkpoint=str(path))
    path.write_text("one")
    first = state(checkpoint=str(path))
    path.write_text("another")
    assert len({absent, first, state(checkpoint=str(path))}) == 3


def test_an_argument_may_be_longer_than_the_name_of_a_file():
    change = "pretrain.spectrum.moco={" + "augmentation: a/b.c, " * 40 + "}"
    assert state(changes=[change]) == state(changes=[change]) != state(changes=[change.upper()])
