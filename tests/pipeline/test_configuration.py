"""Tests of what a configuration file and ``--set`` may say, and of what is said when they are wrong."""

import pytest
import yaml

from astroclip_kit.errors import UsageError
from astroclip_kit.pipeline.configuration import load_configuration
from astroclip_kit.settings import Hardware, Matching, Schedule

GOOD = """
data: survey
seed: 3
ingest:
  images: ${data}/cutouts
  matching: {by: position, radius_arcsec: 2}
extract:
  encoders:
    image: {class_path: astroclip_kit.encoders.ImageConvNet, init_args: {out_features: 8}}
align:
  training: {epochs: 2, schedule: {warmup_steps: 4}}
  split: {seed: 7}
embed:
evaluate: {properties: [z, mass]}
"""


@pytest.fixture
def write(tmp_path):
    def to_file(text, name="mine.yaml"):
        (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        return tmp_path / name

    return to_file


def test_sections_hold_all_arguments_of_their_verbs(write):
    configuration = load_configuration(write(GOOD))
    assert (configuration.name, configuration.data, configuration.seed, configuration.folds) == ("mine", "survey", 3, 0)
    assert list(configuration.sections) == ["ingest", "extract", "align", "embed", "evaluate"]
    ingest, align = configuration.sections["ingest"], configuration.sections["align"]
    assert ingest["images"] == "survey/cutouts" and ingest["catalogue"] == ""
    assert ingest["matching"] == Matching(by="position", radius_arcsec=2.0)
    assert align["training"].epochs == 2 and align["training"].schedule == Schedule(warmup_steps=4)
    assert configuration.sections["embed"]["hardware"] == Hardware()


def test_the_seed_of_the_run_is_that_of_every_section_that_names_none(write):
    sections = load_configuration(write(GOOD)).sections
    assert (
        sections["align"]["training"].seed == sections["extract"]["seed"] == sections["evaluate"]["settings"].seed == 3
    )
    assert sections["align"]["split"].seed == 7


def test_a_seed_of_zero_that_the_file_names_is_kept(write):
    text = GOOD.replace("seed: 7", "seed: 0").replace("epochs: 2", "epochs: 2, seed: 0")
    first = load_configuration(write(text), ["evaluate.settings.seed=0"])
    again = load_configuration(write(first.text, "resolved.yaml"))
    for sections in (first.sections, again.sections):
        assert (
            sections["align"]["training"].seed
            == sections["align"]["split"].seed
            == sections["evaluate"]["settings"].seed
            == 0
        )
        assert sections["extract"]["seed"] == 3
    other = load_configuration(write(first.text, "resolved.yaml"), ["seed=5"]).sections
    assert other["extract"]["seed"] == 5 and other["align"]["training"].seed == 0


def test_sections_run_in_the_order_of_the_chain(write):
    text = "embed: {}\nalign: {}\ningest: {images: x}\ndata: survey\n"
    assert list(load_configuration(write(text)).sections) == ["ingest", "align", "embed"]


def test_the_resolved_text_gives_the_same_configuration(write):
    first = load_configuration(write(GOOD), ["align.training.epochs=5"])
    again = load_configuration(write(first.text, "resolved.yaml"))
    assert again.sections == first.sections and yaml.safe_load(first.text)["align"]["training"]["epochs"] == 5


@pytest.mark.parametrize(
    ("change", "look", "value"),
    [
        ("data=elsewhere", lambda found: found.sections["ingest"]["images"], "elsewhere/cutouts"),
        ("data=2024", lambda found: found.data, "2024"),
        ("seed=5", lambda found: found.sections["align"]["training"].seed, 5),
        ("align.training.epochs=9", lambda found: found.sections["align"]["training"].epochs, 9),
        ("align.training.schedule.factor=1e-4", lambda f: f.sections["align"]["training"].schedule.factor, 1e-4),
        ("evaluate.properties=[a]", lambda found: found.sections["evaluate"]["properties"], ["a"]),
        ("evaluate.properties=a,b", lambda found: found.sections["evaluate"]["properties"], "a,b"),
        ("embed.pool=group", lambda found: found.sections["embed"]["pool"], "group"),
        ("embed.pool=", lambda found: found.sections["embed"]["pool"], ""),
    ],
)  # fmt: skip
def test_a_change_is_made(write, change, look, value):
    assert look(load_configuration(write(GOOD), [change])) == value


def test_a_change_inside_a_part_keeps_the_rest_of_it(write):
    found = load_configuration(write(GOOD), ["extract.encoders.image.init_args.out_features=16"])
    expected = {"class_path": "astroclip_kit.encoders.ImageConvNet", "init_args": {"out_features": 16}}
    assert found.sections["extract"]["encoders"]["image"] == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"mine.yaml: expected the key 'data' and sections such as simulate"),
        ("- data\n", r"expected the key 'data' and sections"),
        ("data: [1, 2\n- x: :\n", r"mine.yaml: not a YAML file \(line 2: expected ',' or ']', but got ':'\)"),
        ("data: x\ningest:\n\timages: y\n", r"not a YAML file \(line 3: found character '\\t'"),
        (b"\x8f\x00data", r"not a YAML file \('utf-8' codec can't decode"),
        (b"\x00\x01\x02", r"not a YAML file \(unacceptable character"),
        ("seed: 1\n", r"expected the key 'data', the folder of the survey files"),
        ("ingest: {images: '${data}/cutouts'}\n", r"expected the key 'data', the folder of the survey files"),
        ("simulate: {}\ningest: {images: x}\n", r"expected the key 'data', the folder of the survey files"),
        ("ingest: {}\n", r"expected the key 'data', the folder of the survey files"),
        ("data: \nembed: {}\n", r"expected the key 'data', the folder of the survey files"),
        ("data: x\n", r"there is nothing to run. Add a section: simulate, ingest"),
        ("data: x\ndata: y\n", r"the key 'data' is there twice. Bring both together"),
        ("data: x\ningset: {}\n", r"unknown key 'ingset'. Did you mean 'ingest'\? Known: data, seed"),
        ("data: x\nsearch: {}\n", r"unknown key 'search'"),
        ("data: x\nalign: {epochs: 3}\n", r"unknown key 'align.epochs'. Did you mean 'align.training.epochs'\?"),
        ("data: x\nalign: {training: {epoch: 3}}\n", r"unknown key 'align.training.epoch'. Did you mean 'epochs'\?"),
        ("data: x\nalign: 5\n", r"align: expected a mapping with any of encoders, heads, .* found 5"),
        ("data: x\nalign: {training: 5}\n", r"align.training: expected a mapping with any of epochs, .* found 5"),
        ("data: x\nalign: {training: {epochs: }}\n", r"training.epochs has no value. Leave the line out for .* 50"),
        ("data: x\nalign: {training: {epochs: many}}\n", r"training.epochs: expected a whole number, found 'many'"),
        ("data: x\nalign: {head: {}}\n", r"unknown key 'align.head'. Did you mean 'heads'\?"),
        ("data: x\nalign: {alignment: {modalities: image}}\n", r"expected a list such as \[a, b\], found 'image'"),
        ("data: x\nextract: {encoders: {image: 3}}\n", r"encoders: expected a mapping of names to \{class_path"),
        ("data: x\nextract: {}\n", r"the following arguments are required: extract.encoders"),
        ("data: x\ningest: {out: y}\n", r"ingest.out is set by the run itself. Leave it out"),
        ("data: x\nseed: -1\nembed: {}\n", r"seed is -1, expected 0 or more"),
        ("data: x\nseed: a\nembed: {}\n", r"seed: expected a whole number, found 'a'"),
        ("data: x\nfolds: 1\nembed: {}\n", r"folds is 1, expected 0 \(a single split\) or at least 2"),
        ("data: x\nfolds: -5\nembed: {}\n", r"folds is -5, expected 0"),
    ],
)  # fmt: skip
def test_a_bad_file_is_one_clear_error(write, text, message):
    with pytest.raises(UsageError, match=message) as caught:
        load_configuration(write(text))
    assert "mine.yaml: " in str(caught.value) and "\n" not in str(caught.value) and "<class" not in str(caught.value)


