"""``evaluate`` on small tables whose figures are known by hand, and what it refuses."""

from __future__ import annotations

import csv
import io
import json
import math

import numpy as np
import pyarrow.parquet as pq
import pytest

TABLE = (
    "id,logit_cat,logit_dog,logit_bird,label,source\na,3,1,0,cat,x\nb,1,2,0,dog,x\nc,0,2,1.5,bird,y\nd,0,0,5,bird,y\n"
)
ROWS = np.array([[3, 1, 0], [1, 2, 0], [0, 2, 1.5], [0, 0, 5]], float)
TRUTH = np.array([0, 1, 2, 2])


@pytest.fixture
def table(tmp_path):
    (tmp_path / "in.csv").write_text(TABLE)
    return tmp_path / "in.csv"


@pytest.fixture
def evaluate(softmax_cli):
    def run(*arguments, **how):
        done = softmax_cli("evaluate", *arguments, "--json", **how)
        assert done.code == 0, done.err
        return json.loads(done.out)

    return run


def values(report):
    return {name: figure["value"] for name, figure in report["figures"].items()}


def log_p_of(z):
    return z - np.log(np.exp(z).sum(axis=1, keepdims=True))


def test_figures_by_hand(evaluate, table):
    report = evaluate(table)
    found = values(report)
    assert (report["format"], report["command"], report["rows"], report["classes"]) == (1, "evaluate", 4, 3)
    assert (found["accuracy"], found["error"], found["balanced_accuracy"]) == (0.75, 0.25, pytest.approx(2.5 / 3))
    assert found["log_loss"] == pytest.approx(-log_p_of(ROWS)[np.arange(4), TRUTH].mean(), rel=1e-14)
    p = np.exp(log_p_of(ROWS))
    assert found["brier"] == pytest.approx(((p - np.eye(3)[TRUTH]) ** 2).sum(axis=1).mean(), rel=1e-14)
    confidence, right = p.max(axis=1), p.argmax(axis=1) == TRUTH
    assert found["mean_confidence"] == pytest.approx(confidence.mean(), rel=1e-14)
    assert len(set(np.ceil(confidence * 15))) == 4  # a bin for each row
    assert found["ece"] == pytest.approx(np.abs(right - confidence).mean(), rel=1e-13)
    assert {(c["true"], c["predicted"]): c["rows"] for c in report["confusion"]} == {
        ("cat", "cat"): 1,
        ("dog", "dog"): 1,
        ("bird", "dog"): 1,
        ("bird", "bird"): 1,
    }
    assert "top_5_accuracy" not in found


def test_the_options_of_predict_come_before(evaluate, table):
    found = values(evaluate(table, "-T", "2", "-w", "bird=4"))
    expected = log_p_of(ROWS / 2 + np.log([1, 1, 4]))
    assert found["log_loss"] == pytest.approx(-expected[np.arange(4), TRUTH].mean(), rel=1e-14)


def test_bins_norm_kind_and_top_k(evaluate, table):
    found = values(evaluate(table, "--bins", "1", "--norm", "l2", "-k", "1,2,3"))
    p = np.exp(log_p_of(ROWS)).max(axis=1)
    assert found["ece"] == found["mce"] == pytest.approx(abs(0.75 - p.mean()))
    assert (found["top_1_accuracy"], found["top_2_accuracy"], found["top_3_accuracy"]) == (0.75, 1.0, 1.0)
    classwise = values(evaluate(table, "--kind", "classwise"))
    assert classwise["ece"] == classwise["classwise_ece"] == found["classwise_ece"] or classwise["ece"] > 0
    mass = values(evaluate(table, "--scheme", "mass"))
    assert mass["ece"] == mass["mass_ece"]


