import numpy as np
import pytest
import torch
from layout_astroclip import READERS

from astroclip_kit.errors import UsageError
from astroclip_kit.surveys import TableReader, WithCovariates
from astroclip_kit.transforms import Normalise
from astroclip_kit.types import Sample


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
        UsageError, match=r"WithCovariates: TableReader.* reads no spectra, which alone have covariates"
    ):
        repr(WithCovariates(TableReader(table, columns=["g"], id_column="name")).modality)
    with pytest.raises(UsageError, match="the label 'astroclip_split' of '39627641498144000' is text, not a number"):
        samples(WithCovariates(READERS["astroclip_spectrum"](tmp_path), ["astroclip_split"]))
