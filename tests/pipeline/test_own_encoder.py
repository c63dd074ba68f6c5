"""A configuration that names an encoder of the user's own."""

from astroclip_kit import run
from astroclip_kit.embeddings import EmbeddingStore

MODULE = """
import torch

class Mean(torch.nn.Module):
    def __init__(self, out_features):
        super().__init__()
        self.out_features = out_features

    def forward(self, x):
        return x.flatten(1)[:, : self.out_features]
"""

CONFIG = """
data: {data}
seed: 0
simulate: {{count: 60}}
ingest:
  images: ${{data}}/cutouts
  spectra: ${{data}}/spectra
align:
  encoders:
    image: {{class_path: own_survey_parts.Mean, init_args: {{out_features: 5}}}}
    spectrum: {{class_path: own_survey_parts.Mean, init_args: {{out_features: 6}}}}
  training: {{epochs: 1, batch_size: 16}}
embed: {{}}
"""


def test_a_run_embeds_with_the_classes_that_its_own_configuration_names(tmp_path, monkeypatch):
    (tmp_path / "own_survey_parts.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "own.yaml").write_text(CONFIG.format(data=tmp_path / "survey"))
    run(tmp_path / "own.yaml", tmp_path / "run")
    assert len(EmbeddingStore(tmp_path / "run" / "embeddings")) == 60
