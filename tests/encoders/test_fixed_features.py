"""Encoders that learn nothing: what they compute is their definition."""

import numpy as np
import pytest
import torch

from astroclip_kit.contracts import check_encoder
from astroclip_kit.encoders import InterpolatedLightCurve, SpectralShape, TableValues
from astroclip_kit.errors import InputError, UsageError
from astroclip_kit.models import build, describe
from astroclip_kit.types import Modality

NAN = float("nan")
GRID = tuple(np.arange(3300.0, 9500.0, 20.0))
SPECTRUM = Modality("spectrum", "spectrum", ("flux", "ivar", "phase_day"), (3, len(GRID)), "", GRID)
LIGHTCURVE = Modality("lightcurve", "lightcurve", ("time", "value", "error", "band"), (-1, 4), bands=("B", "R", "odd"))
TABLE = Modality("table", "table", ("u", "g", "r"), (3,))
CASES = {
    "spectrum": (SpectralShape, SPECTRUM, {"bins": {"flux": [-17, -16, -15], "phase_day": [-10, 0, 30]}}),
    "light curve": (InterpolatedLightCurve, LIGHTCURVE, {}),
    "table": (TableValues, TABLE, {"differences": True, "bins": {"g": [15, 20]}}),
}


@pytest.fixture(params=CASES)
def case(request):
    encoder_class, modality, arguments = CASES[request.param]
    return encoder_class.for_modality(modality, **arguments), modality


def test_the_encoder_meets_the_protocol_and_is_rebuilt_from_its_description(case):
    encoder, modality = case
    check_encoder(encoder, modality)
    again = build(describe(encoder))
    x = torch.rand([2, *(8 if axis == -1 else axis for axis in modality.shape)]).round(decimals=0)
    assert torch.equal(encoder(x), again(x)) and not list(encoder.parameters())


def test_an_object_does_not_depend_on_its_batch(case):
    encoder, modality = case
    generator = torch.Generator().manual_seed(0)
    x = torch.rand([4, *(9 if axis == -1 else axis for axis in modality.shape)], generator=generator)
    if modality.kind == "lightcurve":
        x[..., 0], x[..., 3], x[1, 4:] = x[..., 0] * 50, (x[..., 3] * 3).floor(), NAN
    torch.testing.assert_close(encoder(x)[1:2], encoder(x[1:2]), rtol=1e-4, atol=1e-4)


def test_views_without_any_measurement_have_finite_features(case):
    encoder, modality = case
    x = torch.full([2, *(5 if axis == -1 else axis for axis in modality.shape)], NAN)
    assert encoder(x).isfinite().all()


def spectrum(flux, phase=NAN, measured=None):
    ivar = torch.ones(len(GRID)) if measured is None else measured
    return torch.stack([flux, ivar, torch.full_like(flux, phase)])[None]


def test_a_redshift_is_a_shift_and_the_continuum_is_gone():
    encoder = SpectralShape.for_modality(SPECTRUM, pixels=256)
    wavelength = torch.tensor(GRID)
    step = np.log(9000 / 3500) / 255

    def features(shift, slope):
        line = 1 - 0.5 * torch.exp(-0.5 * ((wavelength.log() - np.log(5500) - shift) / 0.015) ** 2)
        return encoder(spectrum(line * (wavelength / 6000) ** slope))[0]

    still, moved = features(0.0, 0.0)[:256], features(20 * step, 0.0)[:256]
    torch.testing.assert_close(moved[100:200], still[80:180], atol=0.02, rtol=0)
    red = features(0.0, 1.0)
    assert (red[60:220] - still[60:220]).abs().max() < 0.03 and still.min() < -0.3
    assert red[256:264].diff().min() > 0


def test_brightness_enters_only_where_it_is_absolute():
    encoder = SpectralShape.for_modality(SPECTRUM, bins={"flux": [-17, -16, -15], "phase_day": [-10, 0, 30]})
    for level, phase, expected in ((1e-16, 15.0, [0, 1, 0, 0, 0.5, 0.5]), (0.7, NAN, [0] * 6)):
        h = encoder(spectrum(torch.full((len(GRID),), level), phase))
        torch.testing.assert_close(h[0, -6:], torch.tensor(expected, dtype=torch.float32), atol=1e-4, rtol=0)
        assert h[0, :256].abs().max() < 1e-3


