"""Neighbours and new files, in a real browser."""

import gzip
import shutil

import numpy as np
import pytest
from astropy.io import fits
from selenium.webdriver.common.keys import Keys

from astroclip_kit.embeddings import EmbeddingStore
from astroclip_kit.embeddings.queries import objects
from astroclip_kit.explorer.neighbours.lists import neighbour_list, targets
from astroclip_kit.explorer.space import Space

pytestmark = pytest.mark.slow
ROW = 7


def lists(space, row, query):
    asked = objects(space.store, np.array([row]), query)
    return [neighbour_list(space.store, asked, target, 10) for target in targets(space.store, query)]


def opened(open_page, space, **settings):
    """The page on an object, with its neighbours."""
    page = open_page(space, f"&colour=z&focus={space.store.object_ids[ROW]}", **settings)
    page.js("named('tabs').active = 1")
    asks(page, space.store.object_ids[ROW])
    return page


def asks(page, name):
    """Waits until somebody asks, and is answered."""
    page.wait(
        lambda: f"Neighbours of {name}" in " ".join(page.text("neighbours-head").split()), f"neighbours of {name}"
    )
    page.wait(lambda: page.value("neighbours-lists", "tags") == [name], f"cards of neighbours of {name}")
    page.wait_idle()


def thumbnails(page, column):
    """Spread of the colours of each picture of a column, as it is to be seen."""
    return page.js(
        """const cards = view(`neighbours-cards-${arguments[0]}`).el.shadowRoot
           return [...cards.querySelectorAll("img")].map((image) => {
             const pen = new OffscreenCanvas(64, 64).getContext("2d"); pen.drawImage(image, 0, 0)
             const bytes = [...pen.getImageData(0, 0, 64, 64).data]
             return Math.max(...bytes) - Math.min(...bytes)
           })""",
        column,
    )


def card(page, column, place):
    """Text of a card, and where it is in the window, after scrolling to it."""
    return page.js(
        """const card = view(`neighbours-cards-${arguments[0]}`).el.shadowRoot.querySelectorAll("button")[arguments[1]]
           card.scrollIntoView({block: "center"}); return [card.innerText, box(card)]""",
        column,
        place,
    )


def pick(page, column, place):
    """Clicks a card."""
    _, box = card(page, column, place)
    page.click(box)


def test_neighbours_are_seen_and_stepped_through(open_page, space):
    page = opened(open_page, space)
    ids = space.store.object_ids
    for column, found in enumerate(lists(space, ROW, "image")):
        text = page.text(f"neighbours-{column}")
        assert found.title in text
        assert [str(ids[row]) in text for row in found.rows] == [True] * 10
        assert f"z {space.store.catalog['z'][found.rows[0]]:.4g}" in text
        assert len(thumbnails(page, column)) == 10 and min(thumbnails(page, column)) > 50
    page.wait(lambda: "neighbours" in page.text("map_panel"), "a legend of the marks")
    marked = page.value("marks", "data.x")
    assert len(marked) == sum(map(len, page.session.lists["neighbours"].values()))
    rows = lists(space, ROW, "image")[1].rows
    pick(page, 1, 9)
    asks(page, ids[rows[9]])
    assert page.box("neighbours-head")["top"] > page.box("tabs")["top"]  # it was scrolled to who asks
    assert "10 of 10 nearest to" in page.text("neighbours-way") and page.value("neighbours-next", "disabled")
    page.press("neighbours-previous")
    asks(page, ids[rows[8]])
    page.press("neighbours-back")
    asks(page, ids[rows[9]])
    page.press("neighbours-back")
    asks(page, ids[ROW])
    page.choose("neighbours-query", "spectrum")
    page.wait(lambda: "spectrum → image" in page.text("neighbours-title-1"), "another question")
    page.press("neighbours-select-1")
    page.wait(lambda: page.session.selection is not None, "a selection")
    assert np.flatnonzero(page.session.selection).tolist() == sorted(lists(space, ROW, "spectrum")[1].rows)
    assert page.console_errors() == []


def test_all_is_done_with_the_keyboard(open_page, space):
    page = opened(open_page, space)
    page.enter("neighbours-count", "5")
    page.wait(lambda: "Select these 5" in page.text("neighbours"), "five neighbours")
    page.js("view('neighbours-query').input_el.focus()")
    focused = "let at = document.activeElement; while (at.shadowRoot?.activeElement) at = at.shadowRoot.activeElement\n"
    reached = []
    while "Select these 5" not in reached[-1:] and len(reached) < 12:
        page.type(Keys.TAB)
        reached.append(page.js(focused + "return at.textContent"))
    assert "Query with a new file" in reached and reached[-1] == "Select these 5"
    page.type(Keys.TAB, Keys.TAB, Keys.ENTER)
    row = lists(space, ROW, "image")[0].rows[1]
    asks(page, space.store.object_ids[row])
    page.wait(lambda: page.js(focused + "return at.dataset.card") == "1", "the focus, to go on from there")
    assert page.console_errors() == []


