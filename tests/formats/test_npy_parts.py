"""The parts of NumPy files: headers in bytes, blocks of rows in either order, matrices of a schema, names of arrays."""

import io
import json

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from softmax_cli.errors import DataError, UsageError
from softmax_cli.formats.npy.header import fill, read_header, row_blocks, scores_of, strided_blocks
from softmax_cli.formats.npy.reader import companions, kind_of
from softmax_cli.formats.npy.writer import NpyWriter, NpzWriter, class_names, header_bytes, score_matrices, scores_in
from softmax_cli.tables.batch import Batch, ListColumn, NumberColumn, TextColumn
from softmax_cli.tables.columns import METADATA_KEY
from softmax_cli.tables.schema import TEXT, Field, Schema
from softmax_cli.text.formatting import text_spans

OURS = {METADATA_KEY: b"{}"}


def computed(**columns):
    """A batch with a column of its own and columns that the program has computed."""
    fields = [Field("id", TEXT), *(Field(name, column.type, OURS) for name, column in columns.items())]
    return Batch(Schema(fields), [TextColumn(*text_spans(["x", None])), *columns.values()], 2)


def numbers(*values):
    return NumberColumn(np.array(values)[:, None])


SOME = np.array([True, False])
WIDE = computed(prob_cat=numbers(0.25, 0.5), prob_dog=numbers(0.75, 9.0)._replace(valid=SOME))
LISTS = computed(prob=ListColumn(np.array([[0.25, 0.75], [9, 9]], np.float32), SOME))


@given(hnp.arrays(np.float32, hnp.array_shapes(min_dims=2, max_dims=2, max_side=9)), st.booleans(), st.integers(1, 12))
def test_blocks_are_the_rows_in_order(matrix, is_by_class, rows):
    file = io.BytesIO()
    np.save(file, np.asfortranarray(matrix) if is_by_class else matrix)
    file.seek(0)
    header = read_header(file, "x")
    assert (header.shape, header.dtype, header.data_bytes) == (matrix.shape, matrix.dtype, matrix.nbytes)
    assert file.tell() == header.offset
    read = strided_blocks if header.fortran_order else row_blocks
    blocks = [*read(file, header, rows, "x")]
    assert all(0 < len(block) <= rows for block in blocks)
    np.testing.assert_array_equal(np.concatenate(blocks), matrix)


def test_values_that_end_early():
    with pytest.raises(DataError, match="here: cut short or damaged"):
        fill(io.BytesIO(b"1234567"), np.empty(1), "here")


def test_scores_become_native_floats():
    assert scores_of(np.ones((1, 2), ">f4")).dtype == np.dtype("=f4")
    assert scores_of(np.ones((1, 2), np.int16)).dtype == np.float64
    assert scores_of(np.ones((1, 2), np.longdouble)).dtype == np.float64


@pytest.mark.parametrize(
    ("name", "kind"), [("val_probs", "prob"), ("log_probs", "logprob"), ("Logits", "logits"), ("x", None)]
)
def test_names_of_arrays_tell_the_kind(name, kind):
    assert kind_of(name) == kind


@pytest.mark.parametrize(("name", "label"), [("val_logits", "val_labels"), ("logits", "labels"), ("z", "z_labels")])
def test_labels_are_named_like_their_scores(name, label):
    assert companions(name)["label"][0] == label


@given(st.integers(0, 10**12), st.integers(1, 5))
def test_a_header_is_as_long_whatever_the_number_of_rows(rows, classes):
    assert len(header_bytes((rows, classes), np.dtype("f8"))) == len(header_bytes((0, classes), np.dtype("f8")))


@pytest.mark.parametrize(("batch", "columns"), [(WIDE, ["prob_cat", "prob_dog"]), (LISTS, ["prob"])])
def test_matrices_of_a_schema(batch, columns):
    assert score_matrices(batch.schema) == {"prob": columns}
    matrix = scores_in(batch, columns)
    assert matrix[0].tolist() == [0.25, 0.75]
    assert np.isnan(matrix[1, 1])
    assert scores_in(batch.slice(1), columns).shape == (1, 2)


def test_class_names_from_the_record_or_the_columns():
    assert class_names(WIDE.schema, ["prob_cat", "prob_dog"]) == ["cat", "dog"]
    assert class_names(LISTS.schema, ["prob"]) == ["0", "1"]
    recorded = Schema(WIDE.schema, {METADATA_KEY: json.dumps({"classes": ["a_cat", "a_dog"]}).encode()})
    assert class_names(recorded, ["prob_cat", "prob_dog"]) == ["a_cat", "a_dog"]


def test_figures_of_a_row_are_no_matrix():
    entropy = numbers(0.1, 0.2)
    assert score_matrices(computed(rank=numbers(1, 2), prob=numbers(0.5, 0.5)).schema) == {}
    assert score_matrices(computed(prob=LISTS.column("prob"), true_prob=entropy).schema) == {"prob": ["prob"]}
    beside = computed(prob_cat=WIDE.column("prob_cat"), entropy=entropy, expected_cost=entropy)
    assert score_matrices(beside.schema) == {"prob": ["prob_cat"]}


def test_lists_that_arrow_holds_are_a_matrix_too():
    lists = pa.array([[9.0, 9.0], [0.25, 0.75], None], pa.list_(pa.float32(), 2)).slice(1)
    found = scores_in(Batch(Schema([Field("prob", lists.type, OURS)]), [lists], 2), ["prob"])
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, [[0.25, 0.75], [np.nan, np.nan]])


class Pipe(io.BytesIO):
    def seekable(self):
        return False


@pytest.mark.parametrize("kind", [io.BytesIO, Pipe])
def test_a_written_array_is_what_numpy_reads(kind):
    file = kind()
    writer = NpyWriter(file, WIDE.schema)
    for _ in range(2):
        writer.write(writer.encode(WIDE))
    writer.close()
    read = np.load(io.BytesIO(file.getvalue()))
    assert read.shape == (4, 2)
    assert read[2].tolist() == [0.25, 0.75]


def test_a_written_archive_has_every_column_and_the_classes():
    file = io.BytesIO()
    writer = NpzWriter(file, WIDE.schema)
    writer.write(writer.encode(WIDE))
    longer = TextColumn(*text_spans(["a longer id", "y"]))
    writer.write(writer.encode(WIDE._replace(columns=[longer, *WIDE.columns[1:]])))
    writer.close()
    with np.load(io.BytesIO(file.getvalue())) as read:
        assert sorted(read.files) == ["classes", "id", "prob"]
        assert read["id"].tolist() == ["x", "", "a longer id", "y"]
        assert read["prob"].shape == (4, 2)
        assert read["classes"].tolist() == ["cat", "dog"]


def test_one_array_file_holds_one_matrix():
    both = computed(prob_cat=numbers(0.25, 0.5), logprob_cat=numbers(-1.0, -2.0))
    with pytest.raises(UsageError, match=r"one matrix, not prob and logprob: choose one with --emit, or write \.npz"):
        NpyWriter(io.BytesIO(), both.schema)
