"""``softmax-cli calibrate`` and ``predict --calibration``: published figures, promises kept, misuse refused."""

import csv
import io
import json
import subprocess
import sys

import numpy as np
import pyarrow.parquet as pq
import pytest
from scipy.special import log_softmax

from softmax_cli.numeric.calibrators import names

CIFAR = "cifar10_resnet50_brier"
FOCAL = "cifar10_wideresnet2610_flsd53"
MAGIKA = "magika_filetypes"
SPLIT = {
    CIFAR: ((f"{CIFAR}/val.csv",), (f"{CIFAR}/test.parquet",)),
    FOCAL: ((f"{FOCAL}/val_logits.npy",), (f"{FOCAL}/test_logits.npy",)),
    MAGIKA: tuple((f"{MAGIKA}/magika_logits.parquet", "--where", f"split={split}") for split in ("val", "test")),
    **{
        name: tuple((f"digits/{name}.{suffix}", "--where", f"split={split}") for split in ("val", "test"))
        for name, suffix in (("digits_mlp_logits", "csv"), ("digits_imbalanced_logreg_logits", "parquet"))
    },
}


@pytest.fixture(scope="module")
def reference(real_data):
    return json.loads(real_data("reference_metrics.json").read_text())


@pytest.fixture
def table(real_data):
    """Give the arguments that name the ``val`` (0) or ``test`` (1) rows of a data set."""
    return lambda name, part: (real_data(SPLIT[name][part][0]), *SPLIT[name][part][1:])


def rows_of(done):
    assert done.code == 0, done.err
    return list(csv.DictReader(io.StringIO(done.text)))


@pytest.mark.parametrize("name", SPLIT)
def test_temperatures_of_others(softmax_cli, table, reference, name):
    """By likelihood to 1e-4, and by the grid of ECE exactly: for the CIFAR networks these are the published ones."""
    for flags, expected, tolerance in (
        (("--keep-fit",), reference[name]["T_nll"], 1e-4),
        (("--objective", "ece-grid"), reference[name]["T_ece_grid_0p1"], 0),
    ):
        done = softmax_cli("calibrate", *table(name, 0), *flags)
        assert done.code == 0, done.err
        held = json.loads(done.text)
        assert held["parameters"]["temperature"] == pytest.approx(expected, abs=tolerance, rel=0)
        assert held["fit"]["before"]["nll"] == pytest.approx(reference[name]["val"]["nll"], abs=1e-6)


@pytest.mark.parametrize("name", SPLIT)
@pytest.mark.parametrize(("coverage", "key"), [("0.9", "lac_alpha_0p1"), ("0.95", "lac_alpha_0p05")])
def test_sets_of_others(softmax_cli, table, reference, tmp_path, name, coverage, key):
    """Coverage and size exactly, with published code's quantile and empty sets."""
    sets = ("--coverage", coverage, "--quantile", "higher", "--allow-empty")
    done = softmax_cli("calibrate", *table(name, 0), "--method", "none", *sets, "-o", "c.json")
    assert done.code == 0, done.err
    assert json.loads((tmp_path / "c.json").read_text())["conformal"]["threshold"] == pytest.approx(
        [reference[name][key]["qhat"]],
        abs=1e-8,  # the tables hold float32, in decimals or in binary
    )
    rows = rows_of(softmax_cli("predict", *table(name, 1), "--calibration", "c.json", "--only-predictions"))
    members = [json.loads(row["set"]) for row in rows]
    names = [row["label"] for row in rows]
    assert sum(name in found for name, found in zip(names, members, strict=True)) / len(rows) == pytest.approx(
        reference[name][key]["coverage"], abs=1e-12
    )
    assert sum(map(len, members)) / len(rows) == pytest.approx(reference[name][key]["mean_size"], abs=1e-12)
    assert [int(row["set_size"]) for row in rows] == [len(found) for found in members]


@pytest.mark.parametrize("name", [CIFAR, MAGIKA])
def test_log_loss_after_calibration(softmax_cli, table, reference, name):
    found = softmax_cli("calibrate", *table(name, 0), "-o", "c.json", "--quiet")
    assert found.code == 0, found.err
    assert ("warning: log loss fell while ECE rose" in found.err) == (name == MAGIKA)
    p = rows_of(softmax_cli("predict", *table(name, 1), "--calibration", "c.json", "--digits", "17"))
    nll = -np.mean([np.log(float(row[f"prob_{row['label']}"])) for row in p])
    assert nll == pytest.approx(reference[name]["test_at_T_nll"]["nll"], abs=1e-6)