def test_slices_are_the_figures_of_their_rows(softmax_cli, evaluate, table, tmp_path):
    report = evaluate(table, "--by", "source")
    assert [one["name"] for one in report["slices"]] == ["x", "y"]
    for one in report["slices"]:
        assert "ovo_auroc" not in one["figures"], "its folds are large"
        lines = TABLE.splitlines(keepends=True)
        (tmp_path / "part.csv").write_text(lines[0] + "".join(line for line in lines if f",{one['name']}\n" in line))
        alone = values(evaluate("part.csv"))
        assert {name: figure["value"] for name, figure in one["figures"].items()} == {
            name: value for name, value in alone.items() if name in one["figures"]
        }


def test_labels_from_another_table_are_joined_by_id(evaluate, table, tmp_path):
    """In another order, with an id too many, by number."""
    (tmp_path / "truth.csv").write_text("id,note,y\nd,-,2\nzz,-,0\nb,-,1\nc,-,2\na,-,0\n")
    (tmp_path / "bare.csv").write_text("".join(",".join(line.split(",")[:4]) + "\n" for line in TABLE.splitlines()))
    assert values(evaluate("bare.csv", "--labels", "truth.csv")) == values(evaluate(table))
    assert values(evaluate(table, "--labels", "truth.csv:y")) == values(evaluate(table))


def test_an_id_without_a_truth_is_a_bad_row(softmax_cli, evaluate, table, tmp_path):
    (tmp_path / "truth.csv").write_text("id,y\na,cat\nb,dog\nc,bird\n")
    done = softmax_cli("evaluate", table, "--labels", "truth.csv")
    assert done.code == 1
    assert "in.csv:5: column 'id': 'd' is an id that truth.csv has no truth for; " in done.err
    report = evaluate(table, "--labels", "truth.csv", "--on-bad-row", "skip", "--rejects", "bad.csv")
    assert (report["rows"], report["bad_rows"]) == (3, 1)
    assert "d,0,0,5,bird,y" in (tmp_path / "bad.csv").read_text()


def test_an_id_with_two_truths_is_refused(softmax_cli, table, tmp_path):
    (tmp_path / "truth.csv").write_text("id,y\na,cat\nb,dog\na,cat\nb,cat\n")
    done = softmax_cli("evaluate", table, "--labels", "truth.csv")
    assert (done.code, done.out) == (1, b"")
    assert "--labels truth.csv: the id 'b' has two truths" in done.err


@pytest.mark.parametrize(
    ("truth", "flags", "told"),
    [
        ("id,one,two\na,cat,dog\n", [], "which column? write truth.csv:COLUMN with one of one, two"),
        ("id,cls\na,cat\n", ["--labels", "truth.csv:clas"], "no column 'clas'; did you mean 'cls'?"),
    ],
)
def test_labels_that_cannot_be_joined(softmax_cli, tmp_path, truth, flags, told):
    (tmp_path / "in.csv").write_text("id,cat,dog\n1,2,3\n")
    (tmp_path / "truth.csv").write_text(truth)
    done = softmax_cli("evaluate", "in.csv", "--labels", "truth.csv", *flags)
    assert (done.code, done.out) == (2, b"")
    assert told in done.err


def test_numbers_as_truth_are_told(softmax_cli, table, tmp_path):
    text = TABLE.replace(",cat,", ",0,").replace(",dog,", ",1,").replace(",bird,", ",2,")
    (tmp_path / "numbers.csv").write_text(text)
    done = softmax_cli("evaluate", "numbers.csv", "--json")
    assert done.code == 0
    assert "the truths are no class names but fit as numbers" in done.err
    assert values(json.loads(done.out)) == values(json.loads(softmax_cli("evaluate", table, "--json").out))


def test_probability_0_on_the_truth_costs_infinity_unless_clipped(softmax_cli, evaluate, tmp_path):
    (tmp_path / "p.csv").write_text("prob_a,prob_b,y\n1,0,b\n0.5,0.5,a\n")
    report = evaluate("p.csv")
    assert values(report)["log_loss"] is None
    assert "1 rows have p = 0 on the truth" in report["figures"]["log_loss"]["note"]
    clipped = values(evaluate("p.csv", "--clip", "1e-15"))["log_loss"]
    assert clipped == pytest.approx((-math.log(1e-15) + math.log(2)) / 2, rel=1e-12)
    failed = softmax_cli("evaluate", "p.csv", "--fail-if", "log_loss > 10")
    assert failed.code == 3
    assert "log_loss is inf" in failed.err


