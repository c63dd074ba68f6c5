"""Tests of finding a survey's files."""

import os
import pickle
from pathlib import Path

import pytest

from astroclip_kit.errors import FileError
from astroclip_kit.surveys.files.file_lists import FileList, find_files, find_matching
from astroclip_kit.surveys.files.fits_files import read_hdus


def write(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("*.fits", ["z.fits"]),
        ("**/*.fits", ["a/b/x.fits", "a/c/x.fits", "a/x.fits", "a-b/x.fits", "z.fits"]),
        ("*/*.fits", ["a/x.fits", "a-b/x.fits"]),
        ("a/**/x.*", ["a/b/x.fits", "a/c/x.fits", "a/x.fits", "a/x.txt"]),
        ("a/**", ["a/b/x.fits", "a/c/x.fits", "a/x.fits", "a/x.txt"]),
        ("**/c/x.fits", ["a/c/x.fits"]),
        ("**/**/[xz].fits", ["a/b/x.fits", "a/c/x.fits", "a/x.fits", "a-b/x.fits", "z.fits"]),
        ("a/?/*", ["a/b/x.fits", "a/c/x.fits"]),
        ("./z.fits", ["z.fits"]),
        ("nothing", []),
    ],
)
def test_patterns(tmp_path, pattern, found):
    write(tmp_path, "z.fits", "a/x.fits", "a/x.txt", "a/b/x.fits", "a/c/x.fits", "a-b/x.fits")
    files = find_files(tmp_path, pattern)
    assert files == [tmp_path / name for name in found]
    assert list(files) == sorted(files)
    if pattern != "a/**":  # which gives folders to pathlib
        assert list(files) == sorted(path for path in tmp_path.glob(pattern) if path.is_file())


def test_a_list_is_a_sequence_of_paths(tmp_path):
    write(tmp_path, *(f"{number:03d}.fits" for number in range(50)))
    files = find_files(tmp_path, "*.fits")
    assert len(files) == 50 and files[-1] == files[49] == tmp_path / "049.fits" and files[3] in files
    assert isinstance(files[10:20], FileList) and files[10:20] == list(files)[10:20]
    assert files[::-7] == list(files)[::-7] and files[60:] == [] and files != files[1:] and files != 3
    assert pickle.loads(pickle.dumps(files[40:])) == files[40:]
    assert len(pickle.dumps(files[:10])) < 600 + len(str(tmp_path))
    assert list(files.absolute()) == [str(path.resolve()) for path in files]
    assert repr(files) == f"<50 files under {str(tmp_path)!r}>"
    with pytest.raises(IndexError):
        files[50]


def test_hidden_and_half_written_files_are_left_out(tmp_path):
    write(
        tmp_path, "a.fits", ".a.fits", ".snapshot/a.fits", "b.fits.part", "c.fits.tmp", "d.fits.crdownload", "e.fits~"
    )
    (tmp_path / "folder.fits").mkdir()
    os.mkfifo(tmp_path / "pipe.fits")
    assert find_files(tmp_path, "**/*.fits*") == [tmp_path / "a.fits"]


def test_links(tmp_path):
    write(tmp_path, "disk/deep/a.fits", "survey/b.fits")
    survey = tmp_path / "survey"
    for name, target in {
        "again": "../survey",
        "disk": "../disk",
        "disk2": "../disk/deep",
        "round.fits": "round.fits",
        "nowhere.fits": "gone",
        "c.fits": "b.fits",
    }.items():
        (survey / name).symlink_to(target)
    (tmp_path / "disk" / "up").symlink_to(survey)
    names = ["b.fits", "c.fits", "disk/deep/a.fits", "nowhere.fits", "round.fits"]
    assert find_files(survey, "**/*.fits") == [survey / name for name in names]
    for name, reason in (("nowhere.fits", "No such file"), ("round.fits", "Too many levels of symbolic links")):
        with pytest.raises(FileError, match=f"{name}: cannot be read .{reason}"):
            read_hdus(survey / name, (0,))


def test_names_that_are_no_text(tmp_path):
    write(tmp_path, "größe 星.fits", "two words/a.fits", os.fsdecode(b"caf\xe9.fits"), "new\nline.fits")
    files = find_files(tmp_path, "**/*.fits")
    assert len(files) == 4 and all(path.is_file() for path in files) and list(files) == sorted(files)


def test_a_folder_that_may_not_be_read_is_listed(tmp_path, monkeypatch):
    write(tmp_path, "a.fits", "closed/b.fits", "open/c.fits")
    scandir = os.scandir

    def refuse(folder):
        if Path(folder).name == "closed":
            raise PermissionError(13, "Permission denied")
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", refuse)
    assert find_files(tmp_path, "**/*.fits") == [tmp_path / "a.fits", tmp_path / "closed", tmp_path / "open" / "c.fits"]
    with pytest.raises(FileError, match=r"closed: the folder cannot be read \(Permission denied\)"):
        find_files(tmp_path / "closed", "*.fits")


def test_too_many_open_files_is_no_reason_to_leave_a_folder_out(tmp_path, monkeypatch):
    write(tmp_path, "a/a.fits")
    scandir = os.scandir
    monkeypatch.setattr(
        os, "scandir", lambda folder: scandir("/dev/null/x" if folder == str(tmp_path / "a") else folder)
    )
    assert find_files(tmp_path, "**/*.fits") == [tmp_path / "a"]

    def full(_):
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(os, "scandir", full)
    with pytest.raises(FileError, match=r"the folder cannot be read \(Too many open files\)"):
        find_files(tmp_path, "**/*.fits")


def test_one_file(tmp_path):
    write(tmp_path, "a.dat")
    assert find_files(tmp_path / "a.dat", "*.fits") == [tmp_path / "a.dat"]
    with pytest.raises(FileError, match=r"nowhere: no such folder. Check the reader's `root`"):
        find_files(tmp_path / "nowhere", "*")


def test_a_pattern_with_its_folder(tmp_path, monkeypatch):
    write(tmp_path, "a/x.fits", "a/b/y.fits")
    assert find_matching(f"{tmp_path}/a/*.fits") == [tmp_path / "a/x.fits"]
    assert find_matching(f"{tmp_path}/**/*.fits") == [tmp_path / "a/b/y.fits", tmp_path / "a/x.fits"]
    assert find_matching(f"{tmp_path}/a/x.fits") == [tmp_path / "a/x.fits"]
    assert find_matching(f"{tmp_path}/nowhere/*.fits") == find_matching(f"{tmp_path}/a") == []
    monkeypatch.chdir(tmp_path / "a")
    assert find_matching("*.fits") == [Path("x.fits")] and find_matching("../a/b/*") == [Path("../a/b/y.fits")]
