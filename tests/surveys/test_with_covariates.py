import numpy as np
import pytest
import torch
from layout_astroclip import READERS
from layout_covariates import make_variables
from layout_lightcurves import make_asas

from astroclip_kit.data import Dataset, describe, ingest, render
from astroclip_kit.encoders import Informer
from astroclip_kit.errors import FileError, UsageError
from astroclip_kit.surveys import TableReader, WithCovariates
from astroclip_kit.transforms import Normalise, RandomWindow
from astroclip_kit.types import LIGHTCURVE_CHANNELS, Modality, Sample


def samples(reader):
    return [item for path in reader.files() for item in reader.read(path) if isinstance(item, Sample)]


def test_labels_become_channels_and_nothing_else_changes(tmp_path):
    plain = READERS["astroclip_spectrum"](tmp_path)
    reader = WithCovariates(plain, ["z", "mass"])
    assert reader.modality.channels == ("flux", "ivar", "z", "mass") and reader.modality.shape == (4, 7781)
    for before, after in zip(samples(plain), samples(reader), strict=True):
        view = after.views["spectrum"]
        np.testing.assert_array_equal(view[:2], before.views["spectrum"])
        assert (view[2] == np.float32(before.labels["z"])).all() and np.isnan(view[3]).all()
        assert after.labels == before.labels and view.dtype == np.float32


def test_the_rest_frame_median_finds_the_redshift(tmp_path):
    reader = WithCovariates(READERS["astroclip_spectrum"](tmp_path))
    x = torch.from_numpy(np.stack([one.views["spectrum"] for one in samples(reader)]))
    normalised = Normalise("rest_median", wavelength=reader.modality.grid)(x)
    rest = torch.from_numpy(reader.modality.wavelength_angstrom) / (1 + x[:, 2])
    for row in range(len(x)):
        window = (rest[row] > 5300) & (rest[row] < 5850)
        assert float(normalised[row, 0, window].median()) == pytest.approx(1, abs=1e-3)


