"""Every format in the folder, found by its name, its suffixes and its first bytes, gives back what it was given."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softmax_cli import formats
from softmax_cli.errors import UsageError
from softmax_cli.storage.compression import COMPRESSIONS
from softmax_cli.tables.batch import Batch, ListColumn, NumberColumn, TextColumn, empty_batch
from softmax_cli.tables.columns import METADATA_KEY
from softmax_cli.tables.schema import FLOAT64, TEXT, Field, Schema, is_string
from softmax_cli.tables.table import ReadOptions, WriteOptions
from softmax_cli.text.formatting import text_spans


def make_table(rows: int, texts: list[str | None]) -> Batch:
    """Return a text column with nulls, and a computed list column of three classes."""
    cells = [texts[row % len(texts)] for row in range(rows)]
    scores = ListColumn(np.linspace(0, 1, rows * 3, dtype=np.float64).reshape(rows, 3))
    schema = Schema([Field("name", TEXT), Field("prob", scores.type, {METADATA_KEY: b"prob"})])
    return Batch(schema, [TextColumn(*text_spans(cells)), scores], rows)


def write_all(form: formats.Format, batches: list[Batch]) -> bytes:
    file = io.BytesIO()
    writer = form.write(file, batches[0].schema, WriteOptions())
    for batch in batches:
        writer.write(writer.encode(batch))
    writer.close()
    return file.getvalue()


def read_all(form: formats.Format, data: bytes, name: str = "stdin") -> list[dict[str, object]]:
    table = form.read(io.BytesIO(data), name, ReadOptions())
    scores = [field.name for field in table.schema if not is_string(field.type)]
    return [row for block in table.blocks for row in table.decode(block, scores).batch.to_pylist()]


@pytest.mark.parametrize("name", ["arrow", "arrows", "npy", "npz", "parquet"])
@given(rows=st.integers(0, 7), texts=st.lists(st.none() | st.text('aé🦊\0 ,"', max_size=3), min_size=1, max_size=3))
@settings(max_examples=15, deadline=None)
def test_gives_back_what_was_written(name, rows, texts):
    """Reading undoes writing, also without rows; a format without a place for text keeps the scores alone."""
    form = formats.by_name(name)
    batch = make_table(rows, texts)
    given_back = read_all(form, write_all(form, [batch, batch]))
    assert len(given_back) == 2 * rows
    for row, expected in zip(given_back, batch.to_pylist() * 2, strict=True):
        assert row["logits" if name == "npy" else "prob"] == expected["prob"]
        if name not in {"npy", "npz"}:
            assert row["name"] == expected["name"]


def test_every_format_is_found_by_all_that_names_it():
    """Name, suffix with and without compression, first bytes."""
    assert {"arrow", "arrows", "npy", "npz", "parquet"} <= set(formats.names())
    for name in formats.names():
        form = formats.by_name(name)
        assert formats.name_of(form) == name
        for suffix in form.SUFFIXES:
            assert formats.by_suffix(f"a.b/x{suffix.upper()}") == (form, None)
            assert formats.by_name(suffix) is form or suffix[1:] in formats.names()
            for compression in COMPRESSIONS:
                assert formats.by_suffix(f"x{suffix}{compression.suffix}") == (form, compression)
        for magic in form.MAGIC:
            assert formats.sniff(magic + b"...") is form


def test_what_no_format_claims_is_plain_text():
    """CSV has no first bytes of its own."""
    assert formats.sniff(b"id,cat,dog\n") is None
    assert formats.sniff(b"") is None


def test_an_unknown_name_lists_what_there_is():
    with pytest.raises(UsageError, match=r"'xlsx'; there are: .*parquet"):
        formats.by_name("xlsx")
    with pytest.raises(UsageError, match=r"known ends of names are: .*\.parquet"):
        formats.by_suffix("probs.xlsx")


def test_no_format_drags_in_what_costs_time_to_load():
    """Looking formats up loads none of their libraries; writing and reading the binary ones never loads pandas."""
    code = """
