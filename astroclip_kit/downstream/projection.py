"""Maps of a space: two coordinates per vector, by principal components or by UMAP.

A fitted map is a frozen bundle of arrays with `transform`, so it is saved without pickle, and opened again it places
the same vector at the same point. Where a vector falls does not depend on which others are asked about together.

Sources: McInnes, Healy & Melville 2018, arXiv:1802.03426 (UMAP; umap-learn).
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import InputError

__all__ = ["METHODS", "PCAMap", "UMAPMap", "exact_neighbours"]

Floats = npt.NDArray[np.float32]
EPOCHS = 100  # in which a new vector is drawn to its neighbours' places; umap-learn takes as many for small batches
REPULSION = 5  # places that push it away for each that attracts it, as umap-learn
BLOCK = 20_000  # new vectors at once


def _checked(vectors: npt.ArrayLike, dimensions: int = 0) -> Floats:
    z = np.ascontiguousarray(vectors, dtype=np.float32)
    if z.ndim != 2 or not z.size or (dimensions and z.shape[1] != dimensions):
        wanted = f"[N, {dimensions}]" if dimensions else "[N, D]"
        raise InputError(f"vectors: expected a matrix {wanted} that is not empty, found shape {z.shape}.")
    if not np.isfinite(z).all():
        raise InputError("vectors: found NaN or infinity. Leave out the objects that lack the modality.")
    return z


def exact_neighbours(vectors: npt.ArrayLike, k: int) -> tuple[npt.NDArray[np.int32], Floats]:
    """Each vector itself and its k - 1 nearest others, by cosine: what UMAP takes as ``precomputed_knn``.

    Args:
        vectors: Unit vectors [N, D].
        k: Number of neighbours, the vector itself among them, as UMAP counts.

    Returns:
        Rows int32 [N, k] and cosine distances float32 [N, k]; the vector itself comes first, at distance 0.

    Raises:
        InputError: If there are fewer than k vectors, or one is not finite.

    Example:
        >>> exact_neighbours([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]], 2)[0].tolist()
        [[0, 1], [1, 0], [2, 1]]
    """
    from ..embeddings.index import ExactIndex

    z = _checked(vectors)
    if not 2 <= k <= len(z):
        raise InputError(f"neighbours: expected 2 to {len(z)} (the objects to fit on), found {k}.")
    own = np.arange(len(z))
    similarity, rows = ExactIndex(z, own).search(z, k - 1, exclude=own)
    distance = np.zeros((len(z), k), np.float32)
    np.clip(1 - similarity, 0, None, out=distance[:, 1:])
    return np.hstack([own[:, None], rows]).astype(np.int32), distance


@dataclass(frozen=True)
class PCAMap:
    """The plane of the two largest principal components.

    Args:
        mean: Mean vector float32 [D].
        components: Axes of the plane float32 [2, D].
        variance: Share of the whole variance along each axis float32 [2].

    Example:
        >>> fitted, _ = PCAMap.fit([[3.0, 0, 0], [-3, 0, 0], [0, 1, 0], [0, -1, 0]])
        >>> np.abs(fitted.transform([[6.0, 0.0, 9.0]])).round(3).tolist()
        [[6.0, 0.0]]
    """

    mean: Floats
    components: Floats
    variance: Floats

    @classmethod
    def fit(cls, vectors: npt.ArrayLike, **_: Any) -> tuple[PCAMap, Floats]:
        """The map of vectors [N, D], and where it places them [N, 2].

        Raises:
            InputError: If there are fewer than three vectors or two dimensions, or all vectors are the same.
        """
        from sklearn.decomposition import PCA

        z = _checked(vectors)
        if min(len(z) - 1, z.shape[1]) < 2:
            raise InputError(f"a map needs at least 3 objects and 2 dimensions, found {len(z)} and {z.shape[1]}.")
        if (z == z[0]).all():
            raise InputError("vectors: all are the same, so there is no map of them. The space has collapsed.")
        found = PCA(2, svd_solver="covariance_eigh").fit(z)
        arrays = (found.mean_, found.components_, found.explained_variance_ratio_)
        fitted = cls(*(np.asarray(array, dtype=np.float32) for array in arrays))
        return fitted, fitted.transform(z)

    def transform(self, vectors: npt.ArrayLike) -> Floats:
        """Places [Q, 2] of vectors [Q, D].

        Raises:
            InputError: If the dimensions differ or a vector is not finite.
        """
        places = (_checked(vectors, len(self.mean)) - self.mean) @ self.components.T
        return np.asarray(places, dtype=np.float32)


@dataclass(frozen=True)
class UMAPMap:
    """The map of UMAP by exact cosine neighbours; a new vector is drawn to the places of its nearest fitted ones.

    umap-learn's own ``transform`` scales the forces by the largest weight of a batch, so there the place of a vector
    depends on its company; here the scale is fixed.

    Args:
        vectors: Unit vectors float32 [N, D] that were fitted.
        places: Where they are float32 [N, 2].
        neighbours: How many neighbours make the graph, the vector itself among them.
        min_dist: How near to each other places may be.
        seed: Of the fit and of `transform`.
    """

    vectors: Floats
    places: Floats
    neighbours: int = 15
    min_dist: float = 0.1
    seed: int = 0

    @classmethod
    def fit(
        cls, vectors: npt.ArrayLike, *, neighbours: int = 15, min_dist: float = 0.1, seed: int = 0
    ) -> tuple[UMAPMap, Floats]:
        """The map of vectors [N, D], and where it places them [N, 2].

        The same seed gives the same map; for that umap-learn runs in a single thread, which on two cores doubles its
        time (benchmarks/downstream.py).

        Raises:
            InputError: If there are no more vectors than neighbours, all are the same, or one is not finite.
        """
        z = _checked(vectors)
        if not 2 <= neighbours < len(z):
            raise InputError(
                f"neighbours: expected 2 to {len(z) - 1} (fewer than the {len(z)} objects to fit on), found "
                f"{neighbours}. Use fewer neighbours, more objects, or method pca."
            )
        if (z == z[0]).all():
            raise InputError("vectors: all are the same, so there is no map of them. The space has collapsed.")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of one thread for a seed, and of a search index that is not needed
            import umap

            model = umap.UMAP(
                n_neighbors=neighbours,
                min_dist=min_dist,
                metric="cosine",
                precomputed_knn=exact_neighbours(z, neighbours),
                init="spectral" if len(z) > 4 * neighbours else "random",  # too few have no spectrum
                random_state=seed,
            ).fit(z)
        places = np.asarray(model.embedding_, dtype=np.float32)
        return cls(z, places, neighbours, min_dist, seed), places

    def transform(self, vectors: npt.ArrayLike) -> Floats:
        """Places [Q, 2] of vectors [Q, D].

        Raises:
            InputError: If the dimensions differ or a vector is not finite.
        """
        from ..embeddings.index import ExactIndex

        z, index = _checked(vectors, self.vectors.shape[1]), ExactIndex(self.vectors)
        return np.concatenate([self._place(z[start : start + BLOCK], index) for start in range(0, len(z), BLOCK)])

    def _place(self, z: Floats, index: Any) -> Floats:
        """One block: from the mean place of the neighbours, weighted, by the forces that made the map."""
        from umap.layouts import optimize_layout_euclidean
        from umap.umap_ import find_ab_params, smooth_knn_dist

        similarity, rows = index.search(z, self.neighbours)
        distance = np.clip(1 - similarity, 0, None)
        width, _ = smooth_knn_dist(distance, float(self.neighbours), local_connectivity=0.0)
        weight = np.exp(-distance / width[:, None])
        start = (weight[..., None] * self.places[rows]).sum(1) / weight.sum(1)[:, None]
        strong = weight * EPOCHS >= 1  # the others would not be drawn once
        heads = np.repeat(np.arange(len(z), dtype=np.int32), strong.sum(1))
        a, b = find_ab_params(1.0, self.min_dist)
        placed = optimize_layout_euclidean(
            start.astype(np.float32),
            np.array(self.places),
            heads,
            rows[strong].astype(np.int32),
            EPOCHS,
            len(self.places),
            1 / weight[strong].astype(np.float64),
            a,
            b,
            np.random.RandomState(self.seed).randint(-(2**31) + 1, 2**31 - 1, 3).astype(np.int64),
            initial_alpha=0.25,
            negative_sample_rate=REPULSION,
        )
        return np.asarray(placed, dtype=np.float32)


METHODS: dict[str, type[PCAMap] | type[UMAPMap]] = {"pca": PCAMap, "umap": UMAPMap}
