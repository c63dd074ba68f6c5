"""The way from neighbour to neighbour."""

import numpy as np

from astroclip_kit.explorer.neighbours.lists import NeighbourList
from astroclip_kit.explorer.neighbours.way import Asker, Way


def a_list(*rows):
    k = len(rows)
    return NeighbourList("image", "spectrum", np.array(rows), np.linspace(1, 0, k, dtype="f4"), np.zeros(k, bool))


def asker(row):
    return Asker(f"o{row}", row)


def test_steps_lead_through_the_list_of_who_asked_first():
    way = Way()
    assert way.told == "" and not way.may_step(1) and not way.past
    way.arrive(asker(1))
    way.offer(a_list(5, 6))
    way.offer(a_list(5, 6, 7))  # more were asked for
    assert way.told.startswith("Next goes through image → spectrum") and way.may_step(1) and not way.may_step(-1)
    for row, place in ((5, 1), (6, 2), (7, 3)):
        assert way.step(1) == row
        way.arrive(asker(row))
        way.offer(a_list(8, 9))  # its own neighbours, which do not take over
        assert way.told == f"{place} of 3 nearest to o1 (image → spectrum)"
    assert not way.may_step(1) and way.step(-1) == 6
    assert [one.row for one in way.past] == [1, 5, 6]


def test_a_neighbour_of_a_neighbour_begins_a_new_list():
    way = Way()
    way.arrive(asker(1))
    assert way.pick(a_list(5, 6, 7), 1) == 6
    way.arrive(asker(6))
    assert way.pick(a_list(3, 4), 0) == 3
    way.arrive(asker(3))
    assert way.told == "1 of 2 nearest to o6 (image → spectrum)"


def test_back_leads_where_one_was_and_is_not_remembered():
    way = Way()
    way.arrive(asker(1))
    way.pick(a_list(5, 6), 0)
    way.arrive(asker(5))
    way.step(1)
    way.arrive(asker(6))
    assert way.back().row == 5
    way.arrive(asker(5))
    assert way.told.startswith("1 of 2") and [one.row for one in way.past] == [1]
    assert way.back().row == 1
    way.arrive(asker(1))
    assert way.told == "" and not way.past


def test_another_object_ends_the_steps():
    way = Way()
    way.arrive(asker(1))
    way.pick(a_list(5, 6), 0)
    way.arrive(asker(5))
    way.arrive(asker(30))
    assert way.told == "" and not way.may_step(1)
    way.arrive(None)
    assert [one.row for one in way.past] == [1, 5, 30] and not way.may_step(1)


def test_beyond_the_ends_and_before_the_past_is_nobody():
    way = Way()
    assert way.back() is None and way.step(1) is None
    way.arrive(asker(1))
    assert way.pick(a_list(5, 6), 7) is None and way.pick(a_list(5, 6), 0) == 5
    assert way.step(-1) is None and way.step(1) == 6 and way.step(1) is None and way.place == 1
    assert way.back() is None and way.asker == asker(1)


def test_the_same_asker_again_is_no_step_of_the_way():
    way = Way()
    way.arrive(asker(1))
    way.arrive(asker(1))
    assert way.past == []
