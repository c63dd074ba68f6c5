"""The pictures of the README: what a search finds (retrieval.png), and the explorer in a browser (explorer.png).

``python examples/readme_figures.py`` writes both beside this script, from a folder of ``astroclip-kit quickstart``
that it makes in a temporary place, in about four minutes on two cores. With two arguments it takes a folder that is
there, in seconds, and writes elsewhere: ``python examples/readme_figures.py demo pictures``. The explorer needs
chromium, chromedriver and selenium (``pip install selenium``); without them its picture is left as it is.
"""

import shutil
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image

import astroclip_kit as ak

ASKS = "9001-57000-570"  # a held-out galaxy of the 3,000
WINDOW = 1280, 720
COLOURS = 256  # of the picture of the page, which is then a third as large
READY = "return window.Bokeh?.documents[0]?.is_idle"


def retrieval(demo: Path, out: Path, asks: str) -> Path:
    """The images that the spectra most like one image have."""
    path = out / "retrieval.png"
    ak.search(demo / "embeddings", asks, query="image", target="spectrum", k=5, dataset=demo / "data", figure=str(path))
    return path


def explorer(demo: Path, out: Path, asks: str) -> Path | None:
    """The page with a map in the colours of redshift and one galaxy in sight."""
    try:
        from selenium import webdriver
    except ImportError:
        return None
    browser, driver = (shutil.which(name) for name in ("chromium", "chromedriver"))
    if browser is None or driver is None:
        return None
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for flag in ("headless", "no-sandbox", "disable-gpu", "enable-unsafe-swiftshader", "force-device-scale-factor=1"):
        options.add_argument(f"--{flag}")
    server = ak.EmbeddingStore(demo / "embeddings").explore(demo / "data")
    chromium = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    try:
        size = {"width": WINDOW[0], "height": WINDOW[1], "deviceScaleFactor": 1, "mobile": False}
        chromium.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        chromium.get(f"{server.address}&colour=z&focus={asks}")
        until = time.monotonic() + 60
        while not chromium.execute_script(READY) and time.monotonic() < until:
            time.sleep(0.1)
        time.sleep(3)  # what is drawn after the first answer: cutout, spectrum, neighbours
        chromium.save_screenshot(str(out / "page.png"))
    finally:
        chromium.quit()
        server.close()
    with Image.open(out / "page.png") as page:
        page.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(out / "explorer.png", optimize=True)
    (out / "page.png").unlink()
    return out / "explorer.png"


def main(demo: Path, out: Path, asks: str = ASKS) -> list[Path]:
    if not (demo / "embeddings").is_dir():
        ak.quickstart(demo)
    out.mkdir(parents=True, exist_ok=True)
    found = [retrieval(demo, out, asks), explorer(demo, out, asks)]
    for name, path in zip(("retrieval.png", "explorer.png"), found, strict=True):
        print(f"{path}: {path.stat().st_size:,} bytes" if path else f"{name}: not made, for it needs a browser")
    return [path for path in found if path]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        given = [Path(one) for one in sys.argv[1:]]
        main(given[0] if given else Path(temporary) / "demo", given[1] if given[1:] else Path(__file__).parent)
