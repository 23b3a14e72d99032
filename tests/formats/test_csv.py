"""Delimited text as a format: what is written reads back, under every suffix and with every delimiter."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softmax_cli.formats import by_suffix, csv, tsv
from softmax_cli.tables.batch import Batch, NumberColumn, TextColumn
from softmax_cli.tables.schema import FLOAT64, TEXT, Field, Schema
from softmax_cli.tables.table import ReadOptions, WriteOptions
from softmax_cli.text.formatting import text_spans

texts = st.text(st.sampled_from('ab"\n\r,;|\t é0=-'), max_size=6)
PROBABILITY = {b"softmax_cli": b"prob"}


def written(form, names: list[str], values: np.ndarray, **options: object) -> bytes:
    schema = Schema([Field("name", TEXT), Field("p", FLOAT64, PROBABILITY)])
    batch = Batch(schema, [TextColumn(*text_spans(names)), NumberColumn(values.reshape(-1, 1))], len(names))
    file = io.BytesIO()
    writer = form.write(file, batch.schema, WriteOptions(**options))
    writer.write(writer.encode(batch))
    writer.close()
    return file.getvalue()


@given(
    st.lists(st.tuples(texts, st.floats(0, 1)), max_size=6), st.sampled_from([(csv, d) for d in ",;|"] + [(tsv, "\t")])
)
@settings(deadline=None)
def test_what_is_written_reads_back(rows, form_and_delimiter):
    """Text to the letter; probabilities to the last bit with 17 digits."""
    form, delimiter = form_and_delimiter
    names, values = [name for name, _ in rows], np.array([value for _, value in rows], np.float64)
    data = written(form, names, values, digits=17, delimiter=delimiter)
    table = form.read(io.BytesIO(data), "x", ReadOptions())
    batches = [table.decode(block, ["p"]).batch for block in table.blocks]
    assert table.schema.names == ["name", "p"]
    assert [name for batch in batches for name in batch.column("name").to_pylist()] == names
    assert [value for batch in batches for value in batch.column("p").to_pylist()] == values.tolist()


@pytest.mark.parametrize(
    ("form", "data", "said", "names"),
    [
        (csv, b"a;b,c\n1;2\n", None, ["a", "b,c"]),
        (csv, b"a|b\n1|2\n", None, ["a", "b"]),
        (csv, b"a b;c\n", ";", ["a b", "c"]),
        (tsv, b"a,b,c\td\n1,2,3\t4\n", None, ["a,b,c", "d"]),  # commas part nothing in a .tsv
        (tsv, b"a,b\n1,2\n", ",", ["a", "b"]),  # unless that is said
    ],
)
def test_delimiters(form, data, said, names):
    assert form.read(io.BytesIO(data), "x", ReadOptions(delimiter=said)).schema.names == names


@pytest.mark.parametrize(
    ("suffix", "form"), [(".csv", csv), (".txt", csv), (".psv", csv), (".tsv", tsv), (".tab", tsv)]
)
def test_suffixes(suffix, form):
    assert by_suffix(f"x{suffix}")[0] is form


def test_a_header_alone_is_a_table_without_rows():
    table = csv.read(io.BytesIO(b"id,cat,dog\n"), "x", ReadOptions())
    assert table.schema.names == ["id", "cat", "dog"]
    assert list(table.blocks) == []


def test_reading_stays_a_block_behind():
    """No more of a pipe is taken than the block that is asked for: a stream of any length fits."""

    class Endless(io.RawIOBase):
        taken = 0

        def readinto(self, buffer) -> int:
            size = min(len(buffer), 6000)
            begin = self.taken % 6
            buffer[:size] = (b"a,1,2\n" * 1001)[begin : begin + size]
            self.taken += size
            return size

    pipe = Endless()
    table = csv.read(pipe, "stdin", ReadOptions())
    given = sum(len(next(table.blocks).data) for _ in range(3))
    assert given <= pipe.taken <= given + (1 << 21)
