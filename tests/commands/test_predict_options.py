"""Every option of predict does what the contract says, or is refused with the next step."""

import io
import json

import numpy as np
import pandas as pd
import pyarrow.ipc as ipc
import pyarrow.parquet as pq
import pytest
from scipy.special import expit, softmax

TABLE = "id,cat,dog,cow,label\na,2,1,-1,cat\nb,0.5,0.25,3,dog\nc,-4,-1,-2,dog\n"
Z = np.array([[2, 1, -1], [0.5, 0.25, 3], [-4, -1, -2]])
CLASSES = ["cat", "dog", "cow"]


@pytest.fixture
def predict(softmax_cli):
    """Run on the table above; returns the parsed output."""

    def run(*arguments, stdin=TABLE):
        done = softmax_cli("predict", *arguments, stdin=stdin.encode())
        assert done.code == 0, done.err
        return pd.read_csv(io.BytesIO(done.out)), done.err

    return run


def probabilities(table):
    return table[[f"prob_{name}" for name in CLASSES]].to_numpy()


def test_temperature(predict):
    np.testing.assert_allclose(probabilities(predict("-T", "2")[0]), softmax(Z / 2, axis=1), rtol=1e-8)
    assert np.unique(probabilities(predict("-T", "inf")[0])).round(9).tolist() == [0.333333333]


@pytest.mark.parametrize("said", ["cat=4", "weights.csv", "weights.json"])
def test_class_weights(predict, tmp_path, said):
    (tmp_path / "weights.csv").write_text("class,weight\ncat,4\n")
    (tmp_path / "weights.json").write_text('{"cat": 4}')
    table, told = predict("-w", said)
    weighted = softmax(Z, axis=1) * [4, 1, 1]
    np.testing.assert_allclose(probabilities(table), weighted / weighted.sum(axis=1, keepdims=True), rtol=1e-8)
    assert "raises cat (x4)" in told
    assert "not listed, weight 1: dog, cow" in told


@pytest.mark.parametrize("said", ["balanced:counts.csv", "balanced:labels.csv", "balanced:labels.csv:y"])
def test_balanced_weights_come_from_training_data(predict, tmp_path, said):
    (tmp_path / "counts.csv").write_text("class,count\ncat,8\ndog,1\ncow,3\n")
    (tmp_path / "labels.csv").write_text("y\n" + "cat\n" * 8 + "dog\n" + "cow\n" * 3)
    weighted = softmax(Z, axis=1) * (12 / (3 * np.array([8, 1, 3])))
    np.testing.assert_allclose(
        probabilities(predict("-w", said)[0]), weighted / weighted.sum(axis=1, keepdims=True), rtol=1e-8
    )


def test_undoing_weights_undoes_them(predict):
    table, told = predict("-w", "cat=4", "--undo-class-weights", "cat=4")
    np.testing.assert_allclose(probabilities(table), softmax(Z, axis=1), rtol=1e-8)
    assert "lowers cat (x0.25)" in told


def test_a_weight_of_zero_masks(predict):
    table, told = predict("-w", "cat=0")
    assert (table["prob_cat"] == 0).all()
    assert "masks cat" in told


def test_priors(predict):
    table, told = predict("--source-prior", "cat=8,dog=1,cow=1", "--target-prior", "uniform")
    shifted = softmax(Z, axis=1) / [0.8, 0.1, 0.1]
    np.testing.assert_allclose(probabilities(table), shifted / shifted.sum(axis=1, keepdims=True), rtol=1e-8)
    assert "cat 0.8" in told
    tau, _ = predict("--source-prior", "cat=8,dog=1,cow=1", "--logit-adjust", "1")
    np.testing.assert_allclose(probabilities(tau), probabilities(table), rtol=1e-8)


def test_kept_share_is_the_undersampling_formula(softmax_cli):
    """Dal Pozzolo et al. (2015): p = b*ps / ((b-1)*ps + 1) for the share b of negatives that was kept."""
    done = softmax_cli("predict", "--kept-share", "neg=0.1", stdin=b"neg,pos\n0,1\n0,-2\n")
    p = pd.read_csv(io.BytesIO(done.out))["prob_pos"].to_numpy()
    ps = expit([1.0, -2.0])
    np.testing.assert_allclose(p, 0.1 * ps / ((0.1 - 1) * ps + 1), rtol=1e-8)


