"""What the page of the star / QSO experiment says, from numbers whose answer is known."""

import math

import pytest

from astroclip_kit.recipes.paired import Paired
from astroclip_kit.recipes.spectral_gan_judging import BEYOND, EXPLAINED, OUT_OF_FOLD, TRAINED_ON
from astroclip_kit.recipes.spectral_gan_models import MODELS
from astroclip_kit.recipes.spectral_gan_words import leaks, reductions, vectors_table, verdict, why
from astroclip_kit.results import combine
from astroclip_kit.types import Result

IMAGE = [0.90, 0.92, 0.91]
NAMES = {name: model.name for name, model in MODELS.items()}


def number(task, value, metric="macro_f1", query="image", chance=math.nan):
    of, target = ("class", query) if metric in ("macro_f1", "accuracy") else ("vector", "spectrum")
    about = (task, query, target, of, metric, value, value, value, 50, 0, "sky", "mock", chance)
    return Result(*about, space="supervised")


def repeated(**tasks):
    """Results of three seeds: task to macro F1, or task__metric__query to a number, of each."""
    each = []
    for seed in range(3):
        found = [(name.split("__"), values[seed]) for name, values in tasks.items()]
        each.append([number(name[0], value, *name[1:]) for name, value in found])
    return combine(each, 0.2)


def paired(results):
    return Paired(results, "class", 0.2, NAMES)


def better(by, scatter=0.001):
    return [value + by + scatter * number for number, value in enumerate(IMAGE)]


@pytest.mark.parametrize(
    ("gan", "retrieved", "words"),
    [
        (better(0.04), better(0.0, 0.003), ("by the GAN help: macro F1", "way make no difference", "The GAN wins: ")),
        (better(-0.04), better(0.04), ("by the GAN harm", "contrastive way help", "The contrastive way wins")),
        (better(0.001, -0.01), IMAGE, ("GAN make no difference beyond", "is +0.0000 in every seed", "Neither the GAN")),
    ],
)
def test_the_winner_is_who_wins_beyond_the_scatter(gan, retrieved, words):
    told = verdict(paired(repeated(image=IMAGE, gan=gan, retrieved=retrieved)))
    assert all(one in told for one in words), told
    assert "Published is +0.0477, from 0.93 to 0.9777." in told


def test_nothing_is_said_of_what_was_not_run():
    results = repeated(image=IMAGE)
    assert verdict(paired(results)) == "" and leaks(paired(results), results) == "" and vectors_table(results) == ""
    assert "real vectors" not in why(paired(results), results)


def test_reductions_are_of_single_seeds_and_then_of_all():
    results = repeated(image=IMAGE, gan=[0.95, 0.96, 0.91], image__accuracy=[0.9, 0.8, 1.0], gan__accuracy=[0.95] * 3)
    found = reductions(results, 0.2)
    values = {(one.metric, one.fold): one.value for one in found}
    assert values["f1_shortfall_reduction", 0] == pytest.approx(0.5)
    assert values["f1_shortfall_reduction", -1] == pytest.approx(1 / 3)
    assert values["error_rate_reduction", 1] == pytest.approx(0.75)
    assert math.isnan(values["error_rate_reduction", 2])  # the image alone makes no error in that seed
    assert values["error_rate_reduction", -1] == pytest.approx((0.5 + 0.75) / 2)
    assert {one.task for one in found} == {"gan"}


def test_of_one_seed_there_are_reductions_too():
    found = reductions([number("image", 0.9), number("gan", 0.95)], 0.2)
    assert [(one.metric, one.value) for one in found] == [("f1_shortfall_reduction", pytest.approx(0.5))]


def test_why_is_told_by_what_bounds_the_gain():
    told = {f"gan__{EXPLAINED}": [0.30] * 3, f"no_critic__{EXPLAINED}": [0.41] * 3, f"permuted__{EXPLAINED}": [0.9] * 3}
    told |= {f"information__{EXPLAINED}__image": [-0.1] * 3, f"information__{EXPLAINED}__magnitudes": [0.6] * 3}
    results = repeated(image=IMAGE, real=better(0.08), magnitudes=better(0.06), gan_alone=better(-0.01), **told)
    text = why(paired(results), results)
    assert "macro F1 is 0.991, with the image alone 0.910: the 0.081 between them are all there is to gain" in text
    assert "magnitudes of the catalogue alone reach 0.971" in text
    assert "alone reaches 0.901, nearly all of what the image tells" in text
    assert "41% follows from the best vectors that come from the image (image + simulated vector (regression" in text
    assert "nothing from the features of the image classifier, and 60% from the magnitudes" in text


@pytest.mark.parametrize(("left", "p", "verdict_"), [(0.01, 0.4, "nothing leaks"), (0.3, 0.005, "objects leak")])
def test_a_leak_is_what_is_left_of_permuted_images(left, p, verdict_):
    told = {f"gan__{OUT_OF_FOLD}": [0.5] * 3, f"gan__{BEYOND}": [0.48] * 3, f"gan__{TRAINED_ON}": [0.6] * 3}
    told |= {f"permuted__{OUT_OF_FOLD}": [left] * 3, f"permuted__{OUT_OF_FOLD}_p": [p, p, p]}
    results = repeated(gan=better(0.04), permuted=better(0.0), **told)
    text = leaks(paired(results), results)
    assert (
        "has not seen them have a cosine of 0.500 to the real ones, those of test objects 0.480, and those of objects"
        in text
    )
    assert f"{left:.3f} is left of that" in text and verdict_ in text
    assert "less that with permuted ones is +0.0400 in every seed: what vectors tell beyond the class counts" in text


@pytest.mark.parametrize(
    ("own", "words"), [(0.5, "like those that it will see"), (0.7, "as where something leaks"), (0.1, "have fewer")]
)
def test_vectors_that_are_learned_from_may_be_better_or_worse_than_those_to_come(own, words):
    results = repeated(gan=IMAGE, **{f"gan__{OUT_OF_FOLD}": [own] * 3, f"gan__{BEYOND}": [0.48] * 3})
    assert words in leaks(paired(results), results)


def test_vectors_stand_beside_what_the_class_alone_reaches():
    one = number("gan", 0.7, "cosine", chance=0.6)
    page = vectors_table(combine([[one], [one]], 0.2))
    assert "<td>image + simulated vector (GAN)</td>" in page and "class mean 0.600" in page
    assert "0.700 ± 0.000" in page and "Fréchet" not in page
