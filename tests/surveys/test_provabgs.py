"""PROVABGS labels: what each of them is, who is left out, and the join with AstroCLIP's file by TARGETID."""

import h5py
import numpy as np
import pytest
from astropy.table import Table
from layout_astroclip import write_joint
from layout_provabgs import FIRST, MISSING, provabgs_table, write_provabgs

from astroclip_kit import pipeline
from astroclip_kit.errors import FileError, UsageError
from astroclip_kit.surveys import AstroCLIPFile, PROVABGSCatalogue, catalogue
from astroclip_kit.surveys.files import hdf5_tables
from astroclip_kit.surveys.recognition import survey_of
from astroclip_kit.types import Sample


def read(path, *labels):
    items = list(PROVABGSCatalogue(path, labels).read(path))
    return [item for item in items if isinstance(item, Sample)], [one for one in items if not isinstance(one, Sample)]


def column(samples, name):
    return np.array([sample.labels[name] for sample in samples])


@pytest.mark.parametrize("name", ["provabgs.hdf5", "provabgs.fits"])
def test_every_label_is_what_it_says(tmp_path, name):
    table = provabgs_table(modelled=True)
    samples, drops = read(write_provabgs(tmp_path, name, modelled=True))
    assert len(samples) == 6 and not drops and set(samples[0].labels) == {
        "log_mstar", "z", "ln_z_mw", "t_age", "ssfr", "ssfr_astroclip"
    }  # fmt: skip
    expected = {
        "log_mstar": table["PROVABGS_LOGMSTAR_BF"],
        "z": table["Z_HP"],
        "ln_z_mw": np.log(table["Z_MW"]),
        "t_age": table["TAGE_MW"],
        "ssfr": np.log10(table["AVG_SFR"] / 10 ** table["PROVABGS_LOGMSTAR_BF"]),
        "ssfr_astroclip": np.log(table["AVG_SFR"]) - np.log(table["Z_MW"]),
    }
    for label, values in expected.items():
        np.testing.assert_allclose(column(samples, label), values, rtol=1e-12, err_msg=label)
    assert samples[2].object_id == str(FIRST + 2) and samples[2].ra == pytest.approx(table["RA"][2])


def test_the_file_as_desi_publishes_it_has_mass_and_redshift_alone(tmp_path):
    samples, _ = read(write_provabgs(tmp_path))
    assert set(samples[0].labels) == {"log_mstar", "z"}


def test_galaxies_without_a_fit_or_magnitudes_are_counted(tmp_path):
    mass, green = np.full(6, 10.0), np.full(6, 18.0)
    mass[:3], green[4] = [MISSING, 0, np.nan], MISSING
    path = write_provabgs(tmp_path, PROVABGS_LOGMSTAR_BF=mass, MAG_G=green, MAG_Z=np.where(green > 0, 17.0, np.nan))
    samples, drops = read(path)
    assert [sample.object_id for sample in samples] == [str(FIRST + 3), str(FIRST + 5)]
    assert [drop.reason for drop in drops] == ["PROVABGS_LOGMSTAR_BF is not positive"] * 3 + ["MAG_G is not positive"]
    assert drops[0].source == f"{path}: row 1 {FIRST}"
    with pytest.raises(FileError, match=r"none of its 6 rows can be used; the first: MAG_R is not positive"):
        read(write_provabgs(tmp_path, MAG_R=np.zeros(6)))


def test_values_without_a_logarithm_are_missing_labels(tmp_path):
    sfr = np.array([0, 1, 1, 1, 1, MISSING])
    samples, _ = read(write_provabgs(tmp_path, modelled=True, AVG_SFR=sfr, Z_MW=np.array([0.01] * 5 + [0.0])))
    assert set(samples[0].labels) == {"log_mstar", "z", "ln_z_mw", "t_age"}
    assert set(samples[5].labels) == {"log_mstar", "z", "t_age"}


def test_the_metallicity_of_astroclip_s_pairs_is_a_logarithm_already(tmp_path):
    whole = provabgs_table(modelled=True)
    paired = {"Z_MW": np.log(whole["Z_MW"]), "LOG_MSTAR": whole["PROVABGS_LOGMSTAR_BF"]}
    paired["sSFR"] = np.log(whole["AVG_SFR"]) - paired["Z_MW"]
    samples, _ = read(write_provabgs(tmp_path, modelled=True, **paired))
    np.testing.assert_allclose(column(samples, "ln_z_mw"), paired["Z_MW"])
    np.testing.assert_allclose(column(samples, "ssfr_astroclip"), paired["sSFR"])