def test_activations(predict):
    np.testing.assert_allclose(probabilities(predict("--activation", "sigmoid")[0]), expit(Z), rtol=1e-8)
    sparse = probabilities(predict("--activation", "sparsemax")[0])
    assert sparse[1].tolist() == [0, 0, 1]
    np.testing.assert_allclose(sparse[2], [0, 1, 0], atol=1e-12)
    assert (probabilities(predict("--activation", "entmax15")[0]).sum(axis=1).round(9) == 1).all()


def test_listing_layout_and_emit(predict):
    table, _ = predict("-k", "2")
    assert list(table.columns) == ["id", "label", "label_1", "prob_1", "label_2", "prob_2"]
    long, _ = predict("--layout", "long", "-k", "1", "--emit", "prob,logprob")
    assert list(long.columns) == ["id", "input_label", "rank", "label", "prob", "logprob"]
    emitted, _ = predict("--emit", "logit", "-T", "2")
    np.testing.assert_allclose(emitted[[f"logit_{c}" for c in CLASSES]], Z / 2, rtol=1e-8)
    only, _ = predict("--only-predictions")
    assert list(only.columns) == ["id", "label", "prediction", "confidence"]
    assert predict("-k", "9")[1].startswith("--top-k 9: there are 3 classes")


def test_threshold(predict):
    table, _ = predict("--threshold", "0.8", "--abstain-label", "unsure")
    assert table["prediction"].tolist() == ["unsure", "cow", "unsure"]
    per_class, _ = predict("--threshold", "cow=0.99", "--abstain-label", "unsure")
    assert per_class["prediction"].tolist() == ["cat", "unsure", "dog"]


def test_digits_and_decimals(softmax_cli):
    p = softmax(Z, axis=1)
    exact = softmax_cli("predict", "--digits", "17", "--emit", "prob", stdin=TABLE.encode())
    table = pd.read_csv(io.BytesIO(exact.out))
    np.testing.assert_allclose(probabilities(table), p, rtol=1e-15)
    rounded = softmax_cli("predict", "--decimals", "2", stdin=TABLE.encode())
    assert rounded.text.splitlines()[1] == "a,cat,cat,0.71,0.71,0.26,0.04"
    assert "may no longer sum to 1" in rounded.err


def test_input_kinds_come_back_to_the_same(predict, softmax_cli):
    first = softmax_cli("predict", "--digits", "17", stdin=TABLE.encode())
    again = pd.read_csv(io.BytesIO(softmax_cli("predict", stdin=first.out).out))
    np.testing.assert_allclose(probabilities(again), softmax(Z, axis=1), rtol=1e-8)


def test_a_second_softmax_is_warned_of(softmax_cli):
    done = softmax_cli("predict", "-q", stdin=b"id,cat,dog\na,0.25,0.75\nb,0.5,0.5\n")
    assert done.code == 0
    assert "--input prob" in done.err
    assert softmax_cli("predict", "-q", "--input", "logits", stdin=b"id,cat,dog\na,0.25,0.75\n").err == ""


def test_every_format_holds_the_same(softmax_cli, tmp_path):
    for name in (
        "o.csv",
        "o.tsv",
        "o.jsonl",
        "o.json",
        "o.parquet",
        "o.arrow",
        "o.npy",
        "o.npz",
        "o.csv.gz",
        "o.tsv.zst",
    ):
        done = softmax_cli("predict", "--digits", "17", "-o", name, stdin=TABLE.encode())
        assert done.code == 0, (name, done.err)
    p = softmax(Z, axis=1)
    read = {
        "csv": pd.read_csv(tmp_path / "o.csv"),
        "tsv": pd.read_csv(tmp_path / "o.tsv", sep="\t"),
        "jsonl": pd.read_json(tmp_path / "o.jsonl", lines=True),
        "json": pd.read_json(tmp_path / "o.json"),
        "parquet": pd.read_parquet(tmp_path / "o.parquet"),
        "arrow": ipc.open_file(tmp_path / "o.arrow").read_pandas(),
        "gz": pd.read_csv(tmp_path / "o.csv.gz"),
    }
    for name, table in read.items():
        np.testing.assert_allclose(probabilities(table), p, rtol=1e-12, err_msg=name)
        assert table["prediction"].astype(str).tolist() == ["cat", "cow", "dog"], name
    np.testing.assert_allclose(np.load(tmp_path / "o.npy"), p, rtol=1e-12)
    with np.load(tmp_path / "o.npz") as arrays:
        np.testing.assert_allclose(arrays["prob"], p, rtol=1e-12)
        assert arrays["classes"].tolist() == CLASSES


