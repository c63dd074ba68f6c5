"""`predict` about objects of a space, positions, tables of them, and new files."""

import shutil

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

import astroclip_kit as ak
from astroclip_kit import cli
from astroclip_kit.errors import InputError, UsageError
from astroclip_kit.settings.prediction import Prediction

ID = "9000-57000-1"
SPECTRUM, CUTOUT = "spectra/spec-9000-57000-0001.fits", "cutouts/9000-57000-1.fits"


def test_the_command_prints_intervals_support_and_what_they_mean(chain, capsys):
    words = ["predict", str(chain.embeddings), "z,morphology", ID, "--coverage", "0.8", "--where", "z > 0.05"]
    assert cli.main([*words, "--memory", "image+spectrum", "-k", "4"]) == 0
    printed = capsys.readouterr().out
    head = printed.splitlines()[0].split()
    kinds = [name for name in head if name.startswith("morphology_probability_")]
    assert head[:7] == ["object_id", "ra", "dec", "z", "z_low", "z_high", "z_spread"]
    assert head[7:10] == ["z_support", "z_familiar", "z_supported"]
    assert len(kinds) >= 2 and "morphology_set" in head
    assert (
        "4 nearest neighbours by image+spectrum of each object's image+spectrum, among objects with z > 0.05" in printed
    )
    assert "z: the interval holds the truth for 80 % of objects like the " in printed


@pytest.mark.parametrize("style", ["csv", "json", "votable", "fits"])
def test_the_table_goes_into_every_format(chain, style, capsysbinary):
    words = ["predict", str(chain.embeddings), "log10(z),morphology", "--prediction.weights", "uniform"]
    assert cli.main([*words, "--format", style]) == 0
    assert len(capsysbinary.readouterr().out) > 60 * 100


def test_one_object_is_named_in_several_ways(chain, tmp_path):
    space = ak.EmbeddingStore(chain.embeddings)
    both = ak.predict(space, "z", f"{ID},{space.object_ids[5]}")
    assert list(both["object_id"]) == [ID, space.object_ids[5]]
    [row] = np.flatnonzero(space.object_ids == ID)
    place = ak.predict(space, ["z"], coordinates=[space.ra[row], space.dec[row]], k=16)
    assert place["z"][0] == both["z"][0] and place["object_id"][0] == ID
    Table({"object_id": [ID, str(space.object_ids[5])]}).write(tmp_path / "asked.csv")
    table = ak.predict(space, "z", table=str(tmp_path / "asked.csv"), memory="any")
    assert list(table["object_id"]) == list(both["object_id"])
    assert len(ak.predict(space, "z", prediction=Prediction(k=3))) == 60


def test_a_new_file_is_embedded_and_is_not_its_own_neighbour(chain):
    space = ak.EmbeddingStore(chain.embeddings)
    known = ak.predict(space, "z", ID, query="spectrum", coverage=0.8)
    new = ak.predict(space, "z", file=chain.survey / SPECTRUM, model=chain.model, query="spectrum", coverage=0.8)
    assert list(new["object_id"]) == [ID] and ID not in new["z_neighbours"][0].split(",")
    assert new["z"][0] == pytest.approx(known["z"][0], rel=1e-3)
    assert new["z_supported"][0] == known["z_supported"][0]
    folder = ak.predict(space, "z", file=chain.survey / "cutouts", model=chain.model, memory="spectrum")
    assert len(folder) == 60 and set(folder["object_id"]) == set(space.object_ids)
    files = {"image": chain.survey / CUTOUT, "spectrum": chain.survey / SPECTRUM}
    pair = ak.predict(space, "z", file=files, model=chain.model, memory="image+spectrum")
    beside = ak.predict(space, "z", ID, memory="image+spectrum")
    assert pair["z"][0] == pytest.approx(beside["z"][0], rel=1e-3)


