"""What stands between the features of one modality and the shared space."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..encoders.layers import feed_forward
from ..errors import UsageError

__all__ = ["Linear", "ProjectionHead", "Standardise"]

ACTIVATIONS = ("gelu", "relu", "silu", "tanh")  # those of `settings.Head`


class Linear(nn.Linear):
    """`torch.nn.Linear` with a faster gradient where a processor multiplies in bfloat16; the numbers are the same.

    The gradient of the weights is a product over the objects of a batch. The processor's matrix unit reads its first
    factor in rows, so it is turned first; read in columns, the product runs at half the speed.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Vectors [B, out_features] of vectors [B, in_features]."""
        if x.ndim != 2 or self.bias is None or not multiplies_bfloat16(x):
            return super().forward(x)
        y: Tensor = _Product.apply(x.bfloat16(), self.weight.bfloat16(), self.bias.bfloat16())
        return y


class _Product(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        return functional.linear(x, weight, bias)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor, Tensor]:
        x, weight = ctx.saved_tensors
        columns = gradients[0].T.contiguous()
        towards_x = gradients[0] @ weight if ctx.needs_input_grad[0] else None
        return towards_x, columns @ x, columns.sum(dim=1)


def multiplies_bfloat16(x: Tensor) -> bool:
    """Whether products of a tensor are taken in bfloat16 on a processor now."""
    return x.is_cpu and torch.is_autocast_enabled("cpu") and torch.get_autocast_dtype("cpu") == torch.bfloat16


class ProjectionHead(nn.Module):
    """A multilayer perceptron; linear without hidden layers.

    Args:
        in_features: Width of the features.
        out_features: Width of the shared space.
        hidden_features: Widths of the hidden layers.
        activation: "gelu", "relu", "silu" or "tanh", after every hidden layer.
        dropout: Share of hidden values set to zero in training.

    Raises:
        UsageError: If the activation is unknown, or a width or the dropout is out of range.

    Example:
        >>> head = ProjectionHead(2048, 128, hidden_features=(512,))
        >>> head(torch.zeros(3, 2048)).shape
        torch.Size([3, 128])
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        hidden_features: Sequence[int] = (),
        activation: str = "gelu",
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if activation not in ACTIVATIONS:
            raise UsageError(f"activation is {activation!r}, expected one of {', '.join(ACTIVATIONS)}.")
        if min(in_features, out_features, *hidden_features) < 1:
            widths = [in_features, *hidden_features, out_features]
            raise UsageError(f"the widths of a projection head are {widths}, expected whole numbers of at least 1.")
        if not 0 <= dropout < 1:
            raise UsageError(f"dropout is {dropout}, expected a share from 0 to below 1.")
        self.in_features, self.out_features = in_features, out_features
        self.hidden_features, self.activation, self.dropout = tuple(hidden_features), activation, dropout
        self.layers = feed_forward((in_features, *hidden_features, out_features), activation, dropout, Linear)

    def forward(self, h: Tensor) -> Tensor:
        """Vectors [B, out_features] of features [B, in_features]."""
        projected: Tensor = self.layers(h)
        return projected


class Standardise(nn.Module):
    """Centres and scales each feature; does nothing until `set` has been called.

    Mean and standard deviation are buffers: they are saved with the model that was trained with them.

    Args:
        in_features: Number of features.

    Example:
        >>> scaler = Standardise(1)
        >>> scaler.set(torch.tensor([10.0]), torch.tensor([2.0]))
        >>> scaler(torch.tensor([[14.0]]))
        tensor([[2.]])
    """

    mean: Tensor
    std: Tensor

    def __init__(self, in_features: int) -> None:
        super().__init__()
        self.in_features = in_features
        self.register_buffer("mean", torch.zeros(in_features))
        self.register_buffer("std", torch.ones(in_features))

    def set(self, mean: Tensor, std: Tensor) -> None:
        """Takes mean and standard deviation [in_features]; a constant feature is centred only."""
        self.mean.copy_(mean)
        self.std.copy_(torch.where(std > 1e-6 * mean.abs().clamp(min=1e-6), std, torch.ones_like(std)))

    def forward(self, h: Tensor) -> Tensor:
        """Standardised features [B, in_features], float32 also of float16."""
        return (h - self.mean) / self.std
