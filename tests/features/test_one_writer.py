"""Tests that two processes do not write one features folder at a time."""

import subprocess
import sys

import pytest

from astroclip_kit.data import ingest
from astroclip_kit.encoders import TabularMLP
from astroclip_kit.errors import FolderError
from astroclip_kit.features import extract
from astroclip_kit.surveys import TableReader

HOLD = """
import sys
from astroclip_kit.storage import only_writer
with only_writer(sys.argv[1]):
    print(flush=True)
    sys.stdin.read()
"""


def test_a_second_process_is_refused(tmp_path):
    (tmp_path / "stars.csv").write_text("name,g,r\nVega,0.0,0.1\nSirius,-1.4,-1.3\n")
    stars = TableReader(tmp_path / "stars.csv", columns=["g", "r"], id_column="name")
    dataset = ingest({"magnitudes": stars}, tmp_path / "data", quiet=True)
    encoders, out = {"magnitudes": TabularMLP(2, 8)}, tmp_path / "features"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(out)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        process.stdout.readline()
        with pytest.raises(FolderError, match=r"features is being written by process \d+ on .* Wait until it ends"):
            extract(dataset, encoders, out)
        process.stdin.close()
    assert len(extract(dataset, encoders, out)) == 2
    assert not (out / ".lock").exists()
