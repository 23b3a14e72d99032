"""Truths as people write them: by name, by number, as floats, booleans or marks, with blanks, gaps and typos.

The law first: however the same truths are spelled, and wherever they stand, the report is the same.
"""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from softmax_cli.errors import DataError
from softmax_cli.tables.columns import Columns
from softmax_cli.tables.labels import MISSING, UNKNOWN, ClassLookup, LabelReading, OneHotTruth

CLASSES = ("cat", "dog", "bird")


def lookup(*classes: str, counted_from: int | None = None) -> ClassLookup:
    return ClassLookup.of(Columns(classes, classes, "logits"), counted_from)


def found(truths, *classes: str, **typed: int) -> list[int]:
    return lookup(*(classes or CLASSES), **typed)(pa.array(truths)).indices.tolist()


SPELLINGS = {
    "names": lambda i: CLASSES[i],
    "blanks": lambda i: f" {CLASSES[i]} ",
    "whole": int,
    "floats": float,
    "text": str,
    "decimal text": lambda i: f"{i}.0",
}


@given(st.lists(st.integers(0, 2), min_size=1, max_size=20), st.sampled_from(list(SPELLINGS)), st.integers(0, 20))
def test_every_spelling_of_a_truth_is_the_same_class_in_every_cut(truths, spelling, cut):
    column = pa.array([SPELLINGS[spelling](truth) for truth in truths])
    for part in (column, column.dictionary_encode()):
        look = lookup(*CLASSES)
        assert [*look(part.slice(0, cut)).indices, *look(part.slice(cut)).indices] == truths


@given(st.lists(st.integers(0, 2), min_size=1, max_size=20))
def test_marks_in_columns_and_in_lists_are_the_same_class(truths):
    marks = np.eye(3)[truths]
    for dtype in (np.int64, np.float64, bool):
        typed = marks.astype(dtype)
        lists = pa.array(typed.tolist())
        assert lookup(*CLASSES)(lists).indices.tolist() == truths
        columns = pa.record_batch([pa.array(typed[:, i]) for i in range(3)], names=["a", "b", "c"])
        assert OneHotTruth(("a", "b", "c")).labels(columns).indices.tolist() == truths


@pytest.mark.parametrize("names", [("p1", "p2", "p3"), ("class_1", "class_2", "class_3"), ("1", "2", "3")])
def test_numbers_are_looked_for_in_the_names(names):
    assert found([1, 2, 3.0], *names) == [0, 1, 2]
    assert lookup(*names)(pa.array([1])).reading == LabelReading(by_name="1")


@pytest.mark.parametrize("names", [("mp3", "mp4"), ("h264", "av1"), ("a1b2", "a1b3")])
def test_numbers_that_are_no_count_are_not(names):
    assert found([0, 1], *names) == [0, 1]


def test_numbers_in_names_and_positions_do_not_mix():
    with pytest.raises(DataError, match="--labels-from 0"):
        lookup("p1", "p2", "p3")(pa.array([0, 1, 2]))
    assert found([0, 1, 2], "p1", "p2", "p3", counted_from=0) == [0, 1, 2]
    assert found([1, 2, 3], "cat", "dog", "bird", counted_from=1) == [0, 1, 2]
    assert found(["cat", "3", "4", "0"], "cat", "dog", "bird", counted_from=1) == [0, 2, UNKNOWN, UNKNOWN]


def test_positions_are_said():
    note = lookup(*CLASSES)(pa.array([0, 1])).reading.note
    assert "0 is the first class column" in note
    assert "--labels-from 1" in lookup(*CLASSES)(pa.array([1, 2])).reading.note
    assert lookup(*CLASSES)(pa.array(["cat"])).reading.note is None


@given(st.permutations([1, 2, 3]), st.integers(0, 3))
def test_numbers_from_1_are_refused_however_the_rows_are_cut(truths, cut):
    look = lookup(*CLASSES)
    reading = look(pa.array(truths[:cut], pa.int64())).reading.plus(look(pa.array(truths[cut:], pa.int64())).reading)
    with pytest.raises(DataError, match="--labels-from 1"):
        reading.check(3)
    reading.plus(look(pa.array([0])).reading).check(3)


