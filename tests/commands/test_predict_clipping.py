"""Remedies for outlying logits in ``softmax-cli predict``: applied before the temperature, told, and recorded."""

import io
import json

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from scipy.special import softmax
from scipy.stats import zscore

Z = np.array([[2.0, 1.0, -1.0, 400.0], [0.5, 0.25, 3.0, -1.0]])
TABLE = "id,cat,dog,cow,owl\na,2,1,-1,400\nb,0.5,0.25,3,-1\n"

WAYS = [
    (("--clip-logits", "-1,2"), np.clip(Z, -1, 2), "clip z to [-1, 2]  (--clip-logits)"),
    (("--clip-logits=-1,2",), np.clip(Z, -1, 2), "clip z to [-1, 2]  (--clip-logits)"),
    (("--softcap", "3"), 3 * np.tanh(Z / 3), "3 * tanh(z / 3)  (--softcap)"),
    (
        ("--winsorize", "0.1"),
        np.clip(Z, *np.quantile(Z, [0.1, 0.9], axis=1)[..., None]),
        "pull z within the 0.1 and 0.9 quantiles of its row  (--winsorize)",
    ),
    (("--standardize", "row"), zscore(Z, axis=1), "(z - mean) / deviation of its row  (--standardize)"),
]


def probabilities(done):
    assert done.code == 0, done.err
    return pd.read_csv(io.BytesIO(done.out)).filter(like="prob_").to_numpy()


@pytest.mark.parametrize(("arguments", "expected", "step"), WAYS)
def test_it_comes_before_the_temperature_and_is_told(softmax_cli, arguments, expected, step):
    done = softmax_cli("predict", "-", "-T", "2", *arguments, stdin=TABLE.encode())
    np.testing.assert_allclose(probabilities(done), softmax(expected / 2, axis=1), rtol=1e-8)
    assert step in done.err.splitlines()


def test_off_by_default(softmax_cli):
    done = softmax_cli("predict", stdin=TABLE.encode())
    np.testing.assert_allclose(probabilities(done), softmax(Z, axis=1), rtol=1e-8)
    assert "--" not in done.err


def test_several_in_their_order_and_in_the_record(softmax_cli, tmp_path):
    (tmp_path / "in.csv").write_text(TABLE)
    arguments = ("--standardize", "row", "--softcap", "3", "-T", "2", "--clip-logits", "-1,2")
    plan = softmax_cli("predict", "in.csv", *arguments, "--dry-run").text
    done = softmax_cli("predict", "in.csv", *arguments, "-o", "out.parquet")
    assert done.code == 0, done.err
    record = json.loads(pq.read_schema(tmp_path / "out.parquet").metadata[b"softmax_cli"])
    assert [step.rpartition("(")[2] for step in record["operations"][1:5]] == [
        "--clip-logits)",
        "--softcap)",
        "--standardize)",
        "--temperature)",
    ]
    assert all(step in plan for step in record["operations"])


def test_masks_stay_and_bad_rows_are_still_found(softmax_cli):
    arguments = ("--clip-logits", "-1,2", "--on-bad-row", "null")
    done = softmax_cli("predict", "-", *arguments, stdin=b"a,b,c\n0,-inf,0\n1,inf,2\n")
    p = probabilities(done)
    assert p[0].tolist() == [0.5, 0, 0.5]
    assert np.isnan(p[1]).all()
    assert "1 bad row" in done.err


def test_a_quantile_that_makes_the_best_classes_equal_is_said(softmax_cli):
    done = softmax_cli("predict", "-", "--winsorize", "0.4", stdin=TABLE.encode())
    assert "of 4 classes the best 2 of a row become equal" in done.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--clip-logits", "3"), "two numbers"),
        (("--clip-logits", "3,x"), "two numbers"),
        (("--clip-logits", "3,1"), "lower one first"),
        (("--clip-logits", "-inf,1"), "finite"),
        (("--clip-logits", "nan,1"), "finite"),
        (("--softcap", "0"), "above 0"),
        (("--softcap", "inf"), "finite"),
        (("--softcap", "nan"), "finite"),
        (("--winsorize", "0.5"), "below 0.5"),
        (("--winsorize", "0"), "above 0"),
        (("--standardize", "column"), "only row"),
    ],
)
def test_what_makes_no_sense_is_refused(softmax_cli, arguments, words):
    done = softmax_cli("predict", "-", *arguments, stdin=TABLE.encode())
    assert (done.code, done.out) == (2, b"")
    assert words in done.err
    assert arguments[0] in done.err


def test_two_classes_are_not_standardized(softmax_cli):
    done = softmax_cli("predict", "-", "--standardize", "row", stdin=b"a,b\n1,2\n")
    assert done.code == 2
    assert "two classes" in done.err
