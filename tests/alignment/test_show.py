"""How a model shows itself in a notebook."""

from astroclip_kit.alignment import ContrastiveModel, ProjectionHead, align
from astroclip_kit.models import load_model
from astroclip_kit.settings import Alignment, Head


def test_a_model_says_what_it_aligns_and_how_its_training_went(space, quick, tmp_path):
    features = space.Features(space.correlated())
    settings = Alignment(head=Head(out_features=8), members=2)
    ensemble = align(features, tmp_path / "model", alignment=settings, training=quick, quiet=True)
    assert "Ensemble of 2" in ensemble._repr_html_() and str(tmp_path / "model") in ensemble._repr_html_()
    assert [len(history) for history in ensemble.histories] == [quick.epochs] * 2
    assert load_model(tmp_path / "model").histories == ensemble.histories


def test_a_model_that_was_never_trained_shows_itself_too():
    model = ContrastiveModel({"image": ProjectionHead(8, 4), "x<y": ProjectionHead(6, 4)}, logit_scale=7)
    html = model._repr_html_()
    assert "<td>x&lt;y</td><td>features</td><td></td><td>ProjectionHead 6 to 4</td><td>28</td>" in html
    assert "image and x&lt;y 7.0" in html and len(model.history) == 0
