"""Figures of a mock survey of galaxies, beside real tables where they are given: to look at, not to measure.

    astroclip-kit simulate galaxies survey --count 1000
    python benchmarks/mock_figures.py survey --out figures --tables ../shared/data/catalogues

`cutouts.png`: clean cutouts, then those with artifacts. `spectra.png`: quiescent to star-forming, with lines.
`distributions.png`: colour and redshift, BPT diagram, sizes, velocity dispersions. Real: SDSS DR14, field of Coma.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from astropy.io import fits
from astropy.table import Table
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from astroclip_kit.transforms import ToRGB

SIDE = 8  # cutouts along the side of the contact sheet, half of them clean
LINES = {"[OII]": 3728.5, "K": 3934.8, "H": 3969.6, "G": 4305, r"H$\beta$": 4862.7, "[OIII]": 5008.2, "Mg": 5176,
         "Na": 5893.6, r"H$\alpha$": 6564.6, "[SII]": 6725, "Ca": 8544}  # fmt: skip


def cutouts(survey: Path, truth: Table) -> Figure:
    spoiled = truth["artifact"] != "none"
    shown = np.concatenate([np.flatnonzero(side)[: SIDE * SIDE // 2] for side in (~spoiled, spoiled)])
    images = np.stack([fits.getdata(survey / name).astype(np.float32) for name in truth["cutout_file"][shown]])
    figure = Figure(figsize=(1.6 * SIDE, 1.8 * SIDE), layout="tight")
    for panel, rgb, row in zip(
        figure.subplots(SIDE, SIDE).flat, ToRGB()(torch.from_numpy(images)), shown, strict=False
    ):
        panel.imshow(rgb.permute(1, 2, 0), origin="lower")
        what = truth["artifact"][row] if spoiled[row] else truth["morphology"][row]
        panel.set_title(f"{what} r={truth['mag_r'][row]:.1f} z={truth['z'][row]:.2f}", fontsize=6)
        panel.axis("off")
    return figure


def spectra(survey: Path, truth: Table) -> Figure:
    bright = np.flatnonzero(truth["sn_median"] > np.percentile(truth["sn_median"], 80))
    chosen = bright[np.argsort(truth["ssfr"][bright])][np.linspace(0, len(bright) - 1, 5).astype(int)]
    figure = Figure(figsize=(14, 14), layout="tight")
    for panel, row in zip(figure.subplots(5), chosen, strict=True):
        data = fits.getdata(survey / truth["spectrum_file"][row], 1)
        rest = 10.0 ** data["loglam"] / (1 + truth["z"][row])
        panel.plot(rest, data["flux"], color="0.7", linewidth=0.4)
        panel.plot(rest, data["model"], color="black", linewidth=0.7)
        top = 1.3 * np.percentile(data["model"], 99)
        panel.set(ylim=(-0.05 * top, top), xlim=(3300, 9200), ylabel="1e-17 erg/s/cm2/A")
        for name, wavelength in LINES.items():
            panel.axvline(wavelength, color="tab:blue", linewidth=0.4)
            panel.text(wavelength, 0.93 * top, name, fontsize=7, color="tab:blue")
        panel.set_title(f"log sSFR {truth['ssfr'][row]:.1f}, {truth['line_class'][row]}", fontsize=9)
    return figure


def bpt(panel: Axes, truth: Table) -> None:
    panel.scatter(truth["log_nii_ha"], truth["log_oiii_hb"], c=truth["logmstar"], s=3)
    for name, edge, height in (("Kauffmann et al. 2003", 0.05, 1.3), ("Kewley et al. 2001", 0.47, 1.19)):
        x = np.linspace(-1.6, edge - 0.1, 100)
        panel.plot(x, 0.61 / (x - edge) + height, label=name)
    panel.set(ylim=(-1.3, 1.2), xlabel=r"log [NII]/H$\alpha$", ylabel=r"log [OIII]/H$\beta$")
    panel.legend()


def distributions(truth: Table, published: Table, tables: Path | None) -> Figure:
    figure = Figure(figsize=(13, 11), layout="tight")
    (colour, lines), (size, width) = figure.subplots(2, 2)
    bright = truth["mag_r"] < 17.77
    colour.scatter(truth["z"], published["MAG_G"] - published["MAG_R"], s=2, label="mock, r < 19.9")
    colour.scatter(truth["z"][bright], (published["MAG_G"] - published["MAG_R"])[bright], s=6, label="mock, r < 17.77")
    bins = np.linspace(0, 350, 36)
    width.hist(published["VDISP"][bright], bins, density=True, histtype="step", label="mock, r < 17.77")
    if tables:
        sdss = Table.read(tables / "skyserver_dr14_10k.csv")
        sdss = sdss[(sdss["class"] == "GALAXY") & (sdss["r"] < 17.77)]
        colour.scatter(sdss["redshift"], sdss["g"] - sdss["r"], s=1, color="black", label="SDSS DR14, r < 17.77")
        coma = fits.getdata(tables / "coma_sdss_spectro_1068.fits", 1)
        real = coma["velDisp"][(coma["velDispErr"] > 0) & (coma["z"] > 0.015)]
        width.hist(real, bins, density=True, histtype="step", label="SDSS, field of Coma")
    colour.set(xlabel="z", ylabel="g - r", xlim=(0, 0.6), ylim=(0, 2.2))
    bpt(lines, truth)
    size.scatter(truth["mag_r"], truth["size"], s=3, c=truth["bulge_to_total"])
    size.set(xlabel="r", ylabel="half-light radius [arcsec]", yscale="log")
    width.set(xlabel="velocity dispersion [km/s]")
    for panel in (colour, width):
        panel.legend()
    return figure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("survey", type=Path)
    parser.add_argument("--out", type=Path, default=Path("figures"))
    parser.add_argument("--tables", type=Path, help="folder of the real tables")
    given = parser.parse_args()
    truth, published = (Table.read(given.survey / f"{name}.fits") for name in ("catalogue", "published"))
    truth.convert_bytestring_to_unicode()
    given.out.mkdir(parents=True, exist_ok=True)
    figures = {"cutouts": cutouts(given.survey, truth), "spectra": spectra(given.survey, truth)}
    figures["distributions"] = distributions(truth, published, given.tables)
    for name, figure in figures.items():
        figure.savefig(given.out / f"{name}.png", dpi=80)
        print(given.out / f"{name}.png")


if __name__ == "__main__":
    main()
