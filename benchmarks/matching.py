"""Matching two catalogues: `crossmatch.match` against astropy both ways, and against astropy one way within pixels.

A random sky, of which the second catalogue has three quarters, moved by about a third of an arcsec, and in another
order. The first two ways must give the same pairs. The third is how catalogues that are stored by HEALPix pixel are
often joined: the nearest neighbour of one side only, thrown away where its pixel is another; it loses the pairs across
a border and gives some entries two partners. The ways take turns, so that another load meets all of them. Then three
catalogues at once (`linking.link`), for which astropy has no function; all that `ingest` does between reading and
writing (`objects.plan`: three sources, ten labels each, by position); and the labels of one of them alone, against the
plain way. CPU seconds are those of all threads.

    python benchmarks/matching.py [--rows 1000000] [--catalogues-of 300000] [--radius 1.0] [--repeats 1]
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import time
from collections.abc import Callable

import numpy as np
import pandas as pd
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy_healpix import HEALPix

from astroclip_kit.data import crossmatch, labels, linking, objects
from astroclip_kit.settings import Matching

Sky = tuple[np.ndarray, np.ndarray]
NSIDE = 16


def random_sky(rows: int, rng: np.random.Generator) -> Sky:
    return rng.uniform(0, 360, rows), np.degrees(np.arcsin(rng.uniform(-1, 1, rows)))


def seen_again(sky: Sky, share: float, sigma_arcsec: float, rng: np.random.Generator) -> Sky:
    """Some of the positions in random order, each with an error."""
    which = rng.permutation(len(sky[0]))[: int(share * len(sky[0]))]
    ra, dec = sky[0][which], sky[1][which]
    east, north = rng.normal(0, sigma_arcsec / 3600, (2, len(which)))
    inside = np.abs(dec) < 89.99  # the few others stay where they are
    return (ra + inside * east / np.cos(np.radians(dec))) % 360, dec + inside * north


def by_kit(one: Sky, two: Sky, radius: float) -> np.ndarray:
    found = crossmatch.match(*one, *two, radius)
    return np.stack([found.first, found.second], axis=1)


def by_astropy(one: Sky, two: Sky, radius: float) -> np.ndarray:
    left, right = (SkyCoord(ra * u.deg, dec * u.deg) for ra, dec in (one, two))
    there, separation, _ = left.match_to_catalog_sky(right)
    back, _, _ = right.match_to_catalog_sky(left)
    first = np.flatnonzero((back[there] == np.arange(len(left))) & (separation.arcsec <= radius))
    return np.stack([first, there[first]], axis=1)


def one_way_within_pixels(one: Sky, two: Sky, radius: float) -> np.ndarray:
    left, right = (SkyCoord(ra * u.deg, dec * u.deg) for ra, dec in (one, two))
    there, separation, _ = left.match_to_catalog_sky(right)
    grid = HEALPix(NSIDE, order="nested")
    pixel, other = (grid.lonlat_to_healpix(sky.ra, sky.dec) for sky in (left, right))
    first = np.flatnonzero((separation.arcsec <= radius) & (pixel == other[there]))
    return np.stack([first, there[first]], axis=1)


def compare(one: Sky, two: Sky, radius: float, repeats: int) -> None:
    ways: dict[str, Callable[[Sky, Sky, float], np.ndarray]] = {
        "crossmatch.match": by_kit,
        "astropy, both ways": by_astropy,
        "astropy, one way, within pixels": one_way_within_pixels,
    }
    seconds, pairs = dict.fromkeys(ways, float("inf")), {}
    for _ in range(repeats):
        for name, way in ways.items():
            start = time.perf_counter()
            pairs[name] = way(one, two, radius)
            seconds[name] = min(seconds[name], time.perf_counter() - start)
    print(f"{len(one[0])} against {len(two[0])} positions, radius {radius:g} arcsec, load {os.getloadavg()[0]:.1f}")
    print(f"{'':32} {'seconds':>8} {'the kit is':>18} {'pairs':>8} {'of those lost':>14} {'twice':>6}")
    kit = {tuple(pair) for pair in pairs["crossmatch.match"].tolist()}
    for name, found in pairs.items():
        ratio = seconds[name] / seconds["crossmatch.match"]
        lost = len(kit - {tuple(pair) for pair in found.tolist()})
        twice = len(found) - len(np.unique(found[:, 1]))
        print(f"{name:32} {seconds[name]:8.2f} {ratio:9.1f} x as fast {len(found):8d} {lost:14d} {twice:6d}")
    assert kit == {tuple(pair) for pair in pairs["astropy, both ways"].tolist()}


def three_at_once(rows: int, radius: float, rng: np.random.Generator) -> None:
    sky = random_sky(rows, rng)
    skies = {"image": sky, "spectrum": seen_again(sky, 1.0, 0.2, rng), "lightcurve": seen_again(sky, 1.0, 0.2, rng)}
    tables = {
        name: pd.DataFrame({"ra": ra, "dec": dec, "object_id": np.arange(rows).astype(str)})
        for name, (ra, dec) in skies.items()
    }
    start = time.perf_counter()
    found = linking.link(tables, radius)
    seconds = time.perf_counter() - start
    sizes = np.bincount(np.concatenate(list(found.objects.values())))
    print(f"\n3 catalogues of {rows} positions at once: {seconds:.2f} s, {(sizes == 3).sum()} objects in all three")
    assert sizes.max() == 3


def observations(name: str, sky: Sky, rng: np.random.Generator) -> pd.DataFrame:
    """What a source gives, with nine numbers and a class as labels."""
    count = len(sky[0])
    numbers = rng.normal(size=(count, 9)).tolist()
    classes = rng.choice(["GALAXY", "QSO", "STAR"], count).tolist()
    names = ["z", *(f"{name}{i}" for i in range(8))]
    rows = [dict(zip(names, row, strict=True)) for row in numbers]
    texts = [json.dumps({**row, "class": kind}) for row, kind in zip(rows, classes, strict=True)]
    ids = [f"{name}{i}" for i in range(count)]
    columns = {"object_id": ids, "group": ids, "ra": sky[0], "dec": sky[1], "labels": texts, "snr": np.nan}
    return pd.DataFrame(columns)


def whole_plan(rows: int, rng: np.random.Generator) -> None:
    sky = random_sky(rows, rng)
    names = ("image", "spectrum", "catalogue")
    sources = {name: observations(name, seen_again(sky, 1.0, 0.2, rng), rng) for name in names}
    before, cpu, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time(), time.perf_counter()
    made = objects.plan(sources, names[:2], Matching(by="position"))
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    more = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 2**20
    print(f"\nobjects.plan, {len(names)} sources of {rows}: {seconds:.1f} s, {cpu:.1f} CPU seconds, {more:.1f} GB more")
    print(f"{len(made.catalogue)} rows, {len(made.labels)} columns of labels, load {os.getloadavg()[0]:.1f}")
    texts, seconds = sources["image"]["labels"], []
    for way in (labels.parse, lambda texts: pd.DataFrame.from_records([json.loads(text) for text in texts])):
        start = time.perf_counter()
        way(texts)
        seconds.append(time.perf_counter() - start)
    print(f"labels of one source: {seconds[0]:.1f} s, {seconds[1] / seconds[0]:.1f} times as fast as json and pandas")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--catalogues-of", type=int, default=300_000)
    parser.add_argument("--radius", type=float, default=1.0)
    parser.add_argument("--repeats", type=int, default=1)
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    one = random_sky(options.rows, rng)
    other = random_sky(options.rows // 4, rng)
    again = seen_again(one, 0.75, 0.3, rng)
    two = (np.concatenate([again[0], other[0]]), np.concatenate([again[1], other[1]]))
    compare(one, two, options.radius, options.repeats)
    three_at_once(options.catalogues_of, options.radius, rng)
    whole_plan(options.rows, rng)


if __name__ == "__main__":
    main()