@pytest.mark.parametrize(
    ("gates", "code", "told"),
    [
        (["accuracy < 0.75"], 0, ""),
        (["accuracy<=0.75"], 3, "error: --fail-if 'accuracy<=0.75': accuracy is 0.75\n"),
        (["ece > 0.9", "brier >= 0", "error > 0.2"], 3, "'brier >= 0': brier is"),
        (["ece > 0.9", "error > 0.3"], 0, ""),
    ],
)
def test_gates(softmax_cli, table, gates, code, told):
    done = softmax_cli("evaluate", table, "--quiet", *(part for gate in gates for part in ("--fail-if", gate)))
    assert done.code == code
    assert told in done.err
    assert (done.err == "") == (code == 0)
    assert "in.csv: 4 rows" in " ".join(done.text.split()), "the report is given all the same"


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (
            ["--fail-if", "exe > 1"],
            "no figure is called 'exe'; did you mean 'ece'? there are: accuracy, error, ",
        ),
        (["--fail-if", "ece 0.05"], "write a figure, a sign and a number"),
        (["--fail-if", "ece > much"], "'much' is not a number"),
        (["--scheme", "equal"], "--scheme equal: choose one of width, mass"),
        (["--clip", "0.7"], "--clip 0.7"),
        (["--top-k", "0"], "--top-k 0: expected whole numbers from 1"),
        (["--seed", str(1 << 64)], "a whole number below 2^64"),
        (["--bootstrap", "5"], "--bootstrap 5: 95 % limits take 40"),
        (["--label", "nope"], "--label 'nope': no such column; there are: id,"),
        (["--labels", "x.csv", "--label", "label"], "--labels takes another table"),
        (["--labels", "nowhere.csv"], "nowhere.csv: no such file"),
        (["--by", "nope"], "--by 'nope': no such column"),
        (["--activation", "sigmoid"], "evaluate needs a distribution"),
        (["--per-class", "c.npy"], "an array file cannot hold names"),
        (["--per-class", "in.csv"], "in.csv is the input"),
        (["--per-class", "c.csv", "--bins-out", "c.csv"], "two tables need two files"),
    ],
)
def test_usage_errors(softmax_cli, table, tmp_path, flags, told):
    before = sorted(path.name for path in tmp_path.iterdir())
    done = softmax_cli("evaluate", "in.csv", *flags)
    assert (done.code, done.out) == (2, b"")
    assert done.err.startswith("error: ")
    assert told in done.err
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_no_truth(softmax_cli, tmp_path):
    (tmp_path / "bare.csv").write_text("id,a,b\nx,1,2\n")
    done = softmax_cli("evaluate", "bare.csv")
    assert done.code == 2
    assert "name it with --label, or take it from a file with --labels" in done.err


def test_a_truth_that_is_no_class_names_both_sets(softmax_cli, tmp_path):
    (tmp_path / "in.csv").write_text(TABLE.replace("bird,y", "ship,y"))
    done = softmax_cli("evaluate", "in.csv")
    assert done.code == 1
    assert "in.csv:4: column 'label': 'ship' is no class; name the column of truths with --label, or the" in done.err
    assert "classes: cat, dog, bird; truths here: cat, dog, ship" in done.err
    assert softmax_cli("evaluate", "in.csv", "--on-bad-row", "skip").code == 0


def test_an_empty_truth_and_a_bad_score_are_bad_rows(softmax_cli, evaluate, tmp_path):
    (tmp_path / "in.csv").write_text(TABLE.replace("b,1,2,0,dog", "b,1,2,0,").replace("c,0,2,", "c,0,what,"))
    done = softmax_cli("evaluate", "in.csv")
    assert (done.code, done.out) == (1, b"")
    assert "in.csv:3: column 'label': '' is a missing truth: there is nothing to compare with" in done.err
    assert evaluate("in.csv", "--on-bad-row", "skip")["bad_rows"] == 2


