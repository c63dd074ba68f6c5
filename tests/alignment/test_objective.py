"""The loss of a batch with missing modalities."""

import math

import numpy as np
import pytest
import torch

from astroclip_kit.alignment import ContrastiveModel, ProjectionHead
from astroclip_kit.alignment.batches import AlignmentBatch, plain_batch
from astroclip_kit.alignment.objective import BatchLoss, dense
from astroclip_kit.alignment.validation import validator
from astroclip_kit.errors import TrainingError
from astroclip_kit.losses import InfoNCE, SigLIP
from astroclip_kit.settings import Objective

NAMES = ["image", "spectrum", "table"]


@pytest.fixture
def model():
    torch.manual_seed(0)
    return ContrastiveModel({name: ProjectionHead(4, 3) for name in NAMES}, learnable_scale=True)


def make_batch(rows, groups=None, count=6):
    x = {
        name: torch.randn(len(here), 4, generator=torch.Generator().manual_seed(len(here)))
        for name, here in rows.items()
    }
    index = {name: torch.tensor(here, dtype=torch.int64) for name, here in rows.items()}
    numbers = torch.arange(count) if groups is None else torch.tensor(groups)
    return AlignmentBatch([], [], x, index, group_numbers=numbers)


def test_only_common_rows_of_usable_pairs_count(model):
    batch = make_batch({"image": [0, 2, 3, 5], "spectrum": [1, 2, 5, 3], "table": [4, 0]})
    loss = BatchLoss(model, InfoNCE(), 10)(model, batch)
    z = model(batch)
    expected = InfoNCE()(z["image"][[1, 2, 3]], z["spectrum"][[1, 3, 2]], 15.5)  # rows 2, 3, 5
    torch.testing.assert_close(loss, expected)


def test_the_mean_over_pairs_is_taken(model):
    batch = make_batch({name: list(range(6)) for name in NAMES})
    z = model(batch)
    pairs = [InfoNCE()(z[a], z[b], 15.5) for a, b in model.pairs]
    torch.testing.assert_close(BatchLoss(model, InfoNCE(), 10)(model, batch), torch.stack(pairs).mean())


def test_views_of_one_object_are_no_pair(model):
    objective = BatchLoss(model, InfoNCE(), 10)
    batch = make_batch({"image": [0, 1], "spectrum": [0, 1]}, groups=[7, 7], count=2)
    assert float(objective(model, batch).detach()) == 0.0 and objective.unusable == 1


def test_a_batch_without_a_usable_pair_gives_zero_gradients_to_every_weight(model):
    objective = BatchLoss(model, InfoNCE(), 3)
    lonely, paired = make_batch({"image": [0, 1], "spectrum": [2]}), make_batch({"image": [0, 1], "spectrum": [0, 1]})
    objective(model, lonely).backward()
    assert all(weight.grad is not None and not weight.grad.any() for weight in model.parameters())
    for batch in (lonely, paired, lonely, lonely):
        objective(model, batch)
    assert objective.unusable == 4
    with pytest.raises(TrainingError, match="no pair of modalities was usable in 3 batches in a row"):
        objective(model, lonely)


def test_dense_puts_vectors_at_their_rows():
    z = {"image": torch.ones(2, 3), "spectrum": torch.ones(0, 3)}
    vectors, present = dense(z, {"image": torch.tensor([2, 0])}, ["image", "spectrum"], 4)
    assert present.tolist() == [[True, False], [False, False], [True, False], [False, False]]
    assert torch.equal(vectors[:, 0].sum(dim=1), torch.tensor([3.0, 0.0, 3.0, 0.0])) and not vectors[:, 1].any()


def slow_published(z, present, groups, pairs, scales, weights):
    """AstroM3's sum, entry by entry: of each pair the mean over queries in one direction plus that in the other."""
    total = 0.0
    for (a, b), scale, weight in zip(pairs, scales, weights, strict=True):
        rows = [i for i in range(len(groups)) if present[a][i] and present[b][i]]
        for asking, asked in ((a, b), (b, a)):
            costs = []
            for i in rows:
                others = [j for j in rows if j == i or groups[j] != groups[i]]
                logits = {j: scale * float(z[asking][i] @ z[asked][j]) for j in others}
                costs.append(math.log(sum(math.exp(value) for value in logits.values())) - logits[i])
            total += weight * sum(costs) / len(costs)
    return total


@pytest.mark.parametrize("weights", [[], [1.0, 0.5, 3.0]])
def test_the_published_sum_equals_a_slow_loop_with_missing_modalities(model, weights):
    rows = {"image": [0, 1, 2, 3, 4], "spectrum": [5, 3, 2, 0], "table": [1, 2, 3, 4, 5]}
    groups = [0, 1, 2, 2, 3, 4]
    batch = make_batch(rows, groups)
    with torch.no_grad():
        model.log_scale.copy_(torch.tensor([0.5, 1.0, 2.0]))
    z = {name: dict(zip(rows[name], vectors.detach(), strict=True)) for name, vectors in model(batch).items()}
    present = {name: [i in z[name] for i in range(6)] for name in NAMES}
    expected = slow_published(z, present, groups, model.pairs, model.scales().tolist(), weights or [1.0] * 3)
    found = BatchLoss(model, InfoNCE(), 10, Objective(pair_weights=weights, reduction="published"))(model, batch)
    assert float(found.detach()) == pytest.approx(expected, rel=1e-5)


