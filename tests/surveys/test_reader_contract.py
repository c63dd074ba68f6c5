"""What every reader keeps to, and what each says of a file that is none."""

import gzip
import pickle
from dataclasses import replace

import h5py
import numpy as np
import pyarrow as pa
import pytest
from astropy import units
from astropy.io import fits
from pyarrow import parquet
from synthetic_survey import make_reader

from astroclip_kit import models
from astroclip_kit.contracts import check_reader
from astroclip_kit.errors import FileError, InputError
from astroclip_kit.types import Modality, Sample


def items_of(reader):
    return [item for path in reader.files() for item in reader.read(path)]


def samples_of(reader):
    return [item for item in items_of(reader) if isinstance(item, Sample)]


class Spoiled:
    """A reader whose inverse variances have been negated."""

    def __init__(self, reader):
        self.modality, self.files, self.whole = reader.modality, reader.files, reader

    def read(self, path):
        for item in self.whole.read(path):
            for view in item.views.values() if isinstance(item, Sample) else ():
                view[[channel.startswith("ivar") for channel in self.modality.channels]] *= -1
            yield item


def test_passes_the_kit_s_own_check(reader):
    check_reader(reader, count=10)
    assert len(samples_of(reader)) >= 2
    if reader.modality and any(channel.startswith("ivar") for channel in reader.modality.channels):
        with pytest.raises(InputError, match="is negative, or 0 everywhere"):
            check_reader(Spoiled(reader))


def restate(path, unit):
    """States another unit for what a file holds, as its format does."""
    if path.suffix == ".hdf5":
        with h5py.File(path, "r+") as file:
            for name in {"image_array", "spectrum_flux", "lightcurve"} & set(file):
                file[name].attrs["unit"] = unit
    elif path.suffix == ".parquet":
        table = parquet.read_table(path)
        fields = [field.with_metadata({"unit": unit}) for field in table.schema]
        parquet.write_table(table.cast(pa.schema(fields)), path)
    else:
        with fits.open(path) as hdus:
            for hdu in hdus:
                if "BUNIT" in hdu.header or (hdu.is_image and hdu.header["NAXIS"] >= 2):
                    hdu.header["BUNIT"] = unit
            new = fits.HDUList([hdu.copy() for hdu in hdus])
        new.writeto(path, overwrite=True)


STATE_UNITS = ("sdss", "legacysurvey", "legacysurvey-ivar", "desi", "unwise-tiles", "image-cubes", "multimodal-image")
STATE_UNITS += ("multimodal-spectrum", "hats-spectrum", "hats-image")


@pytest.mark.parametrize("layout", STATE_UNITS)
def test_another_unit_in_the_file_is_converted_or_refused(layout, reader, tmp_path):
    wanted = reader.modality.unit or "Jy"
    modality = replace(reader.modality, unit=wanted)

    def read_in(unit):
        for path in tmp_path.rglob("*.*"):
            if path.suffix in (".fits", ".hdf5", ".parquet"):
                restate(path, unit)
        again = models.build(models.describe(reader))
        again.__dict__["modality"] = modality  # that of an earlier first file
        return [sample.views[modality.name] for path in again.files() for sample in read_or_refused(again, path)]

    before, after = read_in(wanted), read_in(units.Unit(1000 * units.Unit(wanted)).to_string())
    assert len(before) >= 2
    scale = np.array([1e-6 if channel.startswith("ivar") else 1e3 for channel in modality.channels])
    scale = scale.reshape(-1, *[1] * (before[0].ndim - 1))
    for old, new in zip(before, after, strict=True):
        np.testing.assert_allclose(new / scale, old, rtol=1e-4, atol=1e-5)
    assert read_in("K") == []


def test_views_and_ids_are_plain(reader):
    for sample in samples_of(reader):
        assert not sample.object_id.endswith(".0")
        assert all(isinstance(value, (float, str)) for value in sample.labels.values())
        assert list(sample.views) == ([reader.modality.name] if reader.modality else [])
        assert all(view.dtype.isnative for view in sample.views.values())


