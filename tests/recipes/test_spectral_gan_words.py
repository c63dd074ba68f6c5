"""What the page of the star / QSO experiment says, from numbers whose answer is known."""

import math

import pytest

from astroclip_kit.recipes.paired import Paired
from astroclip_kit.recipes.spectral_gan_judging import BEYOND, EXPLAINED, OUT_OF_FOLD, TRAINED_ON
from astroclip_kit.recipes.spectral_gan_leaks import leaks
from astroclip_kit.recipes.spectral_gan_models import MODELS
from astroclip_kit.recipes.spectral_gan_words import division, reductions, vectors_table, verdict, why
from astroclip_kit.results import combine
from astroclip_kit.settings import Split
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
    told |= {f"information__{EXPLAINED}__image": [-0.1] * 3, f"information__{EXPLAINED}__magnitudes": [0.5, 0.6, 0.7]}
    results = repeated(image=IMAGE, real=better(0.08), magnitudes=better(0.06), gan_alone=better(-0.01), **told)
    text = why(paired(results), results)
    assert "is 0.991, with the image alone 0.910: the difference is +0.0810" in text
    assert "so much would vectors gain that are simulated without error." in text
    assert "alone reach 0.971, more than the image (difference +0.0610" in text and "a mock have no noise" in text
    assert "do not bound what is to gain" not in text
    assert "alone reaches 0.901, less than the image (difference -0.0090 (-0.0" in text
    assert "41% ± 0% follows from the best vectors that come from the image (image + simulated vector (regress" in text
    assert "nothing from the features of the image classifier, and 60% ± 10% from the magnitudes" in text
    assert "inside each class): 59% were found in the image by neither." in text


def test_what_real_vectors_do_not_gain_is_not_said_to_be_there():
    worse = why(paired(found := repeated(image=IMAGE, real=better(-0.05), magnitudes=better(0.06))), found)
    assert "even vectors that are simulated without error would harm" in worse
    assert (
        "and more than image and real vectors together, by +0.11" in worse and "which do not bound what is to" in worse
    )
    same = why(paired(found := repeated(image=IMAGE, real=better(0.001, -0.01), gan_alone=better(0, -0.01))), found)
    assert "would gain nothing beyond the scatter of the seeds" in same
    assert "not told from the image beyond the scatter of the seeds" in same
    told = {f"gan__{EXPLAINED}": [-0.3] * 3, f"information__{EXPLAINED}__image": [-0.1] * 3}
    nothing = why(paired(found := repeated(image=IMAGE, **told)), found)
    assert "none of it was found in the image" in nothing
    few = repeated(image=IMAGE, **dict.fromkeys(told, [math.nan] * 3))  # no class is large enough
    assert "Of the variance" not in why(paired(few), few)


def test_one_seed_has_numbers_and_no_verdict():
    told = {("gan", OUT_OF_FOLD): 0.1, ("gan", BEYOND): 0.4, ("permuted", OUT_OF_FOLD): 0.01}
    found = [number(name, value) for name, value in (("image", 0.9), ("gan", 0.92), ("retrieved", 0.95))]
    found += [number("permuted", 0.91), number("real", 0.99), number("magnitudes", 0.8)]
    found += [number(task, value, metric) for (task, metric), value in told.items()]
    found.append(number("permuted", 0.15, f"{OUT_OF_FOLD}_p"))
    text = verdict(paired(found))
    assert "simulated by the GAN (one seed: no verdict): macro F1 less that of the image alone is +0.0200." in text
    assert "Who wins has no verdict: macro F1 with the one less that with the other is -0.0300." in text
    reason = why(paired(found), found)
    assert "the difference is +0.0900, one seed: no verdict" in reason
    assert "alone reach 0.800, to be seen beside the image, one seed: no verdict (difference -0.1000)" in reason
    text = leaks(paired(found), found)
    assert "vectors like those that it will see: one seed: no verdict" in text
    assert "(p = 0.15 in one seed): no leak is seen" in text
    assert "less that with permuted ones is +0.0100: one seed: no verdict" in text


@pytest.mark.parametrize(("left", "p", "verdict_"), [(0.01, 0.4, "no leak is seen"), (0.3, 0.005, "objects leak")])
def test_a_leak_is_what_is_left_of_permuted_images(left, p, verdict_):
    told = {f"gan__{OUT_OF_FOLD}": [0.5] * 3, f"gan__{BEYOND}": [0.48] * 3, f"gan__{TRAINED_ON}": [0.6] * 3}
    told |= {f"permuted__{OUT_OF_FOLD}": [left] * 3, f"permuted__{OUT_OF_FOLD}_p": [p, p, p + 0.02]}
    results = repeated(gan=better(0.04), permuted=better(0.0), **told)
    text = leaks(paired(results), results)
    assert (
        "has not seen them have a cosine of 0.500 to the real ones, those of test objects 0.480, and those of objects"
        in text
    )
    assert "Trained on less test is +0.1200 in every seed: better ones, which a classifier must not learn from" in text
    assert f"{left:.3f} is left of that (p from {p:.2f} to {p + 0.02:.2f})" in text and verdict_ in text
    assert "less that with permuted ones is +0.0400 in every seed: what vectors tell of the object counts" in text


@pytest.mark.parametrize(
    ("own", "words"),
    [
        ([0.5, 0.5, 0.5], "like those that it will see."),
        ([0.50, 0.48, 0.49], "like those that it will see."),
        ([0.7, 0.71, 0.72], "as where something leaks"),
        ([0.1, 0.11, 0.12], "have fewer"),
        ([0.1, 0.5, 0.7], "by the scatter of the seeds, may be like those"),
    ],
)
def test_vectors_that_are_learned_from_may_be_better_or_worse_than_those_to_come(own, words):
    results = repeated(gan=IMAGE, **{f"gan__{OUT_OF_FOLD}": own, f"gan__{BEYOND}": [0.48] * 3})
    text = leaks(paired(results), results)
    assert words in text and "Test less out of fold is" in text


def test_the_division_is_that_of_the_split():
    counts = {"train": 1094, "valid": 161, "test": 310}
    told = division(Split(test=0.2, valid=0.125), counts)
    assert told.startswith("objects are divided by a hash of their group: 70%, 10% and 20% on average")
    assert told.endswith("(first seed: 1,094 train, 161 valid, 310 test)")
    assert "part of the sky (HEALPix, nside 16): 80%, 10% and 10%" in division(Split("healpix", 0.1, 0.1111), counts)


def test_vectors_stand_beside_what_the_class_alone_reaches():
    one = number("gan", 0.7, "cosine", chance=0.6)
    page = vectors_table(combine([[one], [one]], 0.2))
    assert "<td>image + simulated vector (GAN)</td>" in page and "class mean 0.600" in page
    assert "0.700 ± 0.000" in page and "Fréchet" not in page
