"""Search: `ExactIndex` against a plain float32 product with top-k in torch and faiss's exact index, and `FaissIndex`.

Unit vectors in a shared space of fewer hidden dimensions (half as many by default), with queries that are noisy copies
of rows (as an image asks for its own spectrum). The first three must give the same neighbours; of `FaissIndex` the
share of the exact neighbours that it finds is printed. Times are the best of some repeats, and all take turns, so that
another load on the machine meets all of them.

    python benchmarks/search.py [--rows 200000] [--dimensions 128] [--queries 1000] [-k 10] [--repeats 3]
        [--latent 64] [--factories IVF447,Flat HNSW32]
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable

import faiss
import numpy as np
import torch

from astroclip_kit import ExactIndex, FaissIndex
from astroclip_kit.embeddings.faiss_index import factory_for

ALONE = 20  # queries that are asked one by one
PLAIN_QUERIES = 256  # per product: the whole matrix of products would need 0.8 GB


def unit_vectors(rows: int, mixing: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    latent, dimensions = mixing.shape
    z = rng.normal(size=(rows, latent)) @ mixing + rng.normal(size=(rows, dimensions))
    return (z / np.linalg.norm(z, axis=1, keepdims=True)).astype(np.float32)


def plain(memory: torch.Tensor, queries: torch.Tensor, k: int) -> np.ndarray:
    parts = [(part @ memory.T).topk(k).indices for part in queries.split(PLAIN_QUERIES)]
    return torch.cat(parts).numpy()


def one_by_one(index: ExactIndex | FaissIndex, queries: np.ndarray, k: int) -> np.ndarray:
    """As a user asks: each query by itself."""
    return np.concatenate([index.search(query[None], k)[1] for query in queries[:ALONE]])


def shared(found: np.ndarray, exact: np.ndarray) -> float:
    """Share of the exact neighbours that were found."""
    return float(np.mean([np.isin(one, of).mean() for one, of in zip(exact, found, strict=True)]))


def take_turns(ways: dict[str, Callable[[], np.ndarray]], repeats: int) -> dict[str, float]:
    seconds = {name: float("inf") for name in ways}
    for _ in range(repeats):
        for name, way in ways.items():
            start = time.perf_counter()
            way()
            seconds[name] = min(seconds[name], time.perf_counter() - start)
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--dimensions", type=int, default=128)
    parser.add_argument("--latent", type=int, default=0, help="hidden dimensions; half of all by default")
    parser.add_argument("--queries", type=int, default=1000)
    parser.add_argument("-k", type=int, default=10)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--factories", nargs="*", default=None, help="of FaissIndex; by default the one of the size")
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    mixing = rng.normal(size=(options.latent or options.dimensions // 2, options.dimensions))
    memory, noise = (unit_vectors(count, mixing, rng) for count in (options.rows, options.queries))
    queries = memory[rng.choice(options.rows, options.queries, replace=False)] + noise
    queries /= np.linalg.norm(queries, axis=1, keepdims=True)
    torch.set_num_threads(faiss.omp_get_max_threads())

    index, flat = ExactIndex(memory), faiss.IndexFlatIP(options.dimensions)
    flat.add(memory)
    tensors = torch.from_numpy(memory), torch.from_numpy(queries)
    ways: dict[str, Callable[[], np.ndarray]] = {
        "ExactIndex": lambda: index.search(queries, options.k)[1],
        "torch float32 matmul + topk": lambda: plain(*tensors, options.k),
        "faiss IndexFlatIP": lambda: flat.search(queries, options.k)[1],
    }
    own = ways["ExactIndex"]()
    assert min(shared(way(), own) for way in ways.values()) > 0.999, "the neighbours differ by more than rounding"
    chosen = [factory_for(options.rows) or "IVF128,Flat"] if options.factories is None else options.factories
    for factory in chosen:
        start = time.perf_counter()
        built = FaissIndex(memory, factory=factory, sample=(queries[:256], np.full(min(256, options.queries), -1)))
        print(f"{built}: built in {time.perf_counter() - start:.1f} s")
        ways[f"FaissIndex {factory}"] = lambda built=built: built.search(queries, options.k)[1]
        ways[f"FaissIndex {factory}, one by one"] = lambda built=built: one_by_one(built, queries, options.k)
    ways["ExactIndex, one by one"] = lambda: one_by_one(index, queries, options.k)
    same = {name: shared(way(), own[: len(way())]) for name, way in ways.items()}
    seconds = take_turns(ways, options.repeats)

    size = f"{options.rows} rows x {options.dimensions} ({len(mixing)} hidden)"
    print(f"{options.queries} queries, {size}, k = {options.k}, ", end="")
    print(f"{torch.get_num_threads()} threads, load {os.getloadavg()[0]:.1f}, first pass {index.passes[0]}")
    print(f"{'':36}{'seconds':>9}{'queries/s':>11}{'against ExactIndex':>20}{'same answers':>14}")
    for name, value in seconds.items():
        count = ALONE if name.endswith("one by one") else options.queries
        rate, base = count / value, options.queries / seconds["ExactIndex"]
        if count == ALONE:
            base = ALONE / seconds["ExactIndex, one by one"]
        print(f"{name:36}{value:9.2f}{rate:11.0f}{f'{rate / base:.2f} x as fast':>20}{same[name]:14.2%}")


if __name__ == "__main__":
    main()
