"""The log: rows, table, CSV and TensorBoard."""

import math

import numpy as np
from peers import library

from astroclip_kit.training import History, history
from astroclip_kit.training.history import Log

ROWS = [{"epoch": 1, "step": 3, "loss": 2.0}, {"epoch": 2, "step": 6, "loss": 1.0}]


def test_history_is_rows_columns_and_a_table():
    rows = History(ROWS)
    assert rows[1]["loss"] == 1.0 and len(rows) == 2
    np.testing.assert_array_equal(rows.column("loss"), [2.0, 1.0])
    assert math.isnan(rows.column("val_loss")[0])
    assert rows.to_table().colnames == ["epoch", "step", "loss"]
    assert "<table" in rows._repr_html_()
    assert len(History().to_table()) == 0


def test_log_begins_anew_from_the_rows_that_are_kept(tmp_path):
    (tmp_path / "log.csv").write_text("half a li")
    log = Log(tmp_path, ROWS[:1])
    log.add(ROWS[1])
    log.close()
    assert (tmp_path / "log.csv").read_text().split() == ["epoch,step,loss", "1,3,2.0", "2,6,1.0"]


def test_only_one_process_writes(tmp_path):
    log = Log(tmp_path, [], active=False)
    log.add(ROWS[0])
    log.close()
    assert not list(tmp_path.iterdir())


def test_log_needs_no_tensorboard(tmp_path, monkeypatch):
    monkeypatch.setattr(history, "find_spec", lambda name: None)
    log = Log(tmp_path, ROWS)
    log.close()
    assert [path.name for path in tmp_path.iterdir()] == ["log.csv"]


def test_tensorboard_shows_each_epoch_once_after_an_interruption(tmp_path):
    accumulator = library("tensorboard", "tensorboard.backend.event_processing.event_accumulator")
    Log(tmp_path, ROWS).close()
    log = Log(tmp_path, ROWS[:1])  # the second run knows of one epoch and does the other again
    log.add(ROWS[1])
    log.close()
    events = accumulator.EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    assert [(one.step, one.value) for one in events.Scalars("loss")] == [(1, 2.0), (2, 1.0)]
