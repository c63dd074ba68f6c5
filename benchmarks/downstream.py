"""Neighbours, maps and clusters: the kit against the plain library call, in one run.

Unit vectors of 20 groups that lie on curved sheets in 128 dimensions, so that there is something to find. Both ways of
a task run one after the other in one process; where they must give the same answer, it is compared. Seconds are by the
clock; the ratio is of the processor's time as well, which another load on the machine hardly touches.

    python benchmarks/downstream.py [--sizes 20000 200000] [--tasks knn umap hdbscan silhouette kmeans] [--slow]

Plain calls whose time grows with the square of the size are left out above 50,000 objects unless `--slow` is given;
sklearn's silhouettes are then of one division of the eleven, and so are the kit's, so that the run ends in time.
"""

from __future__ import annotations

import argparse
import os
import resource
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

DIMENSIONS = 128
K = 16
PLAIN_BELOW = 50_000
Way = Callable[[], Any]
Task = tuple[str, Way, str, Way, Callable[[Any, Any], str]]


def vectors(rows: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors [N, 128] of 20 groups, and the group of each."""
    group = rng.integers(0, 20, rows)
    centres, sheets = rng.normal(size=(20, DIMENSIONS)), rng.normal(size=(20, 4, DIMENSIONS))
    inside = rng.uniform(-1, 1, size=(rows, 4))
    z = np.empty((rows, DIMENSIONS), np.float32)
    for one in range(20):
        at = group == one
        z[at] = 1.5 * centres[one] + np.sin(2 * inside[at] @ sheets[one])
    z += rng.normal(size=z.shape, scale=0.3)
    return z / np.linalg.norm(z, axis=1, keepdims=True), group


def neighbours(z: np.ndarray, _: np.ndarray) -> Task:
    from sklearn.neighbors import NearestNeighbors

    from astroclip_kit.downstream.projection import exact_neighbours

    def plain() -> np.ndarray:
        return NearestNeighbors(n_neighbors=K, algorithm="brute", metric="cosine").fit(z).kneighbors(z)[1]

    def same(one: Any, two: Any) -> str:
        return f"{(np.sort(one[0], 1) == np.sort(two, 1)).mean():.4%} the same"

    return f"{K} neighbours of all", lambda: exact_neighbours(z, K), "sklearn, brute force", plain, same


def umap(z: np.ndarray, group: np.ndarray) -> Task:
    from sklearn.neighbors import KNeighborsClassifier
    from umap import UMAP

    from astroclip_kit.downstream.projection import UMAPMap

    def share(places: np.ndarray) -> float:
        some = np.random.default_rng(0).permutation(len(places))[:4000]
        found = KNeighborsClassifier(10).fit(places[some[2000:]], group[some[2000:]])
        return float(found.score(places[some[:2000]], group[some[:2000]]))

    def both(one: Any, two: Any) -> str:
        return f"group by 10 neighbours on the map {share(one[1]):.3f}, {share(two):.3f}"

    def plain() -> np.ndarray:
        return UMAP(metric="cosine", random_state=0).fit(z).embedding_

    return "UMAP", lambda: UMAPMap.fit(z, seed=0), "umap-learn, same seed", plain, both


def free_umap(z: np.ndarray, group: np.ndarray) -> Task:
    from umap import UMAP

    name, own, _, _, both = umap(z, group)
    return name, own, "umap-learn, no seed", lambda: UMAP(metric="cosine").fit(z).embedding_, both


def hdbscan(z: np.ndarray, group: np.ndarray) -> Task:
    from hdbscan import HDBSCAN as DualTrees
    from sklearn.cluster import HDBSCAN
    from sklearn.decomposition import PCA
    from sklearn.metrics import adjusted_rand_score

    from astroclip_kit.downstream.clustering import CORE

    places = PCA(2).fit_transform(z).astype(np.float64)
    size = len(z) // 100

    def both(one: Any, two: Any) -> str:
        return f"agree with each other: ARI {adjusted_rand_score(one, two):.3f}"

    def plain() -> np.ndarray:
        return HDBSCAN(min_cluster_size=size, min_samples=CORE, copy=True).fit(places).labels_

    def own() -> np.ndarray:
        return DualTrees(size, min_samples=CORE, core_dist_n_jobs=1).fit(places).labels_

    return "HDBSCAN on a map", own, "sklearn", plain, both


def silhouette(z: np.ndarray, group: np.ndarray) -> Task:
    from sklearn.metrics import silhouette_score

    from astroclip_kit.downstream.silhouette import silhouettes

    divisions = [group % k for k in range(2, 13)][: 11 if len(z) <= PLAIN_BELOW else 1]

    def plain() -> list[float]:
        return [float(silhouette_score(z, one)) for one in divisions]

    def same(one: Any, two: Any) -> str:
        return f"differ by at most {max(abs(a.value - b) for a, b in zip(one, two, strict=True)):.5f}"

    return f"silhouettes, {len(divisions)} division(s)", lambda: silhouettes(z, divisions), "sklearn", plain, same


def kmeans(z: np.ndarray, _: np.ndarray) -> Task:
    from sklearn.cluster import KMeans, MiniBatchKMeans

    def mini() -> float:
        return float(MiniBatchKMeans(12, n_init=4, random_state=0, batch_size=8192).fit(z).inertia_)

    def both(one: float, two: float) -> str:
        return f"inertia {one / two:.4f} times"

    def full() -> float:
        return float(KMeans(12, n_init=4, random_state=0).fit(z).inertia_)

    return "k-means, 12 clusters", mini, "full (the kit's to 50,000)", full, both


TASKS = {
    "knn": (neighbours, True),  # and whether the plain call's time grows with the square of the size
    "umap": (umap, False),
    "free_umap": (free_umap, False),
    "hdbscan": (hdbscan, True),
    "silhouette": (silhouette, True),
    "kmeans": (kmeans, False),
}


def timed(way: Way) -> tuple[float, float, Any]:
    start, worked = time.perf_counter(), time.process_time()
    found = way()
    return time.perf_counter() - start, time.process_time() - worked, found


def lines(name: str, z: np.ndarray, group: np.ndarray, slow: bool) -> Iterator[str]:
    make, square = TASKS[name]
    task, own, other, plain, compare = make(z, group)
    seconds, work, found = timed(own)
    head = f"{task:28}{len(z):>9,}{seconds:>8.1f}{work:>8.1f}"
    if square and len(z) > PLAIN_BELOW and not slow:
        yield f"{head}{'':>32}  {other}: left out"
        return
    others, works, reference = timed(plain)
    ratios = f"{others / seconds:>7.1f}x{works / work:>7.1f}x"
    yield f"{head}{others:>8.1f}{works:>8.1f}{ratios}  {other}; {compare(found, reference)}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[20_000, 200_000])
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=list(TASKS))
    parser.add_argument("--slow", action="store_true")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    if any("umap" in task for task in options.tasks):
        from umap import UMAP

        UMAP(random_state=0).fit(np.random.default_rng(0).normal(size=(5000, 8)))  # compiled before the clock starts
    threads = os.environ.get("OMP_NUM_THREADS", "all")
    print(f"{DIMENSIONS} dimensions, {os.cpu_count()} cores, OMP_NUM_THREADS {threads}, load {os.getloadavg()[0]:.1f}")
    print(f"{'':37}{'kit, seconds':>16}{'plain, seconds':>16}{'plain / kit':>16}")
    print(f"{'':28}{'objects':>9}{'clock     cpu':>16}{'clock     cpu':>16}{'clock     cpu':>16}")
    for size in options.sizes:
        z, group = vectors(size, np.random.default_rng(0))
        for task in options.tasks:
            for line in lines(task, z, group, options.slow):
                print(line, flush=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"largest memory of the process: {peak:.1f} GB")


if __name__ == "__main__":
    main()
