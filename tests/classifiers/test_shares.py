import numpy as np
import torch

from astroclip_kit.classifiers import encoder_shares
from astroclip_kit.encoders import SEResNet


def test_what_an_encoder_weighs_is_that_of_each_object(monkeypatch):
    from astroclip_kit.classifiers import shares

    class Images:
        def views(self, name, rows):
            assert name == "image" and len(rows) <= 3
            return np.stack([np.full((2, 32, 32), row, dtype=np.float32) for row in rows])

    monkeypatch.setattr(shares, "BATCH", 3)
    torch.manual_seed(0)
    encoder = SEResNet(("u", "g"), name="resnet18", width=8, stages=1, preprocess=torch.nn.Identity()).eval()
    names, found = encoder_shares(Images(), "image", encoder, np.array([4, 0, 9, 2]))
    with torch.inference_mode():
        alone = [encoder.shares(torch.full((1, 2, 32, 32), float(row)))[0].numpy() for row in (4, 0, 9, 2)]
    assert names == ("u", "g")
    np.testing.assert_allclose(found, alone, atol=1e-6)
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)


def test_an_encoder_that_does_not_say_has_none():
    assert encoder_shares(None, "image", torch.nn.Identity(), np.array([0])) is None
