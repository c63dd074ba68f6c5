"""Spectra with their redshift and light curves with their period: the wrapper keeps what every reader keeps to."""

from pathlib import Path

from layout_desi import make_desi
from layout_lightcurves import make_asas

from astroclip_kit.surveys import WithCovariates

ROWS = "name,period,amplitude\n215727,4.5,0.9\nother,1.5,-9999\n215707,0.5,\n"


def make_variables(folder: Path) -> WithCovariates:
    (folder / "metadata.csv").write_text(ROWS)
    table = {"path": str(folder / "metadata.csv"), "id": "name"}
    return WithCovariates(make_asas(folder), ["period", "amplitude"], table)


READERS = {
    "desi_with_redshift": lambda folder: WithCovariates(make_desi(folder)),
    "asas_with_period": make_variables,
}
