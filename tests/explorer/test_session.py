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