def test_ids_are_unique_and_files_sorted(reader):
    ids = [sample.object_id for sample in samples_of(reader)]
    assert len(set(ids)) == len(ids)
    assert list(reader.files()) == sorted(reader.files())


def test_travels_to_worker_processes(reader):
    copy = pickle.loads(pickle.dumps(reader))
    assert copy.modality == reader.modality
    assert [sample.object_id for sample in samples_of(copy)] == [sample.object_id for sample in samples_of(reader)]


def test_can_be_described_and_built_again(reader):
    again = models.build(models.describe(reader))
    assert again.modality == reader.modality
    assert [sample.labels for sample in samples_of(again)] == [sample.labels for sample in samples_of(reader)]


def test_says_what_it_is(reader):
    assert type(reader).__name__ in repr(reader)


def test_modality_survives_json(reader):
    if reader.modality is not None:
        assert Modality.from_dict(reader.modality.to_dict()) == reader.modality
    else:
        assert repr(reader).startswith(type(reader).__name__)


@pytest.mark.parametrize("damage", ["empty", "truncated", "html", "missing"])
def test_a_file_that_is_none_is_one_clear_error(reader, damage):
    path = reader.files()[-1]
    content = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(
            {
                "empty": b"",
                "truncated": content[: len(content) * 2 // 3] if path.suffix != ".csv" else content[:6],
                "html": b"<!DOCTYPE html><html><body>404 Not Found</body></html>",
            }[damage]
        )
    with pytest.raises(FileError, match=str(path)) as caught:
        list(reader.read(path))
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("kind", ["sdss", "legacysurvey"])
def test_gzip_files_are_read_and_truncated_ones_refused(survey, kind):
    reader = make_reader(kind, survey)
    path = reader.files()[0]
    before = reader.read(path)[0]
    packed = path.with_name(path.name + ".gz")
    packed.write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()
    after = reader.read(reader.files()[0])[0]
    assert after.object_id == before.object_id
    np.testing.assert_array_equal(after.views[reader.name], before.views[reader.name])
    packed.write_bytes(packed.read_bytes()[:2000])
    with pytest.raises(FileError, match="truncated or damaged gzip file"):
        reader.read(packed)


def read_or_refused(reader, path):
    """What a reader makes of a file: samples, or nothing where it refuses the file or every row of it."""
    try:
        return [item for item in reader.read(path) if isinstance(item, Sample)]
    except FileError as error:
        assert str(path) in str(error)
        return []


def kind(reader):
    return reader.modality.kind if reader.modality else "catalogue"


def test_a_file_of_another_kind_of_survey_is_refused_and_not_misread(layout, layouts, write_layout, tmp_path):
    readers = {}
    for name in layouts:
        (tmp_path / name).mkdir()
        readers[name] = write_layout(name, tmp_path / name)
    mine = readers[layout]
    assert samples_of(mine)
    for name, other in readers.items():
        tables = {kind(other), kind(mine)} == {"table", "catalogue"}
        if kind(other) != kind(mine) and type(other) is not type(mine) and not tables:
            assert not read_or_refused(mine, other.files()[0]), name


def test_any_half_written_file_is_refused(reader):
    path = reader.files()[0]
    content = path.read_bytes()
    for share in (0.1, 0.35, 0.6, 0.85):
        path.write_bytes(content[: int(len(content) * share)])
        assert len(read_or_refused(reader, path)) <= 3


def test_files_survive_odd_names_and_loops(reader):
    path = reader.files()[0]
    root = path.parent
    (root / "loop").symlink_to(root, target_is_directory=True)
    (root / "nowhere").symlink_to(root / "is-not-there")
    count = len(reader.files())
    odd = root / f"{path.name[: len(path.name) - len(path.suffix)]} größe 星{path.suffix}"
    odd.write_bytes(path.read_bytes())
    assert path in reader.files() and len(reader.files()) in (count, count + 1)
    assert samples_of(reader)
