"""`align` from end to end on spaces whose modalities share a latent vector."""

import dataclasses

import numpy as np
import pytest
import torch
from torch import nn

from astroclip_kit.alignment import Ensemble, ProjectionHead, align
from astroclip_kit.errors import FolderError, InputError, TrainingError, UsageError
from astroclip_kit.models import load_model
from astroclip_kit.settings import Alignment, Head, Objective, Optimizer, Sampling, Split
from astroclip_kit.storage import open_folder

SMALL = Alignment(head=Head(out_features=8))
CPU_SPLIT = Split(test=0.2, valid=0.25, seed=3)


class Encoder(nn.Module):
    """A small encoder of raw views."""

    def __init__(self, in_features, out_features=6):
        super().__init__()
        self.in_features, self.out_features = in_features, out_features
        self.layers = nn.Sequential(nn.BatchNorm1d(in_features), nn.Linear(in_features, out_features))

    def forward(self, x):
        return self.layers(x)


def test_heads_on_cached_features_find_the_other_view(space, quick, tmp_path):
    features = space.Features(space.correlated())
    model = align(features, tmp_path / "model", alignment=SMALL, training=quick, split=CPU_SPLIT, quiet=True)
    manifest = open_folder(tmp_path / "model", "model")
    last = manifest["history"][0][-1]
    assert last["val_recall@10"] > 0.9
    assert {"val_loss", "val_recall@10 image->spectrum", "val_recall@10 spectrum->image"} <= set(last)
    assert manifest["input"] == "features" and manifest["split"]["seed"] == 3
    assert manifest["encoders"]["image"] == features.encoders["image"]
    assert manifest["modalities"]["image"]["name"] == "image" and manifest["counts"]["train"] > 100
    assert manifest["unusable_batches"] == [0]
    assert not model.training and not (tmp_path / ".model.training").exists()
    x = torch.from_numpy(features.matrix("image")[:3])
    loaded = load_model(tmp_path / "model")
    torch.testing.assert_close(loaded._project("image", x), model._project("image", x))


