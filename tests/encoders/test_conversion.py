"""Checkpoints that hold more than weights become safetensors without being run."""

import argparse
import os
import pickle
import subprocess
import sys
import warnings

import numpy as np
import pytest
import torch
from published_checkpoints import Payload, spender_state, write_spender
from safetensors import safe_open

from astroclip_kit.encoders import SpenderEncoder
from astroclip_kit.encoders.checkpoints import hyperparameters, read_checkpoint
from astroclip_kit.encoders.conversion import convert
from astroclip_kit.encoders.inert import Inert
from astroclip_kit.encoders.inert_tensors import plain_values, write_tensors
from astroclip_kit.errors import FileError, OutputError

WEIGHTS = {"weight": torch.rand(2, 3), "bias": torch.rand(2)}
GUARDED = """
import socket, os, subprocess, sys
from astroclip_kit.encoders import reading_process
reading_process._leave_network()
reading_process.refuse_programs()
for act in (lambda: socket.socket(), lambda: os.system("true"), lambda: subprocess.run(["true"]), lambda: os.fork(),
            lambda: open(sys.argv[1], "w"), lambda: os.open(sys.argv[1], os.O_CREAT)):
    try:
        act()
    except PermissionError as error:
        assert "is not allowed while a checkpoint is read" in str(error)
    else:
        raise SystemExit("was allowed")
open(sys.executable, "rb").close()
"""


class Counted(dict):
    """A dictionary whose class the reading process does not know."""


