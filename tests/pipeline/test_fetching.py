"""The verb fetch, from a table to files that ingest reads, with every way in which that fails or is interrupted."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from loopback_server import Answer, Loopback
from survey_services import DESI, FAST, respond, services

import astroclip_kit as ak
from astroclip_kit.errors import FolderError, UsageError
from astroclip_kit.settings import Cutouts
from astroclip_kit.surveys import DESISpectra

OBJECTS = (
    "object_id,ra,dec\n266-51602-31,150.1,2.2\nNGC 1,150.3,2.4\nnorth,10,85\nfar,400,2\nnew,0.00005,0.5\nnew,1,1\n"
)
SMALL = Cutouts(size=16)


@pytest.fixture
def server():
    loopback = Loopback(respond)
    yield loopback
    loopback.close()


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "objects.csv"
    path.write_text(OBJECTS)
    return path


def fetch(server, table, images="legacy-dr10", spectra="sdss", **more):
    options = {"cutouts": SMALL, "downloads": FAST, "services": services(server), **more}
    return ak.fetch(table, table.parent / "survey", images=images, spectra=spectra, **options)


def rows(path: Path):
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def flags(server) -> list[str]:
    """The same settings on the command line."""
    settings = {**asdict(services(server)), **asdict(FAST), "size": 16}
    return [f"--{name}={value}" for name, value in settings.items()]


def test_a_folder_that_ingest_reads(server, table, tmp_path):
    found = fetch(server, table, spectra="sdss")
    assert found.counts == {
        "image": {"done": 3, "absent": 1, "failed": 1},
        "spectrum": {"done": 2, "absent": 2, "failed": 1},
    }
    assert str(found).splitlines()[1:] == [
        "  image: 3 fetched, 1 not there, 1 failed",
        "  spectrum: 2 fetched, 2 not there, 1 failed",
        "  1 row of the table names no object",
        "  failed.csv says why; the same command tries again what failed, but does not ask again for what is not there",
        f"  next: astroclip-kit ingest data --images {tmp_path}/survey/cutouts --spectra {tmp_path}/survey/spectra "
        "--by position",
    ]
    fetched = {row["object_id"]: row for row in rows(tmp_path / "survey/fetched.csv")}
    assert list(fetched) == ["266-51602-31", "NGC 1", "north", "far", "new"]
    assert (
        fetched["NGC 1"]["spectrum"] == "spectra/spec-4055-55359-0007.fits"
        and len(fetched["NGC 1"]["image_sha256"]) == 64
    )
    failed = [
        (row["object_id"], row["what"], row["status"], row["reason"]) for row in rows(tmp_path / "survey/failed.csv")
    ]
    assert ("far", "image", "failed", "needs a position on the sky: ra 400.0, dec 2.0 degrees.") in failed
    assert ("new", "spectrum", "absent", "no SDSS spectrum within 1.0 arcsec.") in failed
    assert ("", "table", "failed", "row 6: duplicated id new") in failed and len(failed) == 6
    data = ak.ingest(tmp_path / "data", images=found.root / "cutouts", spectra=found.root / "spectra")
    assert "NGC 1" in data.object_ids and data.present("image").sum() == 3 and data.present("spectrum").sum() == 2
    assert "image" in ak.info(found) and "done: 3" in ak.info(found)


def test_desi_spectra_are_read_with_their_redshifts(server, table, tmp_path):
    found = fetch(server, table, images="", spectra="desi")
    reader = DESISpectra(found.root / "spectra")
    samples = [sample for path in reader.files() for sample in reader.read(path)]
    assert {sample.object_id for sample in samples} == set(map(str, list(DESI)[:2]))
    assert all(sample.labels["z"] == 0.25 for sample in samples)


def test_a_second_run_asks_for_what_failed_only(server, table, tmp_path):
    server.fail("ra=150.3", *[Answer(b"", 500)] * 3)
    assert fetch(server, table).counts["image"]["failed"] == 2
    before = server.count()
    second = fetch(server, table)
    assert second.counts["image"] == {"done": 3, "absent": 1, "failed": 1}
    assert [one.query["ra"] for one in server.asked[before:]] == ["150.3000000"]
    fetch(server, table)
    assert server.count() == before + 1


def test_where_no_service_has_anything_the_positions_are_named(server, table):
    server.respond = lambda asked: Answer(b"", 404)
    table.write_text("object_id,ra,dec\na,1,2\n")
    with pytest.raises(FolderError, match=r"nothing could be fetched; .*status 404.* Check the ids and positions"):
        fetch(server, table, spectra="")


def test_a_damaged_file_of_the_same_size_is_fetched_again(server, table, capfd):
    cutouts = fetch(server, table, spectra="").root / "cutouts"
    path = cutouts / "266-51602-31.fits"
    whole = path.read_bytes()
    path.write_bytes(whole[:-5760] + b"@" * 4096 + whole[-1664:])  # good headers and other pixels
    before = server.count()
    fetch(server, table, spectra="")
    assert path.read_bytes() == whole and server.count() == before + 1
    assert "files changed after they came and are fetched again: cutouts/266-51602-31.fits." in capfd.readouterr().err


def test_an_object_that_moves_back_has_its_first_file_again(server, table):
    fetch(server, table, spectra="")
    first = rows(table.parent / "survey/fetched.csv")[0]["image_sha256"]
    for text in (OBJECTS.replace("150.1,2.2", "150.2,2.2"), OBJECTS):
        table.write_text(text)
        fetch(server, table, spectra="")
    assert rows(table.parent / "survey/fetched.csv")[0]["image_sha256"] == first
    assert fetch(server, table, spectra="", downloads=replace(FAST, verify=True)).counts["image"]["done"] == 3


def test_another_kind_and_another_table_join_the_folder(server, table, tmp_path):
    fetch(server, table, spectra="")
    fetch(server, table, images="", spectra="sdss")
    other = tmp_path / "other.csv"
    other.write_text("id,ra,dec\nmore,10,0.5\n")
    fetch(server, other, spectra="")
    fetched = {row["object_id"]: row for row in rows(tmp_path / "survey/fetched.csv")}
    assert len(fetched) == 6 and fetched["more"]["image_status"] == "done" and fetched["more"]["spectrum_status"] == ""
    assert fetched["NGC 1"]["image_status"] == fetched["NGC 1"]["spectrum_status"] == "done"


def test_other_settings_do_not_mix_with_files_that_are_there(server, table):
    fetch(server, table)
    with pytest.raises(
        FolderError, match=r"holds files of another request: image with size 16 and not 17. Choose another"
    ):
        fetch(server, table, cutouts=Cutouts(size=17))
    with pytest.raises(FolderError, match="spectrum with survey 'sdss' and not 'desi', release 17 and not 'DESI-DR1'"):
        fetch(server, table, spectra="desi")
    before = server.count()
    fetch(server, table, radius_arcsec=30.0)  # what no service had within the smaller radius is asked for again
    assert server.count() > before and server.count("fits-cutout") == 4


def test_a_mirror_is_asked_for_what_another_server_did_not_have(server, table):
    wrong = replace(services(server), legacysurvey=f"{server.url}/sas/nothing")
    server.respond = lambda asked: Answer(b"", 404) if "nothing" in asked.path else respond(asked)
    fetch(server, table)
    before = server.count()
    assert fetch(server, table, services=wrong).counts["image"] == {"done": 3, "absent": 1, "failed": 1}
    assert server.count() == before + 1  # what is there already is not asked for


def test_an_object_that_moved_is_fetched_again(server, table):
    first = rows(fetch(server, table, spectra="").root / "fetched.csv")[0]
    table.write_text(OBJECTS.replace("150.1,2.2", "150.2,2.2"))
    second = rows(fetch(server, table, spectra="").root / "fetched.csv")[0]
    assert first["image"] == second["image"] and first["image_sha256"] != second["image_sha256"]
    assert server.count("fits-cutout") == 5


def test_a_foreign_folder_is_left_alone(server, table, tmp_path):
    (tmp_path / "survey").mkdir()
    (tmp_path / "survey" / "thesis.tex").write_text("years")
    with pytest.raises(FolderError, match=r"survey exists and was not written by fetch. Choose another output folder"):
        fetch(server, table)
    assert [one.name for one in (tmp_path / "survey").iterdir()] == ["thesis.tex"] and not server.asked


def test_nothing_at_all_is_an_error_with_the_first_reason(server, table, tmp_path):
    server.respond = lambda asked: Answer(b"", 503)
    with pytest.raises(
        FolderError, match=r"nothing could be fetched; .*status 503.* Check the network; the same command"
    ):
        fetch(server, table, spectra="")
    assert len(rows(tmp_path / "survey/failed.csv")) == 6
    server.respond = respond
    assert fetch(server, table).counts["image"]["done"] == 3


@pytest.mark.parametrize("spectra", ["sdss", "desi"])
def test_few_connections_are_open_at_once(server, table, spectra):
    table.write_text("id,ra,dec\n" + "".join(f"o{n},{n},{n % 80}\n" for n in range(40)))
    fetch(server, table, spectra=spectra, downloads=replace(FAST, connections=2))
    assert server.most_open <= 3  # astroquery's own connection beside the two


def test_a_run_that_was_killed_goes_on_and_nothing_is_fetched_twice(server, table, tmp_path):
    table.write_text("id,ra,dec\n" + "".join(f"o{n},{n + 1},{n}\n" for n in range(40)))
    server.respond = lambda asked: replace(respond(asked), delay=0.03)
    words = ["fetch", str(table), str(tmp_path / "survey"), "--images=legacy-dr10", *flags(server)]
    command = [sys.executable, "-m", "astroclip_kit", *words]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    while server.count() < 12:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "survey/manifest.json").exists()
    with pytest.raises(FolderError, match="The command that writes it was interrupted: run it again"):
        ak.info(tmp_path / "survey")
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "image: 40 fetched, 0 not there, 0 failed" in done.stdout
    assert server.count() <= 43  # what was on its way when the run was killed is asked again, nothing else
    assert len(list((tmp_path / "survey/cutouts").iterdir())) == 40  # no half file is left
    again = tmp_path / "again"
    ak.fetch(table, again, images="legacy-dr10", cutouts=SMALL, downloads=FAST, services=services(server))
    assert (again / "fetched.csv").read_text() == (tmp_path / "survey/fetched.csv").read_text()


def test_two_runs_do_not_write_one_folder(server, table, tmp_path):
    holder = f"""
