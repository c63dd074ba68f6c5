import functools

import numpy as np
import torch
from torch import nn

from astroclip_kit.encoders import SpenderEncoder, TabularMLP
from astroclip_kit.features import fingerprint
from astroclip_kit.models import load_model, save_model
from astroclip_kit.transforms import Asinh, CenterCrop, Compose, ToRGB


def table_encoder(**arguments):
    torch.manual_seed(0)
    return TabularMLP(3, 4, **arguments)


def user_encoder(source):
    """A class as a notebook cell would define it."""
    cell = {"nn": nn, "torch": torch, "__name__": "__main__"}
    exec(source, cell)
    torch.manual_seed(0)
    return cell["Mine"]()


SOURCE = """
def stretch(x):
    return x * 2

class Mine(nn.Module):
    power = 1

    def __init__(self):
        super().__init__()
        self.out_features = 2
        self.layer = nn.Linear(3, 2)

    def forward(self, x):
        return self.layer(stretch(x))
"""


def test_it_is_stable_over_copies_modes_and_saving(tmp_path):
    encoder = SpenderEncoder(6, preprocess=Compose((Asinh((0.1, 0.2)),)))
    expected = fingerprint(encoder)
    save_model(encoder, tmp_path / "model")
    assert fingerprint(load_model(tmp_path / "model")) == expected
    assert fingerprint(encoder.eval()) == expected
    assert fingerprint(encoder.to(memory_format=torch.channels_last)) == expected


def test_one_weight_changes_it():
    encoder = table_encoder()
    before = fingerprint(encoder)
    with torch.no_grad():
        encoder.layers[0].weight[0, 0] += 1e-6
    assert fingerprint(encoder) != before


def test_arguments_preprocessing_and_layers_without_weights_change_it():
    variants = [
        table_encoder(),
        table_encoder(activation="relu"),
        table_encoder(dropout=0.5),
        table_encoder(preprocess=torch.neg),
        table_encoder(preprocess=torch.relu),
        table_encoder(preprocess=Compose((CenterCrop(8), ToRGB()))),
        table_encoder(preprocess=Compose((CenterCrop(8), ToRGB("stein")))),
        table_encoder(preprocess=functools.partial(torch.clamp, min=0)),
        table_encoder(preprocess=functools.partial(torch.clamp, min=1)),
    ]
    assert len({fingerprint(one) for one in variants}) == len(variants)


def test_what_a_user_writes_is_part_of_it():
    changes = [("", ""), ("x * 2", "x * 3"), ("power = 1", "power = 2"), ("stretch(x))", "stretch(x) + 1)")]
    prints = {fingerprint(user_encoder(SOURCE.replace(old, new))) for old, new in changes}
    assert len(prints) == len(changes)
    assert fingerprint(user_encoder(SOURCE + "\n# a comment")) in prints


def test_what_a_function_closes_over_is_part_of_it():
    def scaled(by):
        return lambda x: x * by

    prints = [fingerprint(scaled(value)) for value in (1.0, 2.0, np.ones(3), np.zeros(3), np.int64(4))]
    assert len(set(prints)) == 5 and fingerprint(scaled(1.0)) == prints[0]


def test_objects_that_hold_themselves_end():
    ring = [1]
    ring.append(ring)
    assert fingerprint(ring) == fingerprint(ring) != fingerprint([1])


def test_order_and_boundaries_matter():
    values = [["ab", "c"], ["a", "bc"], ["c", "ab"], [["ab"], "c"], {"ab": "c"}, {"ab", "c"}, None, torch.float16]
    assert len({fingerprint(value) for value in values}) == len(values)
