"""Rows that come in blocks of any size are put together as they came, whatever the pieces of memory in between."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from softmax_cli.calibration import labelled_rows
from softmax_cli.calibration.labelled_rows import LabelledRows, Stack
from softmax_cli.prediction.score_kinds import KindCheck
from softmax_cli.tables.labels import LabelReading

COLUMNS = 3


@given(st.lists(st.integers(0, 9), max_size=12), st.integers(1, 20))
def test_a_stack_is_what_was_put_on_it(sizes, piece_rows):
    values = iter(np.arange(sum(sizes) * COLUMNS, dtype=np.float64).reshape(-1, COLUMNS))
    blocks = [np.array([next(values) for _ in range(size)]).reshape(-1, COLUMNS) for size in sizes]
    before = labelled_rows.PIECE_BYTES
    labelled_rows.PIECE_BYTES = piece_rows * 8 * COLUMNS
    try:
        stack = Stack(COLUMNS)
        for block in blocks:
            stack.add(block)
        whole = stack.whole()
    finally:
        labelled_rows.PIECE_BYTES = before
    assert whole.flags.c_contiguous
    np.testing.assert_array_equal(whole, np.concatenate([np.empty((0, COLUMNS)), *blocks]))


def test_what_is_known_of_the_rows_is_added_up():
    def part(start):
        z = np.full((2, COLUMNS), float(start))
        return LabelledRows(z, np.array([start, start + 1]), 1, LabelReading(), KindCheck(rows=3))

    joined = LabelledRows.joined(iter([part(0), part(5)]), COLUMNS)
    assert joined.z[:, 0].tolist() == [0, 0, 5, 5]
    assert joined.labels.tolist() == [0, 1, 5, 6]
    assert (joined.left_out, joined.kinds.rows) == (2, 6)
    assert LabelledRows.joined(iter([]), COLUMNS).z.shape == (0, COLUMNS)
