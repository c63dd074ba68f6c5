"""What a new file holds, drawn with axes."""

from types import SimpleNamespace

import numpy as np
import pytest
from odd_objects import MAKERS, MODALITIES, WAVELENGTH, odd_space

from astroclip_kit.embeddings.queries import Asked
from astroclip_kit.explorer.neighbours.cards import pictured
from astroclip_kit.explorer.neighbours.new_view import new_view
from astroclip_kit.types import Sample


@pytest.fixture(scope="module")
def space(tmp_path_factory):
    return odd_space(tmp_path_factory.mktemp("odd"))


def asked(kind, **labels):
    sample = Sample("n", {kind: MAKERS[kind](0)}, labels=labels)
    newcomers = SimpleNamespace(samples=[sample], modality=MODALITIES[kind])
    return Asked(kind, np.eye(8)[:1], ["n"], [np.array([], dtype=int)], newcomers)


def test_a_spectrum_has_its_wavelengths_and_the_lines_of_the_redshift_that_the_file_tells(space):
    layout = new_view(space, asked("spectrum", Z=0.1))
    figure = layout.select_one({"name": "spectrum-figure-new spectrum"})
    assert figure.xaxis[0].axis_label == "wavelength observed [Å]"
    assert figure.x_range.start < WAVELENGTH[0] and WAVELENGTH[-1] < figure.x_range.end < WAVELENGTH[-1] + 100
    assert "z = 0.1 (z of the file)" in layout.select_one({"name": "note-new spectrum"}).text
    assert len(figure.select_one({"name": "emission lines-new spectrum"}).data["x"])


@pytest.mark.parametrize("labels", [{}, {"z": "high"}, {"z": 18.2}])
def test_without_a_redshift_it_says_so(space, labels):
    layout = new_view(space, asked("spectrum", **labels))
    assert "No redshift" in layout.select_one({"name": "note-new spectrum"}).text


def test_a_cutout_has_its_scale(space):
    figure = new_view(space, asked("image")).select_one({"name": "cutout-figure-new image"})
    assert figure.xaxis[0].axis_label == "offset x [arcsec]" and figure.x_range.end == 8


def test_where_north_is_on_a_cutout_is_said_by_its_file(space):
    told = new_view(space, asked("image", north_deg=30.0)).select_one({"name": "orientation-new image"})
    assert told.text.startswith("North is 30° to the left of up")
    assert not new_view(space, asked("image", north_deg=0.0)).select_one({"name": "orientation-new image"}).visible


def test_other_kinds_and_files_that_were_not_read_are_not_drawn(space):
    assert new_view(space, asked("table")) is None
    assert new_view(space, Asked("image", np.eye(8)[:1], ["n"], [np.array([], dtype=int)])) is None


def test_what_answers_by_its_table_is_shown_by_its_cutout(space):
    assert pictured(space, 0, "table") == pictured(space, 0, "image") != ""
