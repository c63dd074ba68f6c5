"""The explorer in a headless Chromium without a graphics card: from the opening of a page to an answer on it.

A store of mock objects in twelve groups is made in a temporary folder: up to 5,000,000 by `EmbeddingStore.write`, more
in the same layout part by part, with a map beside it as `project` writes it (but for the map's own copy of the ids,
which the page does not read: it has them of the store). Then a server in this process and a browser: seconds from
asking for the page until it is idle and its map is drawn, from the end of a real lasso gesture until the page has the
selection, and from the last turn of the wheel until the new picture. What the lasso took is compared with matplotlib's
answer for 200,000 objects. With `--plain` also the
plain way: a Bokeh figure with a WebGL point for each object, and a lasso on it.

    python benchmarks/explorer.py [--rows 1000000] [--dimensions 64] [--plain 100000]
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from bokeh.embed import file_html
from bokeh.plotting import figure
from bokeh.resources import INLINE
from matplotlib.path import Path as Outline
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains

from astroclip_kit import EmbeddingStore
from astroclip_kit.explorer.server import Server
from astroclip_kit.explorer.space import Space
from astroclip_kit.storage import write_manifest

WHOLE = 5_000_000  # rows that are written in one go
PART = 1_000_000
FLAGS = "--headless --no-sandbox --disable-gpu --enable-unsafe-swiftshader --disable-dev-shm-usage"
GESTURE = [(0.3, 0.3), (0.4, 0.26), (0.5, 0.25), (0.6, 0.28), (0.62, 0.4), (0.6, 0.6), (0.45, 0.65), (0.32, 0.5)]
IDLE = "return window.Bokeh?.documents[0]?.is_idle"
PATIENCE = 600


def parts(rows: int, dimensions: int) -> Iterator[tuple[int, dict[str, np.ndarray]]]:
    """Objects from a first row on: unit vectors, places on a map, and columns."""
    rng = np.random.default_rng(0)
    centres, towns = rng.normal(size=(12, dimensions)), rng.normal(scale=4, size=(12, 2))
    for first in range(0, rows, PART):
        count = min(PART, rows - first)
        group = rng.integers(0, 12, count)
        z = (centres[group] + 0.4 * rng.normal(size=(count, dimensions))).astype(np.float32)
        ids = np.char.add("o", np.char.zfill(np.arange(first, first + count).astype(str), 9))
        yield (
            first,
            {
                "image": z / np.linalg.norm(z, axis=1, keepdims=True),
                "place": (towns[group] + rng.normal(size=(count, 2))).astype(np.float32),
                "object_id": ids,
                "group": ids,
                "ra": rng.uniform(0, 360, count),
                "dec": np.degrees(np.arcsin(rng.uniform(-1, 1, count))),
                "split": np.full(count, ""),
                "z": np.where(rng.random(count) < 0.01, np.nan, rng.gamma(2, 0.2, count)),
                "class": np.array(list("ABCDEFGHIJKL"))[group],
            },
        )


def write(root: Path, rows: int, dimensions: int) -> EmbeddingStore:
    """The store, with a map beside it where it is written part by part."""
    if rows <= WHOLE:
        found = [part for _, part in parts(rows, dimensions)]
        whole = {name: np.concatenate([part[name] for part in found]) for name in found[0]}
        catalog = {name: whole[name] for name in ("ra", "dec")}
        labels = {name: whole[name] for name in ("z", "class")}
        return EmbeddingStore.write(
            root,
            {"image": whole["image"]},
            whole["object_id"],
            catalog=catalog,
            labels=labels,
            values={"origin": "mock"},
        )
    folder = root.with_name("umap")
    for one in (root, folder):
        one.mkdir()
    opened = np.lib.format.open_memmap
    image = opened(root / "image.npy", "w+", np.float32, (rows, dimensions))
    place = opened(folder / "coordinates.npy", "w+", np.float32, (rows, 2))
    catalogue = None
    for first, part in parts(rows, dimensions):
        image[first : first + PART], place[first : first + PART] = part.pop("image"), part.pop("place")
        table = pa.table(part)
        catalogue = catalogue or pq.ParquetWriter(root / "catalog.parquet", table.schema)
        catalogue.write_table(table)
    catalogue.close()
    np.save(root / "presence.npy", np.ones((rows, 1), dtype=bool))
    about = {"dataset": "", "origin": "mock", "seed": 0, "content": "parts", "out_features": dimensions}
    write_manifest(root, "embeddings", {**about, "modalities": ["image"], "count": rows})
    write_manifest(folder, "projection", {**about, "method": "umap", "modality": "image", "count": rows})
    return EmbeddingStore(root)


def chromium(profile: Path) -> webdriver.Chrome:
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or "chromium"
    for flag in (*FLAGS.split(), f"--user-data-dir={profile}", "--window-size=1280,810"):
        options.add_argument(flag)
    return webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"waited {PATIENCE} s in vain"
        time.sleep(0.02)


class Map:
    """A figure called "map" on a page."""

    def __init__(self, driver: webdriver.Chrome, address: str, drawn: Callable[[Map], bool]) -> None:
        self.driver, start = driver, time.perf_counter()
        driver.get(address)
        until(lambda: driver.execute_script(IDLE))
        self.idle = time.perf_counter() - start
        until(lambda: drawn(self) and driver.execute_script(IDLE))
        self.drawn = time.perf_counter() - start

    def value(self, name: str, path: str) -> object:
        code = """const model = Bokeh.documents[0].get_model_by_name(arguments[0])
                  return arguments[1].split(".").reduce((at, key) => at?.[key], model)"""
        return self.driver.execute_script(code, name, path)

    def box(self) -> tuple[float, float, float, float]:
        code = """const plot = Bokeh.index.find_one(Bokeh.documents[0].get_model_by_name("map"))
                  const at = plot.canvas_view.el.getBoundingClientRect(), frame = plot.frame.bbox
                  return [at.x + frame.left, at.y + frame.top, frame.width, frame.height]"""
        return tuple(self.driver.execute_script(code))

    def lasso(self) -> float:
        """Draws around some objects; seconds of the gesture."""
        x, y, width, height = self.box()
        does = ActionChains(self.driver, duration=20)
        pointer = does.w3c_actions.pointer_action
        for number, (across, down) in enumerate(GESTURE):
            pointer.move_to_location(round(x + across * width), round(y + down * height))
            if not number:
                pointer.pointer_down()
        pointer.pointer_up()
        start = time.perf_counter()
        does.perform()
        self.driver.execute_script("return 1")
        return time.perf_counter() - start

    def wheel(self) -> None:
        x, y, width, height = self.box()
        for _ in range(3):
            turn = {"type": "mouseWheel", "x": x + width / 2, "y": y + height / 2, "deltaX": 0, "deltaY": -240}
            self.driver.execute_cdp_cmd("Input.dispatchMouseEvent", turn)


def memory() -> str:
    own = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("RssAnon"))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return f"own memory of the server {int(own.split()[1]) / 2**20:.1f} GB, at most {peak:.1f} GB with what is mapped"


def measure(driver: webdriver.Chrome, store: EmbeddingStore) -> None:
    server = Server(Space.open(store))
    try:
        page = Map(driver, server.address, lambda one: "in view" in str(one.value("map_status", "text")))
        print(f"page idle                       {page.idle:8.2f} s")
        print(f"map drawn                       {page.drawn:8.2f} s   of the first page, as the server starts")
        again = Map(driver, server.address, lambda one: "in view" in str(one.value("map_status", "text")))
        print(f"map drawn                       {again.drawn:8.2f} s   of the next page")
        session = server.sessions[-1]
        frame = [again.value("map", f"{axis}_range.{end}") for axis in "xy" for end in ("start", "end")]
        gesture = again.lasso()
        start = time.perf_counter()
        until(lambda: again.value("clear", "visible"))
        print(f"lasso: gesture                  {gesture:8.2f} s")
        seconds, count = time.perf_counter() - start, int(session.selection.sum())
        print(f"lasso: answer                   {seconds:8.2f} s   {count:,} objects")
        check(session, frame)
        picture = "return Bokeh.documents[0].get_model_by_name('picture').data.x[0]"
        time.sleep(5 + len(store) / 5e6)  # until the panels have compared the selection
        before = driver.execute_script(picture)
        again.wheel()
        start = time.perf_counter()
        until(lambda: driver.execute_script(picture) not in (None, before))
        print(f"zoom: new picture               {time.perf_counter() - start:8.2f} s")
        print(memory())
    finally:
        driver.get("about:blank")
        server.close()


def check(session: object, frame: list[float]) -> None:
    """Makes sure that the lasso took what matplotlib takes, of objects far enough from the pixels of its outline."""
    x0, x1, y0, y1 = frame
    corners = [(x0 + across * (x1 - x0), y1 - down * (y1 - y0)) for across, down in GESTURE]
    plane = session.space.planes.open(session.space.planes.default, session.columns)
    rows = np.arange(0, len(plane), max(1, len(plane) // 200_000))
    expected = Outline([*corners, corners[0]]).contains_points(np.stack(plane.at(rows), axis=1))
    share = (expected == session.selection[rows]).mean()
    assert share > 0.99 and expected.any(), f"the lasso took others: only {share:.4f} agree"


def plain(driver: webdriver.Chrome, folder: Path, count: int) -> None:
    """The plain way: every object is a point of a Bokeh figure."""
    xy = np.concatenate([part["place"] for _, part in parts(count, 2)])
    plot = figure(name="map", tools="lasso_select", output_backend="webgl", width=780, height=560)
    plot.scatter(xy[:, 0], xy[:, 1], size=3, name="points")
    (folder / "plain.html").write_text(file_html(plot, INLINE))
    page = Map(driver, f"file://{folder}/plain.html", lambda one: True)
    start = time.perf_counter()
    page.lasso()
    chosen = "return Bokeh.documents[0].get_model_by_name('points').data_source.selected.indices.length"
    until(lambda: driver.execute_script(chosen))
    answer = time.perf_counter() - start
    print(f"the plain way, {count:,} points: drawn {page.drawn:.2f} s, lasso with its gesture {answer:.2f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--dimensions", type=int, default=64)
    parser.add_argument("--plain", type=int, default=0, help="points of the plain way; none by default")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        free, needed = shutil.disk_usage(folder).free, options.rows * (4 * options.dimensions + 60)
        assert free > 1.2 * needed, f"{needed / 2**30:.0f} GB are needed in {folder}, {free / 2**30:.0f} GB are free"
        start = time.perf_counter()
        store = write(folder / "embeddings", options.rows, options.dimensions)
        print(f"{options.rows:,} objects x {options.dimensions}, written in {time.perf_counter() - start:.0f} s, "
              f"load {os.getloadavg()[0]:.1f}")  # fmt: skip
        driver = chromium(folder / "profile")
        try:
            measure(driver, store)
            if options.plain:
                plain(driver, folder, options.plain)
        finally:
            driver.quit()


if __name__ == "__main__":
    main()
