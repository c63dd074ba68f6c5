"""What a linear map and a small network read off vectors."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler

from astroclip_kit.downstream import probes
from astroclip_kit.downstream.probes import probe
from astroclip_kit.errors import InputError, UsageError

rng = np.random.default_rng(0)
Z = rng.normal(size=(300, 6)) * [1, 10, 1, 0.1, 1, 1]
LINEAR = Z @ [1, 0.1, 0, 3, 0, 0] + 4
TRAIN, TEST = slice(0, 200), slice(200, 300)


def error(found, true):
    return np.std(found.value - true) / np.std(true)


def test_the_linear_probe_is_the_ridge_of_scikit_learn_on_standardised_inputs():
    noisy = LINEAR + rng.normal(size=300)
    found = probe("linear", Z[TRAIN], noisy[TRAIN], Z[TEST])
    scaler = StandardScaler().fit(Z[TRAIN])
    mean, std = noisy[TRAIN].mean(), noisy[TRAIN].std()
    answers = [
        Ridge(alpha=alpha)
        .fit(scaler.transform(Z[TRAIN]), (noisy[TRAIN] - mean) / std)
        .predict(scaler.transform(Z[TEST]))
        for alpha in probes.PENALTIES
    ]
    assert min(np.abs(found.value - (one * std + mean)).max() for one in answers) < 1e-9
    assert error(probe("linear", Z[TRAIN], LINEAR[TRAIN], Z[TEST]), LINEAR[TEST]) < 1e-3


def test_the_penalty_is_chosen_by_left_out_groups_and_not_by_rows():
    z, noise = rng.normal(size=(40, 30)), rng.normal(size=40)
    twice, said = np.repeat(z, 2, axis=0), np.repeat(noise, 2)  # every object twice: rows alone would give it away
    apart = probe("linear", twice, said, z, groups=np.repeat(np.arange(40), 2))
    together = probe("linear", twice, said, z)
    assert np.std(apart.value) < 0.7 * np.std(together.value)


def test_a_network_reads_what_a_line_cannot():
    ring = np.hypot(Z[:, 0], Z[:, 2])
    linear, network = (probe(kind, Z[TRAIN], ring[TRAIN], Z[TEST]) for kind in ("linear", "mlp"))
    assert error(linear, ring[TEST]) > 0.9 and error(network, ring[TEST]) < 0.8


@pytest.mark.parametrize("kind", probes.KINDS)
def test_classes_come_with_probabilities(kind):
    names = np.where(Z[:, 0] > 0, "QSO", np.where(Z[:, 2] > 0, "STAR", "GALAXY"))
    found = probe(kind, Z[TRAIN], names[TRAIN], Z[TEST])
    assert found.classes.tolist() == ["GALAXY", "QSO", "STAR"] and np.mean(found.value == names[TEST]) > 0.8
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1, atol=1e-6)
    assert (found.classes[found.probabilities.argmax(axis=1)] == found.value).all()


@pytest.mark.parametrize("kind", probes.KINDS)
def test_angles_are_fitted_through_zero(kind):
    angle = rng.uniform(-20, 20, 300)
    z = np.stack([np.cos(np.radians(2 * angle)), np.sin(np.radians(2 * angle))], axis=1)
    found = probe(kind, z[TRAIN], angle[TRAIN] % 180, z[TEST], period=180)
    assert ((found.value >= 0) & (found.value < 180)).all()
    off = (found.value - angle[TEST] + 90) % 180 - 90
    assert np.abs(off).max() < (0.1 if kind == "linear" else 8)


@pytest.mark.parametrize("kind", probes.KINDS)
def test_the_same_seed_gives_the_same_probe_and_a_rare_class_does_no_harm(kind, monkeypatch):
    monkeypatch.setattr(probes, "EPOCHS", 10)
    names = np.where(Z[:, 0] > 0, "QSO", "STAR").astype("<U6")
    names[5] = "BLAZAR"
    one, two = (probe(kind, Z[TRAIN], names[TRAIN], Z[TEST], seed=3) for _ in range(2))
    assert (one.probabilities == two.probabilities).all() and "BLAZAR" in one.classes


def test_two_objects_and_a_constant_column_are_enough():
    z = np.array([[0.0, 0.1], [1.0, 0.1]])
    for kind in probes.KINDS:
        assert np.isfinite(probe(kind, z, [1.0, 2.0], z).value).all()
    assert probe("linear", z, np.array(["a", "b"]), z).value.tolist() == ["a", "b"]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: probe("cubic", Z, LINEAR, Z), UsageError, "expected a linear or mlp probe, found 'cubic'"),
        (lambda: probe("linear", Z, LINEAR[:5], Z), InputError, r"one width and a value each, found shapes \(300, 6\)"),
        (lambda: probe("mlp", Z, LINEAR, Z[:, :2]), InputError, r"and \(300, 2\)"),
        (lambda: probe("mlp", Z, np.where(LINEAR > 4, np.nan, 1), Z), InputError, "found NaN or infinity"),
        (lambda: probe("linear", Z, np.ones(300), Z), InputError, "values that differ, found 1.0 for all 300"),
        (lambda: probe("linear", Z, np.full(300, "QSO"), Z), InputError, "values that differ, found QSO for all 300"),
    ],
)
def test_bad_input_is_one_clear_error(call, error, message):
    with pytest.raises(error, match=message):
        call()
