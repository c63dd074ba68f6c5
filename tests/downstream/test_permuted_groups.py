"""Properties that separate groups, ranked, against permuted groups."""

import numpy as np
import pytest
from scipy.stats import chi2_contingency, mannwhitneyu

from astroclip_kit.downstream.permuted_groups import _column, ranked
from astroclip_kit.downstream.separation import separate

N = 240


def properties(seed, groups):
    rng = np.random.default_rng(seed)
    known = {f"noise_{number}": rng.normal(size=N) for number in range(8)}
    known["twice"] = known["noise_0"] + 1e-3 * rng.normal(size=N)
    known["rounded"] = np.where(rng.random(N) < 0.3, np.nan, np.round(rng.normal(size=N)))
    known["field"] = rng.choice(["N", "S", "E", ""], N)
    known["planted"] = rng.normal(size=N) + 1.2 * (groups == 1)
    known["planted text"] = np.where(rng.random(N) < np.where(groups == 2, 0.9, 0.3), "yes", "no")
    return known


@pytest.fixture(scope="module")
def groups():
    return np.random.default_rng(0).choice(3, N, p=[0.5, 0.3, 0.2])


def test_planted_properties_lead_and_chance_lies_between(groups):
    known = properties(1, groups)
    found = ranked(separate(groups, known), groups, known)
    assert len(found) == len(known)  # each once
    values = [abs(one.separation.value) for one in found]
    assert values == sorted(values, reverse=True)
    for one in found:
        beyond = abs(one.separation.value) > one.chance
        assert beyond == one.separation.property.startswith("planted") == (one.p < 0.05)
        assert 0.001 <= one.p <= 1 and 0.05 < one.chance < 0.5
    best = {one.separation.property: one.separation for one in found}
    assert best["planted"].cluster == 1 and best["planted text"].cluster == 2


def test_without_a_relation_something_is_found_at_the_nominal_rate(groups):
    rng, hits = np.random.default_rng(5), 0
    for seed in range(12):
        known = properties(seed, rng.permutation(groups))
        del known["planted"], known["planted text"]
        found = ranked(separate(groups, known), groups, known, seed=seed)
        hits += any(one.p < 0.05 for one in found)
    assert hits <= 3


@pytest.mark.parametrize("name", ["rounded", "field", "noise_3"])
def test_p_of_a_comparison_is_that_of_scipy(groups, name):
    values, member = properties(2, groups)[name], groups == 1
    [p] = _column(values).p(member[None].astype(float))
    if values.dtype.kind == "U":
        table = [[int(((member == side) & (values == level)).sum()) for level in "ENS"] for side in (True, False)]
        expected = chi2_contingency(table, correction=False).pvalue
    else:
        kept = np.isfinite(values)
        test = mannwhitneyu(values[member & kept], values[~member & kept], use_continuity=False, method="asymptotic")
        expected = test.pvalue
    assert p == pytest.approx(expected, rel=1e-6)
    [own] = [one for one in separate(groups, {name: values}) if one.cluster == 1]
    assert own.p == pytest.approx(p, rel=1e-6)
    assert _column(values).effect(own.p, own) == pytest.approx(abs(own.value), rel=1e-6, abs=1e-6)


def test_nothing_to_compare(groups):
    assert ranked([], groups, {}) == []