def test_binary_files_say_what_they_hold(softmax_cli, tmp_path):
    softmax_cli("predict", "-T", "2", "-o", "o.parquet", stdin=TABLE.encode())
    record = json.loads(pq.read_schema(tmp_path / "o.parquet").metadata[b"softmax_cli"])
    assert record["kind"] == "prob"
    assert record["classes"] == CLASSES
    assert record["operations"][1].startswith("z / 2")


def test_several_files_are_one_table(softmax_cli, tmp_path):
    (tmp_path / "a.csv").write_text("id,cat,dog\na,1,2\n")
    (tmp_path / "b.csv").write_text("id,cat,dog\nb,3,4\n")
    both = softmax_cli("predict", "a.csv", "b.csv")
    assert [line[0] for line in both.text.splitlines()] == ["i", "a", "b"]
    assert softmax_cli("predict", "*.csv").out == both.out


def test_class_names_from_a_file(softmax_cli, tmp_path):
    (tmp_path / "names.txt").write_text("kitten\npuppy\n")
    (tmp_path / "config.json").write_text('{"id2label": {"1": "puppy", "0": "kitten"}}')
    for name in ("names.txt", "config.json"):
        done = softmax_cli("predict", "--classes", name, stdin=b"a,b\n1,2\n")
        assert done.text.splitlines()[0] == "prediction,confidence,prob_kitten,prob_puppy"


def test_limit_ends_early(softmax_cli):
    assert len(softmax_cli("predict", "--limit", "2", stdin=TABLE.encode()).text.splitlines()) == 3


def test_dry_run_reads_and_tells(softmax_cli):
    done = softmax_cli("predict", "--dry-run", "-T", "2", "-w", "cat=4", stdin=TABLE.encode())
    told = done.text
    assert told.index("z / 2") < told.index("+ log w") < told.index("softmax")
    assert "id: id; truth: label" in told


def test_quiet_is_quiet(softmax_cli):
    assert softmax_cli("predict", "-q", "-w", "cat=4", stdin=TABLE.encode()).err == ""


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-T", "0"], "--only-predictions"),
        (["-T", "-1"], "negative temperature"),
        (["-T", "nan"], "above 0"),
        (["--source-prior", "uniform"], "add --target-prior"),
        (["--target-prior", "uniform"], "--source-prior"),
        (["-w", "cat=2", "--source-prior", "uniform", "--target-prior", "uniform"], "--allow-both"),
        (["-w", "cat=-1"], "0 (masks the class) or more"),
        (["-w", "owl=2"], "no class is called 'owl'"),
        (["-w", "cat=0,dog=0,cow=0"], "every class is masked"),
        (["--undo-class-weights", "cat=0"], "cannot be undone"),
        (["--kept-share", "cat=2"], "at most 1"),
        (["--source-prior", "cat=1", "--target-prior", "uniform"], "missing: dog, cow"),
        (["--activation", "relu"], "choose one of softmax"),
        (["--activation", "sigmoid", "--top-p", "0.5"], "--top-p"),
        (["--top-p", "0"], "--top-p 0"),
        (["--min-p", "2"], "--min-p 2"),
        (["--layout", "deep"], "choose one of wide"),
        (["--emit", "odds"], "choose among prob"),
        (["--threshold", "2"], "from 0 to 1"),
        (["--abstain-label", "x"], "--threshold"),
        (["--digits", "9", "--decimals", "3"], "exclude each other"),
        (["--rejects", "r.csv"], "--on-bad-row"),
        (["--on-bad-row", "drop"], "choose one of error"),
        (["--input", "odds"], "choose one of logits"),
        (["--format", "xml"], "no format is called 'xml'"),
        (["-o", "out.xml"], "does not say which format"),
        (["--classes", "nowhere.txt"], "no such file"),
        (["--logits", "score_*"], "no such column"),
        (["--delimiter", ";;"], "one character"),
        (["--dtype", "float8"], "float32 or float64"),
        (["--color", "blue"], "auto, always, never"),
        (["--no-such-option"], "no such option"),
    ],
)
def test_usage_errors_are_told_and_nothing_starts(softmax_cli, arguments, words):
    done = softmax_cli("predict", *arguments, stdin=TABLE.encode())
    assert done.code == 2, done.err
    assert words in " ".join(done.err.replace("│", " ").split())
    assert done.out == b""
    assert "Traceback" not in done.err