def toy(rows=400, classes=4, sharpness=2.0):
    """Over-confident logits: the labels follow softmax(z)."""
    rng = np.random.default_rng(3)
    z = rng.normal(size=(rows, classes)) * 1.5
    p = np.exp(log_softmax(z, axis=1))
    labels = [rng.choice(classes, p=row) for row in p]
    lines = [
        ",".join([*map(repr, map(float, row * sharpness)), f"c{label}"]) for row, label in zip(z, labels, strict=True)
    ]
    return "\n".join([",".join([*(f"c{i}" for i in range(classes)), "y"]), *lines, ""])


@pytest.fixture
def val(tmp_path):
    path = tmp_path / "val.csv"
    path.write_text(toy())
    return path


@pytest.mark.parametrize(
    "method", ["temperature", "bcts", "vector", "matrix", "dirichlet", "platt", "beta", "isotonic", "histogram"]
)
def test_every_method_fits_and_applies(softmax_cli, val, tmp_path, method):
    done = softmax_cli("calibrate", val, "--label", "y", "--method", method, "-o", "c.json", "--keep-fit")
    assert done.code == 0, done.err
    held = json.loads((tmp_path / "c.json").read_text())
    assert held["method"] == method
    assert f"{method}: " in done.text
    rows = rows_of(softmax_cli("predict", val, "--calibration", "c.json"))
    sums = [sum(float(value) for name, value in row.items() if name.startswith("prob_")) for row in rows]
    assert sums == pytest.approx([1.0] * len(rows), abs=1e-8)


def test_the_best_of_all_and_the_comparison(softmax_cli, val):
    shown = softmax_cli("calibrate", val, "--method", "auto", "-o", "c.json")
    assert shown.code == 0, shown.err
    assert shown.text.index("All methods") < shown.text.index("histogram")
    report = json.loads(softmax_cli("calibrate", val, "--method", "auto", "--json").text)
    losses = [one["figures"]["nll"] for one in report["compared"] if one["figures"]["nll"] is not None]
    assert losses == sorted(losses)
    assert len(report["compared"]) + len(report["refused"]) == len(names())
    assert report["method"] == report["compared"][0]["method"]
    assert report["after"] == report["compared"][0]["figures"]


def test_where_it_goes(softmax_cli, val, tmp_path):
    """A pipe gets the file itself; with -o it goes there, and the report to the screen or the pipe."""
    piped = softmax_cli("calibrate", val)
    named = softmax_cli("calibrate", val, "-o", "c.json")
    assert piped.out == (tmp_path / "c.json").read_bytes()
    assert "log loss" in named.text
    assert "softmax-cli predict --calibration c.json" in named.err
    again = softmax_cli("calibrate", val, "-o", "c.json")
    assert (again.code, again.out) == (2, b"")
    assert "--force" in again.err
    from_pipe = softmax_cli("calibrate", "-", stdin=val.read_bytes())
    assert json.loads(from_pipe.text)["fit"]["data_hash"] == json.loads(piped.text)["fit"]["data_hash"]


def test_what_was_done_is_told_and_recorded(softmax_cli, val, tmp_path):
    flags = ("--coverage", "0.8", "--min-coverage", "0.5", "-w", "c0=2", "--clip-logits=-5,5")
    assert softmax_cli("calibrate", val, "-o", "c.json", *flags).code == 0
    use = ("--calibration", "c.json", *flags[4:])
    plan = softmax_cli("predict", val, *use, "--dry-run").text
    done = softmax_cli("predict", val, *use, "-o", "p.parquet")
    assert done.code == 0, done.err
    operations = json.loads(pq.read_schema(tmp_path / "p.parquet").metadata[b"softmax_cli"])["operations"]
    assert all(step in plan for step in operations)
    order = [
        "--clip-logits",
        "--calibration: temperature",
        "--class-weights",
        "softmax",
        "--calibration: lac",
        "abstain",
    ]
    assert [mark in step for mark, step in zip(order, operations[1:], strict=True)] == [True] * 6
    table = pq.read_table(tmp_path / "p.parquet")
    assert str(table.schema.field("set").type) == "list<element: string>"
    answered = np.array([name != "" for name in table["prediction"].to_pylist()])
    cut = json.loads((tmp_path / "c.json").read_text())["abstention"]["confidence"]
    assert np.array_equal(answered, table["confidence"].to_numpy() >= cut)
    assert 0.45 <= answered.mean() < 1