@pytest.fixture
def cutout(galaxies):
    return sorted((galaxies / "survey" / "cutouts").glob("*.fits"))[3]


def test_a_new_cutout_and_a_new_spectrum_ask(open_page, space, galaxies, cutout, tmp_path):
    page = open_page(space)
    page.open_tab("Neighbours")
    hostile = tmp_path / "<img src=x onerror=document.title=0>.fits"
    with fits.open(cutout) as hdus:
        hdus[0].header["EVIL"] = "<script>document.title = 0</script>"
        hdus[0].header["OBJID"] = "nobody"
        hdus.writeto(hostile)
    title = page.driver.title
    page.upload("new-file", hostile)
    asks(page, hostile.name)
    text = page.text("neighbours-head")
    assert (
        "Recognised as Legacy Survey cutouts, asks as image." in text and "objects of the space look at least" in text
    )
    assert "<script>document.title = 0</script>" in text and page.driver.title == title
    itself = np.flatnonzero(space.store.object_ids == cutout.stem)[0]
    assert cutout.stem in card(page, 0, 0)[0]  # the file says that it is nobody, and looks as the object does
    plane = space.planes.open("pca:image", {})
    page.wait(lambda: len(page.value("pins", "data.x")), "a place on the map")
    np.testing.assert_allclose(page.value("pins", "data.x")[0], plane.at([itself])[0][0], atol=0.05)
    page.js("view('cutout-figure-new image').el.scrollIntoView()")
    assert page.is_shown("cutout-figure-new image") and page.picture("cutout-figure-new image").std() > 20
    spectrum = sorted((galaxies / "survey" / "spectra").glob("*.fits"))[0]
    page.upload("new-file", spectrum)
    asks(page, spectrum.name)
    page.wait(lambda: page.is_shown("spectrum-figure-new spectrum"), "the spectrum")
    assert page.value("spectrum-figure-new spectrum", "x_range.end") > 9000  # Angstrom
    page.wait(lambda: "hold the truth for 90 %" in page.text("new-properties"), "its properties")
    assert "logmstar" in page.text("new-properties")
    assert "9000-57000-1" in page.text("new-known")
    assert not len(page.value("pins", "data.x"))
    page.press("new-map")
    page.wait(lambda: len(page.value("pins", "data.x")), "a place on the map of spectra")
    assert page.session.state.plane == "pca:spectrum" and not page.is_shown("new-map")
    assert "asks as spectrum" in page.text("neighbours-head") and "spectrum → image" in page.text("neighbours-title-1")
    pick(page, 1, 0)
    page.wait(lambda: page.session.focus >= 0, "an object")
    page.press("neighbours-back")
    asks(page, spectrum.name)
    assert page.console_errors() == []


def bad_files(cutout, folder):
    """Files that cannot ask, and what is said of each."""
    content = cutout.read_bytes()
    made = {
        "picture.fits": (b"\x89PNG\r\n\x1a\n", "picture.fits: not a FITS file: it begins with"),
        "empty.fits": (b"", "empty.fits: not a FITS file: it is empty."),
        "cut.fits": (content[:-5000], "cut.fits: truncated: HDU 1 needs"),
        "bomb.fits.gz": (gzip.compress(content[:2880] + bytes(300 << 20), 1), "unpacks to more than 200 MB"),
    }
    for name, (given, _) in made.items():
        (folder / name).write_bytes(given)
    with fits.open(cutout) as hdus:
        pixels, header = hdus[0].data, hdus[0].header
    bands = header.copy()
    bands.update({"BANDS": "ugi", "BAND0": "u", "BAND2": "i"})
    table = fits.BinTableHDU.from_columns([fits.Column("mass", "D", array=[1.0])])
    others = {
        "blank.fits": (fits.PrimaryHDU(np.full_like(pixels, np.nan), header), "band 'g' is blank"),
        "small.fits": (fits.PrimaryHDU(pixels[:, :20, :20], header), "(20, 20) pixels, fewer than size=64"),
        "bands.fits": (fits.PrimaryHDU(pixels, bands), "bands.fits"),
        "table.fits": (fits.HDUList([fits.PrimaryHDU(), table]), "found tables, the model takes image, spectrum"),
    }
    for name, (hdu, _) in others.items():
        hdu.writeto(folder / name)
    return {name: said for name, (_, said) in {**made, **others}.items()}


