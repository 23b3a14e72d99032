"""NumPy files: nothing is unpickled or believed, and numbers come through whatever their order and byte order."""

from __future__ import annotations

import io
import pickle
import struct
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from softmax_cli.errors import DataError
from softmax_cli.formats import npy, npz
from softmax_cli.tables.table import ReadOptions, Table


def saved(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def archived(compression: int = zipfile.ZIP_STORED, **arrays: np.ndarray) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, array in arrays.items():
            archive.writestr(f"{name}.npy", saved(array))
    return file.getvalue()


def values_of(table: Table, column: str) -> list[object]:
    return [row[column] for block in table.blocks for row in table.decode(block, [column]).batch.to_pylist()]


def open_npy(data: bytes, rows: int | None = None) -> Table:
    return npy.read(io.BytesIO(data), "stdin", ReadOptions(batch_rows=rows))


def open_npz(data: bytes, array: str | None = None, rows: int | None = None) -> Table:
    return npz.read(io.BytesIO(data), "x.npz", ReadOptions(array=array, batch_rows=rows))


dtypes = st.sampled_from(["<f2", "<f4", "<f8", ">f4", ">f8", "<i4", ">i8", "u1", "?"])
matrices = dtypes.flatmap(
    lambda dtype: hnp.arrays(
        dtype,
        hnp.array_shapes(min_dims=2, max_dims=2, max_side=6),
        elements={"allow_nan": False} if "f" in dtype else None,
    )
)


@given(matrix=matrices, is_by_class=st.booleans(), rows=st.integers(1, 4))
@settings(max_examples=60, deadline=None)
def test_every_order_and_dtype_gives_the_same_rows(matrix, is_by_class, rows):
    """C or Fortran order, little or big end first, floats or integers, in blocks of any size; in an archive too."""
    stored = np.asfortranarray(matrix) if is_by_class else matrix
    expected = matrix.astype(np.float64).tolist()
    assert values_of(open_npy(saved(stored), rows), "logits") == expected
    for compression in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        archive = archived(compression, scores=stored)
        assert values_of(open_npz(archive, "scores", rows), "scores") == expected


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floats_keep_their_size(dtype):
    table = open_npy(saved(np.ones((2, 3), dtype)))
    assert table.schema.field("logits").type.value_type.bit_width == 8 * np.dtype(dtype).itemsize


class Spy:
    """What a pickle would run."""

    def __reduce__(self):
        return pytest.fail, ("code in the file was run",)


def with_header(header: bytes, data: bytes = b"") -> bytes:
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + data


HEADER = b"{'descr': '<f8', 'fortran_order': False, 'shape': %s, }\n"
DAMAGED = {
    "pickled": (saved(np.array([[0.0, 1.0]], dtype=object))[:128] + pickle.dumps(Spy()), "pickled Python objects"),
    "bad magic": (b"id,cat,dog\n1,2,3\n", "not a .npy array"),
    "only magic": (b"\x93NUMPY", "not a .npy array"),
    "cut": (saved(np.ones((9, 3)))[:-8], r"cut short: its header says \(9, 3\)"),
    "more": (saved(np.ones((9, 3))) + b"12345678", "8 bytes follow"),
    "4 PB of rows": (with_header(HEADER % b"(500000000000, 1000)"), "cut short"),
    "4 PB in a row": (with_header(HEADER % b"(1, 500000000000000)"), "rows of 4,000,000,000,000,000 bytes"),
    "code": (
        with_header(b"{'descr': __import__('pytest').fail('run'), 'fortran_order': False, 'shape': (1, 2)}"),
        "header",
    ),
    "deep": (with_header(b"(" * 9000), "header"),
    "long header": (b"\x93NUMPY\x02\x00" + struct.pack("<I", 2**31) + b"x", "header of 2,147,483,648 bytes"),
    "1-D": (saved(np.ones(9)), "1-D array of 9 values; a 2-D array of numbers was expected"),
    "3-D": (saved(np.ones((2, 3, 4))), r"3-D array of shape \(2, 3, 4\); a 2-D array of numbers was expected"),
    "no classes": (saved(np.ones((4, 0))), "without a class"),
    "complex": (saved(np.ones((2, 3), complex)), "array of complex128"),
    "strings": (saved(np.array([["a", "b"]])), "array of str"),
    "negative": (with_header(HEADER % b"(-1, 2)"), "impossible shape"),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_what_is_no_matrix_of_numbers_is_refused(case):
    """With what was found and what was expected; nothing is run, and no memory is taken for what a header claims."""
    data, message = DAMAGED[case]
    with pytest.raises(DataError, match=message):
        open_npy(data)


def test_a_damaged_archive_is_refused():
    """Its checksums are compared, also when every row has been read."""
    whole = archived(logits=np.ones((1000, 3)))
    damaged = bytearray(whole)
    damaged[20_000] ^= 1
    for data in (bytes(damaged), whole[:20_000], b"PK\x03\x04" + b"x" * 100):
        with pytest.raises(DataError, match=r"x\.npz"):
            values_of(open_npz(data), "logits")


def test_an_archive_whose_directory_lies_is_refused():
    """A member that says it is longer than it is must not be waited for, nor believed."""
    array = with_header(HEADER % b"(50000000, 10)", b"x" * 80)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("logits.npy", array)
    with pytest.raises(DataError, match="cut short"):
        open_npz(file.getvalue())


def test_a_choice_between_matrices_is_the_users():
    whole = archived(val_logits=np.zeros((2, 3)), test_logits=np.ones((4, 3)), test_labels=np.array([1, 2, 0, 1]))
    with pytest.raises(DataError, match=r"2 matrices of floats .* val_logits \(float64 \(2, 3\)\).*--logits NAME"):
        open_npz(whole)
    with pytest.raises(DataError, match="no array 'logits'; there are"):
        open_npz(whole, "logits")
    table = open_npz(whole, "test_logits")
    assert table.schema.names == ["label", "test_logits"]
    assert values_of(table, "test_logits") == np.ones((4, 3)).tolist()
    assert table.notes == ("label from x.npz: array 'test_labels'",)


def test_an_array_beside_the_chosen_one_may_be_pickled():
    """It is left alone; only when it is chosen is it refused."""
    whole = archived(logits=np.ones((1, 2)), extra=np.array([{}], dtype=object))
    assert values_of(open_npz(whole), "logits") == [[1, 1]]
    with pytest.raises(DataError, match="pickled"):
        open_npz(whole, "extra")


def test_arrays_beside_the_matrix_become_columns(tmp_path):
    """By its name and length: labels and ids; one that does not fit is reported and left out."""
    np.save(tmp_path / "val_logits.npy", np.arange(6.0).reshape(3, 2))
    np.save(tmp_path / "val_labels.npy", np.array([1, 0, 1], np.int32))
    np.save(tmp_path / "val_ids.npy", np.array(["a", "é", "c"]))
    np.save(tmp_path / "test_labels.npy", np.zeros(3))
    path = tmp_path / "val_logits.npy"
    with path.open("rb") as file:
        table = npy.read(file, str(path), ReadOptions(batch_rows=2))
        rows = [row for block in table.blocks for row in block.data.to_pylist()]
    assert rows[1] == {"label": 0, "id": "é", "logits": [2, 3]}
    np.save(tmp_path / "val_labels.npy", np.array([1, 0]))
    with path.open("rb") as file:
        table = npy.read(file, str(path), ReadOptions())
    assert table.schema.names == ["id", "logits"]
    assert any("val_labels.npy was not taken for the column 'label'" in note for note in table.notes)


@pytest.mark.parametrize(
    ("array", "column", "kind"),
    [
        ("val_logits", "logits", b"logits"),
        ("probs", "prob", b"prob"),
        ("log_probs", "logprob", b"logprob"),
        ("x", "logits", None),
    ],
)
def test_the_name_of_the_array_tells_the_kind(array, column, kind):
    table = open_npz(archived(**{array: np.ones((1, 2))}))
    assert table.schema.names == [column]
    assert (kind is None) == (table.schema.metadata is None)
    if kind is not None:
        assert b'"kind": "%s"' % kind in table.schema.metadata[b"softmax_cli"]


def test_an_archive_names_its_classes(softmax_cli, tmp_path):
    z = np.array([[3.0, 0, 1], [0, 3, 1], [0, 1, 3], [3, 1, 0]])
    for name, classes in (("text", ["cat", "dog", "cow"]), ("bytes", [b"cat ", b"dog", b"cow"])):
        np.savez(tmp_path / f"{name}.npz", scores=z, class_names=np.array(classes), y=["cat", "dog", "cow", "cat"])
        done = softmax_cli("predict", f"{name}.npz", "--add", "correct", "--only-predictions")
        assert [line.split(",")[1::2] for line in done.text.splitlines()[1:]] == [
            ["cat", "1"],
            ["dog", "1"],
            ["cow", "1"],
            ["cat", "1"],
        ]
        assert f"classes from {name}.npz: array 'class_names'" in done.err
    assert "prob_a" in softmax_cli("predict", "text.npz", "--classes", "a,b,c").text
    np.savez(tmp_path / "twice.npz", scores=z[:3], classes=["cat", "cat", "cow"])
    assert "prob_0" in softmax_cli("predict", "twice.npz").text