from astroclip_kit.storage import only_writer
with only_writer({str(tmp_path / "survey")!r}):
    print("locked", flush=True)
    input()
"""
    process = subprocess.Popen([sys.executable, "-c", holder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "locked\n"
    with pytest.raises(FolderError, match="is being written by process"):
        fetch(server, table)
    process.communicate("\n")
    assert fetch(server, table).counts["image"]["done"] == 3


BAD = {
    "nothing": ((), "the following arguments are required: table"),
    "no table": (("absent.csv", "--images=legacy-dr10"), "absent.csv: no such table. Give a file with ids"),
    "nothing asked": (("{table}",), "nothing to fetch. Give --images legacy-dr10, --spectra sdss or --spectra desi"),
    "images": (("{table}", "--images=hst"), "images: 'hst' cannot be fetched; there is: legacy-dr10"),
    "spectra": (("{table}", "--spectra=lamost"), "spectra: 'lamost' cannot be fetched; there is: sdss, desi"),
    "no coordinates": (("{ids}", "--images=legacy-dr10"), "the image of an object needs a position on the sky; none"),
    "no ids": (("{ids}", "--spectra=desi"), "the spectrum of an object needs a TARGETID, or a position on the sky;"),
    "other ids": (("{ids}", "--spectra=sdss"), "the spectrum of an object needs plate, MJD and fibre, or a position"),
    "connections": (
        ("{table}", "--spectra=sdss", "--connections=0"),
        "downloads.connections is 0, expected at least 1",
    ),
    "rate": (("{table}", "--spectra=sdss", "--interval-seconds=-1"), "interval_seconds is -1.0, expected at least 0"),
    "size": (("{table}", "--images=legacy-dr10", "--size=0"), "cutouts.size is 0, expected 1 to 3000 pixels"),
}


@pytest.mark.parametrize(("words", "message"), BAD.values(), ids=BAD)
def test_one_clear_line(fails, table, tmp_path, words, message):
    (tmp_path / "ids.csv").write_text("id,z\na,0.1\n")
    words = [word.format(table=table, ids=tmp_path / "ids.csv") for word in words]
    assert message in fails("fetch", *words, "--out", tmp_path / "out")
    assert not (tmp_path / "out" / "request.json").exists()


def test_a_table_without_ids_or_coordinates(table):
    table.write_text("z\n0.1\n")
    with pytest.raises(UsageError, match="no column is called like an id"):
        ak.fetch(table, table.parent / "survey", images="legacy-dr10")


def test_what_was_asked_for_is_kept_beside_the_files(server, table, tmp_path):
    fetch(server, table)
    request = json.loads((tmp_path / "survey/request.json").read_text())
    assert request["image"] == {"layer": "ls-dr10", "pixscale": "0.262", "size": 16, "bands": "griz"}
    assert request["spectrum"] == {"survey": "sdss", "release": 17}