def test_files_of_two_modalities_are_matched_by_id(chain):
    space = ak.EmbeddingStore(chain.embeddings)
    cutouts = [chain.survey / f"cutouts/9000-57000-{number}.fits" for number in (1, 2, 3)]
    spectra = [chain.survey / f"spectra/spec-9000-57000-{number:04d}.fits" for number in (1, 2, 3)]
    known = {"model": chain.model, "memory": "image+spectrum"}
    table = ak.predict(space, "z", file={"image": cutouts, "spectrum": spectra}, **known)
    turned = ak.predict(space, "z", file={"image": cutouts, "spectrum": spectra[::-1]}, **known)
    assert list(turned["object_id"]) == list(table["object_id"])
    np.testing.assert_allclose(turned["z"], table["z"], rtol=1e-5)
    with pytest.raises(InputError, match="image and spectrum are not of the same objects, once each: see "):
        ak.predict(space, "z", file={"image": cutouts[:2], "spectrum": spectra[1:]}, **known)
    with pytest.raises(InputError, match=r"'\S+' of image and '\S+' of spectrum are different objects"):
        ak.predict(space, "z", file={"image": cutouts[:1], "spectrum": spectra[1:2]}, **known)


def test_unknown_ids_are_matched_by_order_unless_a_file_is_left_out(chain, tmp_path):
    space = ak.EmbeddingStore(chain.embeddings)
    shutil.copy(chain.survey / CUTOUT, tmp_path / "mine.fits")
    with fits.open(tmp_path / "mine.fits", mode="update") as file:
        for key in [key for key, value in file[0].header.items() if value == ID]:
            file[0].header[key] = "mine"
    files = {"image": [tmp_path / "mine.fits"], "spectrum": [chain.survey / SPECTRUM]}
    known = {"model": chain.model, "memory": "image+spectrum"}
    table = ak.predict(space, "z", file=files, **known)
    assert list(table["object_id"]) == [ID] and ID not in table["z_neighbours"][0].split(",")
    assert "image and spectrum are matched by their order, as their ids differ" in table.meta["notes"]
    (tmp_path / "broken.fits").write_bytes(b"SIMPLE")
    files["spectrum"].append(tmp_path / "broken.fits")
    with pytest.raises(InputError, match=r"ids of image and spectrum differ and a file was left out \(.*broken"):
        ak.predict(space, "z", file=files, **known)


def test_a_file_of_noise_is_flagged_and_gets_no_interval(chain, tmp_path):
    space = ak.EmbeddingStore(chain.embeddings)
    with fits.open(chain.survey / CUTOUT) as file:
        file[0].data = np.random.default_rng(0).normal(0, 5, file[0].data.shape).astype(np.float32)
        file.writeto(tmp_path / "noise.fits")
    files = [chain.survey / CUTOUT, tmp_path / "noise.fits"]
    table = ak.predict(space, "z", file=files, model=chain.model, query="image", coverage=0.8)
    assert list(table["z_supported"]) == [True, False] and table["z_familiar"][1] == 0
    assert np.isfinite(table["z"]).all() and list(np.isnan(table["z_low"])) == [False, True]
    assert (
        "z: 1 of 2 outside of the memory (support or familiarity below 1): do not rely on their values; they get no "
        "interval" in table.meta["notes"]
    )
    list_of_files = Table({"file": [str(file) for file in files]})
    list_of_files.write(tmp_path / "asked.csv")
    asked = ak.predict(space, "z", table=str(tmp_path / "asked.csv"), model=chain.model, query="image")
    np.testing.assert_array_equal(asked["z_familiar"], table["z_familiar"])


def test_a_space_without_features_says_so(chain, tmp_path):
    shutil.copytree(chain.embeddings, tmp_path / "space")
    shutil.rmtree(tmp_path / "space" / "familiarity")
    table = ak.predict(tmp_path / "space", "z", file=chain.survey / CUTOUT, model=chain.model, query="image")
    assert "z_familiar" not in table.colnames and table["z_supported"].dtype == bool
    assert "it is not known how familiar the inputs look. Embed again" in table.meta["notes"][1]


def test_what_cannot_be_asked_is_said(chain):
    space = ak.EmbeddingStore(chain.embeddings)
    with pytest.raises(UsageError, match=r"there is no argument 'covrage'\. There are: k, weights, coverage"):
        ak.predict(space, "z", covrage=0.9)
    files = {"image": chain.survey / "cutouts", "spectrum": chain.survey / SPECTRUM}
    with pytest.raises(InputError, match=r"expected as many new objects in every modality, found \{'image': 60, 'spec"):
        ak.predict(space, "z", file=files, model=chain.model)
    with pytest.raises(UsageError, match=r"the model has no modality 'image\+spectrum'; it has image, spectrum"):
        ak.predict(space, "z", file=chain.survey / CUTOUT, model=chain.model, query="image+spectrum")
