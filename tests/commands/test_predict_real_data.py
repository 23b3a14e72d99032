"""The installed program on real tables: its probabilities give the figures that others computed from these logits."""

import io
import json

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.ipc as ipc
import pyarrow.parquet as pq
import pytest

CIFAR = "cifar10_resnet50_brier"
FOCAL = "cifar10_wideresnet2610_flsd53"


@pytest.fixture(scope="module")
def reference(real_data):
    return json.loads(real_data("reference_metrics.json").read_text())


def accuracy_and_log_loss(table, classes, truth):
    """Two figures from a table of the program's output, by column names alone."""
    p = np.column_stack([np.asarray(table[f"prob_{name}"], float) for name in classes])
    at = np.array([classes.index(name) for name in truth])
    predicted = np.array(table["prediction"].to_pylist())
    return (predicted == np.array(truth)).mean(), -np.log(p[np.arange(len(at)), at]).mean()


def read_csv(data):
    return pc.read_csv(io.BytesIO(data))


@pytest.mark.parametrize(
    ("file", "name", "split"),
    [
        (f"{CIFAR}/test.csv", CIFAR, "test"),
        (f"{CIFAR}/test.parquet", CIFAR, "test"),
        (f"{CIFAR}/val.csv", CIFAR, "val"),
        ("cifar10_wrn16_4_probs/cifar10_wrn16_4_probs.parquet", "cifar10_wrn16_4_probs", "test"),
        ("digits/digits_mlp_logits.csv", "digits_mlp_logits", "test"),
        ("digits/digits_imbalanced_logreg_logits.parquet", "digits_imbalanced_logreg_logits", "test"),
        ("magika_filetypes/magika_logits.parquet", "magika_filetypes", "test"),
    ],
)
def test_figures_of_a_labelled_table(softmax_cli, real_data, reference, file, name, split):
    kind = ["--input", "prob"] if "probs" in name else []
    done = softmax_cli("predict", real_data(file), *kind)
    assert done.code == 0, done.err
    table = read_csv(done.out)
    if "split" in table.column_names:
        table = table.filter(pa.array([s == split for s in table["split"].to_pylist()]))
    classes = [column.removeprefix("prob_") for column in table.column_names if column.startswith("prob_")]
    accuracy, log_loss = accuracy_and_log_loss(table, classes, table["label"].to_pylist())
    figures = reference[name][split]
    assert len(table) == figures["n"]
    assert accuracy == pytest.approx(figures["accuracy"], abs=1e-12)
    assert log_loss == pytest.approx(figures["nll"], abs=1e-6)


@pytest.mark.parametrize(
    ("file", "flags"),
    [(f"{FOCAL}/test_logits.npy", []), (f"{FOCAL}/{FOCAL}.npz", ["--logits", "test_logits"])],
)
def test_figures_of_arrays(softmax_cli, real_data, reference, tmp_path, file, flags):
    done = softmax_cli("predict", real_data(file), *flags, "-o", "out.parquet")
    assert done.code == 0, done.err
    table = pq.read_table(tmp_path / "out.parquet")
    classes = [str(index) for index in range(10)]
    accuracy, log_loss = accuracy_and_log_loss(table, classes, [str(y) for y in table["label"].to_pylist()])
    assert accuracy == pytest.approx(reference[FOCAL]["test"]["accuracy"], abs=1e-12)
    assert log_loss == pytest.approx(reference[FOCAL]["test"]["nll"], abs=1e-6)


def test_a_known_prior_corrects_the_imbalanced_classifier(softmax_cli, real_data, tmp_path):
    expected = json.loads(real_data("digits/reference_metrics.json").read_text())["digits_imb_prior_corrected"]
    priors = real_data("digits/digits_imbalanced_priors.csv")
    table = pq.read_table(real_data("digits/digits_imbalanced_logreg_logits.parquet"))
    pq.write_table(table.filter(pa.array([s == "test" for s in table["split"].to_pylist()])), tmp_path / "in.parquet")
    done = softmax_cli(
        "predict", "in.parquet", "--source-prior", f"{priors}:train_prior", "--target-prior", f"{priors}:test_prior"
    )
    assert done.code == 0, done.err
    table = read_csv(done.out)
    classes = [f"digit_{index}" for index in range(10)]
    accuracy, log_loss = accuracy_and_log_loss(table, classes, table["label"].to_pylist())
    assert accuracy == pytest.approx(expected["acc"], abs=1e-12)
    assert log_loss == pytest.approx(expected["nll"], abs=1e-6)


@pytest.mark.parametrize("form", ["csv", "parquet", "arrow", "arrows", "jsonl", "npy"])
@pytest.mark.parametrize("to", ["csv", "parquet"])
def test_a_pipe_gives_the_bytes_of_the_file(softmax_cli, real_data, tmp_path, form, to):
    table = pq.read_table(real_data(f"{CIFAR}/test.parquet")).slice(0, 2000).replace_schema_metadata(None)
    path = tmp_path / f"in.{form}"
    write(table, form, path)
    by_name = softmax_cli("predict", path, "--format", to)
    by_pipe = softmax_cli("predict", "-", "--format", to, stdin=path.read_bytes())
    assert by_name.code == by_pipe.code == 0, by_name.err + by_pipe.err
    assert by_name.out == by_pipe.out
    assert len(by_name.out) > 10_000


def write(table, form, path):
    """A table in one of the formats, by other hands than the program's."""
    if form == "csv":
        pc.write_csv(table, path)
    elif form == "parquet":
        pq.write_table(table, path)
    elif form == "jsonl":
        path.write_text("".join(f"{json.dumps(row)}\n" for row in table.to_pylist()))
    elif form == "npy":
        scores = [table[name].to_numpy() for name in table.column_names if name not in ("id", "label")]
        np.save(path, np.column_stack(scores))
    else:
        open_file = ipc.new_file if form == "arrow" else ipc.new_stream
        with path.open("wb") as file, open_file(file, table.schema) as writer:
            writer.write_table(table, max_chunksize=700)


@pytest.mark.parametrize("threads", ["1", "2", "5"])
def test_neither_threads_nor_batches_change_a_byte(softmax_cli, real_data, threads):
    path = real_data("magika_filetypes/magika_logits.parquet")
    usual = softmax_cli("predict", path, "--digits", "17")
    other = softmax_cli("predict", path, "--digits", "17", "--threads", threads, "--batch-rows", "97")
    assert usual.code == other.code == 0, usual.err + other.err
    assert usual.out == other.out
