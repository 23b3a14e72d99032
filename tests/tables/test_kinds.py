"""Scores that are not what they were taken for are never taken without a word: where values contradict, it is said."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from softmax_cli.numeric.softmax import sums_to
from softmax_cli.prediction.score_kinds import KindCheck
from softmax_cli.tables.columns import Columns

FORMATS = ("csv", "tsv", "jsonl", "json", "parquet", "arrow")


def write(frame: pd.DataFrame, path) -> None:
    writers = {
        ".csv": lambda: frame.to_csv(path, index=False),
        ".tsv": lambda: frame.to_csv(path, sep="\t", index=False),
        ".jsonl": lambda: frame.to_json(path, orient="records", lines=True),
        ".json": lambda: frame.to_json(path, orient="records"),
        ".parquet": lambda: frame.to_parquet(path, index=False),
        ".arrow": lambda: frame.to_feather(path),
    }
    writers[path.suffix]()


@given(st.integers(2, 40), st.integers(1, 4), st.integers(0, 2**32 - 1), st.sampled_from([1.0, 100.0]))
def test_rounded_shares_sum_to_the_whole_and_logits_do_not(classes, decimals, seed, total):
    random = np.random.default_rng(seed)
    shares = random.dirichlet(np.ones(classes), size=20)
    places = decimals if total == 1 else max(0, decimals - 2)
    rounded = np.round(total * shares, places)
    near = np.abs(rounded.sum(axis=1) - total) <= total / 5
    assert sums_to(rounded, total)[near].mean() >= 0.9 if near.any() else True
    assert not sums_to(random.normal(scale=3, size=(20, classes)) * 3 + 0.123456, total).any() or classes == 2


@pytest.mark.parametrize(
    ("row", "total", "told"),
    [
        ([0.33, 0.33, 0.33], 1, True),
        ([0.67, 0.17, 0.17], 1, True),
        ([0.25, 0.75], 1, True),
        ([0.2, 0.3], 1, False),
        ([0.3333, 0.3333, 0.3333], 1, True),
        ([0.5, 0.51], 1, True),
        ([0.512, 0.531], 1, False),
        ([-0.1, 1.1], 1, False),
        ([np.nan, 1.0], 1, False),
        ([33, 33, 33], 100, True),
        ([98.0, 2.0], 100, True),
        ([60, 20], 100, False),
    ],
)
def test_rows_of_shares(row, total, told):
    assert sums_to(np.array([row], np.float64), total).tolist() == [told]


@given(st.lists(st.lists(st.floats(0, 1), min_size=3, max_size=3), max_size=12), st.integers(0, 12))
def test_counts_add_up_over_every_cut(rows, cut):
    scores = np.array(rows).reshape(-1, 3)
    for kind in ("logits", "prob"):
        columns = Columns(("a", "b", "c"), ("a", "b", "c"), kind, kind_is_given=False)
        whole = KindCheck.of(scores, columns)
        assert KindCheck.of(scores[:cut], columns).plus(KindCheck.of(scores[cut:], columns)) == whole


CASES = [
    ("double softmax", {"a": [0.25, 0.5], "b": [0.75, 0.5]}, "--input prob"),
    ("rounded", {"a": [0.33, 0.67], "b": [0.33, 0.17], "c": [0.33, 0.17]}, "--input prob"),
    ("named logits", {"logit_a": [0.25, 0.5], "logit_b": [0.75, 0.5]}, "--input prob"),
    ("lone", {"is_iceberg": [0.9, 0.2]}, "every value of 'is_iceberg' lies in [0, 1]"),
    ("lone score", {"score": [0.9, 0.2]}, "--input prob"),
    ("percent", {"a": [98.0, 50.5], "b": [2.0, 49.5]}, "--input percent"),
]


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize(("name", "columns", "words"), CASES, ids=[name for name, _, _ in CASES])
def test_a_kind_that_the_values_contradict_is_never_silent(softmax_cli, tmp_path, suffix, name, columns, words):
    write(pd.DataFrame(columns), tmp_path / f"x.{suffix}")
    done = softmax_cli("predict", f"x.{suffix}", "-o", "out.csv", "--quiet")
    assert (done.code, words in done.err) == (0, True), done.err
    flag = "percent" if "percent" in words else "prob"
    assert softmax_cli("predict", f"x.{suffix}", "-o", "out2.csv", "--input", flag, "--quiet").err == ""
    assert softmax_cli("predict", f"x.{suffix}", "-o", "out3.csv", "--input", "logits", "--quiet").err == ""


@pytest.mark.parametrize(("name", "columns", "words"), CASES, ids=[name for name, _, _ in CASES])
def test_evaluate_calibrate_and_inspect_say_it_too(softmax_cli, tmp_path, name, columns, words):
    frame = pd.DataFrame({**columns, "label": [1, 0]})
    write(pd.concat([frame] * 20), tmp_path / "x.csv")
    flag = "--input percent" if "percent" in words else "--input prob"
    for command in (("evaluate", "x.csv", "-q"), ("calibrate", "x.csv", "-o", "c.json", "--keep-fit", "-q")):
        assert flag in softmax_cli(*command).err, command
    findings = json.loads(softmax_cli("inspect", "x.csv", "--json", "-q").out)["findings"]
    assert flag in [finding["flag"] for finding in findings]


@pytest.mark.parametrize("suffix", FORMATS)
def test_rows_that_do_not_sum_to_1_are_normalised_with_their_count(softmax_cli, tmp_path, suffix):
    write(pd.DataFrame({"prob_a": [0.2, 0.5, 0.33], "prob_b": [0.3, 0.5, 0.67]}), tmp_path / f"x.{suffix}")
    done = softmax_cli("predict", f"x.{suffix}", "--format", "jsonl")
    assert "1 row of 3 did not sum to 1 and was normalised" in done.err
    assert json.loads(done.text.splitlines()[0])["prob_a"] == pytest.approx(0.4)


def test_rows_without_a_sum_have_none(softmax_cli, tmp_path):
    (tmp_path / "x.csv").write_text("prob_a,prob_b\n0.9,0.8\n")
    assert "normalised" not in softmax_cli("predict", "x.csv", "--activation", "sigmoid").err


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("command", ["predict", "evaluate", "calibrate"])
def test_percentages_under_the_name_of_probabilities_are_an_error_with_the_way_out(
    softmax_cli, tmp_path, suffix, command
):
    frame = pd.DataFrame({"prob_a": [98.0, 50.5] * 10, "prob_b": [2.0, 49.5] * 10, "label": ["a", "b"] * 10})
    write(frame, tmp_path / f"x.{suffix}")
    done = softmax_cli(command, f"x.{suffix}")
    assert (done.code, "--input percent" in done.err) == (1, True)
    assert softmax_cli(command, f"x.{suffix}", "--input", "percent").code == 0


def test_percentages_give_the_probabilities_that_they_are(softmax_cli, tmp_path):
    (tmp_path / "x.csv").write_text("a,b\n98.0,2.0\n50,50\n")
    lines = softmax_cli("predict", "x.csv", "--input", "percent", "--format", "jsonl").text.splitlines()
    assert [json.loads(line)["prob_a"] for line in lines] == pytest.approx([0.98, 0.5])
    assert softmax_cli("predict", "x.csv", "--input", "prob").code == 1


def test_a_lone_probability_is_one(softmax_cli, tmp_path):
    (tmp_path / "x.csv").write_text("prob,label\n0.9,1\n0.2,0\n0.4,0\n")
    report = json.loads(softmax_cli("evaluate", "x.csv", "--json").out)
    assert report["figures"]["accuracy"]["value"] == 1
    assert report["figures"]["log_loss"]["value"] == pytest.approx(-np.log([0.9, 0.8, 0.6]).mean())


def test_columns_that_are_hardly_ever_one_distribution_are_asked_about(softmax_cli, tmp_path):
    """The probabilities of two models, say."""
    (tmp_path / "x.csv").write_text("a_prob,b_prob,label\n0.9,0.8,1\n0.2,0.1,0\n0.7,0.9,1\n")
    for command in ("predict", "evaluate"):
        done = softmax_cli(command, "x.csv", "-q")
        assert "3 of 3 rows do not sum to 1 and were normalised: are these columns" in done.err
