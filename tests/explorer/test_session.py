"""The state of one page."""

import numpy as np
import pytest
from small_sky import N, small_session

from astroclip_kit.errors import UsageError
from astroclip_kit.explorer.columns import Column


@pytest.mark.parametrize("name", ["z", "object_id", "has_image"])
def test_a_column_of_the_page_has_no_name_of_the_space(tmp_path, name):
    session = small_session(tmp_path / "space")
    before = session.columns.get(name)
    with pytest.raises(UsageError, match=rf"column '{name}': the space has one of this name\. Choose another name"):
        session.add_columns(
            Column("mine", "", lambda: np.zeros(N), False), Column(name, "", lambda: np.zeros(N), False)
        )
    assert session.columns.get(name) is before and not session.own_columns


def test_a_saved_column_that_is_replaced_is_filtered_by_its_new_values(tmp_path):
    session, told = small_session(tmp_path / "space"), []
    session.space.save_column("mine", np.arange(N) < 3)
    session.change(where=("mine", "z > -1"))
    few = int(session.shown.sum())
    session.on("where", call=lambda: told.append(int(session.shown.sum())))
    session.space.save_column("other", np.arange(N))
    assert set(told) <= {few}
    session.space.store.save_column("mine", np.arange(N) >= 3, replace=True)
    session.space.refresh()
    values = session.columns["z"].values
    assert session.state.where == ("mine", "z > -1") and told[-1] == ((np.arange(N) >= 3) & (values > -1)).sum() != few


def test_a_page_that_has_ended_is_told_of_no_column(tmp_path):
    session = small_session(tmp_path / "space")
    session.on("columns", call=lambda: 1 / 0)
    session.close()
    session.space.save_column("mine", np.arange(N) < 3)
    assert "mine" in session.space.columns
