"""The loss of a batch with missing modalities."""

import pytest
import torch

from astroclip_kit.alignment import ContrastiveModel, ProjectionHead
from astroclip_kit.alignment.batches import AlignmentBatch
from astroclip_kit.alignment.objective import BatchLoss, dense
from astroclip_kit.errors import TrainingError
from astroclip_kit.losses import InfoNCE

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
