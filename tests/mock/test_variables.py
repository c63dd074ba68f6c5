from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from astropy.table import Table
from survey_files import check_same_bytes

from astroclip_kit.errors import FileError, UsageError
from astroclip_kit.mock import simulate_variables
from astroclip_kit.mock.galactic_places import NORTHERNMOST, SOUTHERNMOST
from astroclip_kit.mock.instruments import LIGHT_KM_S
from astroclip_kit.mock.variable_files import pipeline_values
from astroclip_kit.mock.variable_population import CLASSES, COUNTS, draw_variables
from astroclip_kit.pipeline import info, ingest, simulate
from astroclip_kit.pipeline.configuration import load_configuration
from astroclip_kit.settings import Observing, Reading
from astroclip_kit.storage import open_folder
from astroclip_kit.surveys import ASASSNLightCurves, LAMOSTSpectra, TableReader
from astroclip_kit.transforms.astrom3_columns import METADATA, PHOTOMETRY

COUNT = 60


@pytest.fixture(scope="module")
def survey(tmp_path_factory):
    out = tmp_path_factory.mktemp("variables") / "mock"
    return simulate("variables", out, count=COUNT, seed=3, workers=1)


@pytest.fixture(scope="module")
def truth(survey):
    return Table.read(survey / "truth.fits")


def test_files_are_those_of_real_surveys_and_of_the_same_objects(survey, truth):
    manifest = open_folder(survey, "survey")
    assert (manifest["survey"], manifest["origin"], manifest["bands"]) == ("variables", "mock", ["V"])
    curves = ASASSNLightCurves(survey / "lightcurves", pattern="**/*.dat")
    spectra = LAMOSTSpectra(survey / "spectra")
    table = TableReader(survey / "metadata.csv", columns=[*METADATA, *PHOTOMETRY], id_column="object_id")
    read = [[one.object_id for path in reader.files() for one in reader.read(path)] for reader in (curves, spectra)]
    rows = [one.object_id for one in table.read(table.files()[0])]
    labels = pd.read_csv(survey / "labels.csv", dtype=str)
    assert sorted(read[0]) == sorted(read[1]) == rows == list(labels["object_id"]) == list(truth["object_id"])
    [curve], [spectrum] = curves.read(curves.files()[0]), spectra.read(spectra.files()[0])
    assert curve.views["lightcurve"].shape[1] == 4 and spectrum.views["spectrum"].shape == (2, 3909)
    assert labels.columns.tolist() == ["object_id", "class"]


def test_the_light_curve_holds_the_magnitudes_that_the_table_states(survey):
    table = pd.read_csv(survey / "metadata.csv")
    curves = ASASSNLightCurves(survey / "lightcurves", pattern="**/*.dat")
    for path, stated in zip(curves.files()[:10], table["mean_vmag"], strict=False):
        [curve] = curves.read(path)
        value = curve.views["lightcurve"][:, 1]
        assert value.mean() == pytest.approx(stated, abs=2e-3) and 40 < len(value) < 1200


def test_one_seed_gives_the_same_bytes_and_the_first_objects_of_a_larger_survey(survey, tmp_path):
    check_same_bytes(lambda out, **told: simulate_variables(out, quiet=True, **told), survey, COUNT, 3, 4, tmp_path)


def test_truth_is_apart_and_labels_are_wrong_where_it_says(survey, truth):
    labels = pd.read_csv(survey / "labels.csv")["class"].to_numpy()
    flipped = np.asarray(truth["flipped"], dtype=bool)
    assert ((labels != np.asarray(truth["true_class"]).astype(str)) == flipped).all()
    stated = pd.read_csv(survey / "metadata.csv").columns
    assert stated.tolist() == ["object_id", "ra", "dec", *METADATA, *PHOTOMETRY]


def headers(survey):
    """What the headers of the spectra say, in the order of the objects."""
    reader = LAMOSTSpectra(survey / "spectra")
    read = sorted((one.object_id, one.labels) for path in reader.files() for one in reader.read(path))
    return pd.DataFrame([labels for _, labels in read])


def test_headers_of_spectra_say_what_a_pipeline_found_and_not_the_truth(survey, truth):
    stated = headers(survey)
    off = (stated["z"] - np.asarray(truth["rv"]) / LIGHT_KM_S) / stated["z_err"]
    assert 0.7 < off.std() < 1.3 and abs(off.mean()) < 0.5 and off.abs().min() > 1e-4
    assert stated["subclass"].nunique() > 10 and set(stated["class"]) == {"STAR"}


