import numpy as np
import pytest
import torch

from astroclip_kit.errors import UsageError
from astroclip_kit.transforms import DropPoints, ErrorNoise, PartOfPoints
from astroclip_kit.transforms.lightcurves import is_padding

SEEDS = torch.arange(200)


def lightcurves(count=200, points=40):
    x = torch.rand(count, points, 4, generator=torch.Generator().manual_seed(0))
    x[..., 3] = (x[..., 3] * 3).floor()
    x[:, 30:] = torch.nan
    x[:, ::4, 2] = torch.nan
    return x


def test_points_are_left_out_in_the_share_asked_for_and_the_others_stay_as_they_are():
    x = lightcurves()
    thinned = DropPoints(0.6)(x, SEEDS)
    kept = ~is_padding(thinned)
    assert 0.65 < kept[:, :30].float().mean() < 0.75 and not kept[:, 30:].any()
    assert torch.equal(thinned[kept].nan_to_num(-1), x[kept].nan_to_num(-1))
    shares = 1 - kept[:, :30].float().mean(dim=1)
    assert shares.min() < 0.1 and 0.5 < shares.max() < 0.85


def test_a_band_is_left_out_where_another_one_remains():
    x = lightcurves()
    thinned = DropPoints(0.0, band=1.0)(x, SEEDS)
    remaining = [set(row[~is_padding(row), 3].tolist()) for row in thinned]
    assert {len(bands) for bands in remaining} <= {2, 3} and np.mean([len(bands) == 2 for bands in remaining]) > 0.5
    x[..., 3] = x[..., 3].where(x[..., 3].isnan(), 1.0)
    assert torch.equal(is_padding(DropPoints(0.0, band=1.0)(x, SEEDS)), is_padding(x))


def test_one_point_always_stays_and_an_empty_light_curve_stays_empty():
    x = lightcurves()
    assert (~is_padding(DropPoints(1.0, band=1.0)(x, SEEDS))).any(dim=1).all()
    assert DropPoints(1.0)(torch.full((3, 5, 4), torch.nan), SEEDS[:3]).isnan().all()


def test_noise_is_of_the_size_of_the_errors():
    x = lightcurves()
    again = ErrorNoise(2.0, default=0.3)(x, SEEDS)
    pull = (again[..., 1] - x[..., 1]) / x[..., 2].nan_to_num(0.3)
    measured = ~is_padding(x)
    assert abs(pull[measured].std() - 2) < 0.05 and torch.equal(is_padding(again), is_padding(x))
    torch.testing.assert_close(again[..., 2], x[..., 2] * 5**0.5, equal_nan=True)
    assert torch.equal(again[..., (0, 3)].nan_to_num(-1), x[..., (0, 3)].nan_to_num(-1))


def test_draws_do_not_depend_on_the_batch():
    x = lightcurves()
    for augment in (DropPoints(0.5, 0.5), ErrorNoise()):
        torch.testing.assert_close(augment(x, SEEDS)[7:9], augment(x[7:9], SEEDS[7:9]), equal_nan=True)


def test_the_parts_of_a_light_curve_share_no_point_and_leave_none_out():
    x = lightcurves()
    x[:, :30] = x[:, :30].flip(1)  # in any order of time
    halves = [PartOfPoints(0.0, 0.5)(x), PartOfPoints(0.5, 1.0)(x)]
    measured = [~is_padding(half) for half in halves]
    assert torch.equal(measured[0] ^ measured[1], ~is_padding(x)) and (measured[0].sum(dim=1) == 15).all()
    early, late = (half[..., 0].where(kept, torch.nan) for half, kept in zip(halves, measured, strict=True))
    assert (early.nan_to_num(-1).amax(dim=1) <= late.nan_to_num(2).amin(dim=1)).all()
    assert is_padding(PartOfPoints(0.0, 0.5)(torch.full((2, 3, 4), torch.nan))).all()


@pytest.mark.parametrize("shares", [(0.5, 0.5), (-0.1, 0.5), (0.5, 1.1), (0.8, 0.2)])
def test_shares_that_do_not_ascend_are_refused(shares):
    with pytest.raises(UsageError, match="expected shares that ascend in 0 to 1"):
        PartOfPoints(*shares)
