"""Arguments that make no sense: one clear line on standard error, exit code 1 or 2, and no folder."""

import json

import pytest

from astroclip_kit import pipeline
from astroclip_kit.errors import InputError, UsageError
from astroclip_kit.settings import Split, Training

ID = "9000-57000-1"
HEAD = "astroclip_kit.alignment.ProjectionHead"


def part(class_path, **init_args):
    path = class_path if "." in class_path else f"astroclip_kit.encoders.{class_path}"
    return {"class_path": path, "init_args": init_args}


def parts(**named):
    return json.dumps(named)


SIMULATE = [
    (("unicorns",), "cannot simulate 'unicorns'"),
    (("--templates", "{root}/none"), "none: no such folder of templates"),
    (("--faint_limit", "30"), "faint_limit must be 14 to 21 mag, found 30"),
    (("--count", "0"), "count and workers must be at least 1"),
    (("--count", "many"), "--count: expected a whole number, found 'many'"),
    (("--seed", "-1"), "seed must be 0 or more, found -1"),
    (("--spectra", "keck"), "spectra must be 'sdss' or 'desi', found 'keck'"),
    (("--counts", "3"), "--counts 3. Did you mean '--count'?"),
]
EXTRACT = [
    ((), "the following arguments are required: encoders"),
    (("--encoders", "{}"), "no encoders were given. Give one for at least one of: image, spectrum"),
    (("--encoders", "nojson"), "expected a mapping of names to {class_path"),
    (("--encoders", '{"image": "ImageConvNet"}'), "image: ImageConvNet is no encoder folder. A class is named by its"),
    (("--encoders", parts(radio=part("ImageConvNet"))), "no modality 'radio' in the data; they have image, spectrum"),
    (("--encoders", parts(image=part("Bogus"))), "cannot import 'astroclip_kit.encoders.Bogus'"),
    (("--encoders", parts(image={"class_path": "Bogus"})), "cannot import 'Bogus': expected package.module.Class"),
    (("--encoders", parts(image={"class": "Bogus"})), "the encoder of 'image' has no class_path (found ['class'])"),
    (("--encoders", parts(image=part("math.pi"))), "math.pi is 'float', expected a class or a function"),
    (("--encoders", parts(image={"class_path": "a.B", "init_args": 3})), "cannot import 'a.B'"),
    (("--encoders", parts(image=part("collections.Counter"))), "Counter is no encoder"),
    (("--encoders", parts(image=part("ImageConvNet", widht=3))), "unexpected keyword argument 'widht'. Check its"),
    (("--encoders", parts(image=part("ImageConvNet", in_channels=5))), "ImageConvNet cannot encode 'image'"),
    (("--encoders", parts(image=part("ImageConvNet", out_features=-2))), "Check its init_args"),
    (("--encoders", parts(image=part("SpectrumConvNet"))), "encodes data of kind 'spectrum', and 'image' is of kind"),
    (("--encoders", parts(image=part("ImageConvNet")), "--views", "0"), "views is 0, expected at least 1"),
    (("--encoders", parts(image=part("ImageConvNet")), "--batch-size", "0"), "batch_size is 0, expected at least 1"),
    (("--encoders", parts(image=part("ImageConvNet")), "--device", "gpu"), "device is 'gpu', expected auto, cpu"),
    (("--encoders", parts(image=part("ImageConvNet")), "--precision", "half"), "expected one of auto, float32"),
    (
        ("--encoders", parts(image=part("ImageConvNet")), "--augmentations", parts(image=part("collections.Counter"))),
        "Counter cannot augment 'image'",
    ),
]
ALIGN = [
    (("--epochs", "-1"), "epochs is -1, expected at least 1"),
    (("--epochs", "2.5"), "--training.epochs: expected a whole number, found '2.5'"),
    (("--epoch", "3"), "--epoch 3. Did you mean '--epochs'?"),
    (("--batch-size", "0"), "batch_size is 0, expected at least 1"),
    (("--learning-rate", "fast"), "--training.optimizer.learning_rate: expected a number, found 'fast'"),
    (("--learning-rate", "-1"), "optimizer.learning_rate is -1.0, expected a positive number"),
    (("--optimizer.name", "lion"), "expected one of adamw, adam, sgd, found 'lion'"),
    (("--seed", "1"), "--seed stands for --training.seed or --split.seed: write one of them in full"),
    (("--test", "1.5"), "split.test is 1.5, expected a share from 0 to below 1"),
    (("--valid", "-0.1"), "split.valid is -0.1, expected a share from 0 to below 1"),
    (("--test", "0.999"), "falls on the train side. Add objects, change split.seed"),
    (("--folds", "1"), "split.folds is 1, expected 0 (a single split) or at least 2"),
    (("--folds", "2", "--fold", "2"), "split.fold is 2, expected 0 .. 1 for 2 folds"),
    (("--by", "field"), "split.by: there is no column 'field'. Choose one of: group, object_id"),
    (("--modalities", "[image,radio]"), "unknown modality 'radio'. The data have: image, spectrum"),
    (("--modalities", "[image]"), "a shared space needs at least two modalities, found ['image']"),
    (("--pairs", "[[image,radio]]"), "['image', 'radio'] is no pair of two of the modalities image, spectrum"),
    (("--loss", "triplet"), "expected one of infonce, siglip, found 'triplet'"),
    (("--members", "0"), "alignment.members is 0, expected at least 1"),
    (("--dropout", "2"), "dropout is 2.0, expected a share from 0 to below 1"),
    (("--hidden-features", "[-3]"), "the widths of a projection head are [8, -3, 128]"),
    (("--early-stopping", "3", "--valid", "0"), "early_stopping needs a validation value"),
    (("--trainable", '{"image": "all"}'), "have no use on cached features. Pass the dataset to train encoders"),
    (("--heads", parts(image=part(HEAD, in_features=7, out_features=8))), "takes 7 features, the feature set has 8"),
    (("--heads", parts(radio=part(HEAD, in_features=8, out_features=8))), "heads: unknown modality 'radio'"),
    (("--heads", parts(image=part("collections.Counter"))), "(Counter) lacks in_features or out_features"),
]
SEARCH = [
    ((), "say which object: give either object_id, or ra and dec"),
    (("nosuch",), "has no object with id 'nosuch'; it holds ids such as '9000-57000-1'"),
    ((ID, "--coordinates", "150 2"), "say which object: give either object_id, or ra and dec"),
    (("--coordinates", "0.5 -89"), "has no object within 3.0 arcsec of ra=0.5, dec=-89.0"),
    (("--coordinates", "400 2"), "coordinates '400 2': expected a right ascension of 0 to 360 degrees"),
    (("--coordinates", "150 95"), 'coordinates \'150 95\': expected "150.1 2.2" (degrees) or "10h00m24s'),
    (("--coordinates", "north"), "coordinates 'north': expected"),
    ((ID, "--k", "0"), "k: expected 1 to 59 (objects with 'image' to choose from), found 0"),
    ((ID, "--k", "60"), "k: expected 1 to 59 (objects with 'image' to choose from), found 60"),
    ((ID, "--k", "ten"), "--k: expected a whole number, found 'ten'"),
    ((ID, "--query", "radio"), "has no modality 'radio'; it has image, spectrum"),
    ((ID, "--target", "radio"), "has no modality 'radio'; it has image, spectrum"),
    ((ID, "--figure", "x.pdf"), "say with --dataset where they are"),
    ((ID, "--figure", "x.docx", "--dataset", "{data}"), "figure 'x.docx': expected a name that ends with one of .eps"),
    ((ID, "--figure", "{root}/no/x.pdf", "--dataset", "{data}"), "x.pdf: cannot be written (No such file or directory"),
    ((ID, "--format", "xml"), "invalid choice: 'xml' (choose from"),
]
PREDICT = [
    ((), "say what to predict with --properties: any of z, morphology"),
    (("z,mass",), "no property 'mass' among the labels: z, morphology"),
    (("z,log10(z)",), "'z' would be two columns of the table. Ask for one at a time"),
    (("circular(z)",), "expected the name of an angle and its period, e.g. circular(angle_deg, 180)"),
    (("z", "--k", "0"), "k: expected 1 to 59 (rows of the memory with a label, without those of who asks), found 0"),
    (("z", "--k", "60"), "who asks), found 60; z is known for 60 of 60 objects with image"),
    (("z", "--object-id", "nosuch"), "has no object with id 'nosuch'"),
    (("z", ID, "--asking.like", ID), "say who asks once: object_id is '9000-57000-1', like is '9000-57000-1'"),
    (("z", ID, "--coordinates", "1 2"), "say in one way what is asked about, found object_id and coordinates"),
    (("z", ID, "--unlike", ID), "unlike and asking.weights make one query of several objects"),
    (("z", "--weights", "uniform"), "--weights stands for --asking.weights or --prediction.weights"),
    (("z", "--prediction.weights", "gaussian"), "expected weights distance or uniform, found gaussian"),
    (("z", "--memory", "radio"), "has no modality 'radio'"),
    (("z", "--coverage", "1.5"), "coverage is 1.5, expected 0.5 to below 1"),
    (
        ("z", "--coverage", "0.99"),
        "a coverage of 0.99 takes at least 125 objects for calibration, and 0.2 of 60 are 12",
    ),
    (("z", "--where", "mass > 3"), "where 'mass > 3': name 'mass' is not defined. There are the columns object_id"),
]
EVALUATE = [
    (("mass",), "no property 'mass' among the labels: z, morphology"),
    (("log10(morphology)",), "'morphology' is text and has no logarithm"),
    (("z", "--k", "900"), "z of image from image of training objects: k: expected 1 to"),
    (("z", "--seed", "-1"), "seed is -1, expected 0 or more"),
    (("z", "--features", "nowhere"), "nowhere: no such folder. Expected a features folder"),
]
FOLDERS = {"extract": "data", "align": "features", "search": "embeddings", "predict": "embeddings"}
CASES = {
    "simulate": SIMULATE,
    "extract": EXTRACT,
    "align": ALIGN,
    "search": SEARCH,
    "predict": PREDICT,
    "evaluate": EVALUATE,
}


