"""Tokens are cached as features and read back as tokens."""

import numpy as np
import pytest
import torch
from small_stars import ONE_CORE, Patches, make_encoders
from torch import nn

from astroclip_kit.classifiers import Tokens, extract_tokens, tokens_of
from astroclip_kit.classifiers.tokens import encode_tokens, token_shape
from astroclip_kit.encoders import TabularMLP
from astroclip_kit.errors import InputError, UsageError
from astroclip_kit.features import extract
from astroclip_kit.models import build, describe, load_model, save_model
from astroclip_kit.types import Modality


def test_cached_tokens_are_those_of_the_encoder(stars, tmp_path):
    encoders = make_encoders()
    features = extract_tokens(stars, encoders, tmp_path / "tokens", hardware=ONE_CORE)
    assert {name: token_shape(features, name) for name in encoders} == {"image": (4, 8), "spectrum": (5, 8)}
    rows = np.array([3, 1, 159])
    for name, encoder in encoders.items():
        with torch.no_grad():
            expected = encoder.tokens(torch.from_numpy(stars.views(name, rows)))
        torch.testing.assert_close(tokens_of(features, name, rows), expected, rtol=2e-3, atol=2e-3)


def test_encoders_may_be_given_by_their_folders_and_nothing_is_computed_twice(stars, tmp_path):
    encoder = TabularMLP(2, 6)
    stars.modalities["table"] = Modality("table", "table", ("u", "g"), (2,))
    stars.values["table"] = stars.values["image"][:, :, 0, 0].copy()
    stars.presence["table"] = np.ones(len(stars), dtype=bool)
    save_model(encoder, tmp_path / "encoder")
    given = extract_tokens(stars, {"table": str(tmp_path / "encoder")}, tmp_path / "tokens", hardware=ONE_CORE)
    assert token_shape(given, "table") == (1, 6)
    stars.asked.clear()
    again = extract_tokens(stars, {"table": encoder}, tmp_path / "tokens", hardware=ONE_CORE)
    assert not stars.asked and again.data_hash("table") == given.data_hash("table")


def test_plain_features_count_as_one_token(stars, tmp_path):
    features = extract(stars, {"spectrum": Patches(16)}, tmp_path / "features", hardware=ONE_CORE)
    assert token_shape(features, "spectrum") == (1, 8)
    assert tokens_of(features, "spectrum", np.array([2, 0])).shape == (2, 1, 8)


def test_an_encoder_of_tokens_is_built_again():
    wrapped = Tokens(Patches(16), 5)
    again = build(describe(wrapped), trusted=True)
    again.load_state_dict(wrapped.state_dict())
    x = torch.rand(3, 2, 40)
    assert torch.equal(again(x), wrapped(x)) and again.out_features == 40


def test_the_folder_of_tokens_holds_the_encoder(stars, tmp_path):
    encoders = make_encoders()
    features = extract_tokens(stars, encoders, tmp_path / "tokens", hardware=ONE_CORE)
    kept = load_model(features.encoder_folders["image"], trusted=True)
    assert torch.equal(kept.encoder.map.weight, encoders["image"].map.weight)


class Masked(nn.Module):
    out_features = 3

    def tokens(self, x):
        return x, x > 0

    def forward(self, x):
        return x.mean(dim=1)


def test_tokens_with_a_mask_count_as_one():
    x = torch.rand(2, 7, 3)
    assert torch.equal(encode_tokens(Masked(), x), x.mean(dim=1)[:, None])


class Odd(Patches):
    def tokens(self, x):
        return super().tokens(x)[..., :5]

    def forward(self, x):
        return super().tokens(x).mean(dim=1)


def test_tokens_of_another_width_than_the_features_are_refused(stars):
    with pytest.raises(InputError, match=r"Odd gives tokens of shape \(2, 5, 5\) for 2 views of 'spectrum', expected"):
        Tokens.of(Odd(16), stars.modalities["spectrum"])


def test_an_unknown_modality_is_refused(stars, tmp_path):
    with pytest.raises(UsageError, match="there is no modality 'photo'"):
        extract_tokens(stars, {"photo": Patches(16)}, tmp_path / "tokens", hardware=ONE_CORE)
