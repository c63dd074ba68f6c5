"""A small mock space with cutouts, spectra and a model, and its page in a real browser."""

import pytest
from peers import library

import astroclip_kit as ak
from astroclip_kit.explorer.space import Space


@pytest.fixture(scope="session")
def galaxies(tmp_path_factory):
    """Folder with ``data`` (cutouts, spectra, labels), ``model`` and ``embeddings`` of 400 mock galaxies."""
    root = tmp_path_factory.mktemp("galaxies")
    ak.simulate("galaxies", root / "survey", count=400)
    data = ak.ingest(
        root / "data",
        images=root / "survey" / "cutouts",
        spectra=root / "survey" / "spectra",
        catalogue=root / "survey" / "catalogue.fits",
        labels=["z", "logmstar", "ssfr", "morphology"],
    )
    kinds = {"image": ak.ImageConvNet, "spectrum": ak.SpectrumConvNet}
    model = ak.align(
        data,
        root / "model",
        encoders={name: kind.for_modality(data.modalities[name]) for name, kind in kinds.items()},
        alignment=ak.Alignment(trainable=dict.fromkeys(kinds, "all")),
        training=ak.Training(epochs=3),
    )
    ak.embed(model, data, root / "embeddings")
    return root


@pytest.fixture
def space(galaxies):
    """What is explored, with nothing kept of an earlier test."""
    return Space.open(galaxies / "embeddings", galaxies / "data")


@pytest.fixture(scope="session")
def chromium(tmp_path_factory):
    """Headless Chromium; see `browser.start`."""
    driver = library("selenium", "browser").start(tmp_path_factory.mktemp("chromium"))
    yield driver
    driver.quit()


@pytest.fixture
def open_page(chromium):
    """A function that serves a `Space` in this process and opens its page: ``open_page(space, "&colour=z")``."""
    from browser import Page

    from astroclip_kit.explorer.server import serve

    servers = []

    def opened(space, query="", **settings):
        servers.append(serve(space, open_browser=False))
        return Page(chromium, servers[-1], query, **settings)

    yield opened
    chromium.get("about:blank")
    for server in servers:
        server.close()


@pytest.fixture
def page(open_page, space):
    """The page of the mock galaxies."""
    return open_page(space)
