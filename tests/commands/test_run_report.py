"""``--json`` of commands that write rows: what came of the run, for a program."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

CLASSES = ["cat", "dog", "cow"]


@pytest.fixture
def table(tmp_path):
    z = np.random.default_rng(0).normal(size=(40, 3)).round(4)
    frame = pd.DataFrame(z, columns=[f"logit_{name}" for name in CLASSES]).assign(query=np.arange(40) // 4)
    frame.assign(logit_dog=[np.nan, *frame["logit_dog"][1:]]).to_csv(tmp_path / "x.csv", index=False)
    return frame


def report(softmax_cli, *arguments):
    done = softmax_cli(*arguments, "--json", "-q")
    assert done.code == 0, done.err
    return json.loads(done.text)


def test_predict_says_what_came_of_the_run(softmax_cli, table, tmp_path):
    found = report(softmax_cli, "predict", "x.csv", "-T", "2", "--on-bad-row", "skip", "-o", "out.csv")
    out = pd.read_csv(tmp_path / "out.csv")
    assert (found["command"], found["source"], found["parts"]) == ("predict", "x.csv", None)
    assert (found["rows"], found["bad_rows"], found["rows_written"]) == (40, 1, len(out)) == (40, 1, 39)
    assert found["most_probable"] == {name: int((out["prediction"] == name).sum()) for name in CLASSES}
    assert found["mean_confidence"] == pytest.approx(out["confidence"].mean(), abs=1e-8)
    assert "z / 2  (--temperature)" in found["operations"]


@pytest.mark.parametrize("options", [("--limit", "5"), ("--limit", "5", "--sort", "margin")])
def test_rows_beyond_the_limit_are_not_written(softmax_cli, table, tmp_path, options):
    found = report(softmax_cli, "predict", "x.csv", *options, "--on-bad-row", "skip", "-o", "out.csv")
    assert found["rows_written"] == len(pd.read_csv(tmp_path / "out.csv")) == 5


def test_draws_groups_and_parts(softmax_cli, table, tmp_path):
    table.to_parquet(tmp_path / "y.parquet", index=False)
    drawn = report(softmax_cli, "sample", "y.parquet", "-n", "3", "-o", "drawn.csv")
    assert (drawn["command"], drawn["rows"], drawn["rows_written"]) == ("sample", 40, 120)
    grouped = report(softmax_cli, "predict", "y.parquet", "--group", "query", "--logits", "logit_cat", "-o", "g.csv")
    assert grouped["most_probable"] == {"others": 30, "first of their group": 10}
    parts = report(softmax_cli, "predict", "y.parquet", "y.parquet", "-o", "out/")
    assert (parts["parts"], parts["rows_written"]) == (2, 80)


@pytest.mark.parametrize("command", ["predict", "sample"])
def test_the_rows_need_a_place_of_their_own(softmax_cli, table, command):
    for place in ((), ("-o", "-")):
        done = softmax_cli(command, "x.csv", "--json", *place)
        assert (done.code, "give the rows a file with -o FILE" in done.err) == (2, True)
