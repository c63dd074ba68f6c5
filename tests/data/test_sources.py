"""Tests of what makes a dataset another one."""

from functools import partial

import numpy as np
import pytest

from astroclip_kit.data import ingest
from astroclip_kit.surveys import FunctionReader


def tripled(path, factor=3):
    return np.load(path) * factor


def reader_class(times):
    if times == 1:

        class Own(FunctionReader):
            def read(self, path):
                return super().read(path)

    else:

        class Own(FunctionReader):
            def read(self, path):
                for sample in super().read(path):
                    sample.views = {name: 2 * view for name, view in sample.views.items()}
                    yield sample

    return Own


def once(path):
    return np.load(path)


def doubled(path):
    return np.load(path) * 2


once.__qualname__ = doubled.__qualname__ = "read"  # a notebook's function, before and after it was changed


@pytest.mark.parametrize(
    "readers",
    [
        [partial(FunctionReader, once), partial(FunctionReader, doubled)],
        [partial(FunctionReader, partial(tripled, factor=factor)) for factor in (1, 2)],
        [partial(reader_class(times), np.load) for times in (1, 2)],
    ],
    ids=["function", "partial", "class"],
)
def test_a_reader_whose_code_changed_reads_again(tmp_path, readers, capsys):
    for row in range(3):
        np.save(tmp_path / f"o{row}.npy", np.ones(4, np.float32))
    for factor, reader in enumerate(readers, start=1):
        for again in (False, True):
            dataset = ingest({"t": reader(tmp_path / "*.npy")}, tmp_path / "data", workers=1)
            assert (dataset.views("t") == factor).all()
            assert ("starting again" in capsys.readouterr().err) == (factor == 2 and not again)
