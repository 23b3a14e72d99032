"""Blocks of whole groups: no row is lost, none is apart from its group, and places and faults stay with their rows."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from softmax_cli.errors import DataError
from softmax_cli.tables import regroup
from softmax_cli.tables.arrays import from_arrow
from softmax_cli.tables.regroup import Groups, regrouped
from softmax_cli.tables.table import Block, Decoded, Fault, Place, Table


def table(names, cut):
    batch = from_arrow(pa.record_batch({"g": pa.array(names, pa.string()), "row": np.arange(len(names))}))

    def decode(block, scores):
        start = block.first_row
        faults = (Fault(0, "row", f"of row {start}"),)
        return Decoded(block.data, lambda row, column: Place(f"row {row + start}", "", ""), faults)

    blocks = (Block(batch.slice(start, cut), first_row=start, size=100) for start in range(0, len(names), cut))
    return Table("t", batch.schema, blocks, decode)


def read(names, cut, is_sorted):
    new = regrouped(table(names, cut), "g", (), is_sorted, 2)
    return [new.decode(block, ()) for block in new.blocks]


@given(st.lists(st.integers(1, 5), max_size=6), st.integers(1, 7), st.booleans())
def test_groups_stay_whole(sizes, cut, is_sorted):
    names = [f"g{group}" for group, size in enumerate(sizes) for _ in range(size)]
    found = read(names, cut, is_sorted)
    rows = [row["row"] for decoded in found for row in decoded.batch.to_pylist()]
    assert rows == list(range(len(names)))
    groups = [name for decoded in found for name in {row["g"] for row in decoded.batch.to_pylist()}]
    assert len(groups) == len({*groups})
    for decoded in found:
        for fault in decoded.faults:
            assert decoded.place(fault.row, None).where == fault.problem.removeprefix("of ")
    assert sum(len(decoded.faults) for decoded in found) == -(-len(names) // cut)


@given(st.lists(st.sampled_from("xyz"), min_size=1, max_size=20))
def test_the_rows_of_groups_are_found_wherever_they_stand(names):
    (decoded,) = read(names, 4, False)
    groups = Groups.of(decoded.batch, "g")
    pieces = np.split(groups.order, groups.starts[1:])
    assert [names[piece[0]] for piece in pieces] == list(dict.fromkeys(names))
    assert all([names[row] for row in piece] == [names[piece[0]]] * len(piece) for piece in pieces)
    assert all((np.diff(piece) > 0).all() for piece in pieces)
    assert groups.firsts.tolist() == [names.index(name) for name in dict.fromkeys(names)]


@pytest.mark.parametrize("cut", [1, 2, 3, 9])
def test_a_group_that_comes_up_again_is_not_sorted(cut):
    with pytest.raises(DataError, match="'x' comes up again"):
        read(["x", "y", "y", "x"], cut, True)


def test_what_is_kept_has_a_limit(monkeypatch):
    monkeypatch.setattr(regroup, "MOST_KEPT", 150)
    with pytest.raises(DataError, match="--sorted"):
        read(["x", "y", "y"], 1, False)
    assert len(read(["x", "y", "y"], 1, True)) == 2
