"""``python -m tests.mutation.column_types [--examples N]``: columns of every type that Arrow has, drawn by Hypothesis.

A table of three good columns gets one more, of a type as it comes: nested, encoded, sliced, with an odd name; as a
column that passes through, as the truth, as the id, as the scores. Every command has to read it, or to refuse it in one
message; what passes through has to come out as it went in.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import HealthCheck, given, note, reject, seed, settings
from hypothesis import strategies as st

from tests.mutation.forking import Forking

OUT = "out.arrow"
COMPUTED = ("prediction", "confidence")
ROLES = {
    "passes through": (
        ("predict", "--logits", "cat,dog", "-o", OUT, "-q", "--force"),
        ("predict", "--logits", "cat,dog", "-o", "out.csv", "-q", "--force"),
        ("predict", "--logits", "cat,dog", "-o", "out.jsonl", "-q", "--force"),
        ("predict", "--logits", "cat,dog", "-o", "out.parquet", "-q", "--force"),
        ("predict", "--logits", "cat,dog", "-o", "out.npz", "-q", "--force"),
        ("predict", "--logits", "cat,dog", "--layout", "long", "-o", "out.csv", "-q", "--force"),
        ("predict", "--logits", "cat,dog", "--format", "table"),
        ("predict", "-o", "out.csv", "--on-bad-row", "skip", "--rejects", "rejects.csv", "-q", "--force"),
        ("inspect",),
    ),
    "id": (
        ("predict", "--logits", "cat,dog", "--id", "{name}", "-o", "out.csv", "-q", "--force"),
        ("predict", "--logits", "cat,dog", "--where", "{name}=1", "-o", "out.csv", "-q", "--force"),
    ),
    "label": (
        ("evaluate", "--logits", "cat,dog", "--label", "{name}", "--bootstrap", "0"),
        ("evaluate", "--logits", "cat,dog", "--label", "id", "--by", "{name}", "--bootstrap", "0"),
        ("calibrate", "--logits", "cat,dog", "--label", "{name}"),
        ("weights", "--label", "{name}"),
    ),
    "scores": (
        ("predict", "--logits", "{name}", "-o", "out.csv", "-q", "--force"),
        ("predict", "--input", "prob", "-o", "out.npy", "-q", "--force"),
        ("inspect", "--logits", "{name}"),
        ("evaluate", "--logits", "{name}", "--label", "id"),
    ),
}
Column = st.SearchStrategy[pa.Array]
NAMES = st.one_of(
    st.sampled_from(["x", "logits", "probs", "label", "weight", "logit_owl", "prediction", "[red]", "a.b", "", " "]),
    st.text(st.characters(codec="utf-8"), max_size=8),
)
CELLS: dict[pa.DataType, st.SearchStrategy[Any]] = {
    pa.null(): st.none(),
    pa.bool_(): st.booleans(),
    **{kind: st.integers(0, 100) for kind in (pa.int8(), pa.uint8(), pa.int16(), pa.uint32())},
    pa.int64(): st.integers(-(2**63), 2**63 - 1),
    pa.uint64(): st.integers(0, 2**64 - 1),
    pa.float16(): st.floats(width=16).map(np.float16),
    pa.float32(): st.floats(width=32),
    pa.float64(): st.floats(),
    pa.decimal32(5, 2): st.decimals(-999, 999, places=2),
    pa.decimal64(12, 3): st.decimals(-999, 999, places=3),
    pa.decimal128(38, 10): st.decimals(-999, 999, places=10),
    pa.decimal256(60, 0): st.decimals(-(10**40), 10**40, places=0),
    pa.string(): st.text(st.characters(codec="utf-8"), max_size=5),
    pa.large_string(): st.sampled_from(["cat", "dog", "", "1", "a,b", 'say "x"', "two\nlines"]),
    pa.string_view(): st.text(st.characters(codec="utf-8"), max_size=20),
    pa.binary(): st.binary(max_size=5),
    pa.large_binary(): st.binary(max_size=5),
    pa.binary_view(): st.binary(max_size=20),
    pa.binary(3): st.binary(min_size=3, max_size=3),
    **{kind: st.integers(-(2**31), 2**31 - 1) for kind in (pa.date32(), pa.time32("s"), pa.time32("ms"))},
    **{
        kind: st.integers(-(2**62), 2**62)
        for kind in (
            pa.date64(),
            pa.time64("us"),
            pa.time64("ns"),
            pa.timestamp("s"),
            pa.timestamp("ms", "UTC"),
            pa.timestamp("us", "Europe/Berlin"),
            pa.timestamp("ns", "No/Where"),
            pa.duration("s"),
            pa.duration("ns"),
        )
    },
    pa.month_day_nano_interval(): st.tuples(*[st.integers(-(2**31), 2**31 - 1)] * 3),
}
RAW = {4: pa.int32(), 8: pa.int64()}
"""Times are made from their bits: any number of seconds can stand in a file."""


@st.composite
def plain_columns(draw: st.DrawFn, size: int) -> pa.Array:
    kind = draw(st.sampled_from(list(CELLS)))
    cells = draw(st.lists(st.one_of(st.none(), CELLS[kind]), min_size=size, max_size=size))
    if pa.types.is_temporal(kind) and not pa.types.is_interval(kind):
        return pa.array(cells, RAW[kind.bit_width // 8]).view(kind)
    return pa.array(cells, kind)


@st.composite
def columns(draw: st.DrawFn, size: int, depth: int = 2) -> pa.Array:
    """Draw a column of `size` rows, sometimes a slice of a longer one."""
    before = draw(st.sampled_from([0, 0, 1]))
    makers: list[Callable[..., pa.Array]] = [_plain, *(NESTED if depth else [])]
    try:
        return draw(st.sampled_from(makers))(draw, size + before, depth).slice(before, size)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):  # pyarrow makes no such array
        reject()


def _plain(draw: st.DrawFn, size: int, depth: int) -> pa.Array:
    return draw(plain_columns(size))


def _offsets(draw: st.DrawFn, size: int, total: int) -> list[int]:
    return sorted(draw(st.lists(st.integers(0, total), min_size=size + 1, max_size=size + 1)))


def _mask(draw: st.DrawFn, size: int) -> pa.Array:
    return pa.array(draw(st.lists(st.booleans(), min_size=size, max_size=size)), pa.bool_())


def _list(draw: st.DrawFn, size: int, depth: int) -> pa.Array:
    child = draw(columns(draw(st.integers(0, 6)), depth - 1))
    make, index = draw(st.sampled_from([(pa.ListArray, pa.int32()), (pa.LargeListArray, pa.int64())]))
    return make.from_arrays(pa.array(_offsets(draw, size, len(child)), index), child, mask=_mask(draw, size))


def _fixed_list(draw: st.DrawFn, size: int, depth: int) -> pa.Array:
    width = draw(st.integers(0, 3))
    child = draw(columns(size * width, depth - 1))
    if not width:
        return pa.array([[]] * size, pa.list_(child.type, 0)) if not _is_odd(child.type) else _plain(draw, size, depth)
    return pa.FixedSizeListArray.from_arrays(child, width, mask=_mask(draw, size))


def _list_view(draw: st.DrawFn, size: int, depth: int) -> pa.Array:
    child = draw(columns(6, depth - 1))
    make, index = draw(st.sampled_from([(pa.ListViewArray, pa.int32()), (pa.LargeListViewArray, pa.int64())]))
    starts = draw(st.lists(st.integers(0, 3), min_size=size, max_size=size))
    sizes = draw(st.lists(st.integers(0, 3), min_size=size, max_size=size))
    return make.from_arrays(pa.array(starts, index), pa.array(sizes, index), child)


def _struct(draw: st.DrawFn, size: int, depth: int) -> pa.Array:
    count = draw(st.integers(0, 3))
    children = [draw(columns(size, depth - 1)) for _ in range(count)]
    if not children:
        return pa.array([{}] * size, pa.struct([]))
    return pa.StructArray.from_arrays(children, [draw(NAMES) for _ in children], mask=_mask(draw, size))


def _map(draw: st.DrawFn, size: int, depth: int) -> pa.Array:
    total = draw(st.integers(0, 6))
    keys = pa.array(
        draw(st.lists(st.sampled_from(["cat", "dog", "é", ""]), min_size=total, max_size=total)), pa.string()
    )
    items = draw(columns(total, depth - 1))
    return pa.MapArray.from_arrays(pa.array(_offsets(draw, size, total), pa.int32()), keys, items)


def _dictionary(draw: st.DrawFn, size: int, depth: int) -> pa.Array:
    values = draw(plain_columns(3))
    index = draw(st.sampled_from([pa.int8(), pa.uint16(), pa.int64()]))
    codes = draw(st.lists(st.one_of(st.none(), st.integers(0, 2)), min_size=size, max_size=size))
    return pa.DictionaryArray.from_arrays(pa.array(codes, index), values)


def _runs(draw: st.DrawFn, size: int, depth: int) -> pa.Array:
    values = draw(plain_columns(2 if size > 1 else size))
    ends = [1, size] if size > 1 else [size] * size
    return pa.RunEndEncodedArray.from_arrays(pa.array(ends, draw(st.sampled_from([pa.int16(), pa.int64()]))), values)


def _union(draw: st.DrawFn, size: int, depth: int) -> pa.Array:
    codes = pa.array(draw(st.lists(st.integers(0, 1), min_size=size, max_size=size)), pa.int8())
    children = [draw(columns(max(size, 1), depth - 1)) for _ in range(2)]
    if draw(st.booleans()):
        return pa.UnionArray.from_sparse(codes, [child.slice(0, size) for child in children])
    return pa.UnionArray.from_dense(codes, pa.array([0] * size, pa.int32()), children)


def _extension(draw: st.DrawFn, size: int, depth: int) -> pa.Array:
    kind, cells = draw(
        st.sampled_from(
            [
                (pa.uuid(), st.binary(min_size=16, max_size=16)),
                (pa.json_(), st.sampled_from(["{}", "[1]", "null"])),
                (pa.bool8(), st.integers(-1, 2)),
                (pa.fixed_shape_tensor(pa.float32(), [2, 1]), st.lists(st.floats(width=32), min_size=2, max_size=2)),
                (pa.opaque(pa.string(), "kind", "maker"), st.text(st.characters(codec="utf-8"), max_size=3)),
            ]
        )
    )
    drawn = draw(st.lists(st.one_of(st.none(), cells), min_size=size, max_size=size))
    return pa.ExtensionArray.from_storage(kind, pa.array(drawn, kind.storage_type))


NESTED = [_list, _fixed_list, _list_view, _struct, _map, _dictionary, _runs, _union, _extension]


def _is_odd(kind: pa.DataType) -> bool:
    """Whether pyarrow makes no arrays of Python values of this type."""
    return "union" in str(kind) or "run_end" in str(kind) or "dictionary" in str(kind) or "extension" in str(kind)


@st.composite
def tables(draw: st.DrawFn) -> tuple[pa.RecordBatch, str]:
    """Draw a batch of good columns and one that may be anything, and the name of that."""
    rows = draw(st.integers(0, 6))
    name = draw(NAMES)
    column = draw(columns(rows))
    good = {
        "id": pa.array([f"r{row}" for row in range(rows)]),
        "cat": pa.array([row / 4 - 1.3 for row in range(rows)]),
        "dog": pa.array([0.7 - row / 8 for row in range(rows)]),
    }
    return pa.RecordBatch.from_arrays([*good.values(), column], names=[*good, name]), name


def write(batch: pa.RecordBatch, form: str, folder: Path) -> Path:
    """Write the table; what Parquet has no type for goes into an Arrow file."""
    if "[0]" in str(batch.schema):  # pyarrow 26 ends the process that writes lists without a value within others
        form = "arrow"
    path = folder / f"in.{form}"
    if form == "parquet":
        try:
            pq.write_table(pa.Table.from_batches([batch]), path, row_group_size=4)
        except (pa.ArrowException, UnicodeError):
            form, path = "arrow", folder / "in.arrow"
    if form != "parquet":
        begin = pa.ipc.new_file if form == "arrow" else pa.ipc.new_stream
        with begin(str(path), batch.schema) as writer:
            writer.write_batch(batch)
            writer.write_batch(batch.slice(batch.num_rows // 2))
    return path


def same_values(batch: pa.RecordBatch, name: str, path: Path, out: Path) -> bool:
    """Whether the column that passed through holds what it held; where Python has no such values, nobody can say."""
    with pa.ipc.open_file(out) as reader:
        table = reader.read_all()
    if name not in table.schema.names or name in COMPUTED:
        return True
    try:
        found, held = table.column(name).to_pylist(), batch.column(batch.num_columns - 1).to_pylist()
    except (ValueError, OverflowError, pa.ArrowException):
        return True
    return _plainly(found[: len(held)]) == _plainly(held)


def _plainly(values: Sequence[Any]) -> str:
    return repr(values).replace("array(", "").replace("memoryview", "")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation.column_types", description=__doc__)
    parser.add_argument("--examples", type=int, default=300, metavar="N", help="columns to draw (300)")
    parser.add_argument("--seed", type=int, default=0, help="the same seed draws the same columns (0)")
    asked = parser.parse_args()
    commands = [(role, command) for role, commands in ROLES.items() for command in commands]
    with tempfile.TemporaryDirectory() as name, Forking() as program:
        folder = Path(name)

        @seed(asked.seed)
        @settings(max_examples=asked.examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(tables(), st.sampled_from(["arrow", "arrows", "parquet"]), st.sampled_from(commands))
        def check(table: tuple[pa.RecordBatch, str], form: str, command: tuple[str, tuple[str, ...]]) -> None:
            batch, column = table
            path = write(batch, form, folder)
            first, *rest = (part.replace("{name}", column.replace("\0", "")) for part in command[1])
            note(f"{batch.schema}\nsoftmax-cli {first} {path.name} {' '.join(rest)}")
            ended = program.run((first, path.name, *rest), folder)
            note(ended.err[-3000:])
            assert not ended.faults(), ended.faults()
            if ended.code == 0 and rest[-4:-2] == ["-o", OUT]:
                assert same_values(batch, column, path, folder / OUT), "a value has changed"
            for left in folder.iterdir():
                os.unlink(left)

        check()
    print(f"{asked.examples} columns, seed {asked.seed}: read as they are, or refused in one message")


if __name__ == "__main__":
    main()
