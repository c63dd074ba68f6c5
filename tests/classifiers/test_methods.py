"""Fusions by the names that settings give them."""

import pytest
import torch
from torch import nn

from astroclip_kit.classifiers import CrossAttentionFusion, EarlyAdd, PooledLinear, make_fusion
from astroclip_kit.classifiers.methods import METHODS
from astroclip_kit.errors import UsageError

BOTH = {"image": (16, 32), "spectrum": (15, 32)}
SMALL = {"init_args": {"size": {"width": 8, "blocks": 1, "heads": 2}}}


class Own(nn.Module):
    """A user's."""

    def __init__(self, in_features, classes, level=0.0):
        super().__init__()
        self.in_features, self.classes, self.level = in_features, classes, level
        self.modalities = tuple(in_features)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_is_sized_by_the_tokens(method):
    shapes = BOTH if method != "linear" else {"spectrum": (15, 32)}
    fusion = make_fusion(shapes, 3, method, SMALL if method == "fusion" else None)
    assert fusion({name: torch.randn(2, *shape) for name, shape in shapes.items()}).shape == (2, 3)


def test_the_same_seed_gives_the_same_weights_and_leaves_torch_s_alone():
    state = torch.get_rng_state()
    one, same, other = (make_fusion(BOTH, 2, "early_add", seed=seed) for seed in (3, 3, 4))
    assert torch.equal(one.head[0].weight, same.head[0].weight)
    assert not torch.equal(one.head[0].weight, other.head[0].weight)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize(
    ("names", "asks", "asked"),
    [
        (("image", "spectrum"), "image", "spectrum"),
        (("spectrum", "image"), "image", "spectrum"),
        (("magnitudes", "spectrum"), "magnitudes", "spectrum"),
        (("image", "lightcurve"), "image", "lightcurve"),
    ],
)
def test_the_spectrum_is_asked_where_it_is_not_said(names, asks, asked):
    fusion = make_fusion(dict.fromkeys(names, (2, 8)), 2, part=SMALL)
    assert (fusion.queries, fusion.keys) == (asks, asked)


def test_positions_may_stand_for_the_numbers_of_tokens():
    arguments = {**SMALL["init_args"], "positions": True}
    assert make_fusion(BOTH, 2, part={"init_args": arguments}).positions == {"image": 16, "spectrum": 15}


def test_a_class_of_one_s_own_gets_its_sizes():
    own = make_fusion(BOTH, 2, "mine", {"class_path": f"{__name__}.Own", "init_args": {"level": 2.0}})
    assert isinstance(own, Own) and own.in_features == {"image": 32, "spectrum": 32} and own.level == 2.0
    kit = {"class_path": "astroclip_kit.classifiers.EarlyAdd"}
    assert isinstance(make_fusion(BOTH, 2, "mine", kit), EarlyAdd)
    cross = {"class_path": "astroclip_kit.classifiers.CrossAttentionFusion", **SMALL}
    assert isinstance(make_fusion(BOTH, 2, "mine", cross), CrossAttentionFusion)
    assert isinstance(make_fusion({"image": (1, 4)}, 2, "linear"), PooledLinear)


def test_what_is_unknown_is_refused():
    with pytest.raises(UsageError, match="method is 'late', expected one of fusion, early_add"):
        make_fusion(BOTH, 2, "late")
    with pytest.raises(UsageError, match="expected init_args, and class_path for a class of your own, found 'blocks'"):
        make_fusion(BOTH, 2, part={"blocks": 2})
    with pytest.raises(UsageError, match=r"the method 'early_add' takes no 'size'.*Leave out classification\.fusion"):
        make_fusion(BOTH, 2, "early_add", SMALL)
    own = {"class_path": f"{__name__}.Own", "init_args": {"depth": 2}}
    with pytest.raises(UsageError, match="unexpected keyword argument 'depth'"):
        make_fusion(BOTH, 2, "mine", own)


def test_concatenation_has_a_hidden_layer_or_none():
    mlp, linear = make_fusion(BOTH, 2, "concat_mlp"), make_fusion(BOTH, 2, "concat_linear")
    assert [type(one).__name__ for one in mlp.head] == ["Linear", "ReLU", "Dropout", "Linear"]
    assert mlp.head[0].weight.shape == (128, 64) and mlp.dropout == 0.3
    assert [type(one).__name__ for one in linear.head] == ["Linear"] and linear.head[0].in_features == 64
    assert make_fusion(BOTH, 2, "concat_mlp", {"init_args": {"dropout": 0.5}}).dropout == 0.5
