"""Contrastive losses: one loss, one file.

Touch this room to add a loss. A loss is any callable ``(za [n, D], zb [n, D], logit_scale, groups) -> scalar``
that normalises its inputs itself; row i of both belongs to the same object. With several processes,
`gather_rows` makes the batch whole before the loss sees it, so a loss never knows how many processes there are.
"""

from .._lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "InfoNCE": ".infonce",
        "QueueInfoNCE": ".queue",
        "SigLIP": ".siglip",
        "cosine": ".similarity",
        "gather_rows": ".gather",
    },
)