@pytest.mark.parametrize(
    "missing", ["", " ", "NA", "n/a", "nan", "NaN", "null", "None", "<NA>", "-100", "-100.0", None]
)
def test_what_stands_for_no_truth_is_missing(missing):
    assert found(["cat", missing]) == [0, MISSING]


@pytest.mark.parametrize("missing", [-100, -100.0, float("nan"), None])
def test_numbers_that_stand_for_no_truth_are_missing(missing):
    assert found([0, missing]) == [0, MISSING]


def test_a_typo_is_answered_with_the_nearest_class():
    labels = lookup(*CLASSES)(pa.array(["cat", "brid"]))
    assert labels.problem(1) == "is no class; did you mean 'bird'?; classes: cat, dog, bird; truths here: cat, brid"


def test_many_classes_are_not_all_named():
    names = [f"x{i}y" for i in range(200)]
    problem = lookup(*names)(pa.array(["zzzz"])).problem(0)
    assert " and 190 more" in problem
    assert len(problem) < 300


@pytest.mark.parametrize("marks", [[0, 0, 0], [1, 1, 0], [0.5, 0.5, 0]])
def test_marks_that_mark_no_class_are_bad(marks):
    batch = pa.record_batch([pa.array([float(mark)]) for mark in marks], names=["a", "b", "c"])
    labels = OneHotTruth(("a", "b", "c")).labels(batch)
    assert labels.indices.tolist() == [UNKNOWN]
    assert "does not mark one class" in labels.problem(0)


# -- in the program

SCORES = pd.DataFrame({"id": list("pqrs"), "cat": [2.5, 0, 0, 1], "dog": [1, 2.25, 0, 2], "bird": [0, 0, 1.5, 0.5]})
TRUTHS = [0, 1, 2, 0]
FORMATS = ("csv", "jsonl", "json", "parquet", "arrow")


def write(frame: pd.DataFrame, path) -> None:
    writers = {
        ".csv": lambda: frame.to_csv(path, index=False),
        ".jsonl": lambda: frame.to_json(path, orient="records", lines=True),
        ".json": lambda: frame.to_json(path, orient="records"),
        ".parquet": lambda: frame.to_parquet(path, index=False),
        ".arrow": lambda: frame.to_feather(path),
    }
    writers[path.suffix]()


def spelled(spelling: str) -> pd.DataFrame:
    if spelling == "one-hot":
        marks = np.eye(3, dtype=int)[TRUTHS]
        return SCORES.assign(**{f"y_{name}": marks[:, i] for i, name in enumerate(CLASSES)})
    if spelling == "booleans":
        marks = np.eye(3, dtype=bool)[TRUTHS]
        return SCORES.assign(**{f"is_{name}": marks[:, i] for i, name in enumerate(CLASSES)})
    return SCORES.assign(label=[SPELLINGS[spelling](truth) for truth in TRUTHS])


@pytest.fixture
def accuracy(softmax_cli, tmp_path):
    def run(*arguments: str) -> float:
        done = softmax_cli("evaluate", *arguments, "--json", "-q")
        assert done.code == 0, done.err
        return json.loads(done.out)["figures"]["accuracy"]["value"]

    return run


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("spelling", [*SPELLINGS, "one-hot", "booleans"])
def test_evaluate_reads_them_alike_in_every_format(accuracy, tmp_path, suffix, spelling):
    write(spelled(spelling), tmp_path / f"x.{suffix}")
    assert accuracy(f"x.{suffix}") == 0.75


@pytest.mark.parametrize("spelling", [*SPELLINGS, "one-hot"])
def test_calibrate_reads_them_alike(softmax_cli, tmp_path, spelling):
    write(pd.concat([spelled(spelling)] * 10), tmp_path / "x.csv")
    write(pd.concat([spelled("names")] * 10), tmp_path / "names.csv")
    reports = [softmax_cli("calibrate", name, "--json").text for name in ("x.csv", "names.csv")]
    assert reports[0].replace("x.csv", "names.csv") == reports[1]


