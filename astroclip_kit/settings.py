"""Settings that travel from a configuration file to the function that uses them.

Plain dataclasses of built-in types, so that the command line reads them without importing torch.
Each is saved, as it was resolved, in the folder of the run that it shaped.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

__all__ = [
    "Alignment",
    "Cutouts",
    "Downloading",
    "Hardware",
    "Head",
    "Matching",
    "Motion",
    "Objective",
    "Observing",
    "Optimizer",
    "Reading",
    "Sampling",
    "Schedule",
    "Services",
    "Split",
    "Training",
]


@dataclass(frozen=True)
class Split:
    """How objects are divided; the same object always falls on the same side.

    Args:
        by: "group" (the astrophysical object), "object_id", "healpix" (the part of the sky, whole groups), or the
            name of a label column.
        test: Share of the groups held out for evaluation; ignored when ``folds`` is set.
        valid: Share of the remaining groups used for early stopping.
        folds: Number of folds; 0 for a single split.
        fold: Which fold is the test set, 0 .. folds - 1.
        seed: Another seed gives another division.
        healpix_nside: By healpix: resolution of the parts, a power of 2; 16 is 3.7 degrees.
        leak_arcsec: Objects of different sides that are closer than that are taken for one object under two ids,
            which is an error; 0 for no such check.
    """

    by: str = "group"
    test: float = 0.2
    valid: float = 0.1
    folds: int = 0
    fold: int = 0
    seed: int = 0
    healpix_nside: int = 16
    leak_arcsec: float = 0.5


@dataclass(frozen=True)
class Optimizer:
    """How weights follow gradients.

    Args:
        name: The algorithm.
        learning_rate: Peak learning rate.
        weight_decay: Decoupled for AdamW, L2 for Adam and SGD.
        clip_norm: Largest norm of the gradient; 0 for no clipping.
    """

    name: Literal["adamw", "adam", "sgd"] = "adamw"
    learning_rate: float = 1e-3
    weight_decay: float = 0.01
    clip_norm: float = 1.0


@dataclass(frozen=True)
class Schedule:
    """How the learning rate changes.

    Args:
        name: "cosine" (per step, to zero at the end), "plateau" (per epoch, on the validation value) or "constant".
        warmup_steps: Optimizer steps of linear warm-up, with any schedule.
        factor: Plateau: what the learning rate is multiplied with.
        patience: Plateau: epochs without improvement before that.
    """

    name: Literal["cosine", "plateau", "constant"] = "cosine"
    warmup_steps: int = 0
    factor: float = 0.5
    patience: int = 5


@dataclass(frozen=True)
class Hardware:
    """Where and how the numbers are computed.

    Args:
        device: "auto" (CUDA, else MPS, else CPU) or a torch device such as "cpu" or "cuda:1".
        precision: "auto" is bfloat16 where the processor multiplies it natively, else float32.
        num_workers: Processes that load data.
        threads: Processor threads of a training; 0 for what torch chooses. Small networks on a machine that is not
            theirs alone are fastest with 1, because two threads wait for each other.
        checkpoint_seconds: Time between two checkpoints of a training; 0 for one after each step.
    """

    device: str = "auto"
    precision: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    num_workers: int = 0
    threads: int = 0
    checkpoint_seconds: float = 60.0


@dataclass(frozen=True)
class Training:
    """One training run.

    Args:
        epochs: Passes over the training objects.
        batch_size: Objects per batch, over all processes.
        accumulate: Batches per optimizer step.
        early_stopping: Epochs without improvement of the validation value before stopping; 0 for never.
        optimizer: See `Optimizer`.
        schedule: See `Schedule`.
        hardware: See `Hardware`.
        seed: Of weights, order, dropout and augmentation.
    """

    epochs: int = 50
    batch_size: int = 256
    accumulate: int = 1
    early_stopping: int = 0
    optimizer: Optimizer = field(default_factory=Optimizer)
    schedule: Schedule = field(default_factory=Schedule)
    hardware: Hardware = field(default_factory=Hardware)
    seed: int = 0


@dataclass(frozen=True)
class Head:
    """The projection head that each modality gets where none is passed.

    Args:
        out_features: Width of the shared space.
        hidden_features: Widths of the hidden layers; empty for a linear head.
        activation: Between layers.
        dropout: Share of hidden values set to zero in training.
        standardise: Whether features (cached, or of a frozen encoder) are first centred and scaled by their mean
            and standard deviation over the training objects.
    """

    out_features: int = 128
    hidden_features: list[int] = field(default_factory=list)
    activation: Literal["gelu", "relu", "silu", "tanh"] = "gelu"
    dropout: float = 0.0
    standardise: bool = True


@dataclass(frozen=True)
class Objective:
    """What is minimised.

    Args:
        loss: "infonce" or "siglip".
        logit_scale: What cosine similarities are multiplied with (inverse temperature), at the start.
        learnable_scale: Whether each pair learns its own scale (at most 100).
        logit_bias: SigLIP's bias at the start; it is always learned.
    """

    loss: Literal["infonce", "siglip"] = "infonce"
    logit_scale: float = 15.5
    learnable_scale: bool = False
    logit_bias: float = -10.0


@dataclass(frozen=True)
class Sampling:
    """What one training batch is made of; everything drawn is a function of (seed, epoch, object).

    Args:
        one_per_group: Whether each epoch draws one row of every object, where objects have several.
        feature_noise: Gaussian noise on cached features, in standard deviations of each feature.
        feature_dropout: Share of cached feature values replaced by their mean.
        modality_dropout: Share of views left out, of objects that have more than two.
        memory_gb: Cached features up to this size are held in memory, on the device.
    """

    one_per_group: bool = False
    feature_noise: float = 0.0
    feature_dropout: float = 0.0
    modality_dropout: float = 0.0
    memory_gb: float = 4.0


@dataclass(frozen=True)
class Alignment:
    """How several modalities are brought into one space.

    Args:
        modalities: Which to align; empty for all that there are.
        pairs: Which pairs to contrast, e.g. ``[["image", "spectrum"]]``; empty for every pair.
        trainable: What is trained of each modality's encoder: "frozen" (the default: only the head learns),
            "last:2" (also its last two blocks) or "all".
        head: Size and shape of the projection heads, see `Head`.
        objective: The loss and its temperature, see `Objective`.
        sampling: What a batch is made of, see `Sampling`.
        augmentations: Augmentation of each modality's raw views (``class_path``, ``init_args``, or the object).
        members: Models trained with different seeds, whose unit vectors are concatenated. They differ in the heads'
            starting weights, order, dropout and augmentation; encoders start from the same weights in all of them.
    """

    modalities: list[str] = field(default_factory=list)
    pairs: list[list[str]] = field(default_factory=list)
    trainable: dict[str, str] = field(default_factory=dict)
    head: Head = field(default_factory=Head)
    objective: Objective = field(default_factory=Objective)
    sampling: Sampling = field(default_factory=Sampling)
    augmentations: dict[str, dict[str, Any]] = field(default_factory=dict)
    members: int = 1


@dataclass(frozen=True)
class Motion:
    """Proper motions between the years in which surveys looked.

    Args:
        epoch: Julian year at which positions are compared: sources with the labels pmra, pmdec (mas per year, as in
            Gaia's tables) and ref_epoch are moved there. Best the year of the sources that have no proper motions.
        epochs: Julian year of the coordinates of a source that has no label ref_epoch, ``{"gaia": 2016.0}``.
    """

    epoch: float = 2016.0
    epochs: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Matching:
    """How the observations of several sources become the rows of one dataset.

    Args:
        by: "id" (observations that share a group, by default their object id, are one object) or "position"
            (mutual nearest neighbours on the sphere, of every two sources, the closest first, never two observations
            of one source; of a catalogue of labels, every row takes its nearest).
        radius_arcsec: Largest separation of a match, and of the members of a group by position.
        radii: Largest separation in arcsec for some pairs of sources, ``{"image-spectrum": 1.5}``.
        motion: Of positions before they are compared, see `Motion`.
        group: What keeps rows together in a split: "id" (the object), "position" (objects linked by separations
            below the radius) or the name of a label; "" is the same as `by`.
        rows: Modality of which every observation makes a row, all with the object's group; "" for one row per object.
        repeats: Modality to the observation that is kept where an object has several: "first", "highest_snr",
            "highest LABEL", "lowest LABEL" or "nearest LABEL to LABEL", e.g. "nearest mjd to maxdate".
        require: Modalities without which an object is left out (counted and listed).
    """

    by: Literal["id", "position"] = "id"
    radius_arcsec: float = 1.0
    radii: dict[str, float] = field(default_factory=dict)
    motion: Motion = field(default_factory=Motion)
    group: str = ""
    rows: str = ""
    repeats: dict[str, str] = field(default_factory=dict)
    require: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Reading:
    """How survey files are read.

    Args:
        workers: Processes; 0 for one per core.
        strict: Whether a file that cannot be used is an error; else it is left out, counted and listed.
        dry_run: Whether to read a few files of each source only, say what was found and would be done, and write
            nothing.
        where: Condition on the labels that rows have to meet, "zwarning == 0 and z < 0.5", in the language of
            `pandas.DataFrame.query`; others are left out, counted and listed. All rows by default.
    """

    workers: int = 0
    strict: bool = False
    dry_run: bool = False
    where: str = ""


@dataclass(frozen=True)
class Cutouts:
    """Which cutouts are fetched.

    Args:
        size: Height and width in pixels.
        pixel_scale_arcsec: Size of a pixel.
        bands: Which bands, "griz" or "g,r,z".
        ivar: Whether the inverse variances come along, in a second HDU.
    """

    size: int = 160
    pixel_scale_arcsec: float = 0.262
    bands: str = "griz"
    ivar: bool = False


@dataclass(frozen=True)
class Downloading:
    """How gently and how persistently files are downloaded.

    Args:
        connections: Downloads at the same time.
        interval_seconds: Pause between the beginnings of two requests to the same host.
        retries: Further attempts where one fails in a way that may pass.
        backoff_seconds: Pause before the first of them; each further one doubles, and varies by half.
        longest_wait_seconds: Longest pause; a server that asks for a longer one counts as failed.
        timeout_seconds: How long to wait for a connection, and for the next piece of an answer.
        largest_mb: Largest file that is accepted.
        give_up: Downloads that fail in a row before a host is left alone for the rest of the run.
    """

    connections: int = 4
    interval_seconds: float = 0.2
    retries: int = 4
    backoff_seconds: float = 1.0
    longest_wait_seconds: float = 300.0
    timeout_seconds: float = 60.0
    largest_mb: float = 4000.0
    give_up: int = 20


@dataclass(frozen=True)
class Services:
    """Where images and spectra are fetched; a mirror has another address.

    Args:
        legacysurvey: The viewer of the Legacy Surveys, with its cutout service.
        sdss: The Science Archive Server of SDSS: files.
        skyserver: The SkyServer of SDSS: which spectrum is where.
        sdss_release: Number of the data release.
        sparcl: The SPARCL server of NOIRLab: spectra of DESI.
        desi_release: Name of the data set there.
    """

    legacysurvey: str = "https://www.legacysurvey.org/viewer"
    sdss: str = "https://data.sdss.org/sas"
    skyserver: str = "https://skyserver.sdss.org"
    sdss_release: int = 17
    sparcl: str = "https://astrosparcl.datalab.noirlab.edu"
    desi_release: str = "DESI-DR1"


@dataclass(frozen=True)
class Observing:
    """Which galaxies a mock survey takes, and their cutouts.

    Args:
        bright_limit: Apparent r magnitude (AB, without the dust of our Galaxy) of the brightest galaxies.
        faint_limit: That of the faintest, 14 to 21; 17.77 for the main galaxy sample of SDSS.
        size: Pixels of 0.262 arcsec along the side of a cutout; even, at least 32.
        artifacts: Share of the cutouts with a satellite trail, a saturated star, a cosmic ray or bad columns.
    """

    bright_limit: float = 12.0
    faint_limit: float = 19.9
    size: int = 64
    artifacts: float = 0.04
