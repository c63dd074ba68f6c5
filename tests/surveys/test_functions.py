import numpy as np
import pytest

from astroclip_kit.contracts import check_reader
from astroclip_kit.errors import FileError, InputError
from astroclip_kit.surveys.functions import FunctionReader
from astroclip_kit.types import Sample


@pytest.fixture
def cubes(tmp_path):
    for number in range(3):
        np.save(tmp_path / f"cube {number}é.npy", np.full((2, 4, 4), number, dtype=">f8"))
    return tmp_path


def test_one_function_reads_a_format(cubes):
    reader = FunctionReader(np.load, cubes / "*.npy", channels=["g", "r"], unit="nmgy", grid=[0.2])
    check_reader(reader)
    [sample] = reader.read(reader.files()[1])
    assert sample.object_id == "cube 1é" and sample.views["view"].dtype == np.float32
    assert reader.modality.kind == "image" and reader.modality.shape == (2, 4, 4)
    assert reader.modality.pixel_scale_arcsec == 0.2


def test_the_function_may_say_more(cubes):
    reader = FunctionReader(lambda path: Sample("m31", {"x": np.ones(3)}, ra=10.7, labels={"z": 0.0}), cubes / "*")
    [sample] = reader.read(reader.files()[0])
    assert (sample.object_id, sample.ra, sample.labels) == ("m31", 10.7, {"z": 0.0})
    assert reader.modality.kind == "table" and list(sample.views) == ["view"]


def fail(path):
    raise RuntimeError("no such extension")


def test_what_the_function_raises_is_the_reason(cubes):
    reader = FunctionReader(fail, cubes / "*")
    with pytest.raises(FileError, match=r"cube 0é\.npy: RuntimeError: no such extension"):
        list(reader.read(reader.files()[0]))
    with pytest.raises(InputError, match="nothing to start from"):
        _ = reader.modality


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda path: np.ones((2, 5)), "say their wavelengths"),
        (lambda path: np.ones((1, 2, 3, 4)), "arrays of 4 axes"),
    ],
)
def test_an_array_that_does_not_explain_itself(cubes, function, words):
    with pytest.raises(InputError, match=words):
        _ = FunctionReader(function, cubes / "*").modality


def test_a_file_of_another_shape_is_left_out(cubes):
    np.save(cubes / "z.npy", np.ones((2, 5, 5)))
    reader = FunctionReader(np.load, cubes / "*.npy")
    with pytest.raises(FileError, match=r"has shape \(2, 5, 5\), expected \(2, 4, 4\)"):
        list(reader.read(cubes / "z.npy"))
    with pytest.raises(InputError, match="no file fits"):
        _ = FunctionReader(np.load, cubes / "*.fits").modality
