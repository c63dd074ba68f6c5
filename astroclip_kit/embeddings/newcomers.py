"""Observations that are not in a store, placed in its space by the model that made it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch

from ..errors import FolderError, InputError, UsageError
from ..features import fingerprint
from ..features.encode import FrozenEncoder
from ..models import load_model
from ..settings import Hardware
from ..storage import open_folder
from ..training.hardware import autocast, resolve_hardware
from ..types import Batch, Modality, Sample
from .embedding import model_hash
from .familiarity import familiarity, groups_of, head_inputs
from .observations import modality_of, read_observations
from .query import Query

if TYPE_CHECKING:
    from .store import EmbeddingStore

__all__ = ["Newcomers", "embed_queries"]

BATCH_SIZE = 64


@dataclass(frozen=True)
class Newcomers:
    """New observations in the space of a store.

    Args:
        name: What the model calls them: their modality, or an encoder of it.
        vectors: Unit vectors float32 [Q, D].
        samples: What was read and embedded, in the bands, pixels and unit of the model [Q].
        modality: What the model was trained on.
        skipped: Why each file or row that was left out was left out.
        familiar: How familiar each looks, as a percentile, see `Familiarity` [Q]; None where the store does not say.
    """

    name: str
    vectors: npt.NDArray[np.float32]
    samples: list[Sample]
    modality: Modality
    skipped: list[str]
    familiar: npt.NDArray[np.float64] | None = None

    @property
    def object_ids(self) -> list[str]:
        """Id of each observation, by its header or its file's name [Q]."""
        return [sample.object_id for sample in self.samples]


def embed_queries(
    store: EmbeddingStore,
    query: Query,
    name: str = "",
    *,
    encoders: Mapping[str, torch.nn.Module] | None = None,
    hardware: Hardware = Hardware(),
) -> Newcomers:
    """Reads new files and embeds them with the model that made a store.

    Args:
        store: The space.
        query: `Query.file`, and where needed its `reader`, `model` and `trusted`.
        name: The modality that the files hold; by default the only one of the kind of their survey.
        encoders: Modality to the encoder of cached features, where it is none of the kit's and could not be kept.
        hardware: Where and how.

    Returns:
        The observations with their unit vectors.

    Raises:
        FileError: If the only file, or every file, cannot be used.
        FolderError: If the model folder lacks what is needed.
        InputError: If the model did not make the store, an encoder is another one, or the observations are not what it
            was trained on.
        UsageError: If it is not known which model, modality or reader to take.
    """
    model, about = _model(store, query)
    modalities = {key: Modality.from_dict(value) for key, value in about["modalities"].items()}
    if name and name not in modalities:
        raise UsageError(f"the model has no modality {name!r}; it has {', '.join(modalities)}.")
    files = list(query.file) if isinstance(query.file, (list, tuple)) else [str(query.file)]
    name = name or modality_of(next((one for one in files if Path(one).exists()), files[0]), modalities)
    samples, skipped = read_observations(files, query.reader, modalities[name])
    encoder = None
    if name not in model.encoders:
        known = (about.get("encoders", {}).get(name) or {}).get("fingerprint")
        encoder = (encoders or {}).get(name) or _encoder(Path(model.root), name, query.trusted)
        if name in (encoders or {}) and known not in (None, fingerprint(encoder)):
            raise InputError(f"the encoder of {name} is another than the one whose features the model was trained on.")
    vectors, features = _vectors(model, name, encoder, samples, modalities[name], hardware)
    if not np.isfinite(vectors).all():
        row = int(np.flatnonzero(~np.isfinite(vectors).all(axis=1))[0])
        raise InputError(f"{samples[row].object_id}: the model gives a vector that is not finite.")
    known = familiarity(store, name)
    ids = [sample.object_id for sample in samples]
    familiar = None if known is None or features is None else known.percentile(features, groups_of(store, ids))
    return Newcomers(name, vectors, samples, modalities[name], skipped, familiar)


def _model(store: EmbeddingStore, query: Query) -> tuple[Any, Mapping[str, Any]]:
    """The model that made the store, and what its folder says."""
    model = query.model
    if not model:
        place = store.manifest.get("model_folder", "")
        model = Path(os.path.normpath(store.root.resolve() / place))
        if not place or not model.is_dir():
            raise UsageError(f"say with `model` which model folder made {store.root}: a new file must be embedded.")
    if not isinstance(model, torch.nn.Module):
        model = load_model(model, trusted=query.trusted)
    root = getattr(model, "root", None)
    about = {} if root is None else open_folder(root, "model")
    if "modalities" not in about:
        raise UsageError("the model does not say what it was trained on. Give the folder that `align` wrote.")
    made_by = store.manifest.get("model")
    if made_by not in (None, model_hash(model)) or model.out_features != store.out_features:
        raise InputError(f"{store.root} was made by another model than {root}. Embed the data again, or give that one.")
    return model, about


def _encoder(folder: Path, name: str, trusted: bool) -> torch.nn.Module:
    """The frozen encoder whose features a model was trained on."""
    if not (folder / "encoders" / name).is_dir():
        raise FolderError(
            f"{folder} does not hold the encoder of {name}, which a new file needs. Run extract, align and embed "
            f"again, or pass it in Python: embed_queries(..., encoders={{{name!r}: encoder}})."
        )
    return load_model(folder / "encoders" / name, trusted=trusted)


def _vectors(
    model: Any,
    name: str,
    encoder: torch.nn.Module | None,
    samples: list[Sample],
    modality: Modality,
    hardware: Hardware,
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float16] | None]:
    """Unit vectors [Q, D], and the features that the head was given [Q, D']; None of a model without heads."""
    device, precision = resolve_hardware(hardware)
    frozen = None if encoder is None else FrozenEncoder(encoder, modality, device, precision)
    model = model.to(device).eval()
    context = autocast(device, precision if frozen is None else "float32")
    parts, features = [], []
    with torch.inference_mode(), head_inputs(model) as given:
        for start in range(0, len(samples), BATCH_SIZE):
            x = torch.from_numpy(_stacked(samples[start : start + BATCH_SIZE], modality))
            h = x if frozen is None else torch.from_numpy(frozen(frozen.upload(x.numpy())))
            rows = {name: torch.arange(len(h))}
            with context:
                z = model.embed(Batch([], [], {name: h}, rows))[name]
            parts.append(z.float().cpu().numpy())
            features += [given[name]] if given else []
    model.cpu()
    return np.concatenate(parts), np.concatenate(features) if features else None


def _stacked(samples: list[Sample], modality: Modality) -> npt.NDArray[np.float32]:
    """Views [n, *shape]; light curves are padded at the end with NaN."""
    views = [sample.views[modality.name] for sample in samples]
    if modality.ragged:
        longest = max(len(view) for view in views)
        views = [np.pad(view, ((0, longest - len(view)), (0, 0)), constant_values=np.nan) for view in views]
    return np.stack(views)
