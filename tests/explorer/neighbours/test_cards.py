"""Cards of neighbours."""

import re

import numpy as np

from astroclip_kit.embeddings import EmbeddingStore
from astroclip_kit.embeddings.queries import objects
from astroclip_kit.explorer.neighbours import cards
from astroclip_kit.explorer.neighbours.cards import cards_of
from astroclip_kit.explorer.neighbours.lists import neighbour_list
from astroclip_kit.explorer.space import Space


def cards_of_first(root, vectors, **catalog):
    """Cards of the neighbours of the first object."""
    ids = [f"o{row}" for row in range(len(vectors))]
    store = EmbeddingStore.write(root / "s", {"image": vectors}, ids, catalog=catalog)
    return cards_of(Space(store), neighbour_list(store, objects(store, np.array([0]), "image"), "image", 10), None)


def test_similarities_that_are_much_alike_have_the_digits_that_tell_them_apart(tmp_path):
    angle = np.linspace(0, 0.02, 12)
    found = cards_of_first(tmp_path, np.stack([np.cos(angle), np.sin(angle)], axis=1))
    told = [re.search("<b>(.+?)</b>", text)[1] for text in found]
    assert len(set(told)) > 5 and {len(one) for one in told} == {7}  # 0.99998


def test_an_object_that_has_a_name_besides_the_id_of_its_observation_is_called_by_it(tmp_path):
    groups = ["ZTF18<abc>" if row == 3 else f"o{row}" for row in range(6)]
    found = cards_of_first(tmp_path, np.eye(6), group=groups)
    assert ["ZTF18&lt;abc&gt;" in text for text in found] == [">o3<" in text for text in found]
    assert sum(">o3<" in text for text in found) == 1


def test_light_curves_are_folded_with_the_period_that_they_show(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(cards, "thumbnail_url", lambda *given, **how: asked.append(how) or "")
    assert len(cards_of_first(tmp_path, np.eye(6))) == 5
    assert asked == [{"measure": True}] * 5
