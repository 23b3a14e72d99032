"""The first pass that estimates a prior: probabilities kept as they are, read back in fixed blocks, told in words."""

import io
import tempfile
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from softmax_cli.errors import DataError
from softmax_cli.numeric.label_shift.em import PriorEstimate
from softmax_cli.prediction.scorer import Scoring
from softmax_cli.tables.arrays import from_arrow
from softmax_cli.tables.columns import Selection, resolve
from softmax_cli.tables.table import Decoded, Place
from softmax_cli.weighting import prior
from softmax_cli.weighting.prior import (
    Confusion,
    Probabilities,
    estimate_from,
    estimated_term,
    kept_probabilities,
    planned_term,
    probabilities_transform,
    report,
    warnings,
)

CLASSES = ("cat", "dog")


@given(st.lists(st.integers(0, 9), max_size=5), st.integers(1, 12))
def test_what_is_kept_is_read_back_however_it_was_cut(cuts, block):
    p = np.random.default_rng(0).random((sum(cuts), 2))
    with tempfile.TemporaryFile(buffering=0) as file, pytest.MonkeyPatch.context() as patch:
        kept = Probabilities(file, 2)
        patch.setattr(prior, "_BLOCK_VALUES", block)
        for start, rows in zip(np.cumsum([0, *cuts]), cuts, strict=False):
            kept.add(p[start : start + rows])
        for _ in range(2):
            read = [*kept.blocks()]
            assert all(len(one) <= max(1, block // 2) for one in read)
            np.testing.assert_array_equal(np.concatenate([np.zeros((0, 2)), *read]), p)
    assert kept.rows == len(p)


def test_the_transform_gives_probabilities_before_the_prior_and_no_more():
    batch = from_arrow(pa.record_batch({"id": ["a", "b"], "logit_cat": [2.0, np.nan], "logit_dog": [1.0, 0.0]}))
    columns = resolve(batch.schema, Selection(), batch)
    decoded = Decoded(batch, lambda row, column: Place("t: row 2", "null", ""))
    transform = probabilities_transform(columns, Scoring(top=1), "skip")
    out = transform.run(decoded).batch
    assert out.column("prob").to_pylist() == [[pytest.approx(1 / (1 + np.exp(-1))), pytest.approx(1 / (1 + np.e))]]
    with pytest.raises(DataError, match="t: row 2"):
        probabilities_transform(columns, Scoring(), "error").run(decoded)


def test_an_estimate_from_rows_and_from_none():
    source = np.array([0.5, 0.5])
    with kept_probabilities(2) as kept:
        assert estimate_from(kept, source).prior.tolist() == [0.5, 0.5]
        kept.add(np.array([[0.99, 0.01]] * 30 + [[0.01, 0.99]] * 10))
        found = estimate_from(kept, source)
    assert found.rows == 40
    assert found.prior[0] == pytest.approx(0.75, abs=0.01)


def test_a_full_temporary_folder_is_named():
    class Full(io.BytesIO):
        def write(self, data):
            raise OSError(28, "No space left on device")

    with pytest.raises(DataError, match=r"--estimate-prior keeps .* set TMPDIR to a folder with more space"):
        Probabilities(Full(), 2).add(np.array([[0.5, 0.5]]))


FOUND = PriorEstimate(np.array([0.5, 0.5]), np.array([0.75, 0.25]), rows=40, changed=3, iterations=7, distance=1e-9)


def test_the_term_divides_by_the_source():
    term = estimated_term(FOUND, CLASSES)
    np.testing.assert_allclose(np.exp(term.values[0] - term.values[1]), 3)
    assert planned_term(CLASSES).formula == term.formula
    never = PriorEstimate(np.array([0.5, 0.5]), np.array([1.0, 0.0]), 40, 3, 7, 1e-9)
    assert np.isfinite(estimated_term(never, CLASSES).values).all()


def test_what_is_told():
    how, moves, changed = report(FOUND, CLASSES, None)
    assert "EM over 40 rows, 7 iterations" in how
    assert moves == "--estimate-prior: prior before -> after: cat 0.5 -> 0.75, dog 0.5 -> 0.25"
    assert changed == "--estimate-prior: 3 of 40 rows go to another class"
    confusion = Confusion(np.array([[8, 1], [2, 9]]), "val.csv", CLASSES, "rlls", left_out=3)
    how, moves, _ = report(replace(FOUND, error=np.array([0.1, 0.025])), CLASSES, confusion)
    assert how == "--estimate-prior: RLLS over 40 rows, 20 labelled ones of val.csv (3 bad rows left out)"
    assert moves.endswith("(± one standard error): cat 0.5 -> 0.75 ± 0.1, dog 0.5 -> 0.25 ± 0.025")


def test_an_estimate_that_did_not_converge_is_doubtful():
    assert warnings(FOUND) == []
    (warning,) = warnings(replace(FOUND, distance=0.01))
    assert "did not converge in 7 iterations (probabilities may still move by 1.0e-02)" in warning