@pytest.mark.parametrize("sets", [("--score", "aps", "--randomized"), ("--score", "raps", "--per-class")])
def test_neither_threads_nor_batches_change_a_byte(softmax_cli, real_data, sets):
    path = real_data(f"{CIFAR}/val.parquet")
    done = softmax_cli("calibrate", path, "-o", "c.json", "--coverage", "0.9", *sets, "--threads", "1")
    assert done.code == 0, done.err
    other = softmax_cli("calibrate", path, "-o", "d.json", "--coverage", "0.9", *sets, "--batch-rows", "97")
    assert other.text == done.text
    usual = softmax_cli("predict", path, "--calibration", "c.json")
    cut = softmax_cli("predict", path, "--calibration", "d.json", "--threads", "3", "--batch-rows", "97")
    assert usual.out == cut.out
    assert usual.code == 0


def test_thresholds_on_rows_that_the_calibration_has_not_seen(softmax_cli, val, tmp_path):
    assert softmax_cli("calibrate", val, "-o", "c.json").code == 0
    (tmp_path / "more.csv").write_text(toy(rows=99))
    done = softmax_cli("calibrate", "more.csv", "--calibration", "c.json", "--coverage", "0.9", "-o", "d.json")
    assert done.code == 0, done.err
    first, second = (json.loads((tmp_path / name).read_text()) for name in ("c.json", "d.json"))
    assert second.pop("conformal")["rows"] == 99
    assert first == second


def test_too_few_rows_for_the_promise_is_said(softmax_cli, tmp_path):
    (tmp_path / "few.csv").write_text(toy(rows=8))
    done = softmax_cli("calibrate", "few.csv", "--method", "none", "--coverage", "0.9", "-o", "c.json")
    assert "warning: 8 rows cannot promise a coverage of 0.9: every set holds every class; at least 9" in done.err
    rows = rows_of(softmax_cli("predict", "few.csv", "--calibration", "c.json", "--quiet"))
    assert {row["set_size"] for row in rows} == {"4"}


def test_thresholds_need_no_fit_and_a_refusal_says_so(softmax_cli, tmp_path):
    (tmp_path / "s.csv").write_text(SEPARATED)
    done = softmax_cli("calibrate", "s.csv", "--coverage", "0.9")
    assert done.code == 1
    assert "perfectly separated" in done.err
    assert "--method none" in done.err
    assert softmax_cli("calibrate", "s.csv", "--coverage", "0.9", "--method", "none").code == 0


def test_the_size_of_the_sets_is_said(softmax_cli, tmp_path):
    random = np.random.default_rng(0)
    z = random.normal(size=(400, 9))
    lines = [f"{','.join(f'{value:.6f}' for value in row)},{random.choice(9, p=np.exp(log_softmax(row)))}" for row in z]
    (tmp_path / "wide.csv").write_text("\n".join([",".join([*map(str, range(9)), "y"]), *lines]) + "\n")
    asked = ("calibrate", "wide.csv", "--label", "y", "--method", "none", "--coverage")
    shown = softmax_cli(*asked, "0.9", "--score", "aps", "-o", "c.json").text
    shown = " ".join(shown.split())
    assert "of 9 classes on average; aps without draws makes long sets: --randomized or --score lac" in shown
    assert "makes long sets" not in softmax_cli(*asked, "0.9", "-o", "d.json").text
    report = json.loads(softmax_cli(*asked, "0.9", "--json").text)
    assert 1 < report["sets"]["mean_size"] < 9
    everything = softmax_cli(*asked, "0.9999", "--score", "margin", "--quantile", "higher", "--json")
    assert "every set holds every class" in everything.err