@pytest.mark.parametrize(
    ("verb", "words", "message"),
    [
        pytest.param(verb, words, message, id=f"{verb} {message[:40]}")
        for verb, cases in CASES.items()
        for words, message in cases
    ],
)
def test_one_clear_line(chain, tmp_path, fails, verb, words, message):
    words = [word.replace("{data}", str(chain.data)).replace("{root}", str(tmp_path)) for word in words]
    folder = [] if verb == "simulate" else [getattr(chain, FOLDERS.get(verb, "embeddings"))]
    out = [] if verb in ("search", "predict") else ["--out", tmp_path / "out"]
    assert message in fails(verb, *folder, *words, *out)
    assert not (tmp_path / "out" / "manifest.json").exists()
    assert not [path for path in tmp_path.iterdir() if path.suffix == ".training"]


@pytest.mark.parametrize("verb", ["extract", "align", "embed", "index", "search", "predict", "evaluate", "info", "run"])
def test_a_verb_without_arguments_says_what_it_needs(fails, verb):
    assert "the following arguments are required: " in fails(verb) and f"astroclip-kit {verb} --help" in fails(verb)


def test_quickstart_refuses_too_few_galaxies(fails, tmp_path):
    assert "count is 12, expected at least 50 galaxies" in fails("quickstart", tmp_path / "demo", "--count", "12")
    assert not (tmp_path / "demo").exists()


