"""What was worked out once."""

import pytest

from astroclip_kit.explorer.kept import Kept


def test_the_answers_that_were_asked_for_last_are_kept():
    kept, made = Kept(2), []
    for key in "abacb":
        assert kept.get(key, lambda key=key: made.append(key) or key) == key
    assert made == ["a", "b", "c", "b"]


def test_nothing_is_an_answer_and_an_error_is_none():
    kept, made = Kept(2), []
    for _ in range(2):
        assert kept.get("nothing", lambda: made.append(1)) is None
    assert made == [1]
    with pytest.raises(ZeroDivisionError):
        kept.get("x", lambda: 1 / 0)
    assert kept.get("x", lambda: 3) == 3
