"""IICnet's ready configuration of the mock, from cutouts to classes of new ones."""

from pathlib import Path

import pytest
from astropy.table import Table

from astroclip_kit import pipeline
from astroclip_kit.mock import simulate_wise
from astroclip_kit.results import read_results
from astroclip_kit.settings import Observing

CONFIGS = Path(__file__).parents[2] / "configs"


@pytest.mark.slow
def test_the_mock_is_learned_and_new_cutouts_are_classified(tmp_path):
    survey = simulate_wise(tmp_path / "wise", 150, observing=Observing(size=40), workers=1, quiet=True)
    brief = [f"classify.classification.{part}.epochs=1" for part in ("encoder_training", "training")]
    changes = [f"data={survey}", "classify.encoders.image.init_args.size=32", *brief]
    pipeline.run(CONFIGS / "iicnet_cutouts.yaml", tmp_path / "run", overrides=changes)
    seen = {one.query for one in read_results(tmp_path / "run" / "results")}
    assert {"image", "colours", "image+colours"} <= seen
    given = {"image": survey / "cutouts", "colours": survey / "colours.csv"}
    table = pipeline.classify(model=tmp_path / "run" / "model", input=given)
    assert isinstance(table, Table) and len(table) > 140 and set(table["class"]) <= {"galaxy", "qso", "star"}
