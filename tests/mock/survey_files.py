"""What holds for the files of every mock survey."""

import hashlib

from astropy.table import Table

from astroclip_kit.storage import open_folder


def digests(folder):
    """Path within a survey to the hash of the file."""
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in folder.rglob("*.*")
        if file.is_file()
    }


def check_layout(survey, kind, count):
    """A survey of ugriz cutouts, a spectrum for each, a catalogue and labels of the same objects; gives the labels."""
    manifest = open_folder(survey, "survey")
    assert (manifest["survey"], manifest["origin"], manifest["bands"]) == (kind, "mock", list("ugriz"))
    catalogue, labels = Table.read(survey / "catalogue.fits"), Table.read(survey / "labels.csv")
    assert len(catalogue) == len(set(catalogue["object_id"])) == count
    assert len(list(survey.glob("cutouts/*.fits"))) == len(list(survey.glob("spectra/spec-*.fits"))) == count
    assert labels.colnames == ["object_id", "class"] and list(labels["object_id"]) == list(catalogue["object_id"])
    return labels


def check_same_bytes(simulate, survey, count, seed, few, tmp_path):
    """One thread wrote `survey`; two write the same, fewer objects are its first, another seed shares nothing."""
    part = digests(simulate(tmp_path / "part", count=count, seed=seed, workers=2))
    assert part == digests(survey)
    first = digests(simulate(tmp_path / "few", count=few, seed=seed))
    shared = [name for name in first if name.startswith(("cutouts", "lightcurves", "spectra"))]
    assert len(shared) == 2 * few and all(first[name] == part[name] for name in shared)
    other = digests(simulate(tmp_path / "other", count=3, seed=seed + 1))
    assert not set(other.values()) & set(part.values())
