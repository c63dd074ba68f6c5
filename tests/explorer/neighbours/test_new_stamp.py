"""Plain images that somebody hands to the page: nothing in them says which band they show."""

import io

import numpy as np
import pytest
from astropy.io import fits

from astroclip_kit.alignment import align
from astroclip_kit.data import ingest
from astroclip_kit.embeddings import EmbeddingStore, embed
from astroclip_kit.encoders import RingProfiles
from astroclip_kit.errors import InputError
from astroclip_kit.explorer.neighbours.new_file import read_new_file
from astroclip_kit.features import extract
from astroclip_kit.settings import Hardware, Training
from astroclip_kit.surveys import ImageCubes

CPU = Hardware("cpu", "float32")
COUNT, SIDE = 30, 24


def stamp(number):
    """A science and a template image of a source, the later the wider."""
    y, x = np.mgrid[:SIDE, :SIDE] - SIDE / 2
    source = 100 * np.exp(-(x**2 + y**2) / (2 + number))
    return (np.stack([source, 0.5 * source]) + np.random.default_rng(number).standard_normal((2, SIDE, SIDE))).astype(
        np.float32
    )


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    root = tmp_path_factory.mktemp("stamps")
    (root / "files").mkdir()
    for number in range(COUNT):
        fits.PrimaryHDU(stamp(number)).writeto(root / "files" / f"s{number:02}.fits")
    reader = ImageCubes(root / "files", ["science", "template"])
    data = ingest({"early": reader, "late": reader}, root / "data", quiet=True)
    encoders = {name: RingProfiles.for_modality(data.modalities[name]) for name in ("early", "late")}
    features = extract(data, encoders, root / "features", hardware=CPU)
    model = align(features, root / "model", training=Training(epochs=1, hardware=CPU), quiet=True)
    embed(model, features, root / "space", quiet=True)
    return EmbeddingStore(root / "space")


def file_of(planes):
    content = io.BytesIO()
    fits.PrimaryHDU(planes).writeto(content)
    return content.getvalue()


def test_a_stamp_is_read_in_the_bands_of_the_model_when_it_is_said_what_it_is(store):
    new = read_new_file(store, "mine.fits", file_of(stamp(7)), holds="early")
    assert new.asked.name == "early" and new.asked.newcomers.modality.image_bands == ("science", "template")
    assert np.array_equal(new.asked.newcomers.samples[0].views["early"], stamp(7))
    nearest = (store.vectors("early") @ new.asked.vectors[0]).argmax()
    assert store.object_ids[nearest] == "s07"


def test_it_is_not_guessed_and_of_too_few_bands_refused(store):
    with pytest.raises(InputError, match=r"under The file holds"):
        read_new_file(store, "mine.fits", file_of(stamp(7)))
    with pytest.raises(InputError, match=r"mine\.fits.*(bands|planes)"):
        read_new_file(store, "mine.fits", file_of(stamp(7)[0]), holds="early")
