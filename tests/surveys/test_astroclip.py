import h5py
import numpy as np
import pytest
from layout_astroclip import write_joint

from astroclip_kit.errors import FileError, UsageError
from astroclip_kit.surveys import AstroCLIPFile, astroclip
from astroclip_kit.types import Drop, Sample


def read(path, **settings):
    items = list(AstroCLIPFile(path, **settings).read(path))
    return [item for item in items if isinstance(item, Sample)], [
        (item.source.rpartition(": ")[2], item.reason) for item in items if isinstance(item, Drop)
    ]


def test_images_are_channels_first(tmp_path):
    path = write_joint(tmp_path)
    samples, drops = read(path)
    with h5py.File(path) as file:
        images = np.concatenate([file["0/images"][:], file["1/images"][:]])
    assert len(samples) == 8 and not drops
    np.testing.assert_array_equal([sample.views["image"] for sample in samples], images.transpose(0, 3, 1, 2))
    cut, _ = read(path, size=96)
    np.testing.assert_array_equal(cut[7].views["image"], images[7, 28:124, 28:124].transpose(2, 0, 1))
    modality = AstroCLIPFile(path, size=96).modality
    assert (modality.channels, modality.shape, modality.unit) == (("g", "r", "z"), (3, 96, 96), "nmgy")


def test_spectra_and_images_share_ids_labels_and_the_published_split(tmp_path):
    path = write_joint(tmp_path, counts=(5, 3, *[1] * 9))  # ten groups and more: in order of their number
    images, spectra = read(path)[0], read(path, kind="spectrum")[0]
    assert [one.object_id for one in images] == [one.object_id for one in spectra]
    assert [one.object_id for one in spectra][-1] == str(39627641498144000 + 1000)
    assert [one.labels for one in images] == [one.labels for one in spectra]
    assert [one.labels["astroclip_split"] for one in spectra][:8] == ["train"] * 4 + ["test"] + ["train"] * 2 + ["test"]
    assert spectra[0].labels["z"] == pytest.approx(0.1) and np.isnan(spectra[0].ra)


@pytest.mark.parametrize(("count", "train"), [(20000, 16000), (17976, 14380), (7, 5), (1, 0)])
def test_the_published_split_counts(tmp_path, count, train):
    """Nine groups of 20,000 and one of 17,976 give the 158,380 and 39,596 of AstroCLIP's notebook."""
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("0/images", (count, 152, 152, 3), "f4", chunks=(1, 152, 152, 3), fillvalue=1.0)
        file["0/redshifts"], file["0/targetids"] = np.zeros(count, "f4"), np.arange(count)
    reader = AstroCLIPFile(path, size=1)
    split = [sample.labels["astroclip_split"] for sample in reader.read(path)]
    assert split.count("train") == train and split[:train] == ["train"] * train


def test_missing_pixels_have_no_weight_and_empty_spectra_are_dropped(tmp_path):
    spectra = np.full((5, 7781, 1), 3.0, "f4")
    spectra[0, 100:110], spectra[1, 5], spectra[2], spectra[3] = 0, np.nan, 0, np.nan
    path = write_joint(tmp_path, spectra=spectra)
    samples, drops = read(path, kind="spectrum")
    assert [reason for _, reason in drops] == ["the spectrum is zero everywhere"] * 2
    first, second = (sample.views["spectrum"] for sample in samples[:2])
    assert np.flatnonzero(first[1] == 0).tolist() == list(range(100, 110)) and (first[0] == 3).all()
    assert np.flatnonzero(second[1] == 0).tolist() == [5] and second[0, 5] == 3
    assert len(read(path)[0]) == 8  # their images are there


def test_rows_that_cannot_be_used(tmp_path):
    images = np.ones((5, 152, 152, 3), "f4")
    images[0, 3, 3, 0], images[1] = np.nan, 0
    z = np.array([0.1, 0.2, 0.9, -0.1, np.nan], "f4")
    path = write_joint(tmp_path, images=images, redshifts=z, targetids=np.array([1, 2, 3, 1, 5]))
    samples, drops = read(path)
    assert drops == [("2", "the image is zero everywhere"), ("1", "duplicated id")]
    assert samples[0].views["image"][0, 3, 3] == 0 and "z" not in samples[2].labels
    _, drops = read(path, kind="spectrum", z_range=(0, 0.8))
    assert drops == [
        ("3", "redshift 0.9 is not within 0 to 0.8"),
        ("1", "duplicated id"),
        ("5", "redshift nan is not within 0 to 0.8"),
    ]


def test_rows_are_read_in_slices(tmp_path, monkeypatch):
    path = write_joint(tmp_path, counts=(5, 3))
    whole = read(path)[0]
    monkeypatch.setattr(astroclip, "ROWS", 2)
    sliced = read(path)[0]
    assert [one.labels for one in sliced] == [one.labels for one in whole]
    np.testing.assert_array_equal(sliced[4].views["image"], whole[4].views["image"])


def test_files_of_another_layout(tmp_path):
    path = write_joint(tmp_path, spectra=np.ones((5, 100, 1), "f4"))
    with pytest.raises(FileError, match=r"group '0': spectra of \(5, 100, 1\), 5 redshifts and 5 targetids, exp"):
        read(path, kind="spectrum")
    with pytest.raises(FileError, match=r"expected \(n, 152, 152, 3\), n and n"):
        read(write_joint(tmp_path, redshifts=np.ones(4, "f4")))
    with h5py.File(path, "w") as file:
        file["0/images"], file["flux"] = np.ones(3), np.ones(3)
    with pytest.raises(FileError, match=r"group '0' has no 'redshifts' \(found images\)"):
        read(path)
    h5py.File(path, "w").close()
    with pytest.raises(FileError, match=r"h5: holds no groups, expected AstroCLIP's '0' to '9'"):
        read(path)
    path.write_bytes(write_joint(tmp_path).read_bytes()[:1000])
    with pytest.raises(FileError, match=r"no whole HDF5 file \(.*Download it again"):
        read(path)
    with pytest.raises(FileError, match=r"b.h5: no whole HDF5 file \(no such file\)"):
        read(tmp_path / "b.h5")


@pytest.mark.parametrize("settings", [{"kind": "flux"}, {"size": 153}, {"z_range": (0.1,)}])
def test_settings_that_do_not_fit(settings):
    with pytest.raises(UsageError, match="expected image or spectrum, a size of 1 to 152 pixels, and a lowest and"):
        AstroCLIPFile("a.h5", **settings)