def test_logits_that_look_like_probabilities_are_told(softmax_cli, tmp_path):
    (tmp_path / "p.csv").write_text("a,b,y\n0.25,0.75,b\n0.5,0.5,a\n")
    done = softmax_cli("evaluate", "p.csv", "--quiet")
    assert done.code == 0
    assert "--input prob" in done.err


def test_a_header_alone(softmax_cli, tmp_path):
    (tmp_path / "in.csv").write_text(TABLE.splitlines()[0] + "\n")
    done = softmax_cli("evaluate", "in.csv")
    assert (done.code, "no row to measure" in done.text) == (0, True)
    report = json.loads(softmax_cli("evaluate", "in.csv", "--json").out)
    assert (report["rows"], values(report)["accuracy"]) == (0, None)
    assert softmax_cli("evaluate", "in.csv", "--fail-if", "accuracy < 0.5").code == 3, "nothing vouches for it"


def test_tables_as_files(softmax_cli, table, tmp_path):
    done = softmax_cli("evaluate", table, "--per-class", "classes.csv", "--bins-out", "bins.parquet", "-k", "2")
    assert done.code == 0, done.err
    rows = list(csv.DictReader(io.StringIO((tmp_path / "classes.csv").read_text())))
    assert [(row["name"], row["support"], row["hits"]) for row in rows] == [
        ("cat", "1", "1"),
        ("dog", "1", "1"),
        ("bird", "2", "1"),
    ]
    assert float(rows[1]["precision"]) == 0.5
    bins = pq.read_table(tmp_path / "bins.parquet").to_pydict()
    assert (len(bins["rows"]), sum(bins["rows"]), bins["confidence"][0]) == (15, 4, None)
    again = softmax_cli("evaluate", table, "--per-class", "classes.csv")
    assert (again.code, "--force" in again.err) == (2, True)


def test_the_table_of_classes_heeds_the_scheme(softmax_cli, table, tmp_path):
    for scheme in ("width", "mass"):
        done = softmax_cli("evaluate", table, "--per-class", f"{scheme}.csv", "--scheme", scheme, "--bins", "2")
        assert done.code == 0, done.err
    assert (tmp_path / "width.csv").read_text() != (tmp_path / "mass.csv").read_text()


def test_the_schema_of_the_json_report(evaluate, table):
    """A program reads these names: a change of what they mean is a new format number."""
    report = evaluate(table, "--by", "source")
    assert report["format"] == 1
    assert set(report) >= {"figures", "bins", "histogram", "risk_coverage", "confusion", "per_class", "slices"}
    assert set(report["figures"]["ece"]) == {"title", "value", "interval", "note"}
    assert set(report["bins"][0]) == {"lower", "upper", "rows", "confidence", "accuracy"}
    assert set(report["slices"][0]) == {"name", "rows", "figures"}
    assert (len(report["histogram"]), sum(map(sum, report["histogram"]))) == (20, 4)
    assert report["bootstrap"] == 200
    assert report["figures"]["log_loss"]["interval"] is not None


def test_neither_pandas_nor_arrow_is_loaded(table):
    import subprocess
    import sys

    command = [sys.executable, "-X", "importtime", "-m", "softmax_cli", "evaluate", table, "--by", "source", "--json"]
    done = subprocess.run(command, capture_output=True, timeout=60, check=True)
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.decode().splitlines()}
    assert "numpy" in loaded
    assert loaded.isdisjoint({"pandas", "rich", "pyarrow"})


def test_dry_run(softmax_cli, table):
    done = softmax_cli("evaluate", table, "-T", "2", "--dry-run")
    assert done.code == 0
    assert "truth    label" in done.text
    assert "z / 2  (--temperature)" in done.text


def test_standard_input(softmax_cli, evaluate, table):
    assert values(evaluate("-", stdin=TABLE.encode())) == values(evaluate(table))


def test_a_closed_pipe_is_success(program, program_env, table):
    import subprocess

    command = f"'{program}' evaluate '{table}' --quiet | head -1"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], env=program_env, capture_output=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")