def test_types_are_off_by_a_subtype_or_two_and_carbon_stars_are_confused():
    stars = draw_variables(20000, np.random.default_rng(1))
    types = pipeline_values(stars, np.random.default_rng(2))["subclass"]
    again = pipeline_values(stars, np.random.default_rng(3))["subclass"]
    assert 0.2 < np.mean(types == again) < 0.6 and np.mean(types.astype("U1") == again.astype("U1")) > 0.6
    called = types == "Carbon"
    carbon, oxygen = (stars["subclass"] == name for name in ("carbon", "oxygen"))
    assert 0.7 < called[carbon].mean() < 0.9 and 0.004 < called[oxygen].mean() < 0.02
    assert not called[~carbon & ~oxygen].any()
    giant = np.char.startswith(types, "gM")
    assert giant[oxygen].mean() > 0.8 and (stars["logg"][giant] < 3).all()
    hot, cool = (stars["teff"][types == name] for name in ("F2", "K0"))
    assert np.median(hot) > np.median(cool) + 1200 and 200 < cool.std() < 600


def test_info_says_what_holds_for_variables_and_what_reads_them(survey):
    manifest = open_folder(survey, "survey")
    assert manifest["spectra"] == "lamost"
    assert manifest["observing"] == {"bright_limit": 10.2, "faint_limit": 16.6}
    text = info(survey)
    assert "start from configs/astrom3_mock.yaml (a copy without its section simulate): --set data=" in text
    assert "artifacts" not in text and "size" not in text


@pytest.mark.parametrize("path", ["configs/astrom3_mock.yaml", "astroclip_kit/recipes/astrom3_mock.yaml"])
def test_the_class_of_a_dataset_is_that_of_the_labels_and_not_of_the_spectra(survey, path, tmp_path, capsys):
    sections = load_configuration(Path(__file__).parents[2] / path, [f"data={survey}"]).sections
    given = sections["ingest"] | {"reading": Reading(workers=1)}
    data = ingest(tmp_path / "data", **given)
    labels = pd.read_csv(survey / "labels.csv", dtype=str).set_index("object_id")["class"]
    assert (data.labels["class"] == labels[data.object_ids].to_numpy()).all() and len(data) == COUNT
    assert data.modalities["metadata"].channels == METADATA and data.modalities["lightcurve"].covariates == PHOTOMETRY
    assert set(data.labels["spectrum_class"]) == {"STAR"} and ("embed" in sections or "recipes" in path)
    said = "note: sources differ in class: it is that of catalogue where there is one; each one's own are kept as "
    assert said + "catalogue_class and spectrum_class" in info(tmp_path / "data")
    assert said.removeprefix("note: ") in capsys.readouterr().err


def test_positions_are_in_the_fields_of_lamost_and_columns_have_units(truth):
    assert np.mean((truth["dec"] > SOUTHERNMOST) & (truth["dec"] < NORTHERNMOST)) > 0.98
    assert truth["period"].unit == "d" and truth["teff"].unit == "K" and truth["distance"].unit == "pc"


def test_shares_of_classes_and_subclasses():
    stars = draw_variables(20000, np.random.default_rng(1))
    share = np.array([np.mean(stars["class"] == name) for name in CLASSES])
    np.testing.assert_allclose(share, np.array(COUNTS) / 21440, atol=0.012)
    for name, hidden, low, high in (
        ("ROT", "giant", 0.4, 0.5),
        ("SR", "carbon", 0.06, 0.1),
        ("M", "carbon", 0.18, 0.33),
    ):
        assert low < np.mean(stars["subclass"][stars["class"] == name] == hidden) < high
    for_4000 = {(name, hidden): 4000 * np.mean((stars["class"] == name) & (stars["subclass"] == hidden))
                for name, hidden in (("ROT", "giant"), ("ROT", "dwarf"), ("SR", "carbon"))}  # fmt: skip
    assert min(for_4000.values()) > 45


def test_what_does_not_hold_for_variables_is_refused(tmp_path):
    for told in ({"spectra": "desi"}, {"observing": Observing(size=32)}):
        with pytest.raises(UsageError, match="spectra and observing do not hold for variables: they have no cutouts"):
            simulate_variables(tmp_path / "mock", 2, **told)
    with pytest.raises(FileError, match="no such folder of templates"):
        simulate_variables(tmp_path / "mock", 2, templates=tmp_path / "absent")
