"""NumPy files, opened: the matrix of scores, and what stands beside it."""

from __future__ import annotations

import io

import numpy as np
import pytest

from softmax_cli.errors import DataError
from softmax_cli.formats.npy.reader import open_archive, open_matrix
from softmax_cli.tables.table import ReadOptions

LOGITS = np.arange(6, dtype=np.float64).reshape(3, 2)


def rows_of(table) -> list[dict]:
    blocks = [table.decode(block, ["logits"]).batch for block in table.blocks]
    return [row for batch in blocks for row in batch.to_pylist()]


def test_a_matrix_takes_the_labels_beside_it(tmp_path):
    np.save(tmp_path / "val_logits.npy", LOGITS)
    np.save(tmp_path / "val_labels.npy", np.array([1, 0, 1]))
    name = str(tmp_path / "val_logits.npy")
    with open(name, "rb") as file:
        rows = rows_of(open_matrix(file, name, ReadOptions()))
    assert [row["label"] for row in rows] == [1, 0, 1]
    assert np.array([row["logits"] for row in rows]).tolist() == LOGITS.tolist()


def test_an_archive_is_the_same_table(tmp_path):
    held = io.BytesIO()
    np.savez(held, logits=LOGITS, labels=np.array([1, 0, 1]))
    rows = rows_of(open_archive(held, "x.npz", ReadOptions()))
    assert [row["label"] for row in rows] == [1, 0, 1]
    assert np.array([row["logits"] for row in rows]).tolist() == LOGITS.tolist()


def test_an_archive_of_two_matrices_is_refused_with_their_names():
    held = io.BytesIO()
    np.savez(held, left=LOGITS, right=LOGITS)
    with pytest.raises(DataError, match=r"2 matrices .*left.*right.*--logits NAME"):
        open_archive(held, "x.npz", ReadOptions())
