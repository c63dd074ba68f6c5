"""The one training loop of the kit: `fit`, readable top to bottom, built on Lightning Fabric.

You touch it when you train a module of your own: hand `fit` the module, anything that gives out batches
(`TrainingData`) and a loss. Every other trainer of the kit is such a call. One file per question: `loop` (what
happens in which order), `order` (which rows come when), `schedule` (optimizer and learning rate), `hardware`
(where it runs), `checkpoint` (what is kept so that an interrupted run goes on exactly), `history` (the log).
"""

from .._lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "History": ".history",
        "TrainingData": ".order",
        "autocast": ".hardware",
        "epoch_batches": ".order",
        "fit": ".loop",
        "learning_rate": ".schedule",
        "make_optimizer": ".schedule",
        "resolve_hardware": ".hardware",
        "training_folder": ".checkpoint",
    },
)
