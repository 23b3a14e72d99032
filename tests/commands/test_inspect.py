"""``inspect`` names what was planted, through the real program, and is silent about a sound table."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

NAMES = ("cat", "dog", "bird", "fish", "cow")
ROWS = 600


@pytest.fixture
def sound():
    """Logits as a trained network gives them: the true class around 9, the others around -2."""
    rng = np.random.default_rng(7)
    z = rng.normal(-2, 1.5, (ROWS, len(NAMES)))
    z[np.arange(ROWS), rng.integers(0, len(NAMES), ROWS)] = rng.normal(9, 2, ROWS)
    return z


@pytest.fixture
def inspect(softmax_cli, tmp_path):
    """Write a table as Parquet, inspect it, and return the report."""

    def run(z, *flags, names=NAMES, dtype=np.float64):
        path = tmp_path / "in.parquet"
        columns = {"id": [f"r{i}" for i in range(len(z))]}
        columns |= {name: pa.array(np.asarray(z[:, i], dtype)) for i, name in enumerate(names)}
        pq.write_table(pa.table(columns), path)
        done = softmax_cli("inspect", path, "--json", *flags)
        assert (done.code, done.err) == (0, "")
        return json.loads(done.out)

    return run


def found(report):
    return {finding["code"]: finding for finding in report["findings"]}


def test_a_sound_table_has_no_finding(inspect, sound):
    """And its figures are those of NumPy."""
    report = inspect(sound)
    assert report["findings"] == []
    assert (report["format"], report["rows"], report["scored"], report["kind"]) == (1, ROWS, ROWS, "logits")
    cat = report["classes"][0]
    column = sound[:, 0]
    assert (cat["name"], cat["lowest"], cat["highest"]) == ("cat", column.min(), column.max())
    assert cat["mean"] == pytest.approx(column.mean(), rel=1e-12)
    assert cat["median"] == pytest.approx(np.median(column), abs=0.05)
    assert cat["predicted"] == (sound.argmax(axis=1) == 0).sum()
    assert sum(report["confidence"]) == sum(report["entropy"]) == ROWS


def test_a_planted_outlier_is_named_with_what_p_would_be_without_it(inspect, sound):
    winner = int(sound[400].argmax())
    loser = (winner + 1) % len(NAMES)
    sound[400, loser] = 250.0
    findings = found(inspect(sound))
    assert set(findings) == {"outlier-cells", "rows-held-by-an-outlier", "saturated-rows"}
    assert f"row 401 (r400): {NAMES[loser]} = 250" in findings["outlier-cells"]["places"][0]
    assert findings["outlier-cells"]["text"].startswith("1 cell ")
    low, high = map(float, findings["outlier-cells"]["flag"].removeprefix("--clip-logits=").split(","))
    assert low < np.delete(sound.ravel(), 400 * len(NAMES) + loser).min()
    assert np.delete(sound.ravel(), 400 * len(NAMES) + loser).max() < high < 250
    told = findings["rows-held-by-an-outlier"]["places"][0]
    row = sound[400].copy()
    row[loser] = np.median(sound[:, loser])
    p = np.exp(row - row.max()) / np.exp(row - row.max()).sum()
    expected = f"row 401 (r400): {NAMES[loser]} 1.000; without it {NAMES[winner]} {p.max():.3f}"
    assert told.endswith(expected)


def test_a_row_that_its_outlier_does_not_decide_is_no_problem(inspect, sound):
    """The class holds its rows at its median as well."""
    sound[:, 0] = np.random.default_rng(0).normal(30, 1, ROWS)
    sound[400, 0] = 90
    findings = found(inspect(sound))
    assert findings["outlier-cells"]["text"].startswith("1 cell ")
    assert "rows-held-by-an-outlier" not in findings


def test_probabilities_in_place_of_logits(inspect, sound):
    p = np.exp(sound) / np.exp(sound).sum(axis=1, keepdims=True)
    findings = found(inspect(p))
    assert findings["probabilities-as-logits"]["flag"] == "--input prob"
    assert findings["probabilities-as-logits"]["severity"] == "problem"
    assert found(inspect(p, "--input", "prob")) == {}
    assert found(inspect(np.log(p)))["log-probabilities-as-logits"]["flag"] == "--input logprob"
    assert "sums-off" in found(inspect(p * 0.9, "--input", "prob"))


def test_the_flag_of_a_finding_can_be_typed_as_it_stands(inspect, softmax_cli, sound):
    """And clips the planted cell, also where another class is on a larger scale."""
    sound[400, 1] = 250.0
    sound[:, 2] *= 20
    flag = found(inspect(sound))["outlier-cells"]["flag"]
    assert float(flag.rpartition(",")[2]) < 60
    done = softmax_cli("predict", "in.parquet", flag)
    assert done.code == 0, done.err


@pytest.mark.parametrize("factor", [10, 0.1])
def test_a_scaled_class(inspect, sound, factor):
    sound[:, 2] *= factor
    finding = found(inspect(sound))["class-on-another-scale"]
    assert "bird x" in finding["text"]
    assert finding["text"].startswith("1 class ")


def test_duplicate_rows_and_columns_and_constant_ones(inspect, sound):
    sound[500:510] = sound[10:20]
    sound[:, 4] = sound[:, 1]
    sound[:, 3] = 0.5
    findings = found(inspect(sound))
    assert findings["duplicate-rows"]["text"].startswith("10 rows ")
    assert findings["duplicate-rows"]["places"][0] == "data row 11 stands 2 times"
    assert findings["duplicate-columns"]["places"] == ["cow = dog"]
    assert findings["constant-columns"]["places"] == ["fish = 0.5"]


def test_missing_infinite_and_flat(inspect, sound):
    """Bad rows do not stop it."""
    sound[3, 1], sound[5, 0], sound[7, 2] = np.nan, np.inf, -np.inf
    sound[9] = 1.25
    report = inspect(sound)
    findings = found(report)
    assert findings["bad-rows"]["text"].startswith("2 rows of 600")
    assert "row 4: column 'dog'" in findings["bad-rows"]["places"][0]
    assert "row 4 (r3), class dog" in findings["missing-cells"]["places"][0]
    assert "row 6 (r5), class cat" in findings["infinite-cells"]["places"][0]
    assert "row 8 (r7), class bird" in findings["masked-cells"]["places"][0]
    assert "row 10 (r9)" in findings["flat-rows"]["places"][0]
    assert report["scored"] == ROWS - 2


def test_saturation_and_float16(inspect, sound):
    sound[:400] *= 4
    finding = found(inspect(sound, dtype=np.float32))["saturated-rows"]
    assert finding["severity"] == "warning"
    assert finding["flag"] == "--dtype float64"
    assert "exactly 1 in float32" in finding["text"]
    sound[8, 0] = -70000
    assert found(inspect(sound))["float16-overflow"]["text"].startswith("1 cell of cat")


def test_one_class_takes_all(inspect, sound):
    sound[:, 0] += 40
    findings = found(inspect(sound))
    assert "cat is predicted for" in findings["one-class-predicted"]["text"]


def test_every_flagged_row_is_written(softmax_cli, tmp_path, sound):
    sound[40, 1], sound[41, 2] = 300, np.nan
    sound[500] = sound[20]
    path = tmp_path / "in.parquet"
    columns = {"id": [f"r{i}" for i in range(ROWS)]} | {n: pa.array(sound[:, i]) for i, n in enumerate(NAMES)}
    pq.write_table(pa.table(columns), path)
    done = softmax_cli("inspect", path, "--rows-out", "flagged.csv", "--batch-rows", "37")
    assert done.code == 0, done.err
    assert done.err == "4 flagged rows in flagged.csv\n"
    rows = list(csv.DictReader(io.StringIO((tmp_path / "flagged.csv").read_text())))
    assert [(row["id"], row["reason"], row["class"]) for row in rows] == [
        ("r20", "repeated", ""),
        ("r40", "outlier", "dog"),
        ("r41", "bad", ""),
        ("r500", "repeated", ""),
    ]
    assert rows[1]["where"].endswith("row 41")
    assert "holds the row: dog 1.000; without it" in rows[1]["detail"]
    again = softmax_cli("inspect", path, "--rows-out", "flagged.csv")
    assert (again.code, "--force" in again.err) == (2, True)


def test_a_pipe_cannot_be_read_twice(softmax_cli):
    done = softmax_cli("inspect", "-", "--rows-out", "flagged.csv", stdin=b"id,a,b\n1,2,3\n")
    assert (done.code, done.out) == (2, b"")
    assert "--rows-out reads the input twice" in done.err


def test_text_on_a_pipe_is_inspected_like_a_file(softmax_cli, tmp_path, sound):
    """Ragged rows and text among the numbers are findings with their lines."""
    lines = ["id," + ",".join(NAMES)] + [f"r{i}," + ",".join(map(repr, map(float, row))) for i, row in enumerate(sound)]
    lines[5] = "r4,1,2,x,4,5"
    lines[8] = "r7,1,2,3,4,5,6"
    text = ("\n".join(lines) + "\n").encode()
    done = softmax_cli("inspect", "-", "--json", stdin=text)
    assert done.code == 0, done.err
    text_cell, ragged = found(json.loads(done.out))["bad-rows"]["places"]
    assert text_cell.startswith("stdin:6: column 'bird'")
    assert ragged.startswith("stdin:9:")


@pytest.mark.parametrize("flags", [["--threads", "3", "--batch-rows", "1"], ["--threads", "1", "--batch-rows", "91"]])
def test_the_report_does_not_depend_on_blocks_or_threads(inspect, sound, flags):
    sound[40, 1], sound[41, 2], sound[42, 3] = 300, np.nan, -np.inf
    assert inspect(sound) == inspect(sound, *flags)


@pytest.mark.parametrize("columns", [60, 80])
def test_the_screen_is_not_overrun(softmax_cli, tmp_path, sound, columns):
    names = [f"class_with_a_long_name_{i}" for i in range(214)]
    z = np.random.default_rng(0).normal(0, 2, (300, 214))
    z[7, 9] = 900
    path = tmp_path / "wide.parquet"
    pq.write_table(pa.table({name: pa.array(z[:, i]) for i, name in enumerate(names)}), path)
    done = softmax_cli("inspect", path.name, env={"COLUMNS": str(columns), "PYTHONIOENCODING": "utf-8"})
    assert (done.code, done.err) == (0, "")
    assert max(map(len, done.text.splitlines())) <= columns
    assert "202 more classes" in done.text
    assert "row 8: " in done.text


def test_a_screen_without_unicode(softmax_cli, tmp_path, sound):
    sound[40, 1] = 300
    pq.write_table(pa.table({name: pa.array(sound[:, i]) for i, name in enumerate(NAMES)}), tmp_path / "in.parquet")
    done = softmax_cli("inspect", "in.parquet", env={"PYTHONIOENCODING": "ascii"})
    assert (done.code, done.err) == (0, "")
    assert done.text.isascii()
    assert "row 41: dog 1.000; without it" in " ".join(done.text.split())


def test_first_rows_that_are_not_typical_make_nothing_wrong(inspect, sound):
    """The table is sorted: the rows that decide the bins are a thousand times smaller than those that follow."""
    small = np.tile(sound / 1000, (2, 1))
    table = np.concatenate([small, np.tile(sound, (5, 1)) + np.random.default_rng(0).normal(0, 0.01, (5 * ROWS, 5))])
    table[3000, 2] = 400
    report = inspect(table)
    finding = found(report)["outlier-cells"]
    assert finding["text"].startswith("1 cell ")
    assert "row 3001 (r3000): bird = 400" in finding["places"][0]
    for figures, column in zip(report["classes"], table.T, strict=True):
        assert figures["median"] == pytest.approx(np.median(column), abs=0.03)


@pytest.mark.parametrize("value", [1.7e308, -1.7e308, 1e-308])
def test_numbers_at_the_ends_of_the_type(inspect, sound, value):
    """Nothing overflows on the way (the report is JSON, without nan), and a huge cell is an outlier."""
    sound[40, 1] = value
    sound[41] = [1.7e308, -1.7e308, 0, 1, 2]
    assert "outlier-cells" in found(inspect(sound))


def test_a_class_without_a_value(inspect, sound):
    """Every row is bad, and that is all there is to say: no row or column is called a repetition."""
    sound[:, 1:3] = np.nan
    report = inspect(sound)
    assert set(found(report)) == {"bad-rows", "missing-cells"}
    assert report["classes"][1]["median"] is None


def test_an_empty_table_is_told_as_such(softmax_cli):
    done = softmax_cli("inspect", "-", "--json", stdin=b"id,a,b\n")
    assert done.code == 0, done.err
    report = json.loads(done.out)
    assert (report["rows"], report["findings"]) == (0, [])
    assert softmax_cli("inspect", "-", stdin=b"id,a,b\n").code == 0


def test_a_single_score_column(softmax_cli):
    """The score z becomes [0, z]: the made-up column is no finding."""
    lines = "\n".join(f"r{i},{(i * 37 % 100) / 10 - 4.95:.2f}" for i in range(100))
    done = softmax_cli("inspect", "-", "--json", stdin=f"id,spam\n{lines}\n".encode())
    assert done.code == 0, done.err
    assert json.loads(done.out)["findings"] == []


def test_wrong_usage_is_said(softmax_cli):
    done = softmax_cli("inspect", "-", "--outlier-limit", "0", stdin=b"a,b\n1,2\n")
    assert (done.code, done.out) == (2, b"")
    assert "--outlier-limit" in done.err


@pytest.mark.parametrize(
    ("name", "classes"),
    [("cifar10_resnet50_brier/test.parquet", 10), ("cifar10_wideresnet2610_flsd53/test_logits.npy", 10)],
)
def test_real_logits_of_a_sound_network_hold_no_outlier(softmax_cli, real_data, name, classes):
    done = softmax_cli("inspect", real_data(name), "--json")
    assert done.code == 0, done.err
    report = json.loads(done.out)
    assert len(report["classes"]) == classes
    assert not {"outlier-cells", "class-on-another-scale", "bad-rows"} & set(found(report))


def test_real_probabilities_are_recognised(softmax_cli, real_data):
    path = real_data("cifar10_wrn16_4_probs/cifar10_wrn16_4_probs.parquet")
    done = softmax_cli("inspect", path, "--json", "--input", "logits")
    assert "probabilities-as-logits" in found(json.loads(done.out))
