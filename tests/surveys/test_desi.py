import bz2
import gzip
import tracemalloc

import numpy as np
import pytest
from astropy.io import fits
from layout_desi import ARMS, FIRST, REDSHIFTS, ROWS, make_arms, write_pipeline_coadd

from astroclip_kit.errors import FileError, UsageError
from astroclip_kit.surveys import Arm, DESISpectra, write_desi_coadd
from astroclip_kit.surveys.desi_files.coaddition import coadd
from astroclip_kit.types import Drop, Sample


def read(path, **settings):
    """Samples and drops of a file."""
    items = list(DESISpectra(path, **settings).read(path))
    return [item for item in items if isinstance(item, Sample)], [item for item in items if isinstance(item, Drop)]


def changed(columns, **changes):
    return {name: changes.get(name, values) for name, values in columns.items()}


def test_targets_of_a_pipeline_file_with_their_redshifts(tmp_path):
    path = write_pipeline_coadd(tmp_path / "coadd-1.fits", make_arms(4))
    (first, second), _ = read(path)
    assert first.object_id == first.group == str(FIRST) and (first.ra, first.dec) == (216.90, 3.29)
    assert first.labels == {
        **{"survey": "sv3", "program": "dark", "z": 0.9, "z_err": 1e-5, "zwarning": 0, "class": "GALAXY"},
        **{"deltachi2": 900, "ebv": pytest.approx(0.028), "flux_g": pytest.approx(0.21)},
        **{"target_lrg": 1, "target_elg": 0, "target_qso": 0, "target_bgs": 0, "target_mws": 0},
    }
    assert second.labels["zwarning"] == 4 and second.labels["target_bgs"] == 1
    assert "flux_g" not in second.labels  # never measured


def test_views_are_the_joined_arms_and_other_grids_are_resampled(tmp_path):
    arms = make_arms(4, B_mask=np.eye(4, 60, dtype=int) * 8)
    path = write_pipeline_coadd(tmp_path / "coadd-1.fits", arms)
    samples, _ = read(path)
    stored = [arm._replace(flux=arm.flux.astype("f4"), ivar=arm.ivar.astype("f4")) for arm in arms.values()]
    expected = coadd(stored)
    for sample, row in zip(samples, (1, 3), strict=True):
        view = sample.views["spectrum"]
        np.testing.assert_array_equal(view[1, :160], expected.ivar[row])
        good = view[1, :160] > 0
        np.testing.assert_array_equal(view[0, :160][good], expected.flux[row][good])
        assert view[1, row] == 0 and view[0, row] != 0 and not view[1, 160:].any()
    narrow = read(path, grid=(3610, 3700, 1.6))[0][0].views["spectrum"]
    assert narrow.shape == (2, 57) and abs(narrow[0].mean() - 5) < 0.3


def test_fibres_without_a_target_are_drops_with_their_reason(tmp_path):
    path = write_pipeline_coadd(tmp_path / "coadd-1.fits", make_arms(4))
    samples, drops = read(path)
    assert [sample.object_id for sample in samples] == [str(FIRST), str(FIRST + 3404)]
    assert [drop.reason for drop in drops] == ["a negative TARGETID: the fibre is on no target.", "a sky fibre."]
    assert drops[1].source == f"{path}: TARGETID 616088619186127404"
    path = write_pipeline_coadd(path, make_arms(4), changed(ROWS, OBJTYPE=np.array(["", "BAD", "SKY", "TGT"])))
    assert "OBJTYPE BAD" in read(path)[1][1].reason


def test_bad_fibres_are_drops_unless_their_bits_are_allowed(tmp_path):
    rows = changed(ROWS, COADD_FIBERSTATUS=np.array([1, 8, 520, 512], "i4"))
    path = write_pipeline_coadd(tmp_path / "coadd-1.fits", make_arms(4), rows)
    samples, drops = read(path)
    assert not samples and [drop.reason[:17] for drop in drops[1::2]] == ["COADD_FIBERSTATUS"] * 2
    assert [sample.object_id for sample in read(path, fiberstatus=8)[0]] == [str(FIRST)]
    assert len(read(path, fiberstatus=8 | 512)[0]) == 2


