"""Files that somebody hands to the page."""

import bz2
import gzip
import io
import re
import shutil
import tempfile

import numpy as np
import pytest
import torch
from astropy.io import fits

from astroclip_kit.alignment import align
from astroclip_kit.data import ingest
from astroclip_kit.embeddings import EmbeddingStore, embed
from astroclip_kit.encoders import TabularMLP
from astroclip_kit.errors import InputError, UsageError
from astroclip_kit.explorer import unpacking
from astroclip_kit.explorer.neighbours import new_file
from astroclip_kit.explorer.neighbours.new_file import model_is_known, read_new_file
from astroclip_kit.features import extract
from astroclip_kit.settings import Hardware, Training
from astroclip_kit.surveys import TableReader

N = 40
CPU = Hardware("cpu", "float32")
NAMES = {"blue": ["b0", "b1"], "red": ["r0", "r1"]}


def fits_bytes(*hdus):
    content = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(), *hdus]).writeto(content)
    return content.getvalue()


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Folder of a model of two tables, and of its space."""
    root = tmp_path_factory.mktemp("stars")
    values = np.random.default_rng(0).normal(size=(N, 4))
    names = [f"s{i}" for i in range(N)]
    columns = [fits.Column(name, "D", array=values[:, i]) for i, name in enumerate([*NAMES["blue"], *NAMES["red"]])]
    table = fits.BinTableHDU.from_columns([fits.Column("object_id", "3A", array=names), *columns])
    (root / "stars.fits").write_bytes(fits_bytes(table))
    readers = {name: TableReader(root / "stars.fits", columns, "object_id") for name, columns in NAMES.items()}
    data = ingest(readers, root / "data", quiet=True)
    torch.manual_seed(0)
    features = extract(data, {name: TabularMLP(2, 4) for name in NAMES}, root / "features", hardware=CPU)
    model = align(features, root / "model", training=Training(epochs=1, hardware=CPU), quiet=True)
    embed(model, features, root / "space", quiet=True)
    return root


@pytest.fixture(scope="module")
def store(made):
    return EmbeddingStore(made / "space")


@pytest.fixture(scope="module")
def content(made):
    return (made / "stars.fits").read_bytes()


@pytest.mark.parametrize(("name", "packed"), [("a.fits", bytes), ("a.fits.gz", gzip.compress), ("b", bz2.compress)])
def test_a_file_is_placed_where_the_store_has_its_object(store, content, name, packed):
    found = read_new_file(store, name, packed(content), holds="red")
    assert (found.name, found.kind, found.asked.name, found.count) == (name, "tables", "red", N)
    assert len(found.asked.labels) == len(found.asked.rows) == 1 and found.asked.newcomers.skipped == []
    assert float(found.asked.vectors[0] @ store.vectors("red")[0]) > 0.999  # it was made in half precision
    assert found.cards[0].startswith("SIMPLE  =")


def test_nothing_stays_on_the_disk(store, content, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    read_new_file(store, "../../etc/<x>.fits", content, holds="red")
    with pytest.raises(InputError):
        read_new_file(store, "a.fits", fits_bytes(), holds="red")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (b"", r"^x.fits: not a FITS file: it is empty\."),
        (
            b"Dear reader",
            r"^x.fits: not a FITS file: it begins with 'Dear reader'\..* A query is one FITS file, of blue or red\.$",
        ),
        (b"\x89PNG\r\n\x1a\n", r"^x.fits: not a FITS file: it begins with '\\x89PNG"),
        (b"\x80\x04\x95cos\nsystem", r"^x.fits: not a FITS file: it begins with"),
        (b"\x1f\x8bnothing", r"^x.fits: truncated or damaged gzip file"),
        (b"BZh9nothing", r"^x.fits: truncated or damaged bzip2 file"),
        (b"SIMPLE  =                    T", r"^x.fits: truncated inside the header of HDU 0"),
    ],
)
def test_what_is_no_fits_file_is_refused_by_its_name_alone(store, given, message):
    with pytest.raises(InputError, match=message):
        read_new_file(store, "/home/somebody/x.fits", given)


def test_a_file_that_was_cut_short_is_refused(store, content):
    with pytest.raises(InputError, match=r"^x.fits: truncated: HDU 1 needs \d+ bytes, \d+ are there"):
        read_new_file(store, "x.fits", content[:-2880])
    with pytest.raises(InputError, match=r"^x.fits: truncated or damaged gzip file"):
        read_new_file(store, "x.fits", gzip.compress(content)[:-20])


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress])
def test_a_packed_file_is_not_unpacked_beyond_the_limit(store, monkeypatch, pack):
    monkeypatch.setattr(unpacking, "LARGEST_FILE", 1 << 20)
    with pytest.raises(InputError, match=r"^x.fits: unpacks to more than 1 MB\. Cut out"):
        read_new_file(store, "x.fits", pack(b"SIMPLE  =" + bytes(1 << 22)))


def test_tiles_that_unpack_to_too_much_are_refused(store):
    packed = fits_bytes(fits.CompImageHDU(np.zeros((100, 100), "f4")))
    for axis in (1, 2):
        packed = packed.replace(b"ZNAXIS%d =                  100" % axis, b"ZNAXIS%d =               100000" % axis)
    with pytest.raises(InputError, match=r"^x.fits: unpacks to more than 200 MB"):
        read_new_file(store, "x.fits", packed)


def test_a_size_of_tiles_that_is_no_number_is_a_damaged_header(store):
    cards = "".join(card.ljust(80) for card in ("SIMPLE  = T", "BITPIX  = 8", "NAXIS   = 0", "ZBITPIX = 'abc'", "END"))
    with pytest.raises(InputError, match=r"^x.fits: damaged header \(ValueError: .*'abc'\)\. Download it again\.$"):
        read_new_file(store, "x.fits", cards.ljust(2880).encode())


def test_a_file_of_which_it_cannot_be_told_what_it_holds_says_where_to_say_it(store, content):
    with pytest.raises(InputError, match=r"^x.fits: found tables. Say under The file holds which it is: blue, red"):
        read_new_file(store, "x.fits", content)


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        (
            "found Tables, the model takes a, b. Give such a file, or say how with `reader`.",
            "found Tables, the model takes a, b. Give such a file, or choose under The file holds what it is.",
        ),
        (
            "found cubes; bands must be said as well. Start from configs/surveys/cosmos_hst.yaml, or in Python give "
            "the reader ImageCubes.",
            "found cubes; bands must be said as well. Choose under The file holds what it is.",
        ),
        (
            "it is in Jy. Take a model of such data; or say the unit with `reader`, if its file leaves it out.",
            "it is in Jy. Take a model of such data.",
        ),
    ],
)
def test_a_message_speaks_of_the_page_not_of_python(store, content, monkeypatch, told, shown):
    def refuse(*given):
        raise UsageError(told)

    monkeypatch.setattr(new_file, "ask_files", refuse)
    with pytest.raises(InputError, match=f"^{re.escape(shown)}$"):
        read_new_file(store, "x.fits", content)


def test_what_the_kit_did_not_foresee_is_one_sentence_too(store, content, monkeypatch):
    def broken(*given):
        raise ZeroDivisionError("float division")

    monkeypatch.setattr(new_file, "ask_files", broken)
    with pytest.raises(InputError, match=r"^x.fits: cannot be used \(float division\)\.$"):
        read_new_file(store, "x.fits", content)


def test_without_its_model_a_space_asks_for_it(made, content, tmp_path):
    shutil.copytree(made / "space", tmp_path / "space")
    moved = EmbeddingStore(tmp_path / "space")
    assert model_is_known(EmbeddingStore(made / "space")) and not model_is_known(moved)
    with pytest.raises(UsageError, match=r"not known which model made this space: give its folder in the field Model"):
        read_new_file(moved, "x.fits", content)
    assert read_new_file(moved, "x.fits", content, holds="red", model=str(made / "model")).asked.name == "red"
    with pytest.raises(InputError, match="expected a model folder"):
        read_new_file(moved, "x.fits", content, holds="red", model=str(made / "features"))


def test_of_a_long_header_the_first_cards_are_kept_as_text(store, content):
    hostile = fits.PrimaryHDU()
    hostile.header["EVIL"] = "<script>alert(1)</script>"
    for i in range(300):
        hostile.header[f"K{i}"] = i
    both = io.BytesIO()
    with fits.open(io.BytesIO(content)) as hdus:
        fits.HDUList([hostile, hdus[1].copy()]).writeto(both)
    found = read_new_file(store, "x.fits", both.getvalue().replace(b"K1      =", b"K1\x07     ="), holds="red")
    assert len(found.cards) == 200
    assert any("<script>alert(1)</script>" in card for card in found.cards)  # escaped where it is shown
    assert all(card.isprintable() for card in found.cards)