def test_at_chance_the_published_sum_is_six_log_n_and_twice_open_clip_s_of_each_pair(model):
    from open_clip.loss import ClipLoss

    published = BatchLoss(model, InfoNCE(), 10, Objective(reduction="published"))
    batch = make_batch({name: list(range(512)) for name in NAMES}, count=512)
    z = model(batch)
    pairs = [ClipLoss()(z[a], z[b], torch.tensor(15.5)) for a, b in model.pairs]
    torch.testing.assert_close(published(model, batch), 2 * torch.stack(pairs).sum())
    same = AlignmentBatch(
        [], [], {name: torch.ones(512, 4) for name in NAMES}, batch.rows, group_numbers=batch.group_numbers
    )
    assert float(published(model, same).detach()) == pytest.approx(6 * math.log(512), rel=1e-6)  # 37.4


@pytest.mark.parametrize("loss", [InfoNCE(), InfoNCE(symmetric=False), SigLIP()])
def test_weights_and_reductions_of_the_pairs_that_are_usable(loss):
    torch.manual_seed(0)
    bias = -3.0 if isinstance(loss, SigLIP) else None
    model = ContrastiveModel({name: ProjectionHead(4, 3) for name in NAMES}, logit_bias=bias)
    batch = make_batch({"image": [0, 1, 2, 3], "spectrum": [1, 2, 3], "table": [0, 5]})  # spectra and tables: none

    def found(reduction, weights=(), symmetric=True):
        objective = Objective(pair_weights=list(weights), reduction=reduction, symmetric=symmetric)
        return float(BatchLoss(model, loss, 10, objective)(model, batch).detach())

    with_table = batch.views | {"table": batch.views["image"][:2] * 0.5}
    batch = AlignmentBatch(
        [], [], with_table, batch.rows | {"table": torch.tensor([0, 1])}, group_numbers=batch.group_numbers
    )
    total, weighted = found("sum"), found("sum", [1.0, 2.0, 4.0])
    second = weighted - total  # image and table; spectrum and table share one object only
    assert found("mean") == pytest.approx(total / 2) and 0 < second < total
    assert found("mean", [1.0, 2.0, 4.0]) == pytest.approx(weighted / 3)
    assert found("sum", [0.5, 0.5, 9.0]) == pytest.approx(total / 2)
    assert found("published") == pytest.approx(2 * total)
    assert found("published", symmetric=False) == pytest.approx(total)  # of one direction there is nothing to double


def test_a_scale_that_starts_at_the_largest_has_a_gradient_moves_and_is_clamped(model):
    largest = math.log(100.0)
    batch = make_batch({name: list(range(6)) for name in NAMES})
    start = torch.tensor([largest] * 3, requires_grad=True)
    (start.exp().clamp(1, 100) * torch.tensor([1.0, 2.0, 3.0])).sum().backward()
    assert not start.grad.any()  # AstroM3 clamps in the forward pass: in float32 exp(ln 100) is above 100
    model.log_scale.data.fill_(largest)
    adam = torch.optim.Adam([model.log_scale], lr=0.01, weight_decay=0.0)
    BatchLoss(model, InfoNCE(), 10, Objective(reduction="published"))(model, batch).backward()
    assert (model.log_scale.grad > 1e-3).all()  # untrained heads are too sure of themselves at 100
    adam.step()
    model.clamp_scales()
    assert (model.scales() < 99.5).all()
    model.log_scale.grad.neg_()
    for _ in range(20):
        adam.step()
        model.clamp_scales()
    torch.testing.assert_close(model.scales(), torch.full((3,), 100.0))


def test_validation_means_over_batches_of_equal_size_and_asks_everyone_for_a_rare_pair(model, space):
    present = {"spectrum": np.ones(70, bool), "table": np.zeros(70, bool)}
    first, second = np.random.default_rng(0).permutation(70)[[0, 40]]  # in different batches
    present["table"][[first, second]] = True
    features = space.Features(space.correlated(70, dict.fromkeys(NAMES, 4)), present)
    objective = Objective(reduction="sum", pair_weights=[1.0, 2.0, 3.0])
    with torch.no_grad():
        measured = validator(model.eval(), InfoNCE(), features, np.arange(70), 32, objective)(model)
        order = np.random.default_rng(0).permutation(70)
        z = model(plain_batch(features, NAMES, order))
        rows = np.array_split(np.arange(70), 3)  # 24, 23 and 23, not 32, 32 and 6
        expected = np.mean([float(InfoNCE()(z["image"][part], z["spectrum"][part], 15.5)) for part in rows])
        rare = np.flatnonzero(present["table"][order])
        for weight, name in ((2.0, "image"), (3.0, "spectrum")):
            expected += weight * float(InfoNCE()(z[name][rare], z["table"], 15.5))
    assert measured["loss"] == pytest.approx(expected, rel=1e-5)