def test_some_labels_and_columns_of_the_file(tmp_path):
    path = write_provabgs(tmp_path, modelled=True)
    samples, _ = read(path, "ssfr", "PROVABGS_Z_MAX")
    assert set(samples[0].labels) == {"ssfr", "PROVABGS_Z_MAX"}
    assert PROVABGSCatalogue(path).label_units() == {
        "log_mstar": "dex(solMass)", "t_age": "Gyr", "ssfr": "dex(1 / yr)"
    }  # fmt: skip
    with pytest.raises(FileError, match=r"no column 'sfr' \(found TARGETID, RA"):
        read(path, "sfr")
    with pytest.raises(UsageError, match=r"labels are \['z', 'z'\], expected each once"):
        PROVABGSCatalogue(path, ["z", "z"])


def test_no_coordinates_are_no_fault(tmp_path):
    table = provabgs_table()
    table.remove_columns(["RA", "DEC"])
    table.write(tmp_path / "a.hdf5", path="any/name")
    samples, drops = read(tmp_path / "a.hdf5")
    assert len(samples) == 6 and not drops and np.isnan(samples[0].ra)


def test_labels_join_images_and_spectra_by_targetid(tmp_path):
    joint = write_joint(tmp_path)  # group "0" holds the first five TARGETIDs
    z = np.linspace(0.1, 0.6, 6)
    path = write_provabgs(tmp_path, modelled=True, Z_HP=z, MAG_R=np.where(np.arange(6) == 4, MISSING, 18.0))
    sources = {"images": AstroCLIPFile(joint, size=8), "spectra": AstroCLIPFile(joint, kind="spectrum")}
    dataset = pipeline.ingest(tmp_path / "data", catalogue=str(path), **sources)
    assert len(dataset) == 8 and set(dataset.labels) >= {"log_mstar", "ssfr", "astroclip_split", "z"}
    rows = [list(dataset.object_ids).index(str(FIRST + number)) for number in range(5)]
    mass = np.asarray(dataset.labels["log_mstar"], dtype=float)
    expected = np.array(provabgs_table()["PROVABGS_LOGMSTAR_BF"][:5])
    np.testing.assert_allclose(mass[rows[:4]], expected[:4])
    assert np.isnan(mass[rows[4]]) and np.isfinite(mass).sum() == 4
    assert "MAG_R is not positive" in (tmp_path / "data/drops.csv").read_text()


def test_it_is_recognised_and_taken_as_a_catalogue(tmp_path):
    path = write_provabgs(tmp_path)
    assert survey_of(path).reader == "PROVABGSCatalogue" and type(catalogue(path)) is PROVABGSCatalogue
    said = pipeline.info(path)
    assert "PROVABGS catalogue: 1 file" in said and f"object '{FIRST}'" in said and "--catalogue" in said
    mmu = tmp_path / "001-of-001.hdf5"
    with h5py.File(mmu, "w") as file:
        for name in ("object_id", "TARGETID", "PROVABGS_LOGMSTAR_BF", "Z_HP"):
            file[name] = np.arange(3)
    assert survey_of(mmu).reader == "MultimodalUniverse"


def test_hdf5_tables_of_other_kinds(tmp_path):
    path = tmp_path / "columns.hdf5"
    with h5py.File(path, "w") as file:
        for name, values in {
            "TARGETID": np.arange(3),
            "name": np.array([b"a", b"b", b"c"]),
            "x": np.ones(3, ">f4"),
        }.items():
            file[f"table/{name}"] = values
        file["scalar"], file["other"] = 3, np.ones(7)
    assert hdf5_tables.hdf5_names(path) == ["TARGETID", "name", "x"]
    [first, *_] = catalogue(path).read(path)
    assert first.object_id == "0" and first.labels == {"name": "a", "x": 1.0}
    units = Table({"id": ["a", "b"], "d": [1.0, 2.0]}, units={"d": "Mpc"})
    units.write(tmp_path / "units.h5", path="t", serialize_meta=True)
    reader = catalogue(tmp_path / "units.h5")
    assert reader.label_units() == {"d": "Mpc"}
    assert [sample.labels["d"] for sample in reader.read(tmp_path / "units.h5")] == [1.0, 2.0]
    with h5py.File(tmp_path / "empty.h5", "w"):
        pass
    with pytest.raises(UsageError, match="no column is called like an id"):
        catalogue(tmp_path / "empty.h5")
