import numpy as np
import pytest
from astropy import units
from astropy.utils.masked import Masked

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


def test_text_is_no_array(cubes):
    reader = FunctionReader(lambda path: "no numbers", cubes / "*")
    with pytest.raises(InputError, match=r"cube 0é\.npy: the function gives str, expected an array of numbers"):
        check_reader(reader)
    reader = FunctionReader(lambda path: "text" if "1" in path.name else np.load(path), cubes / "*")
    with pytest.raises(FileError, match=r"cube 1é\.npy: the function gives str"):
        list(reader.read(reader.files()[1]))


def test_a_quantity_keeps_its_unit(cubes):
    reader = FunctionReader(lambda path: np.load(path) * units.mJy, cubes / "*.npy")
    assert reader.modality.unit == "mJy"
    check_reader(reader)
    reader = FunctionReader(lambda path: np.load(path) * units.mJy, cubes / "*.npy", unit="uJy")
    [sample] = reader.read(reader.files()[1])
    assert reader.modality.unit == "uJy" and (sample.views["view"] == 1000).all()
    reader = FunctionReader(lambda path: np.load(path) * (units.K if "1" in path.name else units.Jy), cubes / "*")
    with pytest.raises(FileError, match="what the function gives is in 'K', which does not convert to 'Jy'"):
        list(reader.read(reader.files()[1]))


def test_a_quantity_of_a_spectrum_takes_its_inverse_variance_along(cubes):
    reader = FunctionReader(lambda path: np.full((2, 3), 4.0) * units.mJy, cubes / "*", unit="Jy", grid=[1, 2, 3])
    [sample] = reader.read(reader.files()[0])
    np.testing.assert_allclose(sample.views["view"], [[0.004] * 3, [4e6] * 3], rtol=1e-6)


@pytest.mark.parametrize("masked", [np.ma.array, lambda values, mask: Masked(values * units.mJy, mask=mask)])
def test_masked_values_are_missing(cubes, masked):
    def one(shape, where):
        mask = np.zeros(shape, bool)
        mask[where] = True
        [sample] = FunctionReader(lambda path: masked(np.full(shape, 9.0), mask=mask), cubes / "*", grid=[1, 2]).read(
            cubes / "cube 0é.npy"
        )
        return sample.views["view"].tolist()

    assert one((2, 2), (0, 1)) == [[9, 0], [9, 0]]  # a spectrum: no flux, no inverse variance
    assert one((1, 1, 2), (0, 0, 0)) == [[[0, 9]]]
    assert str(one((2,), 0)) == "[nan, 9.0]"
    with pytest.raises(InputError, match="every value is masked"):
        one((2,), slice(None))


def test_a_file_of_another_shape_is_left_out(cubes):
    np.save(cubes / "z.npy", np.ones((2, 5, 5)))
    reader = FunctionReader(np.load, cubes / "*.npy")
    with pytest.raises(FileError, match=r"has shape \(2, 5, 5\), expected \(2, 4, 4\)"):
        list(reader.read(cubes / "z.npy"))
    with pytest.raises(InputError, match="no file fits"):
        _ = FunctionReader(np.load, cubes / "*.fits").modality