@pytest.mark.parametrize("score", ["margin", "raps-tuned", "saps", "top-k"])
@pytest.mark.parametrize("more", [(), ("--per-class", "--quantile", "higher"), ("--clustered",)])
def test_every_score_covers_what_it_promises(softmax_cli, real_data, tmp_path, score, more):
    asked = ("calibrate", real_data(f"{CIFAR}/val.parquet"), "--coverage", "0.95", "--score", score, *more)
    assert softmax_cli(*asked, "-o", "c.json").code == 0
    done = softmax_cli("predict", real_data(f"{CIFAR}/test.parquet"), "--calibration", "c.json", "-o", "p.parquet")
    assert done.code == 0, done.err
    table = pq.read_table(tmp_path / "p.parquet")
    truths = pq.read_table(real_data(f"{CIFAR}/test.parquet"))["label"].to_pylist()
    covered = np.mean([truth in found for truth, found in zip(truths, table["set"].to_pylist(), strict=True)])
    assert covered >= 0.94
    if score == "margin":  # no ties
        assert covered == pytest.approx(0.95, abs=0.01)


def test_it_does_not_help_and_so_t_stays_1(softmax_cli, table):
    done = softmax_cli("calibrate", *table("digits_mlp_logits", 0), "--quiet")
    assert done.err.startswith("warning: temperature does not improve log loss on held-out rows (0.167551 to 0.1745")
    assert "T stays 1" in done.err
    assert json.loads(done.text)["parameters"] == {"temperature": 1.0}


SEPARATED = "a,b,y\n" + "3,0,a\n0,2,b\n1,0,a\n0,1,b\n" * 5
REVERSED = "a,b,y\n" + "3,0,b\n0,2,a\n1,0,b\n0,1,a\n" * 5


@pytest.mark.parametrize(
    ("text", "flags", "code", "words"),
    [
        (SEPARATED, (), 1, "perfectly separated"),
        (REVERSED, (), 1, "worse than uniform"),
        (SEPARATED.replace("b", "c", 1), ("--method", "vector"), 1, "'b' is no class"),
        ("a,b,c,y\n" + "1,2,0,a\n2,1,0,b\n" * 9, ("--method", "isotonic"), 1, "labelled c"),
        ("a,b,y\n1,2,a\n1,,b\n", (), 1, "column 'b'"),
        ("a,b,y\n1,2,a\n1,2,\n", (), 1, "is a missing truth"),
        ("a,b,y\n1,2,a\n-inf,2,a\n", (), 1, "3: the true class 'a' has probability 0"),
        ("a,b,y\n1,2,a\n", (), 1, "5 folds of 1 row"),
        ("a,b,y\n", (), 1, "no row"),
        ("a,b\n1,2\n", (), 2, "--label"),
        (SEPARATED, ("--method", "os"), 2, "choose one of"),
        (SEPARATED, ("--method", "none"), 2, "--coverage"),
        (SEPARATED, ("--objective", "brier"), 2, "nll, ece-grid"),
        (SEPARATED, ("--objective", "ece-grid", "--method", "platt"), 2, "drop --method"),
        (SEPARATED, ("--coverage", "1"), 2, "below 1"),
        (SEPARATED, ("--score", "aps"), 2, "add --coverage"),
        (SEPARATED, ("--coverage", "0.9", "--randomized"), 2, "aps or raps"),
        (SEPARATED, ("--max-risk", "0.1", "--min-coverage", "0.5"), 2, "drop one"),
        (REVERSED, ("--method", "none", "--max-risk", "0.1"), 1, "lowest risk"),
        (SEPARATED, ("--where", "split=val"), 2, "no such column"),
    ],
)
def test_what_cannot_be_fitted_is_refused_with_the_reason(softmax_cli, text, flags, code, words):
    done = softmax_cli("calibrate", "-", *flags, "-o", "c.json", stdin=text.encode())
    assert (done.code, done.out) == (code, b""), done.err
    assert words in done.err
    assert done.err.splitlines()[-1].startswith("error: ")
    assert "Traceback" not in done.err


def test_a_bad_row_can_be_left_out(softmax_cli):
    text = toy().replace("\n", "\nnan,0,0,0,c0\n", 1)
    done = softmax_cli("calibrate", "-", "--on-bad-row", "skip", stdin=text.encode())
    assert done.code == 0, done.err
    assert "1 bad row left out" in done.err
    assert json.loads(done.text)["fit"]["rows"] == 400


