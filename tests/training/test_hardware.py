"""What "auto" stands for, and what is refused."""

import pytest
import torch

from astroclip_kit.errors import UsageError
from astroclip_kit.settings import Hardware
from astroclip_kit.training import autocast, hardware, resolve_hardware
from astroclip_kit.training.hardware import processor_threads


@pytest.fixture
def no_accelerator(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


@pytest.fixture
def one_cuda_device(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: False)


@pytest.mark.parametrize(
    ("flags", "precision"), [({"avx2", "amx_bf16"}, "bfloat16"), ({"avx512_bf16"}, "bfloat16"), ({"avx2"}, "float32")]
)
def test_auto_on_a_processor(monkeypatch, no_accelerator, flags, precision):
    monkeypatch.setattr(hardware, "_processor_flags", lambda: flags)
    assert resolve_hardware(Hardware()) == (torch.device("cpu"), precision)
    assert resolve_hardware(Hardware(precision="float32"))[1] == "float32"
    assert resolve_hardware(Hardware(precision="bfloat16"))[1] == "bfloat16"


def test_auto_on_a_graphics_card(one_cuda_device):
    assert resolve_hardware(Hardware()) == (torch.device("cuda:0"), "float32")
    assert resolve_hardware(Hardware("cuda", "float16")) == (torch.device("cuda:0"), "float16")


def test_each_process_has_its_own_card(one_cuda_device, monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "test")
    monkeypatch.setenv("WORLD_SIZE", "4")
    monkeypatch.setenv("LOCAL_RANK", "3")
    assert resolve_hardware(Hardware("cuda"))[0] == torch.device("cuda:3")
    with pytest.raises(UsageError, match=r"device is 'cuda:1', but 4 processes run\. Use cuda or cpu"):
        hardware.launch(Hardware("cuda:1"))


@pytest.mark.parametrize("name", ["gpu", "cpu:0", "", "meta", "cuda:x"])
def test_an_unknown_device(name):
    with pytest.raises(UsageError, match=f"device is '{name}', expected auto, cpu, mps, cuda or cuda:0"):
        resolve_hardware(Hardware(name))


@pytest.mark.parametrize(("name", "kind"), [("cuda", "CUDA device"), ("cuda:1", "CUDA device"), ("mps", "Apple GPU")])
def test_a_device_that_is_not_there(no_accelerator, name, kind):
    with pytest.raises(UsageError, match=rf"device is '{name}', but torch finds no {kind} here\. Use auto or cpu"):
        resolve_hardware(Hardware(name))


def test_a_card_too_many(one_cuda_device):
    with pytest.raises(UsageError, match="device cuda:1 was asked for, but there are 1 CUDA devices"):
        resolve_hardware(Hardware("cuda:1"))


def test_precisions_that_are_refused():
    with pytest.raises(UsageError, match="precision is 'half', expected auto, float32, bfloat16 or float16"):
        resolve_hardware(Hardware("cpu", "half"))
    with pytest.raises(UsageError, match=r"precision float16 needs a CUDA device, found cpu\. Use bfloat16"):
        resolve_hardware(Hardware("cpu", "float16"))


def test_processor_flags_are_words():
    assert all(flag and " " not in flag for flag in hardware._processor_flags())


@pytest.mark.parametrize(("precision", "dtype"), [("float32", torch.float32), ("bfloat16", torch.bfloat16)])
def test_autocast(precision, dtype):
    with autocast(torch.device("cpu"), precision):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == dtype


def test_threads_are_those_asked_for_and_afterwards_those_of_before():
    before = torch.get_num_threads()
    with processor_threads(3):
        assert torch.get_num_threads() == 3
    with processor_threads(0):
        assert torch.get_num_threads() == before
    assert torch.get_num_threads() == before
    with pytest.raises(UsageError, match="threads is -1, expected 0"), processor_threads(-1):
        pass