class Called:
    """Reduces to a call of any function."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def names(path):
    with safe_open(path, framework="pt") as file:
        return sorted(file.keys())


def in_this_process(path, out):
    """As `convert`, three seconds sooner."""
    write_tensors(path, out)
    return out


def in_another(path, out):
    done = convert(path, out)
    assert done.tensors == len(names(out))
    return done.path


@pytest.mark.parametrize("zipped, write", [(True, in_another), (False, in_this_process)])
def test_a_payload_is_not_executed_and_the_tensors_are_there(zipped, write, tmp_path):
    path, marker = tmp_path / "evil.ckpt", tmp_path / "marker"
    command = f"touch {marker}"
    nested = Called(getattr, Called(__import__, "os"), "system")
    hidden = [Payload(command), Called(eval, f"__import__('os').system({command!r})"), nested, Called(exec, "1/0")]
    settings = {"width": 3, "name": "x", "rates": [0.1, 0.2], "lr": np.float64(2), "hidden": hidden}
    torch.save({"state_dict": WEIGHTS, "hyper_parameters": settings}, path, _use_new_zipfile_serialization=zipped)
    out = write(path, tmp_path / "weights.safetensors")
    assert not marker.exists() and names(out) == ["state_dict.bias", "state_dict.weight"]
    read = read_checkpoint(out)
    assert set(read) == set(WEIGHTS) and all(torch.equal(read[name], WEIGHTS[name]) for name in WEIGHTS)
    expected = {"width": 3, "name": "x", "rates": [0.1, 0.2], "lr": 2.0, "hidden": [None] * 4}
    assert hyperparameters(out) == expected


def test_what_was_not_run_is_told(tmp_path):
    torch.save([Payload("true"), Called(eval, "1"), Called(argparse.Namespace)], tmp_path / "evil.ckpt")
    told = write_tensors(tmp_path / "evil.ckpt", tmp_path / "out.safetensors")
    assert told == {"tensors": 0, "left_out": ["__builtin__.eval", "argparse.Namespace", f"{os.name}.system"]}


def test_the_process_that_reads_has_no_network_no_programs_and_no_files_to_write(tmp_path):
    words = [sys.executable, "-c", GUARDED, str(tmp_path / "written")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(words, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "written").exists()


def test_modules_arrays_and_foreign_dictionaries_give_their_tensors(tmp_path):
    network = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
    weight = network[0].weight.detach()
    content = {
        "state_dict": Counted(network.state_dict()),
        "hyper_parameters": argparse.Namespace(depth=2, encoder=network),
        "losses": np.asfortranarray(np.arange(6, dtype=np.float32).reshape(2, 3)),
        "counts": np.array([1, 2], dtype=">i4"),
        "words": np.array(["a"], dtype=object),
        "half": weight.half(),
    }
    torch.save(content, tmp_path / "odd.ckpt")
    left_out = write_tensors(tmp_path / "odd.ckpt", tmp_path / "odd.safetensors")["left_out"]
    with safe_open(tmp_path / "odd.safetensors", framework="pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}
    torch.testing.assert_close(tensors["losses"], torch.arange(6.0).reshape(2, 3))
    assert tensors["counts"].tolist() == [1, 2] and tensors["half"].dtype == torch.float16
    torch.testing.assert_close(tensors["state_dict.0.weight"], weight)
    torch.testing.assert_close(tensors["state_dict.1.running_var"], torch.ones(2))
    assert "words" not in tensors and "torch.nn.modules.linear.Linear" in left_out
    assert hyperparameters(tmp_path / "odd.safetensors") == {"depth": 2}


def test_what_lightning_keeps_twice_is_written_once(tmp_path):
    network = torch.nn.Linear(3, 2)
    torch.save({"state_dict": network.state_dict(), "hyper_parameters": {"encoder": network}}, tmp_path / "twice.ckpt")
    assert names(in_this_process(tmp_path / "twice.ckpt", tmp_path / "once")) == [
        "state_dict.bias",
        "state_dict.weight",
    ]


def save_pickle(module, path):
    path.write_bytes(pickle.dumps(module))


@pytest.mark.parametrize("save", [torch.save, save_pickle])
def test_a_module_that_was_saved_whole_keeps_its_names(save, tmp_path):
    network = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.PReLU())
    save(network, tmp_path / "whole.pt")
    read = read_checkpoint(in_this_process(tmp_path / "whole.pt", tmp_path / "whole.safetensors"))
    assert sorted(read) == ["0.bias", "0.weight", "1.weight"]
    torch.testing.assert_close(read["0.weight"], network[0].weight.detach())


@pytest.mark.parametrize("wrapped", [lambda state: {"model": state}, lambda state: {"state_dict": state}, lambda s: s])
def test_a_plain_pickle_of_arrays_is_read_by_its_encoder(wrapped, tmp_path):
    given = SpenderEncoder()
    state = {name: one.numpy() for name, one in given.state_dict().items()}
    (tmp_path / "arrays.pkl").write_bytes(pickle.dumps(wrapped(state)))
    path = in_this_process(tmp_path / "arrays.pkl", tmp_path / "arrays.safetensors")
    assert set(read_checkpoint(path)) == set(state)
    again = SpenderEncoder.from_checkpoint(path, grid="desi").state_dict()
    assert all(torch.equal(again[name], one) for name, one in given.state_dict().items())


def test_a_converted_file_of_spender_is_read_as_the_file_itself(tmp_path):
    state = spender_state(rest=50)
    path = in_this_process(
        write_spender(tmp_path / "spender.pt", [state, spender_state(rest=50)]), tmp_path / "new.safetensors"
    )
    assert "losses" in names(path) and "model.1.encoder.conv1.0.weight" in names(path)
    encoder = SpenderEncoder.from_checkpoint(path, latent=True)
    torch.testing.assert_close(encoder.conv2[0].weight, state["encoder.conv2.0.weight"])
    assert encoder.grid == "desi"


@pytest.mark.parametrize("content, message", [
    (None, "there is no such file"),
    (b"", "is empty. Copy or download it again"),
    (pickle.dumps({"a": 1}), "holds no tensors, so there is nothing to convert"),
])  # fmt: skip
def test_what_cannot_be_converted_is_told(content, message, tmp_path):
    if content is not None:
        (tmp_path / "file.ckpt").write_bytes(content)
    with pytest.raises(FileError, match=f"file.ckpt: {message}"):
        convert(tmp_path / "file.ckpt", tmp_path / "out.safetensors")
    assert not (tmp_path / "out.safetensors").exists()


def test_what_another_process_cannot_read_is_told(tmp_path):
    with warnings.catch_warnings(action="ignore"):  # torch would not make such a file any more
        torch.jit.script(torch.nn.Linear(2, 3)).save(tmp_path / "program.pt")
    message = (
        r"program\.pt: is no checkpoint, damaged or cut off \(it is a TorchScript program: save the state_dict\(\)"
    )
    with pytest.raises(FileError, match=message):
        convert(tmp_path / "program.pt", tmp_path / "out.safetensors")


def test_a_reading_process_that_dies_is_told(tmp_path, monkeypatch):
    torch.save(WEIGHTS, tmp_path / "a.pt")
    for code, message in {
        "import os, signal; os.kill(os.getpid(), signal.SIGKILL)": r"ended the process that read it \(SIGKILL\)",
        "raise SystemExit('no torch here')": "cannot be read in another process: no torch here",
    }.items():
        (tmp_path / "python").write_text(f'#!/bin/sh\nexec {sys.executable} -c "{code}"\n')
        (tmp_path / "python").chmod(0o755)
        monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
        with pytest.raises(FileError, match=message):
            convert(tmp_path / "a.pt", tmp_path / "out.safetensors")
        monkeypatch.undo()


def test_an_output_that_cannot_be_written_is_told(tmp_path):
    torch.save(WEIGHTS, tmp_path / "a.pt")
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=r"out\.safetensors: cannot be written"):
        convert(tmp_path / "a.pt", tmp_path / "file" / "out.safetensors")


def test_plain_values_are_what_json_can_hold():
    given = {"a": (1, "b", None), 2: {"x": object()}, "c": True, "d": torch.ones(2), "e": Inert(3)}
    assert plain_values(given) == {"a": [1, "b", None], "c": True}
