"""`reproduce` with a recipe that has stages of its own: what is planned, goes on, and is refused."""

import pytest

from astroclip_kit.pipeline import reproducing
from astroclip_kit.pipeline.configuration import resolve_configuration
from astroclip_kit.pipeline.preparation import prepare
from astroclip_kit.pipeline.step import Step, run_steps
from astroclip_kit.recipes import find_recipe
from astroclip_kit.settings import Material


def batmm_plan(tmp_path, size="", changes=(), material=Material()):
    recipe = find_recipe("batmm")
    prepared = prepare(recipe, tmp_path / "run", material, "", size)
    prepared.change(list(changes))
    prepared.check_experiment(recipe.experiment)
    settings = resolve_configuration(prepared.content, prepared.path)
    return prepared, list(reproducing._steps(recipe, prepared, settings))


def test_a_recipe_may_have_stages_of_its_own_in_place_of_verbs(tmp_path):
    prepared, steps = batmm_plan(tmp_path)
    names = [step.name for step in steps]
    assert names[:3] == ["simulate", "ingest", "seed-0/own/model"] and names[-2:] == ["seed-2/results", "measure"]
    assert {step.verb for step in steps[2:-1]} == {"stage"}
    assert set(steps[-1].inputs) == {"dataset", *names[2:-1]}
    assert steps[-1].arguments["experiment.seeds"] == 3 and prepared.remark == ""
    assert "experiment.seeds: 3, not 5" in prepared.changes
    assert "simulate.count: 4000, not 12032" in prepared.changes
    assert any("squeeze" not in line and "resnet18" in line for line in prepared.changes)


def test_the_full_experiment_has_five_seeds_and_the_published_sizes(tmp_path):
    prepared, steps = batmm_plan(tmp_path, "full")
    assert steps[0].arguments["count"] == 12_032 and [step.name for step in steps][-2] == "seed-4/results"
    assert prepared.changes == list(find_recipe("batmm").differences)
    [own] = [step for step in steps if step.name == "seed-4/own/model"]
    assert own.arguments["settings"].split.seed == own.arguments["settings"].training.seed == 4
    assert own.arguments["encoders"]["image"]["init_args"]["pretrained"]


def test_classes_are_in_a_table_beside_the_files_or_in_the_dataset(chain, tmp_path):
    (tmp_path / "sdss").mkdir()
    cases = {
        Material(str(tmp_path / "sdss")): f"{tmp_path}/sdss/labels.csv",
        Material(str(tmp_path / "sdss"), "bhb.csv"): "bhb.csv",
        Material(str(chain.data)): "",
        Material(str(chain.data), "bhb.csv"): "bhb.csv",
    }
    for material, labels in cases.items():
        _, steps = batmm_plan(tmp_path, material=material)
        assert {step.arguments["labels"] for step in steps if step.verb == "stage"} == {labels}
        first = ["seed-0/own/model"] if material.data == str(chain.data) else ["ingest", "seed-0/own/model"]
        assert [step.name for step in steps][: len(first)] == first


def test_a_seed_more_leaves_the_others_as_they_are(tmp_path):
    more, fewer = (batmm_plan(tmp_path, changes=[f"experiment.seeds={count}"])[1] for count in (4, 3))
    there = {step.name: step.arguments for step in more}
    assert all(there[step.name] == step.arguments for step in fewer if step.verb == "stage")


@pytest.mark.parametrize(("epochs", "goes_on"), [(6, True), (2, False)])
def test_what_an_interrupted_stage_left_is_taken_up_with_the_same_settings_alone(epochs, goes_on, tmp_path):
    out = tmp_path / "run" / "seed-0" / "own" / "model"
    left, found = out.parent / "encoders" / ".spectrum.training", []

    def killed():
        left.mkdir(parents=True)
        raise KeyboardInterrupt

    def finishes():
        found.append(left.exists())
        out.mkdir()
        (out / "manifest.json").write_text("{}")

    with pytest.raises(KeyboardInterrupt):
        run_steps([Step("stage", "seed-0/own/model", out, {}, {"epochs": 6}, call=killed)], tmp_path / "run", "")
    run_steps([Step("stage", "seed-0/own/model", out, {}, {"epochs": epochs}, call=finishes)], tmp_path / "run", "")
    assert found == [goes_on]


def test_what_is_not_as_published_is_said_once_and_says_what_it_was(tmp_path):
    changes = batmm_plan(tmp_path)[0].changes
    assert "classify.classification.training.epochs: 10, not 100" in changes
    assert "classify.classification.encoder_training.optimizer.learning_rate: 0.001, not 0.0001" in changes
    assert "classify.encoders.image.init_args.name: resnet18, not resnet50" in changes
    seeds = "experiment.seeds"
    for overrides, lines in {
        (f"{seeds}=2",): [f"{seeds}=2, not 5"],
        (f"{seeds}=2", f"{seeds}=4"): [f"{seeds}=4, not 5"],
        (f"{seeds}=5",): [],
        ("seed=3", "experiment.n_boot=9"): [f"{seeds}: 3, not 5", "seed=3", "experiment.n_boot=9"],
    }.items():
        found = batmm_plan(tmp_path, changes=overrides)[0].changes
        assert [line for line in found if line.startswith((seeds, "seed=", "experiment.n_boot"))] == lines


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["--set", "experiment.seed=3"],
            "experiment.seed: there is no such setting. There are: seeds, side, leave_out",
        ),
        (["--set", "experiment.seeds=many"], "experiment.seeds is 'many', expected one of type int"),
        (["--image-weights", "resnet50.ckpt"], "--image-weights: batmm trains its own encoders. Leave it out"),
    ],
)
def test_a_recipe_refuses_settings_that_it_does_not_have(words, message, fails, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert message in fails("reproduce", "batmm", *words)
    assert not list(tmp_path.iterdir())