@pytest.mark.parametrize(
    ("flags", "code", "words"),
    [
        (("-T", "2"), 2, "exclude each other"),
        (("--activation", "sigmoid"), 2, "--activation"),
        (("--dtype", "float32"), 2, "--dtype"),
        (("--layout", "long"), 2, "--layout long"),
        (("-w", "c0=2"), 2, "conformal threshold was chosen with other class weights"),
        (("--clip-logits=-1,1",), 2, "fitted to logits with no remedy"),
        (("--logits", "c0,c1,c2"), 1, "lacks 'c3'"),
    ],
)
def test_misuse_of_a_calibration_is_refused(softmax_cli, val, flags, code, words):
    assert softmax_cli("calibrate", val, "--coverage", "0.9", "-o", "c.json").code == 0
    done = softmax_cli("predict", val, "--calibration", "c.json", *flags)
    assert (done.code, done.out) == (code, b""), done.err
    assert words in done.err


def test_a_calibration_that_is_kept_nowhere_is_said_before_the_fit(softmax_cli, val):
    words = "the calibration is not saved: add -o calibration.json to keep it"
    assert softmax_cli("calibrate", val, "--json").err.startswith(words)
    for kept in ((), ("--json", "-o", "calibration.json")):
        done = softmax_cli("calibrate", val, *kept)
        assert (done.code, words in done.err) == (0, False)


def test_a_future_format_is_refused(softmax_cli, val, tmp_path):
    assert softmax_cli("calibrate", val, "-o", "c.json").code == 0
    path = tmp_path / "c.json"
    path.write_text(path.read_text().replace('"format": 1', '"format": 9'))
    done = softmax_cli("predict", val, "--calibration", "c.json")
    assert (done.code, done.out) == (1, b"")
    assert "format 9" in done.err


def test_rows_that_the_calibration_has_seen_are_told(softmax_cli, tmp_path):
    """By name, where no condition parts the rows; other rows, and some of the file, are passed in silence."""
    rng = np.random.default_rng(0)
    z = 3 * rng.normal(size=(300, 3))
    lines = [f"{a:.3f},{b:.3f},{c:.3f},{rng.integers(3)},{'ab'[i % 2]}" for i, (a, b, c) in enumerate(z)]
    table = "\n".join(["logit_0,logit_1,logit_2,label,half", *lines])
    for name in ("seen.csv", "other.csv"):
        (tmp_path / name).write_text(table)
    seen, file = str(tmp_path / "seen.csv"), str(tmp_path / "cal.json")
    assert softmax_cli("calibrate", seen, "-q", "-o", file).code == 0
    again = (("evaluate", seen), ("calibrate", seen, "--coverage", "0.9", "--json"))
    for command in again:
        done = softmax_cli(*command, "--calibration", file, "-q")
        assert done.code == 0, done.err
        assert done.err.count(f"{seen} is what --calibration {file} was made from") == 1
    for command in (("evaluate", str(tmp_path / "other.csv")), ("evaluate", seen, "--where", "half=a")):
        assert "was made from" not in softmax_cli(*command, "--calibration", file, "-q").err


PEAK = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


@pytest.mark.slow
def test_a_large_table_is_held_once(program, tmp_path):
    """Copies, for each fold or to be scored, took six times the table."""
    rng = np.random.default_rng(0)
    z, labels = rng.normal(size=(20_000, 1000)), rng.integers(0, 1000, 20_000)
    z[np.arange(len(z)), labels] += 3
    small, large = tmp_path / "small.npz", tmp_path / "large.npz"
    np.savez(small, logits=z[:200], labels=labels[:200])
    np.savez(large, logits=z, labels=labels)
    found = [
        subprocess.run(
            [sys.executable, "-c", PEAK, program, "calibrate", path, "-q", "-o", tmp_path / "c.json", "--force"],
            capture_output=True,
            text=True,
        ).stdout.split()
        for path in (small, large)
    ]
    assert [code for code, _ in found] == ["0", "0"]
    small_peak, large_peak = (1024 * int(peak) for _, peak in found)
    # The file itself is mapped into memory, and counts once more.
    assert large_peak - small_peak < 2.8 * z.nbytes