import io, sys
import numpy as np
from softmax_cli import formats
from softmax_cli.tables.batch import Batch, ListColumn
from softmax_cli.tables.schema import Field, Schema
from softmax_cli.tables.table import ReadOptions, WriteOptions
formats.by_suffix("x.parquet"), formats.sniff(b"PAR1")
assert "pyarrow.parquet" not in sys.modules
assert "pyarrow" not in sys.modules
column = ListColumn(np.ones((2, 2)))
batch = Batch(Schema([Field("prob", column.type, {b"softmax_cli": b"prob"})]), [column], 2)
for name in ("arrow", "arrows", "npy", "npz", "parquet"):
    file = io.BytesIO()
    writer = formats.by_name(name).write(file, batch.schema, WriteOptions())
    writer.write(writer.encode(batch))
    writer.close()
    file.seek(0)
    table = formats.by_name(name).read(file, "x", ReadOptions())
    assert sum(table.decode(block, []).batch.num_rows for block in table.blocks) == 2
assert not {"pandas", "pyarrow.dataset", "scipy", "rich", "typer"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name", ["arrow", "arrows", "npy", "npz", "parquet"])
def test_a_failing_disk_is_told_once(name):
    """The first failure comes through as it is, and dropping the writer then is silent (warnings are errors here)."""

    class FullDisk(io.BytesIO):
        def write(self, data):
            if self.tell() + len(data) > 100_000:
                raise OSError(28, "No space left on device")
            return super().write(data)

    batch = make_table(20_000, ["x"])
    form = formats.by_name(name)
    with pytest.raises(OSError, match="No space left"):  # noqa: PT012 - any step may fail
        writer = form.write(FullDisk(), batch.schema, WriteOptions())
        writer.write(writer.encode(batch))
        writer.close()


@pytest.mark.parametrize("name", ["arrow", "arrows", "parquet"])
def test_a_writer_that_is_dropped_leaves_no_end(name):
    """After an error elsewhere the file must not look whole."""
    file = io.BytesIO()
    batch = make_table(3, ["x"])
    writer = formats.by_name(name).write(file, batch.schema, WriteOptions())
    writer.write(writer.encode(batch))
    before = file.getvalue()
    del writer
    assert file.getvalue() == before


def test_numbers_of_a_wide_table_become_one_matrix():
    """One column per class stands for the same matrix as a list column; confidence is no class."""
    marked = {METADATA_KEY: b"prob"}
    names = ["id", "confidence", "prob_cat", "prob_dog"]
    cat, dog = np.array([0.25, 0.5], np.float32), np.array([0.75, 0.5], np.float32)
    matrix = np.stack([cat, dog], axis=1)
    columns = [
        TextColumn(*text_spans(["a", "b"])),
        NumberColumn(np.maximum(cat, dog)[:, None]),
        NumberColumn(matrix, 0),
        NumberColumn(matrix, 1),
    ]
    fields = [Field(name, column.type, marked) for name, column in zip(names, columns, strict=True)]
    batch = Batch(Schema([Field("id", TEXT), *fields[1:]]), columns, 2)
    np.testing.assert_array_equal(
        np.load(io.BytesIO(write_all(formats.by_name("npy"), [batch]))), np.stack([cat, dog], 1)
    )
    archive = np.load(io.BytesIO(write_all(formats.by_name("npz"), [batch])))
    assert archive["classes"].tolist() == ["cat", "dog"]
    assert archive["id"].tolist() == ["a", "b"]
    assert archive["confidence"].tolist() == [0.75, 0.5]


def test_a_matrix_without_every_class_is_refused():
    """A listing of the best classes would lose its labels, predictions alone have no scores."""
    marked = {METADATA_KEY: b"prob"}
    listing = Schema([Field("label_1", TEXT), Field("prob_1", FLOAT64, marked)])
    bare = Schema([Field("prediction", TEXT), Field("confidence", FLOAT64, marked)])
    for schema in (listing, bare):
        with pytest.raises(UsageError, match=r"one matrix of scores, .* and the result has none: write \.npz"):
            formats.by_name("npy").write(io.BytesIO(), schema, WriteOptions())
    archive = np.load(io.BytesIO(write_all(formats.by_name("npz"), [empty_batch(listing)])))
    assert sorted(archive.files) == ["label_1", "prob_1"]


def test_a_format_that_is_called_as_its_files_end_is_loaded_alone():
    looked_up = "from softmax_cli.formats import by_suffix; by_suffix('scores.csv.gz')"
    loaded = f"import sys; {looked_up}; print(*(n for n in sys.modules if n.startswith('softmax_cli.formats.')))"
    root = Path(formats.__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", loaded], cwd=root, capture_output=True, text=True, check=True)
    assert {name.split(".")[2] for name in done.stdout.split()} == {"csv"}