def test_rows_that_cannot_be_used_are_drops(tmp_path):
    arms = Arm(3600 + 0.8 * np.arange(160), np.full((4, 160), 2.0), np.ones((4, 160)))
    arms.flux[0], arms.ivar[1], arms.ivar[2, :100] = np.nan, 0, 0
    targets = {"targetid": [1, 2, 3, 4], "ra": [1.0, 2, 3, 400], "dec": [0.0] * 4}
    write_desi_coadd(tmp_path / "coadd-1.fits", {"brz": arms}, targets)
    samples, drops = read(tmp_path / "coadd-1.fits", grid=(3600, 3660, 0.8))
    assert not samples
    no_pixel = "no good pixel: flux is NaN, inverse variance 0 or the mask set everywhere."
    off_grid = "no good pixel on the grid: the file covers 3600-3727 Angstrom."
    assert [drop.reason for drop in drops] == [no_pixel, no_pixel, off_grid, "coordinates out of range."]


def test_targets_that_redrock_lacks_or_orders_otherwise(tmp_path):
    shuffled = {name: values[[3, 0]] for name, values in REDSHIFTS.items()}
    path = write_pipeline_coadd(tmp_path / "coadd-1.fits", make_arms(4), redshifts=shuffled)
    (first, second), _ = read(path)
    assert not {"z", "z_err", "zwarning", "class", "deltachi2"} & set(first.labels) and "ebv" in first.labels
    assert (second.labels["z"], second.labels["class"], second.labels["zwarning"]) == (1.1, "QSO", 4)
    none = {name: values[:0] for name, values in REDSHIFTS.items()}
    path = write_pipeline_coadd(path, make_arms(4), redshifts=none)
    assert "z" not in read(path)[0][1].labels


def test_without_a_redrock_file_there_is_a_note_and_no_redshift(tmp_path, capsys):
    write_pipeline_coadd(tmp_path / "coadd-1.fits", make_arms(4))
    path = write_pipeline_coadd(tmp_path / "coadd-2.fits", make_arms(4), redshifts=None)
    for _ in range(2):
        assert len(DESISpectra(tmp_path).files()) == 2
    words = "1 of 2 DESI files have no redrock file beside them: their spectra have no redshift."
    assert capsys.readouterr().err == f"note: {tmp_path}: {words}\n"
    assert "z" not in read(path)[0][0].labels
    assert len(DESISpectra(tmp_path, redrock="").files()) == 2
    assert DESISpectra(tmp_path, redrock="").also_reads() == []
    assert not capsys.readouterr().err
    assert [path.name[:7] for path in DESISpectra(tmp_path).also_reads()] == ["redrock"]
    assert "z" not in read(tmp_path / "coadd-1.fits", redrock="")[0][0].labels


def test_a_damaged_redrock_file_is_an_error(tmp_path):
    path = write_pipeline_coadd(tmp_path / "coadd-1.fits", make_arms(4))
    beside = tmp_path / "redrock-1.fits"
    content = beside.read_bytes()
    beside.write_bytes(content[:5000])
    with pytest.raises(FileError, match=r"redrock-1\.fits: truncated"):
        read(path)
    beside.write_bytes(content.replace(b"'Z       '", b"'Y       '"))
    with pytest.raises(FileError, match="HDU 1 has no column 'Z'"):
        read(path)


def test_a_target_that_a_file_has_twice_keeps_one_group_and_its_own_redshift(tmp_path):
    ids = np.array([-1, 7, 8, 7])
    rows = changed(ROWS, TARGETID=ids, OBJTYPE=np.array(["", "TGT", "TGT", "TGT"]), COADD_FIBERSTATUS=np.zeros(4, "i4"))
    path = write_pipeline_coadd(tmp_path / "coadd-1.fits", make_arms(4), rows, changed(REDSHIFTS, TARGETID=ids))
    samples, _ = read(path)
    assert [(sample.object_id, sample.group) for sample in samples] == [("7#0", "7"), ("8", "8"), ("7#1", "7")]
    assert [sample.labels["z"] for sample in samples] == [0.9, 0.2, 1.1]


