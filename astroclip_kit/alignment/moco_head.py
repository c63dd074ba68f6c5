"""The projection head of Stein's encoder, to go on from where its training ended, as AstroCLIP does."""

from __future__ import annotations

from collections.abc import Sequence

from ..encoders.checkpoints import fill, read_checkpoint, under
from ..errors import FileError
from .heads import ProjectionHead

__all__ = ["MocoHead"]


class MocoHead(ProjectionHead):
    """The head of MoCo v2, 2048-2048-128: 4,458,624 weights that start from released ones, or at random.

    Args:
        in_features: Width of the features: 2048 of a ResNet-50.
        out_features: Width of the shared space.
        hidden_features: Widths of the hidden layers.
        checkpoint: A file with ``fc.0`` and ``fc.2`` as those of Stein et al. (2021, arXiv:2110.13151), read once. A
            saved model brings its own weights, so the attribute is None afterwards.

    Raises:
        FileError: If the checkpoint cannot be read, or holds no such head.

    Example:
        >>> sum(weight.numel() for weight in MocoHead().parameters())
        4458624
    """

    def __init__(
        self,
        in_features: int = 2048,
        out_features: int = 128,
        hidden_features: Sequence[int] = (2048,),
        checkpoint: str | None = None,
    ) -> None:
        super().__init__(in_features, out_features, hidden_features, "relu")
        self.checkpoint = None
        if checkpoint is not None:
            self._fill(checkpoint)

    def _fill(self, path: str) -> None:
        head = under(under(read_checkpoint(path), "encoder_q."), "fc.")
        ends = {"0": 0, "2": len(self.layers) - 1}
        if not {f"{layer}.weight" for layer in ends} <= set(head):
            raise FileError(path, "holds no head of MoCo v2 (fc.0, fc.2). Leave the checkpoint of the head out.")
        fill(
            self.layers,
            {
                f"{place}.{kind}": head[f"{layer}.{kind}"]
                for layer, place in ends.items()
                for kind in ("weight", "bias")
            },
            path,
        )
