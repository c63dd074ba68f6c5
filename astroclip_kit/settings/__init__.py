"""Settings that travel from a configuration file to the function that uses them.

Plain dataclasses of built-in types, so that the command line reads them without importing torch.
Each is saved, as it was resolved, in the folder of the run that it shaped.
"""

from __future__ import annotations

from .candidates import Candidates
from .classification import Classification
from .data import Matching, Motion, Reading, Split
from .downloads import Cutouts, Downloading, Services
from .evaluation import Evaluation
from .fine_tuning import FineTuning, LabelShare
from .learning import Alignment, Hardware, Head, Objective, Optimizer, Sampling, Schedule, Training
from .prediction import Prediction
from .pretraining import Autoencoder, MaskedSpectra, Methods, MoCo
from .reproduction import Material
from .simulation import Observing
from .spectral_gan import ADVERSARIAL, SpectralGAN

__all__ = [
    "ADVERSARIAL",
    "Alignment",
    "Autoencoder",
    "Candidates",
    "Classification",
    "Cutouts",
    "Downloading",
    "Evaluation",
    "FineTuning",
    "Hardware",
    "Head",
    "LabelShare",
    "MaskedSpectra",
    "Matching",
    "Material",
    "Methods",
    "MoCo",
    "Motion",
    "Objective",
    "Observing",
    "Optimizer",
    "Prediction",
    "Reading",
    "Sampling",
    "Schedule",
    "Services",
    "SpectralGAN",
    "Split",
    "Training",
]