def test_unmeasured_pixels_leave_no_trace():
    encoder = SpectralShape.for_modality(SPECTRUM)
    measured = (torch.tensor(GRID) < 7000).float()
    flux = torch.ones(len(GRID))
    h, other = (encoder(spectrum(flux.where(measured > 0, wild), measured=measured)) for wild in (NAN, 1e6))
    assert torch.equal(h, other) and h[0, 256 + 8 :].tolist() == [1] * 6 + [0] * 2


def test_bands_of_several_systems_meet_and_unknown_ones_are_left_out():
    time = torch.arange(0.0, 60.0, 4.0)
    rows = torch.stack([time, 17 + (time - 12).abs() / 20, torch.full_like(time, 0.05), torch.ones_like(time)], dim=1)
    odd = rows.clone()
    odd[:, 1], odd[:, 3] = 3.0, 2.0
    encoder = InterpolatedLightCurve.for_modality(LIGHTCURVE)
    h, with_odd = encoder(rows[None]), encoder(torch.cat([odd, rows])[None])
    torch.testing.assert_close(h, with_odd)
    late = h.reshape(-1)[:70].reshape(5, 14)[3]
    told = h.reshape(-1)[70:140].reshape(5, 14)
    assert late[3].abs() < 0.1 and late[9] == pytest.approx(2.0, abs=0.1)
    assert told[3, 3] > 0.95 > told[0, 3] > told[0, 13] and h[0, -8:].tolist() == pytest.approx([0] * 4 + [1] + [0] * 3)
    shifted = rows.clone()
    shifted[:, 0] += 50_000
    torch.testing.assert_close(encoder(shifted[None]), h, atol=1e-3, rtol=0)


def test_what_does_not_fit_is_refused():
    with pytest.raises(InputError, match="no effective wavelength is known of the bands x1, x2: give `wavelengths`"):
        InterpolatedLightCurve.for_modality(
            Modality("x", "lightcurve", LIGHTCURVE.channels, (-1, 4), bands=("x1", "x2"))
        )
    with pytest.raises(UsageError, match="bins for 'phase', and the spectra have the channels flux, ivar, phase_day"):
        SpectralShape.for_modality(SPECTRUM, bins={"phase": [0, 1]})
    with pytest.raises(UsageError, match="bins for 'z', and the table has u, g, r"):
        TableValues.for_modality(TABLE, bins={"z": [0, 1]})
    with pytest.raises(InputError, match=r"spectra have shape \(1, 2, 5\), expected \[B, 3, 310\]"):
        SpectralShape.for_modality(SPECTRUM)(torch.ones(1, 2, 5))
    with pytest.raises(InputError, match=r"light curves are \[B, T, 4\]"):
        InterpolatedLightCurve.for_modality(LIGHTCURVE)(torch.ones(1, 4))
    with pytest.raises(InputError, match=r"tables have shape \(1, 2\), expected \[B, 3\]"):
        TableValues.for_modality(TABLE)(torch.ones(1, 2))
    with pytest.raises(
        InputError, match="SpectralShape encodes data of kind 'spectrum', and 'table' is of kind 'table'"
    ):
        SpectralShape.for_modality(TABLE)


def test_colours_have_bins_of_their_own_and_are_unknown_where_a_magnitude_is():
    encoder = TableValues.for_modality(TABLE, differences=True, bins={"u-g": [0, 1, 2], "r": [15, 20]})
    h = encoder(torch.tensor([[19.0, 17.5, 16.0], [NAN, 17.0, 21.0]]))
    assert h[0].tolist() == pytest.approx([19, 17.5, 16, 1.5, 1.5, 0, 0, 0, 0, 0.5, 0.5, 0.8, 0.2])
    assert h[1].tolist() == pytest.approx([0, 17, 21, 0, -4, 1, 0, 0, 0, 0, 0, 0, 1])
