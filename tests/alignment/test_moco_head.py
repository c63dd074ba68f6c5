"""The head that goes on from released weights."""

import pytest
import torch
from published_checkpoints import moco_encoder, write_moco

from astroclip_kit.alignment import MocoHead
from astroclip_kit.errors import FileError
from astroclip_kit.models import build, describe


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    encoder = moco_encoder().eval()
    return encoder, write_moco(tmp_path_factory.mktemp("released") / "resnet50.ckpt", encoder)


def test_it_starts_where_the_encoder_s_training_ended(released):
    encoder, path = released
    features = torch.randn(3, 2048)
    torch.testing.assert_close(MocoHead(checkpoint=str(path))(features), encoder.fc(features))


def test_it_is_built_again_without_the_file(released):
    head = MocoHead(checkpoint=str(released[1]))
    again = build(describe(head))
    again.load_state_dict(head.state_dict())
    assert again.checkpoint is None and torch.equal(again.layers[0].weight, head.layers[0].weight)


def test_a_file_without_the_head_is_refused(tmp_path):
    torch.save({"conv1.weight": torch.zeros(64, 3, 7, 7)}, tmp_path / "trunk.pt")
    with pytest.raises(FileError, match=r"holds no head of MoCo v2 \(fc.0, fc.2\). Leave the checkpoint of the head"):
        MocoHead(checkpoint=str(tmp_path / "trunk.pt"))


def test_another_width_is_refused(released):
    with pytest.raises(FileError, match="does not fit Sequential"):
        MocoHead(out_features=64, checkpoint=str(released[1]))
