import pytest
import torch

from astroclip_kit.errors import UsageError
from astroclip_kit.transforms import RandomPart
from astroclip_kit.transforms.lightcurves import is_padding


def curves(count=200, points=40, bands=2):
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(count, points, 6, generator=generator)
    x[..., 3] = (x[..., 3] * bands).floor()
    x[:, 30:] = torch.nan
    return x


def test_a_run_of_points_stays_of_random_length_and_place_and_covariates_are_hidden():
    x = curves()
    part = RandomPart(0.2, 0.5)(x, torch.arange(len(x)))
    kept = ~is_padding(part)
    count = kept.sum(dim=1)
    assert count.min() in (6, 7) and count.max() == 15 and part[..., 4:].isnan().all()
    torch.testing.assert_close(part[..., :4][kept], x[..., :4][kept])
    order = x[..., 0].nan_to_num(torch.inf).argsort(dim=1)
    runs = kept.gather(1, order).int().diff(dim=1, prepend=torch.zeros(len(x), 1, dtype=torch.int))
    assert ((runs == 1).sum(dim=1) == 1).all()
    assert kept.gather(1, order)[:, 0].any() and kept.gather(1, order)[:, 29].any()  # the first and the last as well


def test_one_band_alone_may_stay():
    x = curves()
    bands = RandomPart(1.0, 1.0, band=1.0)(x, torch.arange(len(x)))[..., 3]
    alone = [row[row.isfinite()].unique().tolist() for row in bands]
    assert all(len(one) == 1 for one in alone) and {one[0] for one in alone} == {0, 1}
    torch.testing.assert_close(RandomPart(1.0, 1.0)(x, torch.arange(len(x)))[..., :4], x[..., :4], equal_nan=True)


def test_an_object_does_not_depend_on_its_batch_and_few_points_leave_one():
    x = curves()
    whole = RandomPart()(x, torch.arange(len(x)))
    torch.testing.assert_close(RandomPart()(x[7:8], torch.tensor([7])), whole[7:8], equal_nan=True)
    one = RandomPart()(x[:1, :1], torch.tensor([3]))
    assert not is_padding(one).any() and RandomPart()(x[:0], torch.arange(0)).shape == x[:0].shape


@pytest.mark.parametrize("arguments", [{"least": 0.0}, {"least": 0.7}, {"most": 1.2}, {"band": -0.1}])
def test_shares_that_are_none_are_refused(arguments):
    with pytest.raises(UsageError, match="expected shares from 0 to 1, the first above 0"):
        RandomPart(**arguments)
