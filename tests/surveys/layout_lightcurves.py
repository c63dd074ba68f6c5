"""Light curves in the layouts of ASAS, ASAS-SN (Sky Patrol 1 and 2, variable stars) and ZTF's alerts."""

import io
import tarfile
from pathlib import Path

import numpy as np
import pandas as pd

from astroclip_kit.surveys import ASASLightCurves, ASASSNLightCurves, LightCurveTable, write_asassn_light_curve

CYCLE = 12.9 + 0.4 * np.sin(np.arange(40) / 3)
SKY_PATROL_1 = "HJD,UT Date,Camera,FWHM,Limit,mag,mag_err,flux(mJy),flux_err,Filter\n"
SKY_PATROL_2 = "jd,flux,flux_err,mag,mag_err,limit,fwhm,image_id,camera,quality,phot_filter\n"
ABOUT = '# {"asas_sn_id": 661428967431, "gaia_id": 5211052415435948544, "ra_deg": 130.5, "dec_deg": -62.1, "name": "X"}'
ALERTS = {"id": "candid", "group": "objectId", "time": "jd", "value": "magpsf", "error": "sigmapsf", "band": "fid"}


def write_asas(folder: Path, **members: str | bytes) -> tuple[Path, Path]:
    """An archive of two light curves and its classes; `members` replace or add files."""
    rows = "".join(f"{1868.5 + 2 * day:.5f},{mag:.3f},0.05\n" for day, mag in enumerate(CYCLE))
    content = {"215707": rows, "215727": rows.replace("1868.", "1867."), **members}
    archive = folder / "asas_training_set.tar.gz"
    with tarfile.open(archive, "w:gz") as file:
        directory = tarfile.TarInfo("asas_training_set")
        directory.type = tarfile.DIRTYPE
        file.addfile(directory)
        for name, text in content.items():
            data = text if isinstance(text, bytes) else text.encode()
            info = tarfile.TarInfo(f"asas_training_set/{name.strip('_')}.dat")
            info.size = len(data)
            file.addfile(info, io.BytesIO(data))
    classes = folder / "asas_training_set_classes.dat"
    classes.write_text("filename,class\n215707,Mira\n215727,RR_Lyrae_FM\n")
    return archive, classes


def write_sky_patrol_1(path: Path, rows: str = "") -> Path:
    """Three detections in V and g and two upper limits; `rows` replace them."""
    path.write_text(
        SKY_PATROL_1
        + (
            rows
            or "2458000.47009,2017-09-03.9710173,be,1.77,15.518,14.839,0.117,4.448,0.477,V\n"
            "2458001.47137,2017-09-04.9722892,be,1.76,15.730,>15.730,99.990,0.421,0.392,V\n"
            "2458002.47263,2017-09-05.9735547,be,1.72,15.751,14.759,0.088,4.789,0.390,V\n"
            "2458403.47263,2018-10-11.9735547,bE,1.72,16.751,14.959,0.028,3.983,0.100,g\n"
            "2458404.47263,2018-10-12.9735547,bi,1.72,16.551,>16.551,99.990,99.990,99.990,g\n"
        )
    )
    return path


def write_sky_patrol_2(path: Path) -> Path:
    """Three detections, of which one is on a bad image, and a non-detection."""
    path.write_text(
        f"{ABOUT}\n{SKY_PATROL_2}"
        "2458403.5,4.0,0.1,14.89,0.027,17.1,1.44,coadd_1,bi,G,g\n"
        "2458402.5,3.9,0.1,14.92,0.028,17.2,1.44,coadd_2,bi,G,g\n"
        "2458404.5,9.0,0.1,14.01,0.012,17.0,3.90,coadd_3,bi,B,g\n"
        "2458405.5,0.1,0.2,99.99,99.99,16.9,1.44,coadd_4,bE,G,g\n"
    )
    return path


def make_asas(folder: Path) -> ASASLightCurves:
    return ASASLightCurves(*write_asas(folder))


def make_asas_sn(folder: Path) -> ASASSNLightCurves:
    write_sky_patrol_1(folder / "light_curve_410e0d3c-687e-40a3-b7cb-af0057695e0b.csv")
    write_sky_patrol_2(folder / "661428967431.csv")
    return ASASSNLightCurves(folder, upper_limits="keep")


def write_variable_star(path: Path, *, magnitude: float = 14.2) -> Path:
    """Thirty measurements in V, of which the fourth and the tenth are non-detections."""
    hjd, phase = 2457000.5 + 3.1 * np.arange(30), np.arange(30) / 3
    mag, mag_err = magnitude + 0.2 * np.sin(phase), np.full(30, 0.02)
    mag[[3, 9]] = mag_err[[3, 9]] = np.nan
    flux = 3631e3 * 10 ** (-0.4 * (magnitude + 0.2 * np.sin(phase)))
    write_asassn_light_curve(path, hjd, mag, mag_err, flux, 0.02 * flux)
    return path


def make_asas_sn_variables(folder: Path) -> ASASSNLightCurves:
    write_variable_star(folder / "ASASSN-VJ000001.00-000001.3.dat")
    write_variable_star(folder / "ASASSN-VJ235959.33-532742.6.dat", magnitude=12.9)
    return ASASSNLightCurves(folder)


def make_ztf(folder: Path) -> LightCurveTable:
    pd.DataFrame(
        {
            "candid": np.repeat([1786104593715015000, 1786104593715015001], 4),
            "objectId": "ZTF18abadigg",
            "jd": 2459000.5 + np.arange(8.0),
            "fid": np.tile([1, 2], 4),
            "magpsf": [18.1, 18.2, None, 18.3, 18.1, 18.2, 18.4, None],
            "sigmapsf": [0.1, 0.1, None, 0.1, 0.1, 0.1, 0.2, None],
            "diffmaglim": np.linspace(20, 20.5, 8),
        }
    ).to_parquet(folder / "alerts.parquet")
    columns = {**ALERTS, "limit": "diffmaglim"}
    return LightCurveTable(folder / "alerts.parquet", columns, {1: "g", 2: "r"}, upper_limits="keep")


READERS = {"asas": make_asas, "asas_sn": make_asas_sn, "asas_sn_variables": make_asas_sn_variables, "ztf": make_ztf}
