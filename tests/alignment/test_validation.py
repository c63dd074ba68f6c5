"""How a rank among the targets is counted."""

import torch

from astroclip_kit.alignment.validation import ranks


def test_ranks_count_any_member_of_the_group_and_ties_against():
    eye, groups = torch.eye(4), torch.arange(4)
    assert ranks(eye, eye, groups).tolist() == [1, 1, 1, 1]
    assert ranks(eye, eye.roll(1, 0), groups).tolist() == [4, 4, 4, 4]
    assert ranks(eye, eye.roll(1, 0), torch.zeros(4, dtype=torch.int64)).tolist() == [1, 1, 1, 1]
    assert ranks(torch.ones(4, 2), torch.ones(4, 2), groups).tolist() == [4, 4, 4, 4]  # a collapsed space


def test_ranks_of_distinct_objects_equal_those_by_definition(monkeypatch):
    monkeypatch.setattr("astroclip_kit.alignment.validation.QUERIES", 7)
    generator = torch.Generator().manual_seed(0)
    queries, targets = (torch.randn(40, 3, generator=generator).round() for _ in range(2))  # with ties
    similarity = queries @ targets.T
    expected = [1 + sum(bool(row[j] >= row[i]) for j in range(40) if j != i) for i, row in enumerate(similarity)]
    assert ranks(queries, targets, torch.arange(40)).tolist() == expected
