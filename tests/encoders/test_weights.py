"""The list of published weights: whole, and in step with the encoders that it names."""

import inspect
import math
import re

import pytest
import torch
from safetensors.torch import save_file

from astroclip_kit import encoders
from astroclip_kit.encoders.weights import WEIGHTS, check_whole, weights_called
from astroclip_kit.errors import FileError, UsageError


@pytest.mark.parametrize("one", WEIGHTS, ids=lambda one: one.name)
def test_an_entry_is_complete(one):
    assert one.encodes and len(one.encodes) <= 40 and one.licence and "arXiv:" in one.cite
    assert one.origin.url.startswith("https://") and "." in one.file and "/" not in one.file
    assert re.fullmatch("([0-9a-f]{8}|[0-9a-f]{64})?", one.origin.sha256)
    assert math.isnan(one.origin.size_mb) or one.origin.size_mb > 1


def test_names_and_files_are_unique():
    for values in ([one.name for one in WEIGHTS], [one.file for one in WEIGHTS], [one.origin.url for one in WEIGHTS]):
        assert len(set(values)) == len(values)


def test_what_torch_s_hub_checks_of_a_file_is_checked():
    digits = {one.name: one.origin.sha256 for one in WEIGHTS if len(one.origin.sha256) == 8}
    assert digits["spender-desi-edr"] == "b9bc8d12" and digits["imagenet-resnet50-v2"] == "11ad3fa6"
    assert all(f"-{found}." in weights_called(name).origin.url for name, found in digits.items())


@pytest.mark.parametrize("one", [one for one in WEIGHTS if one.encoder], ids=lambda one: one.name)
def test_the_line_that_uses_a_file_is_one_that_its_encoder_takes(one):
    encoder = getattr(encoders, one.encoder)
    assert {"checkpoint", *one.arguments} <= set(inspect.signature(encoder.__init__).parameters)
    python, yaml = one.usage("a/b.ckpt")
    assert python.startswith(f"Python: from astroclip_kit.encoders import {one.encoder}; {one.encoder}.")
    call = python.partition(".from_checkpoint(")[2].removesuffix(")")
    given = eval(f"inspect.signature(encoder.from_checkpoint).bind({call})").arguments
    assert given["path"] == "a/b.ckpt" and {**given, **given.get("arguments", {})}.items() >= one.arguments.items()
    assert f"class_path: astroclip_kit.encoders.{one.encoder}, init_args: {{" in yaml and "checkpoint: a/b.ckpt" in yaml


def test_what_no_encoder_reads_says_so():
    assert weights_called("astrodino").usage("a") == ["no encoder of the kit reads this file yet"]


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("specfromer", "Did you mean specformer?"),
        ("stien", "Did you mean stein-resnet50?"),
        ("superres", "Did you mean spender-sdss-I-superres?"),
        ("qqq", "are known. astroclip-kit weights lists"),
    ],
)
def test_a_name_that_is_not_known(name, hint):
    with pytest.raises(UsageError, match=f"no published weights {name!r} are known.*") as caught:
        weights_called(name)
    assert hint in str(caught.value)
    assert weights_called("Spender-SDSS-i").name == "spender-sdss-I"


def test_a_whole_file_and_others(tmp_path):
    torch.save({"a": torch.ones(9)}, tmp_path / "new.pt")
    torch.save({"a": torch.ones(9)}, tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    save_file({"a": torch.ones(9)}, tmp_path / "a.safetensors", {"format": "pt"})
    save_file({}, tmp_path / "none.safetensors")
    for path in list(tmp_path.iterdir()):
        check_whole(path)
        short = tmp_path / f"short-{path.name}"
        short.write_bytes(path.read_bytes()[:-3])
        if path.name != "old.pt":  # its pickles are a stream, whose end only a checksum knows
            with pytest.raises(FileError, match=r"no whole checkpoint: its end is missing\. Fetch it again\."):
                check_whole(short)
    (tmp_path / "cut").write_bytes((99).to_bytes(8, "little") + b'{"a": ')
    with pytest.raises(FileError, match="its end is missing"):
        check_whole(tmp_path / "cut")
    (tmp_path / "page").write_text("<html>please log in</html>")
    with pytest.raises(FileError, match=r"page: no whole checkpoint: it begins with b'<html>ple'\. Fetch it again"):
        check_whole(tmp_path / "page")