@pytest.mark.parametrize("command", ["evaluate", "calibrate"])
@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_a_typo_names_its_row_and_the_nearest_class(softmax_cli, tmp_path, command, suffix):
    write(SCORES.assign(label=["cat", "brid", "bird", "cat"]), tmp_path / f"x.{suffix}")
    done = softmax_cli(command, f"x.{suffix}")
    place = {"csv": "x.csv:3", "jsonl": "x.jsonl:2", "parquet": "x.parquet: row 2"}[suffix]
    assert (done.code, done.out) == (1, b"")
    assert place in done.err
    assert "'brid' is no class; did you mean 'bird'?" in done.err.replace('"', "")
    flags = ["--method", "none", "--coverage", "0.5"] if command == "calibrate" else ["-q"]
    assert softmax_cli(command, f"x.{suffix}", "--on-bad-row", "skip", *flags).code == 0


@pytest.mark.parametrize("command", ["evaluate", "calibrate"])
def test_missing_truths_are_left_out_when_asked_and_counted(softmax_cli, tmp_path, command):
    frame = pd.concat([SCORES.assign(label=["cat", None, "NA", "cat"])] * 5)
    write(frame, tmp_path / "x.csv")
    refused = softmax_cli(command, "x.csv")
    assert (refused.code, "x.csv:3: column 'label': '' is a missing truth" in refused.err) == (1, True)
    done = softmax_cli(command, "x.csv", "--on-bad-row", "skip", *(["--keep-fit"] if command == "calibrate" else []))
    assert "10 bad rows left out" in done.err


@pytest.mark.parametrize("command", ["evaluate", "calibrate"])
@pytest.mark.parametrize("policy", ["error", "skip"])
def test_numbers_from_1_are_refused_with_the_way_out(softmax_cli, tmp_path, command, policy):
    """Also where bad rows are skipped: the last class would be lost, and each other would be one off."""
    write(SCORES.assign(label=[1, 2, 3, 1]), tmp_path / "x.csv")
    done = softmax_cli(command, "x.csv", "--on-bad-row", policy)
    assert (done.code, "--labels-from 1" in done.err) == (1, True)


def test_numbers_from_1_are_read_so_when_asked(accuracy, tmp_path):
    write(SCORES.assign(label=[1, 2, 3, 1]), tmp_path / "x.csv")
    assert accuracy("x.csv", "--labels-from", "1") == 0.75


def test_two_truths_that_differ_are_refused(softmax_cli, tmp_path):
    write(SCORES.assign(label=["cat", "dog", "cat", "cat"], target=["dog", "dog", "cat", "cat"]), tmp_path / "x.csv")
    done = softmax_cli("evaluate", "x.csv")
    assert (done.code, "choose: --label label or --label target" in done.err) == (2, True)


# -- truths in a file of their own

ORDERED = {
    "y.npy": lambda path: np.save(path, np.array(TRUTHS)),
    "names.npy": lambda path: np.save(path, np.array(CLASSES)[TRUTHS]),
    "marks.npy": lambda path: np.save(path, np.eye(3, dtype=int)[TRUTHS]),
    "y.npz": lambda path: np.savez(path, labels=np.array(TRUTHS), other=np.zeros(3)),
    "y.csv": lambda path: pd.DataFrame({"label": TRUTHS}).to_csv(path, index=False),
    "index.csv": lambda path: pd.DataFrame({"y": TRUTHS}).to_csv(path),
    "bare.txt": lambda path: path.write_text("\n".join(np.array(CLASSES)[TRUTHS])),
    "y.tsv": lambda path: pd.DataFrame({"note": "x", "target": TRUTHS}).to_csv(path, index=False, sep="\t"),
    "y.parquet": lambda path: pd.DataFrame({"label": TRUTHS}).to_parquet(path),
    "y.jsonl": lambda path: path.write_text("".join(f'{{"y": {truth}}}\n' for truth in TRUTHS)),
}


@pytest.mark.parametrize("name", ORDERED)
def test_labels_by_the_order_of_the_rows(accuracy, tmp_path, name):
    ORDERED[name](tmp_path / name)
    for suffix in ("csv", "parquet", "jsonl"):
        write(SCORES.drop(columns="id"), tmp_path / f"x.{suffix}")
        assert accuracy(f"x.{suffix}", "--labels", name) == 0.75


