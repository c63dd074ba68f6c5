"""Units of the mock catalogues, from the file to the page and to what one takes home."""

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits
from astropy.table import Table

import astroclip_kit as ak
from astroclip_kit.embeddings import EmbeddingStore
from astroclip_kit.explorer.space import Space
from astroclip_kit.settings import Observing
from astroclip_kit.surveys import TableReader

LOGARITHMS = {"logmstar": "dex(solMass)", "sfr": "dex(solMass / yr)", "ssfr": "dex(1 / yr)"}


@pytest.fixture(scope="module")
def survey(tmp_path_factory):
    return ak.simulate("galaxies", tmp_path_factory.mktemp("units") / "s", count=12, observing=Observing(size=32))


def test_numbers_of_a_catalogue_say_their_units_and_logarithms_of_what(survey):
    truth, published = (fits.open(survey / f"{name}.fits")[1] for name in ("catalogue", "published"))
    stated = {column.name: column.unit for one in (truth, published) for column in one.columns}
    assert {name: stated[name] for name in LOGARITHMS} == LOGARITHMS
    assert (stated["mag_r"], stated["ra"], stated["vdisp"], stated["z"]) == ("mag", "deg", "km / s", None)
    assert (stated["FLUX_R"], stated["FLUX_IVAR_R"], stated["LOG_MSTAR"]) == ("nmgy", "1 / nmgy2", "dex(solMass)")


def test_they_arrive_on_the_page_and_in_the_files_that_one_takes_home(survey, tmp_path):
    chosen = ["z", "mag_r", *LOGARITHMS]
    files = {"images": survey / "cutouts", "catalogue": survey / "catalogue.fits"}
    data = ak.ingest(tmp_path / "data", **files, labels=",".join(chosen))
    assert data.manifest["units"] == {"mag_r": "mag", **LOGARITHMS}
    values = {"units": data.manifest["units"]}  # as `embed` hands them on
    labels = {name: data.labels[name] for name in chosen}
    space = EmbeddingStore.write(
        tmp_path / "space", {"image": np.eye(12)}, data.object_ids, labels=labels, values=values
    )
    page = Space(space)
    assert page.columns["ssfr"].title == "ssfr [dex(1 / yr)]" and page.columns["z"].title == "z"
    for ending in ("fits", "vot"):
        ak.export(space, tmp_path / f"home.{ending}")
    header = fits.getheader(tmp_path / "home.fits", 1)
    units = {header[f"TTYPE{k}"]: header.get(f"TUNIT{k}", "") for k in range(1, header["TFIELDS"] + 1)}
    table = Table.read(tmp_path / "home.vot")
    for name, unit in LOGARITHMS.items():
        assert (units[name], str(table[name].unit)) == (unit, unit)
    assert units["mag_r"] == table["mag_r"].unit == "mag"


def test_columns_called_as_those_of_gaia_are_in_its_units_where_a_table_says_nothing(tmp_path):
    names = ["parallax", "pmra", "phot_g_mean_mag", "teff"]
    pd.DataFrame({"id": ["a"], **{name: [1.0] for name in names}}).to_csv(tmp_path / "a.csv", index=False)
    reader = TableReader(tmp_path / "a.csv", labels=names, id_column="id")
    assert reader.label_units() == {"parallax": "mas", "pmra": "mas / yr", "phot_g_mean_mag": "mag"}