def test_features_are_standardised_over_the_training_rows_only(space, quick, tmp_path):
    features = space.Features(space.correlated())
    model = align(features, tmp_path / "a", alignment=SMALL, training=quick, split=CPU_SPLIT, quiet=True)
    from astroclip_kit.data.splits import divide

    train = features.matrix("image")[divide(features, CPU_SPLIT) == "train"].astype(np.float64)
    np.testing.assert_allclose(model.scalers["image"].mean, train.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(model.scalers["image"].std, train.std(axis=0), rtol=1e-5)
    plain = dataclasses.replace(SMALL, head=Head(out_features=8, standardise=False))
    model = align(features, tmp_path / "b", alignment=plain, training=quick, split=CPU_SPLIT, quiet=True)
    assert float(model.scalers["image"].mean.abs().max()) == 0.0


@pytest.mark.parametrize("loss", ["infonce", "siglip"])
def test_three_modalities_with_missing_ones(space, quick, tmp_path, loss):
    generator = np.random.default_rng(0)
    widths = {"image": 12, "spectrum": 9, "lightcurve": 7}
    present = {name: generator.random(240) < 0.7 for name in widths}
    features = space.Features(space.correlated(widths=widths), present)
    scale = 10.0 if loss == "siglip" else 15.5
    settings = dataclasses.replace(SMALL, objective=Objective(loss, scale, learnable_scale=True))
    model = align(features, tmp_path / "model", alignment=settings, training=quick, split=CPU_SPLIT, quiet=True)
    last = open_folder(tmp_path / "model", "model")["history"][0][-1]
    assert len(model.pairs) == 3 and last["val_recall@10"] > 0.6
    assert bool((model.scales() != scale).all()) and (model.bias is None) == (loss == "infonce")


def test_three_modalities_by_the_published_sum(space, quick, tmp_path):
    widths = {"image": 12, "spectrum": 9, "lightcurve": 7}
    objective = Objective("infonce", 100.0, learnable_scale=True, reduction="published", pair_weights=[1.0, 1.0, 0.5])
    training = dataclasses.replace(quick, batch_size=32, optimizer=Optimizer("adam", 0.01, 1e-4, 45.0))
    settings = dataclasses.replace(SMALL, objective=objective)
    model = align(
        space.Features(space.correlated(widths=widths)),
        tmp_path / "model",
        alignment=settings,
        training=training,
        split=CPU_SPLIT,
        quiet=True,
    )
    manifest = open_folder(tmp_path / "model", "model")
    assert manifest["alignment"]["objective"]["reduction"] == "published"
    assert manifest["history"][0][-1]["val_recall@10"] > 0.6 and bool((model.scales() < 99.9).all())


def test_learned_scales_are_clamped_after_every_step(space, quick, tmp_path):
    settings = dataclasses.replace(SMALL, objective=Objective(logit_scale=99.0, learnable_scale=True))
    training = dataclasses.replace(quick, optimizer=Optimizer(learning_rate=0.3), epochs=3)
    model = align(
        space.Features(space.correlated(noise=0.0)),
        tmp_path / "model",
        alignment=settings,
        training=training,
        split=CPU_SPLIT,
        quiet=True,
    )
    assert float(model.scales().detach().max()) <= 100.0001


def test_members_are_concatenated_in_one_folder(space, quick, tmp_path):
    settings = dataclasses.replace(SMALL, members=2)
    heads = {"image": ProjectionHead(12, 8, (8,))}
    training = dataclasses.replace(quick, epochs=2)
    model = align(
        space.Features(space.correlated()),
        tmp_path / "model",
        heads=heads,
        alignment=settings,
        training=training,
        split=CPU_SPLIT,
        quiet=True,
    )
    first, second = model.members
    assert isinstance(model, Ensemble) and model.out_features == 16
    for name in ("image", "spectrum"):
        weights = [next(member.heads[name].parameters()) for member in (first, second)]
        assert not torch.allclose(*weights, atol=0.05)
    assert len(open_folder(tmp_path / "model", "model")["history"]) == 2
    assert isinstance(load_model(tmp_path / "model"), Ensemble)


def test_members_share_the_starting_weights_of_encoders_that_are_trained(space, quick, tmp_path):
    encoders = {"image": Encoder(12), "spectrum": Encoder(9)}
    settings = dataclasses.replace(SMALL, members=2, trainable=dict.fromkeys(encoders, "all"))
    still = dataclasses.replace(quick, epochs=1, optimizer=dataclasses.replace(quick.optimizer, learning_rate=1e-12))
    model = run(space.Samples(space.correlated()), tmp_path, still, settings, encoders=encoders)
    for member in model.members:
        torch.testing.assert_close(member.encoders["image"].layers[1].weight, encoders["image"].layers[1].weight)
    first, second = (member.heads["image"].layers[0].weight for member in model.members)
    assert not torch.allclose(first, second, atol=0.05)


@pytest.mark.parametrize("setting", ["frozen", "last:1", "all"])
def test_encoders_are_trained_as_far_as_the_setting_says(space, quick, tmp_path, setting):
    encoders = {"image": Encoder(12), "spectrum": Encoder(9)}
    before = {name: value.clone() for name, value in encoders["image"].state_dict().items()}
    settings = dataclasses.replace(
        SMALL, trainable=dict.fromkeys(encoders, setting), augmentations={"image": lambda x, seeds: x + 0.0}
    )
    samples = space.Samples(space.correlated())
    model = run(samples, tmp_path, quick, settings, encoders=encoders)
    after = model.encoders["image"].state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    linear, norm = {"layers.1.weight", "layers.1.bias"}, {n for n in before if n.startswith("layers.0")}
    assert changed == {"frozen": set(), "last:1": linear, "all": linear | norm}[setting]
    assert all(torch.equal(before[name], value) for name, value in encoders["image"].state_dict().items())
    assert bool(model.scalers["image"].mean.any()) == (setting == "frozen")


def test_a_raw_model_is_saved_with_its_encoders(space, quick, tmp_path):
    encoders = {"image": ProjectionHead(12, 6), "spectrum": ProjectionHead(9, 6)}  # any module of the kit encodes
    model = align(
        space.Samples(space.correlated()),
        tmp_path / "model",
        encoders=encoders,
        alignment=SMALL,
        training=dataclasses.replace(quick, epochs=1),
        split=CPU_SPLIT,
        quiet=True,
    )
    manifest, batch = open_folder(tmp_path / "model", "model"), space.Samples(space.correlated()).batch([1])
    assert manifest["input"] == "dataset" and manifest["encoders"]["image"]["init_args"]["in_features"] == 12
    torch.testing.assert_close(load_model(tmp_path / "model").embed(batch)["image"], model.embed(batch)["image"])


def test_one_row_per_group_and_no_leak_between_sides(space, quick, tmp_path):
    groups = np.repeat([f"star-{i}" for i in range(80)], 3)
    features = space.Features(space.correlated(), groups=groups)
    settings = dataclasses.replace(SMALL, sampling=Sampling(one_per_group=True))
    align(features, tmp_path / "model", alignment=settings, training=quick, split=CPU_SPLIT, quiet=True)
    manifest = open_folder(tmp_path / "model", "model")
    assert manifest["counts"]["train"] % 3 == 0
    assert manifest["history"][0][-1]["val_recall@10"] > 0.6


def run(data, tmp_path, quick, alignment=SMALL, **more):
    return align(data, tmp_path / "model", alignment=alignment, training=quick, split=CPU_SPLIT, quiet=True, **more)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"modalities": ["image", "radio"]}, "alignment.modalities: unknown modality 'radio'. The data have: image"),
        ({"modalities": ["image"]}, "at least two modalities, found"),
        ({"pairs": [["image", "radio"]]}, "is no pair of two of the modalities image, spectrum, table"),
        (
            {"modalities": ["image", "spectrum", "table"], "pairs": [["image", "spectrum"]]},
            "leave out the modality 'table'",
        ),
        ({"members": 0}, "alignment.members is 0"),
        ({"objective": Objective(loss="triplet")}, "alignment.objective.loss is 'triplet'"),
        ({"objective": Objective(reduction="max")}, "reduction is 'max', expected 'mean', 'sum' or 'published'"),
        ({"objective": Objective("siglip", reduction="published")}, "'published' is of infonce, which has two"),
        (
            {"objective": Objective(pair_weights=[1.0, 2.0])},
            r"pair_weights has 2 numbers for 3 pairs \(image and spectrum, image and table, spectrum and table\)",
        ),
        ({"objective": Objective(pair_weights=[1.0, -2.0, 1.0])}, r"\[1.0, -2.0, 1.0\], expected numbers above 0"),
        ({"objective": Objective(pair_weights=[0.0] * 3)}, r"\[0.0, 0.0, 0.0\], expected numbers above 0. List the"),
        ({"objective": Objective(pair_weights=[1.0, 1.0, np.nan])}, "nan], expected numbers above 0"),
        ({"pairs": [["image", "spectrum"]] * 2}, r"\['image', 'spectrum'\] is there twice. Give it a larger"),
        ({"sampling": Sampling(feature_dropout=1.0)}, "feature_dropout is 1.0, expected 0 to below 1"),
        ({"sampling": Sampling(feature_noise=-1.0)}, "feature_noise is -1.0, expected 0 or more"),
        ({"trainable": {"image": "all"}}, "have no use on cached features"),
    ],
)
def test_settings_that_do_not_fit(space, quick, tmp_path, changes, message):
    with pytest.raises(UsageError, match=message):
        widths = {"image": 12, "spectrum": 9, "table": 3}
        run(space.Features(space.correlated(widths=widths)), tmp_path, quick, dataclasses.replace(SMALL, **changes))