@pytest.mark.parametrize("named", ["truth.csv:other", "truth.npz:other"])
def test_the_column_or_array_of_the_labels_may_be_named(accuracy, tmp_path, named):
    pd.DataFrame({"y": [0, 0, 0, 0], "other": TRUTHS}).to_csv(tmp_path / "truth.csv", index=False)
    np.savez(tmp_path / "truth.npz", y=np.zeros(4), other=np.array(TRUTHS))
    write(SCORES.drop(columns="id"), tmp_path / "x.csv")
    assert accuracy("x.csv", "--labels", named) == 0.75


@pytest.mark.parametrize("ids", ["id", "image_id"])
def test_labels_joined_by_id_in_any_order(accuracy, tmp_path, ids):
    truths = pd.DataFrame({ids: list("srqpz"), "y": [0, 2, 1, 0, 2]})
    truths.to_csv(tmp_path / "y.csv", index=False)
    truths.to_parquet(tmp_path / "y.parquet", index=False)
    write(SCORES, tmp_path / "x.csv")
    assert accuracy("x.csv", "--labels", "y.csv") == accuracy("x.csv", "--labels", "y.parquet") == 0.75


@pytest.mark.parametrize("truths", [[0, 1, 2], [0, 1, 2, 0, 1]])
@pytest.mark.parametrize("command", ["evaluate", "calibrate", "inspect"])
def test_labels_by_order_have_to_be_as_many_as_the_rows(softmax_cli, tmp_path, command, truths):
    np.save(tmp_path / "y.npy", np.array(truths))
    write(SCORES.drop(columns="id"), tmp_path / "x.csv")
    done = softmax_cli(command, "x.csv", "--labels", "y.npy")
    assert (done.code, done.out) == (1, b"")
    assert f"--labels y.npy: {len(truths)} truths for" in done.err


def test_labels_by_order_keep_to_their_rows_under_a_filter(accuracy, tmp_path):
    np.save(tmp_path / "y.npy", np.array([2, 1, 2, 1]))
    write(SCORES.drop(columns="id").assign(split=["a", "b", "a", "b"]), tmp_path / "x.csv")
    assert accuracy("x.csv", "--labels", "y.npy", "--where", "split=b") == 1


def test_a_bad_truth_of_another_file_names_its_row(softmax_cli, tmp_path):
    (tmp_path / "y.csv").write_text("label\ncat\nbrid\nbird\ncat\n")
    write(SCORES.drop(columns="id"), tmp_path / "x.csv")
    done = softmax_cli("evaluate", "x.csv", "--labels", "y.csv")
    assert "x.csv:3: column 'label of y.csv': 'brid' is no class; did you mean 'bird'?" in done.err
    (tmp_path / "ids.csv").write_text("id,label\np,cat\nq,brid\nr,cat\ns,cat\n")
    write(SCORES, tmp_path / "x.csv")
    done = softmax_cli("evaluate", "x.csv", "--labels", "ids.csv")
    assert "x.csv:3: column 'id': 'q' has the truth 'brid' in ids.csv, which is no class; did you mean" in done.err


def test_an_array_of_the_same_archive_by_its_name(accuracy, tmp_path):
    scores = SCORES[list(CLASSES)].to_numpy()
    np.savez(tmp_path / "x.npz", predictions=scores, label_ids=np.array(TRUTHS), other=np.zeros(4))
    assert accuracy("x.npz") == accuracy("x.npz", "--label", "label_ids") == 0.75
    np.savez(tmp_path / "hot.npz", logits=scores, labels=np.eye(3, dtype=int)[TRUTHS], features=np.ones((4, 7)))
    assert accuracy("hot.npz") == 0.75


# -- inspect looks at them too


