import json

import pytest
import torch

from astroclip_kit import models
from astroclip_kit.errors import FolderError, InputError, UsageError
from astroclip_kit.storage import read_json
from astroclip_kit.types import Modality


class Scale(torch.nn.Module):
    def __init__(self, factor=2.0, inner=None):
        super().__init__()
        self.factor, self.inner = factor, inner
        self.weight = torch.nn.Parameter(torch.full((3,), factor))


class Forgetful:
    def __init__(self, size):
        pass


def test_a_nested_part_is_described_and_built_again():
    part = Scale(3.0, inner={"a": Scale(1.0), "b": [1, "x", None]})
    description = json.loads(json.dumps(models.describe(part)))
    built = models.build(description, trusted=True)
    assert built.factor == 3.0 and built.inner["a"].factor == 1.0 and built.inner["b"] == [1, "x", None]


def test_a_part_that_forgets_its_arguments_cannot_be_saved():
    with pytest.raises(InputError, match=r"does not keep its argument 'size'.*self\.size = size"):
        models.describe(Forgetful(1))


def test_a_stranger_s_class_is_not_imported():
    with pytest.raises(FolderError, match="not part of astroclip_kit"):
        models.build({"class_path": "os.system", "init_args": {"command": "true"}})
    with pytest.raises(FolderError, match="not part of astroclip_kit"):
        models.build({"function": "os.getcwd"})


def test_a_stranger_s_model_calls_no_function_of_the_kit(tmp_path):
    importer = {"class_path": "astroclip_kit.models._import", "init_args": {"path": "os.system", "trusted": True}}
    victim = tmp_path / "victim"
    for description in (
        importer,
        {"class_path": "astroclip_kit.storage.publish", "init_args": {"path": str(victim), "write": importer}},
        {"class_path": "astroclip_kit.storage.write_json", "init_args": {"path": str(victim), "value": {"a": 1}}},
        {"function": "astroclip_kit.storage.write_json"},
        {"class_path": "astroclip_kit.storage.Path", "init_args": {}},
    ):
        with pytest.raises(FolderError, match="no class of astroclip_kit"):
            models.build(description)
    assert not victim.exists()


def test_a_wrong_part_of_a_configuration_is_a_usage_error():
    with pytest.raises(UsageError, match=r"cannot import 'nowhere\.Thing'"):
        models.build({"class_path": "nowhere.Thing"}, trusted=True)
    with pytest.raises(UsageError, match=r"Fraction.*Check its init_args"):
        models.build({"class_path": "fractions.Fraction", "init_args": {"wrong": 1}}, trusted=True)


def test_a_model_folder_gives_the_same_model_back(tmp_path):
    model = Scale(4.0)
    models.save_model(model, tmp_path / "m", {"seed": 3})
    assert read_json(tmp_path / "m" / "manifest.json")["seed"] == 3
    back = models.load_model(tmp_path / "m", Scale(0.0))
    assert torch.equal(back.weight, model.weight) and not back.training
    assert back.root == model.root == tmp_path / "m"
    with pytest.raises(FolderError, match="not part of astroclip_kit"):
        models.load_model(tmp_path / "m")
    assert torch.equal(models.load_model(tmp_path / "m", trusted=True).weight, model.weight)


def test_damaged_or_foreign_weights_are_one_clear_error(tmp_path):
    models.save_model(Scale(), tmp_path / "m")
    weights = tmp_path / "m" / "weights.safetensors"
    with pytest.raises(FolderError, match="do not fit"):
        models.load_model(tmp_path / "m", torch.nn.Linear(1, 1))
    weights.write_bytes(weights.read_bytes()[:20])
    with pytest.raises(FolderError, match="damaged"):
        models.load_model(tmp_path / "m", Scale())


class Sized(Scale):
    @classmethod
    def for_modality(cls, modality, **arguments):
        return cls(float(len(modality.channels)), **arguments)


def test_an_encoder_is_sized_by_its_modality():
    modality = Modality("image", "image", ("g", "r", "z"), (3, 8, 8))
    assert models.build_for({"class_path": f"{__name__}.Sized", "init_args": {"inner": 1}}, modality).factor == 3
    with pytest.raises(UsageError, match="has no class_path"):
        models.build_for({"class": "Sized"}, modality)


def test_a_model_folder_may_hold_others(tmp_path):
    inner, outer = Scale(5.0), Scale(7.0)
    models.write_model(inner, tmp_path / "inner", {"note": "first"})
    assert not hasattr(inner, "root")
    models.save_model(outer, tmp_path / "outer", parts={"encoders/image": tmp_path / "inner"})
    assert outer.root == tmp_path / "outer"
    again = models.load_model(tmp_path / "outer" / "encoders" / "image", trusted=True)
    torch.testing.assert_close(again.weight, inner.weight)
    assert read_json(tmp_path / "outer" / "encoders" / "image" / "manifest.json")["note"] == "first"
    models.save_model(outer, tmp_path / "outer")
    assert not (tmp_path / "outer" / "encoders").exists()