def test_a_model_and_features_that_do_not_belong_together(chain, tmp_path):
    other = pipeline.extract(chain.data, {"image": part("ImageConvNet", out_features=4)}, tmp_path / "other")
    with pytest.raises(InputError, match="the features of image come from another encoder than the model"):
        pipeline.embed(chain.model, other, tmp_path / "space")
    others = pipeline.extract(
        chain.data, chain.encoders, tmp_path / "others", seed=1
    )  # the same classes, other weights
    with pytest.raises(InputError, match="come from another encoder than the model"):
        pipeline.embed(chain.model, others, tmp_path / "space")
    with pytest.raises(InputError, match="give it the features folder, not the dataset"):
        pipeline.embed(chain.model, chain.data, tmp_path / "space")
    with pytest.raises(UsageError, match="expected a dataset folder to encode, found features"):
        pipeline.extract(chain.features, {"image": part("ImageConvNet")}, tmp_path / "again")
    assert not (tmp_path / "space").exists() and not (tmp_path / "again").exists()


def test_a_property_that_no_object_has_is_an_error(chain, tmp_path):
    import numpy as np

    from astroclip_kit.embeddings import EmbeddingStore

    store = EmbeddingStore(chain.embeddings)
    vectors = {name: store.vectors(name) for name in store.names}
    catalog = {name: store.catalog[name] for name in ("group", "ra", "dec", "split")}
    labels = {"mass": np.full(60, np.nan), "type": np.full(60, "")}
    bare = EmbeddingStore.write(tmp_path / "bare", vectors, store.object_ids, catalog=catalog, labels=labels)
    for name in labels:
        with pytest.raises(InputError, match=f"property '{name}' is known for no held-out object"):
            pipeline.evaluate(bare, name, tmp_path / "results")
        with pytest.raises(InputError, match=f"{name} is known for 0 of 60 objects with image"):
            pipeline.predict(bare, name)
    assert not (tmp_path / "results").exists()


def test_two_objects_at_one_place_are_named(chain, tmp_path):
    from astroclip_kit.embeddings import EmbeddingStore

    store = EmbeddingStore(chain.embeddings)
    ra, dec = store.ra.copy(), store.dec.copy()
    ra[:2], dec[:2] = 10.0, 20.0
    vectors = {name: store.vectors(name) for name in store.names}
    double = EmbeddingStore.write(tmp_path / "double", vectors, store.object_ids, catalog={"ra": ra, "dec": dec})
    with pytest.raises(InputError, match=r"2 objects within 3.0 arcsec .* Give one object_id"):
        pipeline.search(double, coordinates="10 20")


def test_a_space_without_held_out_objects_cannot_be_judged(chain, tmp_path):
    model = pipeline.align(
        chain.features, tmp_path / "model", training=Training(epochs=1), split=Split(test=0, valid=0)
    )
    store = pipeline.embed(model, chain.features, tmp_path / "space")
    with pytest.raises(InputError, match="held"):
        pipeline.evaluate(store, "z", tmp_path / "results")
    assert not (tmp_path / "results").exists()