def test_files_without_ids_are_read_by_row(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        path = write_pipeline_coadd(tmp_path / folder / "coadd-1.fits", make_arms(4), redshifts=None)
        with fits.open(path) as hdus:
            images = [hdu for hdu in hdus if not isinstance(hdu, fits.BinTableHDU) and "MASK" not in hdu.name]
            fits.HDUList(images).writeto(path, overwrite=True)
    with pytest.raises(FileError, match=r'has no FIBERMAP, so its spectra have no TARGETID\. Read it with ids="row"'):
        read(path)
    reader = DESISpectra(tmp_path, redrock="", ids="row")
    samples = [sample for path in reader.files() for sample in reader.read(path)]
    assert [sample.object_id for sample in samples[3:5]] == ["a/coadd-1.fits#3", "b/coadd-1.fits#0"]
    assert len({sample.object_id for sample in samples}) == 8 and np.isnan(samples[0].ra) and not samples[0].labels
    assert read(path, ids="row")[0][0].object_id == "coadd-1.fits#0"


def test_rows_as_ids_of_a_file_that_has_targets(tmp_path):
    path = write_pipeline_coadd(tmp_path / "coadd-1.fits", make_arms(4))
    samples, _ = read(path, ids="row")
    assert [(sample.object_id, sample.group) for sample in samples][1] == ("coadd-1.fits#3", str(FIRST + 3404))
    assert samples[1].labels["z"] == 1.1


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress])
def test_packed_files_and_their_redshifts(tmp_path, pack):
    path = write_pipeline_coadd(tmp_path / "coadd-1.fits", make_arms(4))
    before, _ = read(path)
    packed = tmp_path / "coadd-1.fits.gz"
    packed.write_bytes(pack(path.read_bytes()))
    path.unlink()
    after, _ = read(packed)
    assert after[0].labels == before[0].labels
    np.testing.assert_array_equal(after[1].views["spectrum"], before[1].views["spectrum"])
    packed.write_bytes(packed.read_bytes()[:-3000])
    with pytest.raises(FileError, match="truncated or damaged"):
        read(packed)


def test_masks_that_are_tile_compressed(tmp_path):
    arms = make_arms(4, B_mask=np.eye(4, 60, dtype=int))
    path = write_pipeline_coadd(tmp_path / "coadd-1.fits", arms)
    before, _ = read(path)
    with fits.open(path) as hdus:
        packed = [fits.CompImageHDU(hdu.data, name=hdu.name) if "MASK" in hdu.name else hdu.copy() for hdu in hdus]
        fits.HDUList(packed).writeto(tmp_path / "coadd-2.fits")
    after, _ = read(tmp_path / "coadd-2.fits")
    np.testing.assert_array_equal(after[0].views["spectrum"], before[0].views["spectrum"])


def test_units(tmp_path):
    arms = make_arms(4)
    before, _ = read(write_pipeline_coadd(tmp_path / "coadd-1.fits", arms))
    for unit, factor in (("1e-20 W / (m2 Angstrom)", 1), ("10**-16 erg/(s cm2 Angstrom)", 10), ("", 1)):
        after, _ = read(write_pipeline_coadd(tmp_path / "coadd-1.fits", arms, unit=unit))
        flux, ivar = after[0].views["spectrum"] / before[0].views["spectrum"].clip(1e-9)
        np.testing.assert_allclose(flux[:160], factor, rtol=1e-5)
        np.testing.assert_allclose(ivar[:160], factor**-2, rtol=1e-5)
    for unit in ("Jy", "counts of light"):
        path = write_pipeline_coadd(tmp_path / "coadd-1.fits", arms, unit=unit)
        with pytest.raises(FileError, match=f"B_FLUX is in '{unit}', which does not convert to '1e-17 erg"):
            read(path)


def test_damaged_and_foreign_files(tmp_path):
    path = write_pipeline_coadd(tmp_path / "coadd-1.fits", make_arms(4))
    content = path.read_bytes()
    for old, new, message in (
        (b"'R_IVAR  '", b"'R_ERROR '", "has no R_IVAR beside R_WAVELENGTH. It is no whole DESI coadd"),
        (b"_WAVELENGTH", b"_LAMBDA    ", "has no arm .*It is no DESI coadd"),
        (b"'TARGET_RA'", b"'TARGET_XX'", "HDU 1 has no column 'TARGET_RA'"),
    ):
        path.write_bytes(content.replace(old, new))
        with pytest.raises(FileError, match=message):
            read(path)
    path.write_bytes(content[: content.index(b"Z_RESOLUTION") + 5000])
    with pytest.raises(FileError, match=r"truncated: HDU \d+ needs"):
        read(path)
    path.write_bytes(content)
    with fits.open(path) as hdus:
        hdus["R_FLUX"].data = hdus["R_FLUX"].data[:, :50]
        hdus.writeto(tmp_path / "coadd-2.fits")
    with pytest.raises(FileError, match=r"arm R has an image of shape \(4, 50\), expected \(4, 60\)"):
        read(tmp_path / "coadd-2.fits")


