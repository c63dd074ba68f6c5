"""The services that observations are fetched from, as they document their answers, on the server of this machine."""

import csv
import io
import json
import re
import tempfile
from pathlib import Path

import numpy as np
from loopback_server import Answer, Asked, Loopback

from astroclip_kit.settings import Downloading, Services
from astroclip_kit.surveys import write_legacysurvey_cutout, write_sdss_spectrum

FAST = Downloading(connections=3, interval_seconds=0, retries=2, backoff_seconds=0.001, timeout_seconds=60)
SDSS = {
    (266, 51602, 31): (150.1, 2.2, "26"),
    (4055, 55359, 7): (150.3, 2.4, "v5_13_2"),
    (1960, 53289, 5): (10.0, 0.5, "103"),
}
DESI = {39627785520416361: (150.1, 2.2), 39627785520416362: (0.00005, 0.5), 39627785520416363: (20.0, 89.99)}
INTERNAL = {"redshift": "z", "redshift_err": "zerr", "redshift_warning": "zwarn"}
FIELDS = (
    "sparcl_id specid ra dec specprimary data_release wavelength flux ivar mask redshift redshift_err redshift_warning "
    "spectype"
).split()
WAVELENGTH = np.arange(3600, 9824.1, 62.24)


def written(write) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.fits"
        write(path)
        return path.read_bytes()


def cutout(query: dict[str, str]) -> bytes:
    """What fits-cutout sends: a cube around the position, blank north of 80 degrees, inverse variances if asked."""
    ra, dec, size, bands = float(query["ra"]), float(query["dec"]), int(query["size"]), query["bands"]
    cube = np.full((len(bands), size, size), 0 if dec > 80 else ra + dec, np.float32)
    scale = float(query["pixscale"])
    ivar = cube * 0 + 4 if "invvar" in query else None
    return written(
        lambda path: write_legacysurvey_cutout(path, cube, ra, dec, bands=bands, pixel_scale_arcsec=scale, ivar=ivar)
    )


def sdss_spectrum(plate, mjd, fiber) -> bytes:
    ra, dec, _ = SDSS[plate, mjd, fiber]
    row = {"plate": plate, "mjd": mjd, "fiber": fiber, "ra": ra, "dec": dec, "z": 0.1}
    wave = 10 ** (3.6 + 1e-4 * np.arange(300))
    return written(lambda path: write_sdss_spectrum(path, wave, np.ones(300), np.ones(300), row))


def crossid(body: bytes) -> bytes:
    """SkyServer's table of the spectra near the uploaded positions."""
    upload = re.search(rb"name ra dec \n(.*?)\r\n--", body, re.S)[1].decode()
    places = [tuple(map(float, line.split()[1:])) for line in upload.splitlines() if line.strip()]
    text = io.StringIO("#Table1\n")
    text.seek(0, 2)
    rows = csv.writer(text)
    rows.writerow(["ra", "dec", "plate", "mjd", "fiberID", "run2d", "sciencePrimary", "type"])
    for key, (ra, dec, run2d) in SDSS.items():
        if any(abs(ra - a) < 0.01 and abs(dec - d) < 0.01 for a, d in places):
            rows.writerow([ra + 1e-5, dec, *key[:2], key[2] + 1, run2d, 0, "GALAXY"])  # a repeat that is not the best
            rows.writerow([ra, dec, *key, run2d, 1, "GALAXY"])
    return text.getvalue().encode()


def sparcl_record(targetid, names):
    ra, dec = DESI[targetid]
    flux = [None, *[1.5] * (len(WAVELENGTH) - 1)]
    values = {
        "sparcl_id": f"uuid-{targetid}", "specid": targetid, "ra": ra, "dec": dec, "specprimary": 1,
        "wavelength": WAVELENGTH.tolist(), "flux": flux, "ivar": [4.0] * len(flux), "mask": [0] * len(flux),
        "redshift": 0.25, "redshift_err": 1e-4, "redshift_warning": 0, "spectype": "GALAXY",
    }  # fmt: skip
    internal = {INTERNAL.get(name, name): value for name, value in values.items()}
    return {"_dr": "DESI-DR1", **{name: value for name, value in internal.items() if name in names}}


def sparcl(asked: Asked):
    """SPARCL's REST service, as its own client asks it."""
    if asked.path == "/api/datafields/":
        dr = {"data_release": "DESI-DR1", "storage": "C", "default": True, "all": True}
        return [{**dr, "origdp": INTERNAL.get(name, name), "newdp": name} for name in FIELDS]
    if asked.path == "/api/spectras/":
        names = asked.query["include"].split(",")
        return [{"status": {}}, *(sparcl_record(int(one.removeprefix("uuid-")), names) for one in asked.json)]
    search = {name: values for name, *values in asked.json["search"]}
    assert search.pop("data_release") == ["DESI-DR1"]

    def fits(targetid):
        place = dict(zip(("ra", "dec"), DESI[targetid], strict=True))
        within = all(search[name][0] <= place[name] <= search[name][1] for name in place if name in search)
        return within and targetid in search.get("specid", [targetid])

    return [{"status": {}}, *(sparcl_record(one, asked.json["outfields"]) for one in DESI if fits(one))]


def respond(asked: Asked) -> Answer:
    if asked.path == "/viewer/fits-cutout":
        if asked.query["layer"] != "ls-dr10":
            return Answer(b"no such layer")
        return Answer(cutout(asked.query), headers={"Content-Type": "image/fits"})
    if asked.path.startswith("/sas/"):
        found = re.fullmatch(
            r"/sas/dr17/sdss/spectro/redux/(\w+)/spectra/lite/(\d+)/spec-\2-(\d+)-(\d+).fits", asked.path
        )
        key = tuple(int(found[n]) for n in (2, 3, 4))
        return Answer(sdss_spectrum(*key), etag='"1"') if SDSS.get(key, "   ")[2] == found[1] else Answer(b"", 404)
    if asked.path.startswith("/sky/dr17/en/tools/search/"):
        names = [{"Rows": [{"name": "ra"}, {"name": "dec"}]}]
        return Answer(crossid(asked.body) if asked.method == "POST" else json.dumps(names).encode())
    return Answer(json.dumps(sparcl(asked)).encode())


def services(server: Loopback) -> Services:
    """Their addresses."""
    return Services(
        legacysurvey=f"{server.url}/viewer", sdss=f"{server.url}/sas", skyserver=f"{server.url}/sky", sparcl=server.url
    )