def findings(softmax_cli, *arguments: str) -> dict[str, dict]:
    done = softmax_cli("inspect", *arguments, "--json", "-q")
    assert done.code == 0, done.err
    return {finding["code"]: finding for finding in json.loads(done.out)["findings"]}


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_inspect_names_truths_that_cannot_be_used(softmax_cli, tmp_path, suffix):
    write(SCORES.assign(label=["cat", "brid", None, "cat"]), tmp_path / f"x.{suffix}")
    found = findings(softmax_cli, f"x.{suffix}")
    assert found["labels-unknown"]["text"] == "1 row of 4 have a truth that is no class"
    assert "did you mean 'bird'?" in found["labels-unknown"]["places"][0]
    assert found["labels-missing"]["text"] == "1 row of 4 have no truth"
    assert found["classes-never-true"]["text"] == "2 classes of 3 are the truth of no row: dog, bird"


def test_inspect_names_a_class_that_is_predicted_and_never_true(softmax_cli, tmp_path):
    frame = SCORES.drop(columns="id").assign(zeal=[31.5, 40.25, 28.5, 50.5], label=["cat", "dog", "bird", "cat"])
    write(frame, tmp_path / "x.csv")
    found = findings(softmax_cli, "x.csv")
    assert "zeal is predicted for 100 % of the rows and is never the truth" in found["predicted-and-never-true"]["text"]
    assert "is 'zeal' a class?" in found["odd-column"]["text"]
    assert "'zeal' is predicted for 4 of 4 rows and is never the truth" in softmax_cli("evaluate", "x.csv", "-q").err


def test_inspect_names_truths_that_count_from_1(softmax_cli, tmp_path):
    write(SCORES.assign(label=[1, 2, 3, 1]), tmp_path / "x.csv")
    assert "--labels-from 1" in findings(softmax_cli, "x.csv")["labels-unreadable"]["text"]
    assert "labels-unreadable" not in findings(softmax_cli, "x.csv", "--labels-from", "1")


def test_inspect_takes_labels_of_another_file(softmax_cli, tmp_path):
    np.save(tmp_path / "y.npy", np.array([0, 0, 0, 7]))
    write(SCORES.drop(columns="id"), tmp_path / "x.csv")
    assert findings(softmax_cli, "x.csv", "--labels", "y.npy")["labels-unknown"]["text"].startswith("1 row of 4")


def test_truths_without_a_fault_are_no_finding(softmax_cli, tmp_path):
    write(spelled("names"), tmp_path / "x.csv")
    assert not {code for code in findings(softmax_cli, "x.csv") if "label" in code or "true" in code}


def test_ids_that_became_floats_are_the_same_ids(accuracy, tmp_path):
    write(SCORES.assign(id=[10, 11, 12, 13]), tmp_path / "x.csv")
    pd.DataFrame({"id": [13.0, 12.0, 11.0, 10.0], "y": TRUTHS[::-1]}).to_csv(tmp_path / "y.csv", index=False)
    assert accuracy("x.csv", "--labels", "y.csv") == 0.75


def test_two_columns_of_truths_in_a_file_of_labels_are_open(softmax_cli, tmp_path):
    write(SCORES, tmp_path / "x.csv")
    pd.DataFrame({"id": list("pqrs"), "label": TRUTHS, "target": TRUTHS[::-1]}).to_csv(tmp_path / "y.csv", index=False)
    done = softmax_cli("evaluate", "x.csv", "--labels", "y.csv")
    assert (done.code, "write y.csv:COLUMN with one of label, target" in done.err) == (2, True)
    done = softmax_cli("weights", "y.csv")
    assert (done.code, "write y.csv:COLUMN" in done.err) == (1, True)


def test_a_truth_of_many_characters_is_cut_in_messages():
    problem = lookup(*CLASSES)(pa.array(["x" * 500, "cat"])).problem(0)
    assert len(problem) < 300


def test_classes_called_by_numbers_from_0_do_not_hide_that_truths_count_from_1(softmax_cli, tmp_path):
    (tmp_path / "x.csv").write_text("logit_0,logit_1,logit_2,label\n2,0,1,1\n0,1,2,3\n1,2,1,2\n")
    for policy in ("error", "skip"):
        refused = softmax_cli("evaluate", "x.csv", "--on-bad-row", policy)
        assert (refused.code, "add --labels-from 1" in refused.err) == (1, True)
    done = softmax_cli("evaluate", "x.csv", "--labels-from", "1", "--json", "-q", "--bootstrap", "0")
    assert json.loads(done.text)["figures"]["accuracy"]["value"] == 1
