"""`reproduce --grid`: applied, or refused before anything runs."""

import pytest
import torch
from planned import plan_of
from published_checkpoints import spender_state, write_spender

from astroclip_kit import pipeline
from astroclip_kit.encoders import SpectrumConvNet, SpenderEncoder
from astroclip_kit.errors import InputError, UsageError
from astroclip_kit.models import build
from astroclip_kit.pipeline.parts import encoder_for
from astroclip_kit.pipeline.spectral_grid import check_grid
from astroclip_kit.recipes import find_recipe
from astroclip_kit.settings import Material
from astroclip_kit.transforms import Compose, FillGaps, Resample
from astroclip_kit.transforms.resampling import GRIDS
from astroclip_kit.types import Modality


def test_spectra_are_put_on_the_grid_that_is_asked_for(chain, tmp_path):
    (tmp_path / "joint.h5").touch()
    (tmp_path / "spender.pt").touch()
    weights = str(tmp_path / "spender.pt")
    cases = {  # the spectra of the chain are on the grid of BOSS
        "desi": (Material(str(tmp_path / "joint.h5"), spectrum_weights=weights), None),
        "sdss": (Material(str(tmp_path / "joint.h5"), grid="sdss"), "desi"),
        "boss": (Material(str(chain.data), spectrum_weights=weights), "boss"),
    }
    for material, source in cases.values():
        prepared, steps = plan_of(material, tmp_path)
        [extract] = [step for step in steps if step.verb == "extract"]
        first = extract.arguments["encoders"]["spectrum"]["init_args"]["preprocess"]["init_args"]["steps"][0]
        assert first.get("init_args") == (source and {"source": source, "grid": material.grid})
        assert any("put on the grid" in line for line in prepared.changes) == bool(source)


def test_an_encoder_that_is_pretrained_here_sees_the_grid_too(tmp_path):
    (tmp_path / "joint.h5").touch()
    prepared, steps = plan_of(Material(str(tmp_path / "joint.h5"), grid="sdss"), tmp_path, size="small")
    [pretrain] = [step for step in steps if step.name == "pretrain-spectrum"]
    first, others = pretrain.arguments["encoder"]["init_args"]["preprocess"]["init_args"]["steps"]
    assert first["init_args"] == {"source": "desi", "grid": "sdss"} and others["class_path"].endswith("Compose")
    encoder = SpenderEncoder(preprocess=build(pretrain.arguments["encoder"]["init_args"]["preprocess"], trusted=True))
    assert encoder.preprocess(torch.ones(1, 2, 7781)).shape == (1, 1, 301)  # 3,921 pixels, joined by 13
    assert "spectra are put on the grid 'sdss' (3,921 pixels)" in prepared.changes


def test_an_encoder_without_a_preprocess_of_its_own_is_told_the_grid(tmp_path):
    (tmp_path / "joint.h5").touch()
    prepared, steps = plan_of(Material(str(tmp_path / "joint.h5"), grid="sdss"), tmp_path, "v1")
    [extract] = [step for step in steps if step.verb == "extract"]
    assert extract.arguments["encoders"]["spectrum"]["init_args"] == {"grid": "sdss"}
    encoder = encoder_for(
        {**extract.arguments["encoders"]["spectrum"], "init_args": {"grid": "sdss", "depth": 1}},
        {"spectrum": Modality.spectrum("spectrum", GRIDS["desi"])},
        "spectrum",
    )
    assert encoder.preprocess.steps[0] == Resample("desi", "sdss")
    assert "spectra are put on the grid 'sdss' (3,921 pixels)" in prepared.changes


def test_an_encoder_that_takes_no_grid_is_refused(tmp_path):
    (tmp_path / "joint.h5").touch()
    text = find_recipe("astroclip").file("v1").read_text()
    (tmp_path / "own.yaml").write_text(text.replace("SpecFormer\n", "SpectrumConvNet\n"))
    material = Material(str(tmp_path / "joint.h5"), grid="sdss")
    with pytest.raises(UsageError, match=r"--grid sdss: SpectrumConvNet takes no grid. Give it a preprocess, or leave"):
        plan_of(material, tmp_path, str(tmp_path / "own.yaml"))