def test_a_part_inside_a_part_stays_a_description(write):
    inner = {"class_path": "astroclip_kit.transforms.Downsample", "init_args": {"factor": 2}}
    text = GOOD.replace("{out_features: 8}", f"{{out_features: 8, preprocess: {inner}}}")
    for found in (first := load_configuration(write(text)), load_configuration(write(first.text, "resolved.yaml"))):
        assert found.sections["extract"]["encoders"]["image"]["init_args"] == {"out_features": 8, "preprocess": inner}


def test_a_file_that_is_missing(tmp_path):
    with pytest.raises(UsageError, match=r"absent\.yaml: no such configuration file"):
        load_configuration(tmp_path / "absent.yaml")
    with pytest.raises(UsageError, match="no such configuration file"):
        load_configuration(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("", "--set : expected KEY=VALUE, for example align.training.epochs=20"),
        ("align", "--set align: expected KEY=VALUE"),
        ("=3", "--set =3: expected KEY=VALUE"),
        ("--seed=3", "unknown key '--seed'. Did you mean 'seed'?"),
        ("align.training.epochs=[", "the value is not YAML. Put it in quotes"),
        ("simulate.count=4", "--set simulate.count=4: the file has no section 'simulate'"),
        ("data.x=4", "--set data.x=4: 'data' holds 'survey' and takes no 'x'"),
        ("epochs=4", "unknown key 'epochs'. Did you mean 'align.training.epochs'?"),
        ("align.training.epoch=4", "unknown key 'align.training.epoch'. Did you mean 'epochs'?"),
        ("align.training.epochs=", "align.training.epochs: expected a whole number, found ''"),
        ("align.training=5", "align.training: expected a mapping with any of epochs"),
        ("align.alignment.objective.loss=mse", "expected one of infonce, siglip, found 'mse'"),
        ("ingest.reading.strict=maybe", "ingest.reading.strict: expected true or false, found 'maybe'"),
        ("ingest.out=x", "ingest.out is set by the run itself"),
        ("config=/etc/hostname", "unknown key 'config'"),
        ("folds=1", "folds is 1, expected 0"),
        ("data=", "expected the key 'data', the folder of the survey files"),
    ],
)
def test_a_bad_change_is_one_clear_error(write, change, message):
    with pytest.raises(UsageError) as caught:
        load_configuration(write(GOOD), [change])
    assert message in str(caught.value) and "<class" not in str(caught.value)
