"""The published numbers of stars and quasars, and what does not fit together among them."""

import pytest

from astroclip_kit.recipes.published_point_sources import AFTER, BEFORE, SPECTRAL_GAN, UNCLEAR
from astroclip_kit.recipes.spectral_gan_models import MODELS, SPACES, TABLES, VARIANTS


def test_the_numbers_are_those_of_the_abstract():
    assert {(one.task, one.metric): one.value for one in SPECTRAL_GAN} == {
        ("image", "macro_f1"): 0.93,
        ("gan", "macro_f1"): 0.9777,
        ("gan", "error_rate_reduction"): 0.4,
    }
    assert all(one.source and MODELS[one.task].query == one.query for one in SPECTRAL_GAN)


def test_the_stated_reduction_is_not_that_of_the_stated_f1():
    assert 1 - (1 - AFTER) / (1 - BEFORE) == pytest.approx(0.681, abs=1e-3)
    assert "falls from 0.0700 to 0.0223, by 68%, so the 40% are of another quantity" in UNCLEAR
    assert UNCLEAR in TABLES[0].note and "macro" in UNCLEAR


def test_every_model_stands_in_a_table_and_reads_vectors_that_are_made():
    shown = {task for table in TABLES for task, *_ in table.rows.values()}
    assert shown == set(MODELS)
    for name, model in MODELS.items():
        assert model.vectors in ("", "real", *VARIANTS, *SPACES), name
        assert model.needs <= set(VARIANTS)
        if model.kind == "neighbours":
            assert set(model.ways) <= set(SPACES[model.vectors])
    assert set(VARIANTS) == {"gan", "wgan_gp", "no_critic", "no_noise", "projection", "retrieved", "permuted"}
