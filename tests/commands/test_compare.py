"""``softmax-cli compare``: two tables of the same rows, in any format and order; what differs, and for the better."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

ROWS = 400
RESNET, WIDE = "cifar10_resnet50_brier/test.parquet", "cifar10_wideresnet2610_flsd53/test_logits.npy"


@pytest.fixture
def tables(tmp_path):
    generator = np.random.default_rng(0)
    z = generator.normal(size=(ROWS, 3)).round(4)
    frame = pd.DataFrame({"id": [f"r{row}" for row in range(ROWS)], "y": np.array(["cat", "dog", "owl"])[z.argmax(1)]})
    frame[["cat", "dog", "owl"]] = z
    frame.to_csv(tmp_path / "old.csv", index=False)
    changed = frame.drop(columns="y").sample(frac=1, random_state=1)
    changed[["cat", "dog", "owl"]] += generator.normal(size=(ROWS, 3), scale=0.05)
    changed[["owl", "id", "dog", "cat"]].to_parquet(tmp_path / "new.parquet", index=False)
    return frame, changed


def figures(done):
    return {name: figure["value"] for name, figure in json.loads(done.text)["pairs"][0]["figures"].items()}


def test_two_formats_two_orders(softmax_cli, tables, tmp_path):
    done = softmax_cli("compare", "old.csv", "new.parquet", "--json", "-q", "--flips-out", "flips.jsonl")
    assert done.code == 0, done.err
    frame, changed = tables
    both = frame.merge(changed, on="id")
    first, second = (both[[f"{name}_{side}" for name in ("cat", "dog", "owl")]].to_numpy() for side in "xy")
    flipped = both["id"][first.argmax(1) != second.argmax(1)]
    assert figures(done)["flips"] == len(flipped) > 0
    written = [json.loads(line) for line in (tmp_path / "flips.jsonl").read_text().splitlines()]
    assert [row["id"] for row in written] == flipped.tolist()
    assert {row["truth"] for row in written} == {row["first_prediction"] for row in written}
    assert json.loads(done.text)["joined_by"] == "id"


def test_batches_and_threads_change_no_digit(softmax_cli, tables):
    runs = [("--batch-rows", "7"), ("--threads", "3", "--batch-rows", "50"), ("--threads", "1")]
    texts = {softmax_cli("compare", "new.parquet", "old.csv", "--json", "-q", *run).text for run in runs}
    assert len(texts) == 1


def test_a_gate(softmax_cli, tables):
    done = softmax_cli("compare", "old.csv", "new.parquet", "-q", "--fail-if", "agreement < 0.9999")
    assert (done.code, "agreement is" in done.err) == (3, True)
    assert "change their prediction" in done.text
    assert softmax_cli("compare", "old.csv", "new.parquet", "-q", "--fail-if", "agreement < 0.5").code == 0


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["old.csv"], 2, "takes two tables at least"),
        (["-", "-"], 2, "- (standard input) can be read once only"),
        (["old.csv", "old.csv", "--where", "y=dig"], 1, "did you mean y=dog?"),
        (["old.csv", "old.csv", "--where", "y=dig"], 1, "old.csv (1) has no rows: there is nothing to compare"),
        (["old.csv", "none.csv"], 2, "none.csv"),
        (["old.csv", "new.parquet", "--fail-if", "agrement < 1"], 2, "did you mean 'agreement'"),
        (["old.csv", "new.parquet", "--flips-out", "old.csv"], 2, "old.csv"),
        (["old.csv", "short.csv"], 1, "no row with the id 'r1'"),
        (["old.csv", "other.csv"], 1, "other classes"),
        (["old.csv", "bad.csv"], 1, "bad.csv:2"),
    ],
)
def test_what_cannot_be_compared_is_refused(softmax_cli, tables, tmp_path, arguments, code, words):
    (tmp_path / "short.csv").write_text("id,cat,dog,owl\nr0,1.5,2,3\n")
    (tmp_path / "other.csv").write_text("id,cat,dog,cow\nr0,1.5,2,3\n")
    (tmp_path / "bad.csv").write_text("id,cat,dog,owl\nr0,1.5,nan,3\n")
    done = softmax_cli("compare", *arguments, "-q")
    assert (done.code, words in done.err) == (code, True), done.err


def test_what_would_be_read(softmax_cli, tables):
    plan = softmax_cli("compare", "old.csv", "new.parquet", "--dry-run").text
    assert "reads    old.csv" in plan
    assert "reads    new.parquet" in plan


def test_two_networks_of_cifar_10(softmax_cli, real_data):
    """Errors of 5.00 % and 4.01 %, and calibration errors of 1.82 % and 1.56 %, as they were published."""
    done = softmax_cli("compare", real_data(RESNET), real_data(WIDE), "--json", "-q")
    assert done.code == 0, done.err
    report = json.loads(done.text)
    members = [{name: one["value"] for name, one in member["figures"].items()} for member in report["members"]]
    assert [round(100 * (1 - one["accuracy"]), 2) for one in members] == [5.0, 4.01]
    assert [round(100 * one["ece"], 2) for one in members] == [1.82, 1.56]
    table = pd.read_parquet(real_data(RESNET))
    first = table.select_dtypes("number").filter(regex="^(?!id)").to_numpy().argmax(1)
    second = np.load(real_data(WIDE)).argmax(1)
    assert figures(done)["agreement"] == (first == second).mean()
    assert figures(done)["mcnemar_p"] < 1e-5


def test_plots_and_a_page(softmax_cli, tables, tmp_path):
    pytest.importorskip("matplotlib")
    pytest.importorskip("jinja2")
    asked = ("--plot", "c.svg", "--plots", "confidence, gaps", "--report", "c.html", "-q")
    done = softmax_cli("compare", "old.csv", "new.parquet", *asked)
    assert done.code == 0, done.err
    drawn = (tmp_path / "c.svg").read_text("utf-8")
    assert "flips, N = 400" in drawn
    assert "Recall" not in drawn
    assert "<h1>old.csv compared with new.parquet</h1>" in (tmp_path / "c.html").read_text("utf-8")


def test_tables_to_be_pasted(softmax_cli, tables):
    done = softmax_cli("compare", "old.csv", "new.parquet", "--format", "markdown", "-q")
    assert done.code == 0, done.err
    titles = [line for line in done.text.splitlines() if line.startswith("### ")]
    assert titles == ["### Figures", "### Classes", "### Commonest flips", "### Rows whose prediction changes"]
    assert "| cat |" in done.text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--plots", "gaps", "--plot", "c.svg"), "gaps needs truths: say --label COLUMN or --labels FILE"),
        (("--plots", "pie", "--plot", "c.svg"), "no plot is called 'pie'; there are: confidence, flips, classes, gaps"),
        (("--plots", "gaps"), "add --plot plots.png"),
        (("--report", "c.txt"), "the name has to end in .html"),
        (("--report", "c.html", "--flips-out", "c.html"), "another output has this name"),
        (("--format", "csv"), "choose one of html, latex, markdown"),
        (("--format", "latex", "--json"), "--format and --json exclude each other"),
    ],
)
def test_pictures_that_cannot_be_made_are_refused(softmax_cli, tables, tmp_path, arguments, words):
    pytest.importorskip("matplotlib")
    pytest.importorskip("jinja2")
    done = softmax_cli("compare", "new.parquet", "new.parquet", "-q", *arguments)
    assert (done.code, words in done.err) == (2, True), done.err
    assert not list(tmp_path.glob("c.*"))


def test_a_tiny_p_value_is_not_0_in_a_table(softmax_cli, tmp_path):
    for name, right in (("one.csv", "4,0"), ("two.csv", "0,4")):
        (tmp_path / name).write_text("id,logit_a,logit_b,label\n" + "".join(f"{n},{right},a\n" for n in range(60)))
    done = softmax_cli("compare", "one.csv", "two.csv", "-q", "--format", "markdown", "--bootstrap", "0")
    assert done.code == 0, done.err
    (p_value,) = (line.split(" | ")[1] for line in done.text.splitlines() if line.startswith("| McNemar p"))
    assert float(p_value) == pytest.approx(2 * 0.5**60, rel=0.05)