def test_what_stays_on_its_own_grid_is_noted(chain, tmp_path):
    prepared, _ = plan_of(Material(str(chain.data)), tmp_path)  # of BOSS
    assert "spectra stay on the grid 'boss' (4,686 pixels), not on the grid 'desi' (7,781 pixels)" in prepared.changes


def test_an_encoder_names_the_grid_on_which_its_spectra_come():
    encoder = SpenderEncoder(grid="desi", preprocess=Compose((Resample("desi", "sdss"), FillGaps())))
    message = (
        r"has 3921 pixels from 3784 to 9333 Angstrom after Resample, and the weights of SpenderEncoder are for 7781"
    )
    with pytest.raises(InputError, match=message):
        encoder.check_modality(Modality.spectrum("spectrum", GRIDS["desi"]))


@pytest.mark.parametrize(
    ("on", "grid", "message"),
    [
        (
            "desi",
            "sdss",
            r"--grid sdss: .*spender\.pt encodes spectra on the grid 'desi' \(7,781 pixels\); give weights for the "
            r"grid 'sdss' \(3,921 pixels\) with it, or take --grid desi with these\.",
        ),
        ("sdss", "desi", r"--grid desi: .*on the grid 'sdss' \(3,921 pixels\); .* or take --grid sdss with these\."),
        ("boss", "desi", r"on the grid 'boss' \(4,686 pixels\); give weights .* \(7,781 pixels\) with it\.$"),
    ],
)
def test_weights_for_another_grid_are_refused_before_anything_is_read(on, grid, message, tmp_path):
    state = {**spender_state(rest=100), "encoder.instrument.wave_obs": torch.from_numpy(GRIDS[on])}
    weights = str(write_spender(tmp_path / "spender.pt", state))
    (tmp_path / "joint.h5").touch()
    for data in (str(tmp_path / "joint.h5"), ""):  # and for a mock, which is simulated on the grid
        with pytest.raises(UsageError, match=message):
            material = Material(data, spectrum_weights=weights, image_weights="random", grid=grid)
            pipeline.reproduce("astroclip", tmp_path / "run", material=material)
    assert not (tmp_path / "run").exists()


def test_weights_for_the_grid_that_is_asked_for_pass(tmp_path):
    state = {**spender_state(rest=100), "encoder.instrument.wave_obs": torch.from_numpy(GRIDS["sdss"])}
    weights = write_spender(tmp_path / "spender.pt", state)
    assert check_grid(SpenderEncoder.from_checkpoint(str(weights)), weights, "desi", "sdss") == ""


def test_a_folder_brings_its_own_grid(tmp_path):
    plain = SpectrumConvNet(256)
    saved = SpenderEncoder(grid="sdss")
    resampled = SpenderEncoder(preprocess=Compose((Resample("desi", "sdss"), saved.preprocess)))
    assert check_grid(plain, tmp_path, "desi", "desi") == check_grid(saved, tmp_path, "sdss", "sdss") == ""
    for encoder in (saved, resampled):
        assert check_grid(encoder, tmp_path, "desi", "sdss") == "spectra are put on the grid 'sdss' (3,921 pixels)"
        assert check_grid(encoder, tmp_path, "desi", "desi").startswith("spectra are encoded on the grid 'sdss'")
    window = check_grid(plain, tmp_path, (4000.0, 5000.0, 2.0), "desi")
    assert window.startswith("spectra are encoded on a grid of 501 pixels from 4000 to 5000 Angstrom, not on")
    with pytest.raises(UsageError, match=r"encodes spectra on the grid 'desi'.*or take --grid desi with these"):
        check_grid(plain, tmp_path, "desi", "sdss")
