"""A classification in two processes: one extracts and writes while the other waits, and both end with the same."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

SCRIPT = """
import sys
sys.path.insert(0, sys.argv[1])
import torch
from dataclasses import replace
from pathlib import Path
from small_stars import Stars, make_encoders
from test_fitting import SETTINGS
from astroclip_kit.classifiers import fit_classifier

out = Path(sys.argv[2])
settings = replace(SETTINGS, stages=sys.argv[3])
for _ in range(2):  # the second time nothing is left to do
    classifier = fit_classifier(Stars(), make_encoders(), settings, out / "run", quiet=True)
rank = torch.distributed.get_rank() if torch.distributed.is_initialized() else 0
torch.save(classifier.state_dict(), out / f"{rank}.pt")
"""


@pytest.mark.slow
@pytest.mark.parametrize("stages", ["two", "joint"])
def test_two_processes_end_with_the_same_classifier(tmp_path, stages):
    script = tmp_path / "train.py"
    script.write_text(SCRIPT)
    several = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2", "--standalone"]
    command = [*several, str(script), str(Path(__file__).parent), str(tmp_path), stages]
    subprocess.run(command, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"}, timeout=300)
    first, second = (torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in (0, 1))
    assert first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)
    assert (tmp_path / "run" / "model" / "manifest.json").exists()
