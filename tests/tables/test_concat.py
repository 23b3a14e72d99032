"""Several tables as one: rows of all in order, in the columns and types of the first, each with its own places."""

from contextlib import contextmanager

import pyarrow as pa
import pytest

from softmax_cli.errors import DataError
from softmax_cli.tables.arrays import from_arrow
from softmax_cli.tables.concat import conform, unite
from softmax_cli.tables.schema import Field, Schema
from softmax_cli.tables.table import Block, Decoded, Place, Table


def table(name, *batches, types=None):
    """Make a table of one block a batch."""
    batches = [from_arrow(pa.RecordBatch.from_pydict(batch, schema=types)) for batch in batches]

    def decode(block, scores):
        return Decoded(block.data, lambda row, column: Place(f"{name}: row {row + 1}", "", ""))

    blocks = iter([Block(batch, size=9) for batch in batches])
    return Table(name, batches[0].schema, blocks, decode)


def later(*tables):
    """Open tables when their turn comes, and record that."""
    opened = []

    @contextmanager
    def opening(one):
        opened.append(one.name)
        yield one
        opened.append(f"end of {one.name}")

    return [lambda one=one: opening(one) for one in tables], opened


def rows(united):
    decoded = [united.decode(block, ("a",)) for block in united.blocks]
    places = [one.place(row, None).where for one in decoded for row in range(one.batch.num_rows)]
    return [row for one in decoded for row in one.batch.to_pylist()], places


def test_rows_follow_each_other_and_know_their_file():
    first = table("x", {"id": ["p"], "a": [1.0]}, {"id": ["q"], "a": [2.0]})
    openings, opened = later(table("y", {"a": [3.0], "id": ["r"]}), table("z", {"id": ["s"], "a": [4.0]}))
    united = unite(first, openings, 99)
    assert opened == []
    assert rows(united) == (
        [{"id": "p", "a": 1.0}, {"id": "q", "a": 2.0}, {"id": "r", "a": 3.0}, {"id": "s", "a": 4.0}],
        ["x: row 1", "x: row 1", "y: row 1", "z: row 1"],
    )
    assert opened == ["y", "end of y", "z", "end of z"], "one file is open at a time"
    assert (united.name, united.size) == ("x", 99)


def test_other_types_become_those_of_the_first_but_for_scores():
    first = table("x", {"n": [1.5], "a": [1.0]})
    openings, _ = later(table("y", {"n": [2], "a": [3]}))
    blocks = list((united := unite(first, openings, None)).blocks)
    second = united.decode(blocks[1], ("a",)).batch
    assert second.schema.field("n").type == pa.float64()
    assert second.schema.field("a").type == pa.int64(), "the reader of scores widens them"


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"id": ["r"]}, r"y has no column 'a': files that are read as one table need .* the first, x"),
        ({"id": ["r"], "a": [1.0], "b": [1.0]}, "y has 'b' besides"),
        ({"id": ["r"], "b": [1.0]}, "y has no column 'a' and has 'b' besides"),
        ({"id": [[1]], "a": [1.0]}, "y: column 'id' holds list.*, in x it holds string"),
    ],
)
def test_what_does_not_fit_is_named(columns, words):
    openings, _ = later(table("y", columns))
    with pytest.raises(DataError, match=words):
        rows(unite(table("x", {"id": ["p"], "a": [1.0]}), openings, None))


def test_lists_of_another_length_are_no_scores_of_the_same_classes():
    def sized(name, size):
        kind = pa.schema([("a", pa.list_(pa.float64(), size))])
        return table(name, {"a": [[1.0] * size]}, types=kind)

    openings, _ = later(sized("y", 3))
    with pytest.raises(DataError, match="y: column 'a' holds 3 values a row, in x 2"):
        rows(unite(sized("x", 2), openings, None))


def test_a_first_table_without_rows_gives_the_columns():
    empty = table("x", {"id": ["p"], "a": [1.0]})._replace(blocks=iter(()))
    openings, _ = later(table("y", {"id": ["q"], "a": [2.0]}))
    assert rows(unite(empty, openings, None))[0] == [{"id": "q", "a": 2.0}]


def test_one_table_as_a_part_of_a_larger_one():
    schema = Schema([Field("a", pa.float64()), Field("n", pa.float64())])
    part = conform(table("y", {"n": [2], "a": [3.5]}), "x", schema)
    assert part.schema == schema
    assert part.decode(next(part.blocks), ("a",)).batch.to_pylist() == [{"a": 3.5, "n": 2.0}]
    with pytest.raises(DataError, match="y has no column 'a'"):
        conform(table("y", {"n": [2]}), "x", schema)