def test_arms_that_cannot_be_joined_and_rows_that_do_not_fit(tmp_path):
    arms = make_arms(4)
    arms["R"] = arms["R"]._replace(wavelength=ARMS["R"] + 0.3)
    path = write_pipeline_coadd(tmp_path / "coadd-1.fits", arms)
    with pytest.raises(FileError, match=r"coadd-1\.fits: the pixels of its arms do not coincide"):
        read(path)
    path = write_pipeline_coadd(tmp_path / "coadd-1.fits", make_arms(3), redshifts=None)
    with pytest.raises(FileError, match="FIBERMAP has 4 rows for 3 spectra"):
        read(path)


def test_settings_that_make_no_sense(tmp_path):
    with pytest.raises(UsageError, match="ids is 'name', expected 'targetid' or 'row'"):
        DESISpectra(tmp_path, ids="name")
    with pytest.raises(UsageError, match="grid 'desi2' is unknown"):
        DESISpectra(tmp_path, grid="desi2")


def test_large_files_are_read_in_constant_memory(tmp_path):
    wavelength, peaks, sizes = np.linspace(3600, 9824, 7781), [], []
    for rows in (40, 100, 400):  # what the first takes once, such as imports, is no concern of the others
        path = tmp_path / f"coadd-{rows}.fits"
        targets = {"targetid": np.arange(rows), "ra": np.ones(rows), "dec": np.ones(rows)}
        arm = Arm(wavelength, np.ones((rows, 7781), "f4"), np.ones((rows, 7781), "f4"))
        write_desi_coadd(path, {"brz": arm}, targets)
        tracemalloc.start()
        assert sum(isinstance(item, Sample) for item in DESISpectra(path).read(path)) == rows
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        sizes.append(path.stat().st_size)
    assert peaks[2] - peaks[1] < (sizes[2] - sizes[1]) / 5


@pytest.mark.shared_data
def test_the_real_coadd_with_its_redrock_file(shared_data):
    path = shared_data / "format-examples" / "coadd-4-80613-thru20210324.fits"
    [sample], drops = read(path)
    assert not drops and sample.object_id == "39633345008634465" and sample.labels["class"] == "GALAXY"
    assert sample.labels["z"] == pytest.approx(0.36874355) and sample.labels["target_bgs"] == 1
    view = sample.views["spectrum"]
    with fits.open(path) as hdus:
        blue, red = ({w: hdus[f"{arm}_{w}"].data[0] for w in ("FLUX", "IVAR", "MASK")} for arm in "BR")
        wavelength = hdus["R_WAVELENGTH"].data
    weights = np.where(blue["MASK"] == 0, blue["IVAR"], 0)[2700:], np.where(red["MASK"] == 0, red["IVAR"], 0)[:51]
    expected = (blue["FLUX"][2700:] * weights[0] + red["FLUX"][:51] * weights[1]) / (weights[0] + weights[1])
    np.testing.assert_allclose(view[0, 2700:2751], expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(view[1, 2700:2751], weights[0] + weights[1], rtol=1e-5)
    np.testing.assert_array_equal(view[0, 2751:4900], red["FLUX"][51:2200])
    np.testing.assert_allclose(np.linspace(3600, 9824, 7781)[2700:5026], wavelength, atol=1e-6)


@pytest.mark.shared_data
def test_the_real_coadd_with_sky_and_stuck_fibres(shared_data):
    samples, drops = read(shared_data / "format-examples" / "coadd-sv3-dark-26065.fits")
    assert [sample.object_id for sample in samples] == ["39627866878511337", "39627866878514741"]
    assert all(sample.labels["program"] == "dark" and sample.labels["target_lrg"] == 1 for sample in samples)
    assert len(drops) == 3 and sum("sky fibre" in drop.reason for drop in drops) == 1
    assert all(np.isfinite(sample.views["spectrum"]).all() for sample in samples)


@pytest.mark.shared_data
def test_the_real_file_without_fibermap(shared_data):
    path = shared_data / "format-examples" / "quasarnp_test_coadd.fits"
    with pytest.raises(FileError, match=r'no FIBERMAP.*ids="row"'):
        read(path)
    samples, drops = read(path, ids="row")
    assert len(samples) == 24 and samples[-1].object_id == "quasarnp_test_coadd.fits#24"
    assert [drop.reason[:13] for drop in drops] == ["no good pixel"]