def test_parts_that_do_not_fit(space, quick, tmp_path):
    features, samples = space.Features(space.correlated()), space.Samples(space.correlated())
    with pytest.raises(UsageError, match="heads: unknown modality 'radio'"):
        run(features, tmp_path, quick, heads={"radio": ProjectionHead(3, 8)})
    with pytest.raises(InputError, match="the head of 'image' takes 5 features, the feature set has 12"):
        run(features, tmp_path, quick, heads={"image": ProjectionHead(5, 8)})
    with pytest.raises(UsageError, match="modality 'spectrum' has no encoder"):
        run(samples, tmp_path, quick, encoders={"image": Encoder(12)})


def test_features_that_are_not_finite_are_counted_by_modality(space, quick, tmp_path):
    matrices = space.correlated()
    matrices["spectrum"][[7, 9], 2] = np.nan
    with pytest.raises(
        InputError, match=r"2 of 240 rows of the features 'spectrum' are not finite \(first: 'object-7'\)"
    ):
        run(space.Features(matrices), tmp_path, quick)
    absent = np.ones(240, bool)
    absent[[7, 9]] = False  # what is absent may hold anything
    run(space.Features(matrices, {"spectrum": absent}), tmp_path, dataclasses.replace(quick, epochs=1))


def test_pairs_choose_the_modalities(space, quick, tmp_path):
    features = space.Features(space.correlated(widths={"image": 12, "spectrum": 9, "table": 3}))
    settings = dataclasses.replace(SMALL, pairs=[["table", "spectrum"]])
    model = run(features, tmp_path, dataclasses.replace(quick, epochs=1), settings)
    assert model.names == ["spectrum", "table"] and model.pairs == [("table", "spectrum")]


