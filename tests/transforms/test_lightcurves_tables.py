import numpy as np
import pytest
import torch

from astroclip_kit.encoders import TabularMLP
from astroclip_kit.errors import InputError
from astroclip_kit.transforms import Compose, ErrorNoise, Standardise
from astroclip_kit.transforms.lightcurves import is_padding, pad


def test_padding_is_nan_and_nothing_else_is():
    curves = [np.full((n, 4), n, np.float32) for n in (3, 0, 5)]
    padded = pad(curves)
    assert padded.shape == (3, 5, 4) and padded.dtype == np.float32
    assert np.isfinite(padded).all(-1).sum(1).tolist() == [3, 0, 5]
    assert (padded[0, :3] == 3).all() and pad(curves, length=8).shape == (3, 8, 4) and pad([]).shape == (0, 0, 4)


def test_covariates_are_kept_by_padding_and_by_noise():
    curves = [np.full((n, 6), n, np.float32) for n in (3, 5)]
    x = torch.from_numpy(pad(curves))
    assert x.shape == (2, 5, 6) and x[0, :3, 4:].eq(3).all() and x[0, 3:].isnan().all()
    noisy = ErrorNoise()(x, torch.arange(2))
    torch.testing.assert_close(noisy[..., (0, 3, 4, 5)], x[..., (0, 3, 4, 5)], rtol=0, atol=0, equal_nan=True)
    assert (noisy[0, :3, 1] != x[0, :3, 1]).all()


def test_a_point_without_error_is_no_padding():
    x = torch.tensor([[[1.0, 2.0, torch.nan, 0.0], [1.0, torch.nan, 1.0, 0.0], [torch.nan] * 4]])
    assert is_padding(x).tolist() == [[False, True, True]]


def test_columns_are_standardised_and_missing_values_stay_missing():
    values = np.random.default_rng(0).normal(5, 3, (500, 3))
    values[::7, 1], values[:, 2] = np.nan, 4.0
    scaled = Standardise.of(values)(torch.from_numpy(values)).numpy()
    np.testing.assert_allclose(np.nanmean(scaled, axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(np.nanstd(scaled, axis=0), [1, 1, 0], atol=1e-9)
    assert (np.isnan(scaled) == np.isnan(values)).all()
    with pytest.raises(InputError, match="tables have 2 columns, expected 3"):
        Standardise.of(values)(torch.zeros(1, 2))


def test_standardise_measures_what_it_was_not_told():
    values = torch.tensor([[1.0, 10.0], [3.0, torch.nan], [torch.nan, 14.0]])
    assert torch.equal(Standardise()(values[:1]), values[:1])
    measured = Standardise().measured_on(values)
    assert (measured.mean, measured.scale) == ((2.0, 12.0), (1.0, 2.0)) and measured.measured_on(
        10 * values
    ) == measured
    torch.testing.assert_close(measured(torch.tensor([[4.0, 10.0]])), torch.tensor([[2.0, -1.0]]))


def test_an_encoder_of_tables_measures_its_columns():
    encoder = TabularMLP(2, 4).measured_on(torch.tensor([[1.0, 10.0], [3.0, 14.0]]))
    assert encoder.preprocess == Standardise((2.0, 12.0), (1.0, 2.0))
    assert isinstance(TabularMLP(2, 4, preprocess=Compose()).measured_on(torch.ones(3, 2)).preprocess, Compose)