def test_bad_files_are_one_sentence_each_and_the_page_lives_on(open_page, space, cutout, tmp_path):
    page = opened(open_page, space)
    for name, said in bad_files(cutout, tmp_path).items():
        page.upload("new-file", tmp_path / name)
        page.wait(lambda said=said: said in page.said and page.said.startswith("Not done:"), f"{name}: {said}")
        assert "Traceback" not in page.said and "/tmp" not in page.said
    large = tmp_path / "large.fits"
    with large.open("wb") as file:
        file.truncate(2 << 30)
    page.upload("new-file", large)
    page.wait(lambda: "large.fits has 2,147 MB, expected up to" in page.said, "a file that is too large")
    asks(page, space.store.object_ids[ROW])  # as before
    page.upload("new-file", cutout)
    asks(page, cutout.name)
    assert page.console_errors() == []


def test_without_the_model_a_space_asks_for_its_folder(open_page, galaxies, cutout, tmp_path):
    shutil.copytree(galaxies / "embeddings", tmp_path / "embeddings")
    space = Space.open(tmp_path / "embeddings", galaxies / "data")
    page = open_page(space)
    page.open_tab("Neighbours")
    page.upload("new-file", cutout)
    page.wait(lambda: "give its folder in the field Model folder" in page.said, "a question for the model")
    page.enter("new-model", str(galaxies / "model"))
    page.upload("new-file", cutout)
    asks(page, cutout.name)
    assert page.console_errors() == []


def test_without_a_dataset_neighbours_are_ids(open_page, galaxies, tmp_path):
    shutil.copytree(galaxies / "embeddings", tmp_path / "embeddings")
    space = Space.open(tmp_path / "embeddings", "")
    page = opened(open_page, Space(space.store))
    assert not thumbnails(page, 0)
    assert str(space.store.object_ids[lists(space, ROW, "image")[0].rows[0]]) in card(page, 0, 0)[0]
    assert page.console_errors() == []


def test_it_fits_a_phone(open_page, space):
    from browser import PHONE

    page = opened(open_page, space, size=PHONE)
    box = page.box("neighbours")
    edges = [page.box(name)["right"] for name in ("neighbours-1", "neighbours-cards-1", "neighbours-only", "new-query")]
    assert max(edges) <= box["right"] + 1 and box["width"] <= PHONE[0]
    assert page.console_errors() == []


@pytest.fixture
def three(tmp_path):
    """A space of three modalities, with ids as long as those of Gaia."""
    vectors = np.random.default_rng(0).normal(size=(60, 8))
    names = [f"Gaia DR3 50000000000000{i:05}" for i in range(60)]
    modalities = dict.fromkeys(("image", "spectrum", "lightcurve"), vectors)
    return Space(EmbeddingStore.write(tmp_path / "three", modalities, names))


@pytest.mark.parametrize("size", [(1280, 720), (390, 844)])
def test_cards_of_three_modalities_overlap_nowhere_and_are_not_cut(open_page, three, size):
    page = opened(open_page, three, size=size)
    boxes = page.js(
        """return [0, 1, 2].flatMap((column) => [
             ...view(`neighbours-cards-${column}`).el.shadowRoot.querySelectorAll("button"),
             view(`neighbours-select-${column}`).el,
           ]).map((one) => ({...box(one), cut: [one, ...one.querySelectorAll("*")].some((at) =>
             at.tagName != "SPAN" && at.tagName != "B" && at.scrollWidth > at.clientWidth + 1)}))"""
    )
    assert len(boxes) == 33 and not any(one["cut"] for one in boxes)
    assert min(one["left"] for one in boxes) >= 0 and max(one["right"] for one in boxes) <= size[0]
    for number, one in enumerate(boxes):
        for other in boxes[:number]:
            beside = one["left"] >= other["right"] or other["left"] >= one["right"]
            assert beside or one["top"] >= other["bottom"] or other["top"] >= one["bottom"]
    cards = [one for number, one in enumerate(boxes) if number % 11 != 10]
    assert min(one["width"] for one in cards) >= 200


def test_a_tab_opens_at_its_top(open_page, space):
    page = opened(open_page, space)
    page.js("view('tabs').el.scrollTop = 1000")
    assert page.js("return view('tabs').el.scrollTop") > 100
    page.open_tab("Object")
    assert page.js("return view('tabs').el.scrollTop") == 0
    page.js("view('tabs').el.scrollTop = 1000")
    page.open_tab("Neighbours")
    page.js("view('tabs').el.scrollTop = 1000; view('neighbours-next').el.scrollIntoView()")
    assert page.box("neighbours-next")["top"] >= page.js("return box(view('tabs').header_els[0]).bottom")
    page.resize(390, 844)
    page.js("window.scrollTo(0, 0)")
    page.open_tab("Object")
    page.wait(lambda: abs(page.box("tabs")["top"]) < 100, "the panel")
    assert page.console_errors() == []