def test_without_validation_objects_the_last_epoch_is_kept(space, quick, tmp_path):
    features = space.Features(space.correlated())
    align(features, tmp_path / "m", alignment=SMALL, training=quick, split=Split(test=0.5, valid=0.0), quiet=True)
    assert not [key for key in open_folder(tmp_path / "m", "model")["history"][0][-1] if key.startswith("val_")]


def test_encoders_that_give_nan_are_named(space, quick, tmp_path):
    matrices = space.correlated()
    matrices["image"][:, 0] = np.nan
    encoders = {"image": ProjectionHead(12, 6), "spectrum": ProjectionHead(9, 6)}
    with pytest.raises(InputError, match="the encoder of 'image' gives values that are not finite"):
        run(space.Samples(matrices), tmp_path, quick, encoders=encoders)


def test_no_common_training_objects(space, quick, tmp_path):
    half = np.arange(240) < 120
    features = space.Features(space.correlated(), {"image": half, "spectrum": ~half})
    with pytest.raises(TrainingError, match=r"two training objects in common \(image and spectrum: 0\)"):
        run(features, tmp_path, quick)


def test_an_epoch_without_a_usable_pair(space, quick, tmp_path):
    with pytest.raises(TrainingError, match=r"no pair of modalities was usable in .* a whole epoch"):
        run(space.Features(space.correlated()), tmp_path, dataclasses.replace(quick, batch_size=1))


def test_a_foreign_folder_is_refused_before_the_training(space, quick, tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "thesis.txt").write_text("precious")
    with pytest.raises(FolderError, match="was not written by astroclip_kit"):
        run(space.Features(space.correlated()), tmp_path, quick)


def test_an_interrupted_training_goes_on_only_with_the_same_frozen_encoders(space, quick, tmp_path, monkeypatch):
    samples = space.Samples(space.correlated())
    encoders = {"image": Encoder(12), "spectrum": Encoder(9)}
    others = {"image": Encoder(12), "spectrum": encoders["spectrum"]}
    with monkeypatch.context() as patch:
        patch.setattr("astroclip_kit.alignment.train.save_model", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            run(samples, tmp_path, quick, encoders=encoders)
    with pytest.raises(FolderError, match="training data"):
        run(samples, tmp_path, quick, encoders=others)
    run(samples, tmp_path, quick, encoders=encoders)


def test_an_interrupted_training_goes_on_and_only_with_the_same_settings(space, quick, tmp_path, monkeypatch):
    features = space.Features(space.correlated())
    with monkeypatch.context() as patch:
        patch.setattr("astroclip_kit.alignment.train.save_model", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            run(features, tmp_path, quick)
    assert (tmp_path / ".model.training" / "member-0" / "log.csv").exists()
    for other in (
        {"objective": Objective(logit_scale=5.0)},
        {"head": dataclasses.replace(SMALL.head, standardise=False)},
        {"members": 2},
    ):
        with pytest.raises(FolderError, match="training data"):
            run(features, tmp_path, quick, dataclasses.replace(SMALL, **other))
    regrouped = space.Features(space.correlated(), groups=np.roll(features.groups, 1))
    with pytest.raises(FolderError, match="training data"):
        run(regrouped, tmp_path, quick)
    resumed = run(features, tmp_path, quick)
    whole = align(features, tmp_path / "other", alignment=SMALL, training=quick, split=CPU_SPLIT, quiet=True)
    assert all(torch.equal(a, b) for a, b in zip(resumed.parameters(), whole.parameters(), strict=True))
