"""A file is read as what it is, whatever it is called; what is no table is named, with the way to one."""

from __future__ import annotations

import io
import json
import pickle
import sqlite3
import zipfile

import numpy as np
import pandas as pd
import pytest

from softmax_cli.errors import DataError
from softmax_cli.formats import by_name, name_of
from softmax_cli.stream.file_kinds import format_of, refuse_foreign

FRAME = pd.DataFrame({"cat": [2.5, 0.5], "dog": [1.0, 1.5]})


def sqlite(path) -> None:
    with sqlite3.connect(path) as connection:
        FRAME.to_sql("t", connection)


def archive(*members: str):
    def write(path) -> None:
        with zipfile.ZipFile(path, "w") as file:
            for member in members:
                file.writestr(member, "x")

    return write


def content(data: bytes):
    return lambda path: path.write_bytes(data)


FOREIGN = {
    "excel": (archive("[Content_Types].xml", "xl/workbook.xml"), "Excel", "csv"),
    "old excel": (content(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600), "Excel", "CSV"),
    "torch": (archive("archive/data.pkl", "archive/data/0"), "PyTorch", "numpy.save"),
    "pickle": (content(pickle.dumps({"a": 1})), "pickle", "numpy.save"),
    "zip": (archive("a.csv", "b.csv"), "a zip archive (a.csv, b.csv)", "unzip"),
    "sqlite": (sqlite, "SQLite", "sqlite3 -csv"),
    "html": (content(b"<!DOCTYPE html><html><title>404</title></html>\n"), "HTML", "Fetch the file itself"),
    "page": (content(b"\n <html>\n"), "HTML", "Fetch"),
    "xml": (content(b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>'), "XML", "Fetch"),
    "lfs": (content(b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 5\n"), "Git LFS", "git lfs pull"),
    "hdf5": (content(b"\x89HDF\r\n\x1a\n" + b"\0" * 100), "HDF5", "h5py"),
    "matlab": (content(b"MATLAB 5.0 MAT-file" + b" " * 100), "MATLAB", "scipy.io"),
    "pdf": (content(b"%PDF-1.7\n"), "PDF", "CSV"),
    "safetensors": (content((64).to_bytes(8, "little") + b'{"logits":{"dtype":"F32"}}'), "safetensors", "numpy"),
    "tar": (content(b"x.csv".ljust(257, b"\0") + b"ustar" + b"\0" * 300), "tar archive", "tar -xf"),
}


@pytest.mark.parametrize("name", ["x.csv", "x.parquet", "x.jsonl", "x.npz", "x.txt", "x"])
@pytest.mark.parametrize("kind", FOREIGN)
def test_what_is_no_table_is_named_under_every_name(softmax_cli, tmp_path, kind, name):
    write, what, way = FOREIGN[kind]
    write(tmp_path / name)
    done = softmax_cli("predict", name)
    assert (done.code, done.out) == (1, b"")
    assert (what in done.err, way in done.err) == (True, True), done.err


@pytest.mark.parametrize("command", ["evaluate", "inspect", "calibrate"])
def test_other_commands_say_it_too(softmax_cli, tmp_path, command):
    FOREIGN["excel"][0](tmp_path / "x.csv")
    done = softmax_cli(command, "x.csv")
    assert (done.code, "this is an Excel file" in done.err) == (1, True)


def test_a_zip_in_a_pipe_is_named_by_its_first_member():
    data = io.BytesIO()
    archive("xl/workbook.xml")(data)
    with pytest.raises(DataError, match="Excel"):
        refuse_foreign(data.getvalue()[:100], "stdin", io.BufferedReader(io.BytesIO(data.getvalue())))


FORMS = {
    "csv": lambda path: FRAME.to_csv(path, index=False),
    "jsonl": lambda path: FRAME.to_json(path, orient="records", lines=True),
    "json": lambda path: FRAME.to_json(path, orient="records"),
    "columns": lambda path: path.write_text(json.dumps(FRAME.to_dict("list"))),
    "parquet": lambda path: FRAME.to_parquet(path, index=False),
    "arrow": lambda path: FRAME.to_feather(path),
}


@pytest.mark.parametrize("suffix", ["csv", "tsv", "txt", "jsonl", "json", "parquet", "arrow", "npy", "npz", "dat"])
@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_read_under_every_name(softmax_cli, tmp_path, form, suffix):
    if (form, suffix) == ("csv", "tsv"):
        pytest.skip("a name that says tabs is believed")
    path = tmp_path / f"x.{suffix}"
    with path.open("wb"):
        pass
    FORMS[form](path)
    done = softmax_cli("predict", path.name, "--format", "jsonl")
    assert done.code == 0, done.err
    rows = [json.loads(line) for line in done.text.splitlines()]
    assert [row["prob_cat"] for row in rows] == pytest.approx([0.8175744761936437, 0.2689414213699951])
    is_told = "which it is by its content" in done.err
    natural = {"csv": ("csv", "txt", "dat"), "columns": ("json", "jsonl", "dat"), "json": ("json", "jsonl", "dat")}
    natural |= {"jsonl": ("jsonl", "json", "dat"), "parquet": ("parquet", "dat"), "arrow": ("arrow", "dat")}
    assert is_told == (suffix not in natural[form])


def test_arrays_are_read_under_every_name(softmax_cli, tmp_path):
    np.save(tmp_path / "x.npy", FRAME.to_numpy())
    (tmp_path / "x.npy").rename(tmp_path / "x.csv")
    done = softmax_cli("predict", "x.csv", "--format", "jsonl")
    assert (done.code, "read as npy" in done.err) == (0, True)


@pytest.mark.parametrize(
    ("head", "named", "form"),
    [
        (b"[0.1 0.2]\n[0.3 0.4]\n", "csv", "csv"),
        (b"[0.1, 0.2]\n[0.3, 0.4]\n", "csv", "json"),
        (b"{cat},{dog}\n1,2\n", "csv", "csv"),
        (b"PAR1\x15\x04", "csv", "parquet"),
        (b"garbage\x00\x01", "parquet", "parquet"),
        (b"cat,dog\n1,2\n", "parquet", "csv"),
        (b"\xff\xff\xff\xff\x10", "arrow", "arrow"),
        (b"id,cat\n1,2\n", "jsonl", "csv"),
        (b"oops\n", "jsonl", "jsonl"),
    ],
)
def test_the_content_goes_before_the_name_where_it_is_sure(head, named, form):
    assert name_of(format_of(head, by_name(named), "x")[0]) == form