def test_what_has_no_covariates(tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("name,g\na,1\n")
    with pytest.raises(
        UsageError, match=r"WithCovariates: TableReader.* reads no spectra or light curves, which alone have"
    ):
        repr(WithCovariates(TableReader(table, columns=["g"], id_column="name")).modality)
    with pytest.raises(UsageError, match="the label 'astroclip_split' of '39627641498144000' is text, not a number"):
        samples(WithCovariates(READERS["astroclip_spectrum"](tmp_path), ["astroclip_split"]))


def test_a_light_curve_has_numbers_of_a_table_on_every_row(tmp_path):
    reader = make_variables(tmp_path)
    modality = reader.modality
    assert modality.channels[4:] == modality.covariates == ("period", "amplitude") and modality.shape == (-1, 6)
    plain = {one.object_id: one.views["lightcurve"] for one in samples(make_asas(tmp_path))}
    for one in samples(reader):
        view = one.views["lightcurve"]
        np.testing.assert_array_equal(view[:, :4], plain[one.object_id])
        period, amplitude = {"215707": (0.5, np.nan), "215727": (4.5, 0.9)}[one.object_id]
        np.testing.assert_array_equal(view[:, 4:], np.tile(np.float32([period, amplitude]), (len(view), 1)))
    assert tmp_path / "metadata.csv" in reader.also_reads()


def test_light_curves_with_covariates_stay_ragged_in_a_dataset(tmp_path):
    reader = make_variables(tmp_path)
    ingest({"lightcurve": reader}, tmp_path / "data", quiet=True)
    dataset = Dataset(tmp_path / "data")
    assert dataset.modalities["lightcurve"] == reader.modality
    for one in samples(reader):
        row = dataset.object_ids.tolist().index(one.object_id)
        np.testing.assert_array_equal(dataset[row].views["lightcurve"], one.views["lightcurve"])
    assert dataset.views("lightcurve").shape == (2, 40, 6)


def test_objects_without_a_row_have_no_numbers_and_two_rows_are_refused(tmp_path):
    reader = make_variables(tmp_path)
    (tmp_path / "metadata.csv").write_text("name,period,amplitude\n215707,0.5,1\n")
    views = {one.object_id: one.views["lightcurve"] for one in samples(reader)}
    assert np.isnan(views["215727"][:, 4:]).all() and (views["215707"][:, 4:] == [0.5, 1]).all()
    again = WithCovariates(reader.reader, reader.labels, reader.table)
    (tmp_path / "metadata.csv").write_text("name,period,amplitude\n7,0.5,1\n8,1,1\n7,2,1\n")
    with pytest.raises(FileError, match=r"metadata.csv: the object '7' is in several rows, expected one row for each"):
        samples(again)
    with pytest.raises(UsageError, match=r"WithCovariates: table is \{path: ..., id: ...\}.*found \{'file': 'a'\}"):
        WithCovariates(reader.reader, table={"file": "a"})


def test_a_table_with_other_ids_is_refused_and_the_share_without_a_row_is_told(tmp_path, capsys):
    reader = make_variables(tmp_path)
    (tmp_path / "metadata.csv").write_text("name,period,amplitude\n215707,0.5,-9999\n")
    found = describe(ingest({"lightcurve": reader}, tmp_path / "data"))
    told = "1 of 2 observations of lightcurve (50.0%) have no row in the table of period, amplitude: these are missing"
    assert told in capsys.readouterr().err and any(told in note for note in found["notes"])
    alone = "note: lightcurve has no amplitude in any of the first 2 objects: see its source"
    assert alone in render(found) and "no period" not in render(found)
    (tmp_path / "metadata.csv").write_text("name,period,amplitude\nJ0101,0.5,1\n")
    reader = WithCovariates(WithCovariates(reader.reader, ["period"], reader.table), ["z"])
    wrong = r"none of 2 objects has a row, as their ids look like '2157\d7' and those in 'name' like 'J0101'. Name the"
    with pytest.raises(FileError, match=wrong):
        ingest({"lightcurve": reader}, tmp_path / "other", quiet=True)


class TwoStars:
    """A reader of a light curve of 100,000 points and of one of two."""

    modality = Modality("lightcurve", "lightcurve", LIGHTCURVE_CHANNELS, (-1, 4), "mag", bands=("V",))

    def __init__(self, path):
        self.path = path

    def files(self):
        return [self.path]

    def read(self, path):
        for name, points in (("long", 100_000), ("short", 2)):
            view = np.stack([np.arange(points), np.sin(np.arange(points)), np.ones(points), np.zeros(points)], axis=1)
            yield Sample(name, {"lightcurve": view.astype(np.float32)}, labels={"period": 2 * np.pi, "amplitude": 1.0})


def test_a_light_curve_of_any_length_is_stored_as_long_as_it_is(tmp_path):
    (tmp_path / "stars").write_text("")
    reader = WithCovariates(TwoStars(tmp_path / "stars"), ["amplitude", "period"])
    ingest({"lightcurve": reader}, tmp_path / "data", quiet=True)
    size = sum(path.stat().st_size for path in (tmp_path / "data").rglob("*") if path.is_file())
    assert size < 1.1 * 4 * 6 * 100_002 + 50_000
    dataset = Dataset(tmp_path / "data")
    assert {one.object_id: len(one.views["lightcurve"]) for one in dataset} == {"long": 100_000, "short": 2}
    encoder = Informer.for_modality(reader.modality, width=8, depth=1).eval()
    x = torch.from_numpy(dataset.views("lightcurve"))
    moved = RandomWindow()(x, torch.arange(2))
    with torch.inference_mode():
        h, other = encoder(encoder.preprocess(x)), encoder(encoder.preprocess(moved))
    assert h.isfinite().all() and not torch.equal(h[0], other[0])
    short = dataset.object_ids.tolist().index("short")
    torch.testing.assert_close(h[short], other[short])
