"""A table that takes its data from elsewhere is refused before anything there is opened."""

import gzip
import io
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import h5py
import numpy as np
import pytest
from astropy.table import Table

from astroclip_kit.errors import FileError
from astroclip_kit.explorer.overlays.catalogue_file import CatalogueFile
from astroclip_kit.surveys.files.outlines import outline
from astroclip_kit.surveys.files.references import check_contained
from astroclip_kit.surveys.files.table_files import column_names, read_columns

ELSEWHERE = "refers to data in another file, which is not read: save it with the data inside"
HEAD = '<?xml version="1.0" encoding="{}"?>{}<VOTABLE version="1.4" xmlns="http://www.ivoa.net/xml/VOTable/v1.3">'
FIELDS = '<RESOURCE><TABLE><FIELD name="ra" datatype="unsignedByte"/><FIELD name="dec" datatype="unsignedByte"/><DATA>'
END = "</DATA></TABLE></RESOURCE></VOTABLE>"
OTHER = "<RESOURCE><TABLE><FIELD name='z' datatype='int'/><DATA><TABLEDATA/></DATA></TABLE></RESOURCE></VOTABLE>"


def votable(stream, kind="BINARY", encoding="utf-8", doctype=""):
    return f"{HEAD.format(encoding, doctype)}{FIELDS}<{kind}>{stream}</{kind}>{END}".encode(encoding)


@pytest.fixture
def asked():
    """Where a server of this machine listens, and which paths it was asked for."""
    paths = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            paths.append(self.path)
            self.send_response(404)
            self.end_headers()

        def log_message(self, *about):
            """Says nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/", paths
    server.shutdown()
    server.server_close()


@pytest.fixture
def secret(tmp_path):
    path = tmp_path / "secret"
    path.write_bytes(b"root:x:0")
    return path


@pytest.mark.parametrize("kind", ["BINARY", "BINARY2", "FITS", "PARQUET"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1"])
def test_a_stream_from_elsewhere_is_not_fetched(tmp_path, asked, secret, kind, encoding):
    address, paths = asked
    for href in (f"{address}{kind}", secret.as_uri(), f"file:{secret}"):
        content = votable(f'<STREAM href="{href}"/>', kind, encoding)
        (tmp_path / "a.vot").write_bytes(content)
        for read in (column_names, lambda path: read_columns(path, ["ra"])):
            with pytest.raises(FileError, match=ELSEWHERE):
                read(tmp_path / "a.vot")
        for name, packed in (("a.vot", content), ("a.csv", content), ("a.vot.gz", gzip.compress(content))):
            with pytest.raises(FileError, match=ELSEWHERE):
                CatalogueFile.read(name, packed)
    assert paths == []


@pytest.mark.parametrize(
    ("stream", "doctype"),
    [
        ('<v:STREAM xmlns:v="http://v" actuate="onLoad" href = \'{}\'></v:STREAM>', ""),
        ("&far;", "<!DOCTYPE VOTABLE [<!ENTITY far \"<STREAM &#104;ref='{}'/>\">]>"),
        ("<STREAM/>", "<!DOCTYPE VOTABLE [<!ATTLIST STREAM href CDATA '{}'>]>"),
    ],
)
def test_a_reference_may_be_written_in_many_ways(tmp_path, asked, stream, doctype):
    address, paths = asked
    path = tmp_path / "a.vot"
    path.write_bytes(votable(stream.format(address), doctype=doctype.format(address)))
    with pytest.raises(FileError, match=ELSEWHERE):
        column_names(path)
    assert paths == []


def test_one_of_several_tables_may_not_refer_to_another_file(asked):
    address, paths = asked
    content = votable(f'<STREAM href="{address}"/>').decode().replace("</VOTABLE>", OTHER)
    with pytest.raises(FileError, match=ELSEWHERE):
        CatalogueFile.read("a.vot", content.encode())
    assert paths == []


def test_links_for_people_and_streams_inside_are_read():
    link = '<LINK href="http://example.org/more"/>'
    out = io.BytesIO()
    Table({"ra": [1.0], "dec": [2.0]}).write(out, format="votable", tabledata_format="binary2")
    content = out.getvalue().replace(b"<TABLE", b"<TABLE", 1).replace(b"<DATA>", f"{link}<DATA>".encode())
    assert CatalogueFile.read("a.vot", content).frame.to_dict("list") == {"ra": [1.0], "dec": [2.0]}


@pytest.fixture(params=["link", "deep link", "soft link", "raw file", "virtual"])
def elsewhere(request, tmp_path, secret):
    """An HDF5 file that shows what is in another."""
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["pw"] = np.array([1.25, 2.5])
    path = tmp_path / "up.h5"
    with h5py.File(path, "w") as file:
        file["dec"] = np.zeros(2)
        link = h5py.ExternalLink(str(tmp_path / "secret.h5"), "/pw")
        if request.param == "link":
            file["ra"] = link
        elif request.param == "deep link":
            file.create_group("table")["ra"] = link
        elif request.param == "soft link":
            file.create_group("a/b/c")["far"] = link
            file["ra"] = h5py.SoftLink("/a/b/c/far")
        elif request.param == "raw file":
            file.create_dataset("ra", (1,), "f8", external=[(str(secret), 0, h5py.h5f.UNLIMITED)])
        else:
            layout = h5py.VirtualLayout((2,), "f8")
            layout[:] = h5py.VirtualSource(str(tmp_path / "secret.h5"), "pw", (2,))
            file.create_virtual_dataset("ra", layout)
    return path


def test_hdf5_from_elsewhere_is_refused(elsewhere):
    with pytest.raises(FileError, match=ELSEWHERE):
        column_names(elsewhere)
    with pytest.raises(FileError, match=ELSEWHERE):
        read_columns(elsewhere, ["dec"])
    content = elsewhere.read_bytes()
    for name in ("up.h5", "up.vot", "up.csv"):
        with pytest.raises(FileError, match=ELSEWHERE):
            CatalogueFile.read(name, content)
    odd = elsewhere.with_suffix(".vot")  # astropy goes by the content
    odd.write_bytes(gzip.compress(content))
    with pytest.raises(FileError, match=ELSEWHERE):
        column_names(odd)
    assert outline(elsewhere).format == ""


def test_hdf5_with_its_data_inside_is_read(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["ra"] = file["dec"] = np.arange(2.0)
        file["same"] = h5py.SoftLink("/ra")
        layout = h5py.VirtualLayout((2,), "f8")
        layout[:] = h5py.VirtualSource(file["ra"])
        file.create_virtual_dataset("seen", layout)
    assert read_columns(tmp_path / "a.h5", ["seen"])["seen"].tolist() == [0, 1]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("spaces", [0, 1, 2, 200])
def test_spaces_before_it_hide_no_reference(encoding, spaces):
    content = votable('<STREAM href="http://127.0.0.1:9/"/>').decode().partition("?>")[2]
    with pytest.raises(FileError, match=ELSEWHERE):
        check_contained("a.vot", io.BytesIO((spaces * "\n" + content).encode(encoding)))


def test_a_reference_between_two_blocks_is_seen(monkeypatch):
    content = votable('<STREAM href="http://127.0.0.1:9/"/>')
    for block in range(7, 40):
        monkeypatch.setattr("astroclip_kit.surveys.files.references.BLOCK", block)
        with pytest.raises(FileError, match=ELSEWHERE):
            check_contained("a.vot", io.BytesIO(content))
