"""The head on the mean of the unit vectors of whatever an object has."""

import pytest
import torch
from torch.nn import functional

from astroclip_kit.alignment import ProjectionHead
from astroclip_kit.classifiers import MeanEmbedding
from astroclip_kit.errors import InputError, UsageError
from astroclip_kit.models import load_model, save_model

WIDTHS = {"lightcurve": 6, "spectrum": 4, "metadata": 3}


def make(**changes):
    torch.manual_seed(0)
    return MeanEmbedding(WIDTHS, 5, **{"out_features": 8, **changes}).eval()


def features(count=4):
    torch.manual_seed(1)
    return {name: torch.randn(count, 1, width) for name, width in WIDTHS.items()}


def unit(fusion, name, x):
    return functional.normalize(fusion.heads[name](x[name][:, 0]), dim=1)


def test_it_is_a_linear_map_of_the_mean_unit_vector():
    fusion, x = make(), features()
    mean = torch.stack([unit(fusion, name, x) for name in WIDTHS]).mean(dim=0)
    torch.testing.assert_close(fusion(x), fusion.to_classes(mean))
    pair = torch.stack([unit(fusion, name, x) for name in ("lightcurve", "metadata")]).mean(dim=0)
    rest = {name: x[name] for name in ("lightcurve", "metadata")}
    torch.testing.assert_close(fusion(rest), fusion.to_classes(pair))


def test_a_concatenation_has_zeros_for_what_is_not_there():
    fusion, x = make(combine="concat"), features()
    assert fusion.to_classes.in_features == 24
    parts = [unit(fusion, "lightcurve", x), torch.zeros(4, 8), unit(fusion, "metadata", x)]
    expected = fusion.to_classes(torch.cat(parts, dim=1))
    torch.testing.assert_close(fusion({name: x[name] for name in ("metadata", "lightcurve")}), expected)


@pytest.mark.parametrize("combine", ["mean", "concat"])
def test_each_object_of_a_batch_may_lack_others(combine):
    fusion, x = make(combine=combine), features()
    alone = torch.cat([fusion({"spectrum": x["spectrum"][:1]}), fusion({name: one[1:] for name, one in x.items()})])
    for name in ("lightcurve", "metadata"):
        x[name][0] = torch.nan
    torch.testing.assert_close(fusion(x), alone)
    for name in ("lightcurve", "metadata"):
        x[name][0] = 7.0
    here = {name: torch.tensor([name == "spectrum", True, True, True]) for name in WIDTHS}
    torch.testing.assert_close(fusion(x, here), alone)


def test_absent_modalities_give_no_gradient_and_nan_where_there_should_be_none_is_not_hidden():
    fusion, x = make(), features()
    x["spectrum"][2] = torch.nan
    fusion(x).sum().backward()
    assert all(weight.grad.isfinite().all() for weight in fusion.parameters())
    everyone = dict.fromkeys(WIDTHS, torch.ones(4, dtype=torch.bool))
    assert fusion(x, everyone)[2].isnan().all()


def test_modality_dropout_leaves_every_object_one_and_draws_only_in_training():
    fusion, x = make(modality_dropout=0.7), features(400)
    single = {name: fusion({name: one}) for name, one in x.items()}
    assert torch.equal(fusion(x), fusion(x))
    torch.manual_seed(2)
    drawn = fusion.train()(x)
    assert drawn.isfinite().all()
    alone = torch.stack([(drawn - one).abs().amax(dim=1) < 1e-6 for one in single.values()]).any(dim=0)
    assert float(alone.float().mean()) == pytest.approx(3 * 0.3 * 0.7**2, abs=0.06)
    torch.manual_seed(2)
    assert torch.equal(fusion(x), drawn)


def test_one_modality_has_its_head_on_the_encoder_or_on_the_projection():
    x = {"spectrum": torch.randn(3, 2, 4)}
    straight = MeanEmbedding({"spectrum": 4}, 5)
    assert straight.to_classes.in_features == 4 and not list(straight.heads)
    torch.testing.assert_close(straight(x), straight.to_classes(x["spectrum"].mean(dim=1)))
    projected = MeanEmbedding({"spectrum": 4}, 5, out_features=8, head="projection")
    z = functional.normalize(projected.heads["spectrum"](x["spectrum"].mean(dim=1)), dim=1)
    torch.testing.assert_close(projected(x), projected.to_classes(z))


def test_projections_may_be_given_and_are_saved_with_it(tmp_path):
    heads = {name: ProjectionHead(width, 7, (9,)) for name, width in WIDTHS.items()}
    fusion = make(heads=heads)
    fusion.scalers["spectrum"].set(torch.full((4,), 3.0), torch.full((4,), 2.0))
    assert fusion.out_features == 7 and fusion.heads["metadata"] is heads["metadata"]
    save_model(fusion, tmp_path / "model")
    assert torch.equal(load_model(tmp_path / "model")(features()), fusion(features()))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"combine": "sum"}, "combine is 'sum', expected one of mean, concat"),
        ({"head": "linear"}, "head is 'linear', expected one of encoder, projection"),
        ({"modality_dropout": 1.0}, "modality_dropout is 1.0, expected a share from 0 to below 1"),
        ({"classes": 1}, "a head needs a modality and two classes, found 3 and 1"),
        ({"heads": {"spectrum": ProjectionHead(3, 8)}}, "heads: that of 'spectrum' takes 3 features, and the encoder"),
        ({"heads": {"spectrum": ProjectionHead(4, 9)}}, "heads end in the widths 8, 9, expected the same of all"),
    ],
)
def test_settings_that_make_no_sense_are_refused(arguments, message):
    given = {"in_features": WIDTHS, "classes": 5, "out_features": 8, **arguments}
    with pytest.raises(UsageError, match=message):
        MeanEmbedding(**given)


def test_features_have_to_fit():
    with pytest.raises(InputError, match="there are features of image, expected any of these: lightcurve, spectrum, m"):
        make()({"image": torch.zeros(2, 1, 6)})
    with pytest.raises(InputError, match=r"the features of 'spectrum' have shape \(2, 1, 6\), expected \(objects, tok"):
        make()({"spectrum": torch.zeros(2, 1, 6)})
