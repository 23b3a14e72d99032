"""``softmax-cli sample``: what is drawn has the distribution, the propensity is true, and only seed and row decide."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy.stats import chisquare

ROWS = 3000
Z = np.random.default_rng(0).normal(size=(ROWS, 4), scale=1.5).astype(np.float32)
NAMES = ("up", "down", "left", "right")


@pytest.fixture
def table(tmp_path):
    columns = {f"logit_{name}": Z[:, place] for place, name in enumerate(NAMES)}
    frame = pd.DataFrame({"id": np.arange(ROWS), "side": np.arange(ROWS) % 2, **columns})
    pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), tmp_path / "x.parquet", row_group_size=700)
    frame.to_csv(tmp_path / "x.csv", index=False)
    return "x.parquet"


@pytest.fixture
def drawn(softmax_cli, table):
    def run(*options, path=table, command="sample"):
        done = softmax_cli(command, path, "-q", *(() if "-o" in options else ("--format", "csv")), *options)
        assert done.code == 0, done.err
        return pd.read_csv(io.StringIO(done.text)) if done.text else None

    return run


def test_only_the_seed_and_the_row_decide(drawn, tmp_path):
    once = drawn("--seed", "7")
    cuts = [("--batch-rows", "1"), ("--batch-rows", "64", "--threads", "3"), ("--threads", "1"), ("--limit", "50")]
    for options in cuts:
        found = drawn("--seed", "7", *options)
        pd.testing.assert_frame_equal(found, once.iloc[: len(found)])
    assert (drawn("--seed", "7", "--dtype", "float64", path="x.csv")["action"] == once["action"]).all()
    assert (drawn("--seed", "8")["action"] != once["action"]).mean() > 0.2
    drawn("--seed", "7", "-o", "parts/")
    pd.testing.assert_series_equal(pq.read_table(tmp_path / "parts").to_pandas()["action"].astype(str), once["action"])


def test_parts_of_several_files_are_drawn_as_one_table(drawn, softmax_cli, tmp_path):
    rows = pq.read_table(tmp_path / "x.parquet")
    for number, start in enumerate(range(0, ROWS, 1000)):
        pq.write_table(rows.slice(start, 1000), tmp_path / f"y{number}.parquet")
    whole = drawn("--seed", "3", "--where", "side = 1")
    files = ["y0.parquet", "y1.parquet", "y2.parquet"]
    options = ("--seed", "3", "-q", "--where", "side = 1", "--engine", "local", "--batch-rows", "300", "-o", "parts/")
    done = softmax_cli("sample", *files, *options)
    assert done.code == 0, done.err
    found = pq.read_table(tmp_path / "parts").to_pandas()
    assert (found["action"].astype(str).to_numpy() == whole["action"].to_numpy()).all()


def test_the_actions_have_the_distribution_and_prob_is_the_propensity(drawn):
    options = ("-T", "0.7", "--top-p", "0.8")
    found = drawn("-n", "20", *options)
    p = drawn(*options, command="predict").set_index("id")
    expected = found["id"].map(lambda row: p.at[row, "prob_up"])
    counts = found.groupby(np.ceil(expected * 4))["action"].agg(["count", lambda a: (a == "up").sum()])
    shares = expected.groupby(np.ceil(expected * 4)).sum()
    inside = (shares > 5) & (counts["count"] - shares > 5)
    hits = counts.iloc[:, 1][inside]
    tests = [
        chisquare([hit, n - hit], [share, n - share]).pvalue
        for hit, n, share in zip(hits, counts["count"][inside], shares[inside], strict=True)
    ]
    assert len(tests) > 2
    assert min(tests) > 1e-4
    for action, rows in found.groupby("action"):
        np.testing.assert_allclose(rows["prob"], rows["id"].map(p[f"prob_{action}"]), rtol=1e-5)
    np.testing.assert_allclose(np.exp(found["log_prob"]), found["prob"], rtol=1e-7)


def test_exploration_never_draws_what_is_masked(softmax_cli):
    masked = b"logit_a,logit_b,logit_c\n" + b"2,-inf,0\n" * 500
    done = softmax_cli("sample", "-", "-q", "--epsilon", "0.5", "--top-k", "1", "--format", "csv", stdin=masked)
    counts = pd.read_csv(io.StringIO(done.text)).groupby("action")["prob"].agg(["count", "first"])
    assert counts["first"].to_dict() == {"a": 0.75, "c": 0.25}
    assert chisquare(counts["count"], [375, 125]).pvalue > 1e-4


def test_without_replacement_no_action_comes_twice(drawn):
    found = drawn("-n", "4", "--no-replacement").groupby("id")["action"].nunique()
    assert (found == 4).all()
    first = drawn("-n", "3", "--no-replacement").query("draw == 1")
    assert (first["action"].to_numpy() == drawn()["action"].to_numpy()).all()


def test_a_schedule_of_temperatures(softmax_cli):
    text = b"t,logit_a,logit_b\n" + b"1e-9,0,1\n" * 50 + b"inf,0,1000\n" * 200
    done = softmax_cli("sample", "-", "-q", "--temperature-column", "t", "--format", "csv", stdin=text)
    actions = pd.read_csv(io.StringIO(done.text))["action"]
    assert (actions[:50] == "b").all()
    assert 60 < (actions[50:] == "a").sum() < 140


def test_a_bad_row_has_no_action(softmax_cli):
    text = b"id,logit_a,logit_b\n1,0,x\n2,-inf,0\n"
    done = softmax_cli("sample", "-", "-q", "-n", "2", "--on-bad-row", "null", "--format", "csv", stdin=text)
    assert done.text.splitlines()[1:3] == ["1,,,,", "2,1,b,1.000000000000,0.00000000"]
    assert softmax_cli("sample", "-", "-q", stdin=text).code == 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--epsilon", "1.5"], "a share from 0 to 1"),
        (["-n", "5", "--no-replacement"], "there are 4 classes"),
        (["--seed", str(1 << 64)], "below 2^64"),
        (["--activation", "sigmoid"], "an action is drawn from one"),
        (["-o", "x.npy"], "write .npz"),
    ],
)
def test_what_cannot_be_drawn_is_refused(softmax_cli, table, options, words):
    done = softmax_cli("sample", table, *options)
    assert (done.code, words in done.err) == (2, True), done.err


def test_the_plan_names_the_draws(softmax_cli, table):
    plan = softmax_cli("sample", table, "--dry-run", "--top-k", "2", "-n", "3").text
    assert "keep the best 2 classes" in plan
    assert "3 with replacement, seed 0" in plan
