"""`align` under torchrun ends where one process ends."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

SCRIPT = """
import sys
sys.path.insert(0, sys.argv[1])
import numpy as np
from conftest import Features, correlated
from astroclip_kit.alignment import align
from astroclip_kit.settings import Alignment, Hardware, Head, Objective, Optimizer, Sampling, Split, Training

widths = {"image": 12, "spectrum": 9, "lightcurve": 7}
generator = np.random.default_rng(0)
features = Features(correlated(150, widths), {name: generator.random(150) < 0.6 for name in widths})
align(
    features,
    sys.argv[2],
    alignment=Alignment(
        head=Head(out_features=8, hidden_features=[16]),
        objective=Objective(learnable_scale=True),
        sampling=Sampling(feature_noise=0.1, modality_dropout=0.2),
    ),
    training=Training(
        epochs=3, batch_size=33, optimizer=Optimizer("sgd", 1e-2), hardware=Hardware("cpu", "float32"), seed=5
    ),
    split=Split(test=0.2, valid=0.2, seed=3),
    quiet=True,
)
"""


@pytest.mark.slow
def test_two_processes_train_the_same_model_as_one(tmp_path):
    from safetensors.torch import load_file

    from astroclip_kit.storage import open_folder

    script = tmp_path / "train.py"
    script.write_text(SCRIPT)
    several = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2", "--standalone"]
    arguments = [str(script), str(Path(__file__).parent)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    subprocess.run([sys.executable, *arguments, str(tmp_path / "one")], check=True, env=environment, timeout=300)
    subprocess.run([*several, *arguments, str(tmp_path / "two")], check=True, env=environment, timeout=300)
    one, two = (load_file(tmp_path / name / "weights.safetensors") for name in ("one", "two"))
    for name, weight in one.items():
        torch.testing.assert_close(two[name], weight, rtol=1e-4, atol=1e-5)
    histories = [open_folder(tmp_path / name, "model")["history"][0] for name in ("one", "two")]
    np.testing.assert_allclose(*([row["loss"] for row in rows] for rows in histories), rtol=1e-5)
