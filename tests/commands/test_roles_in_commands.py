"""The law of columns, in the program: what stands beside the scores never changes what is computed from them.

Tables of the same scores and truths, with other columns, in other orders, under other names of the id, in every format:
predict, evaluate, calibrate and inspect come to the same.
"""

from __future__ import annotations

import json
import random

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

ROWS = 40
RANDOM = np.random.default_rng(7)
CLASSES = ("cat", "dog", "bird")
Z = np.round(RANDOM.normal(scale=2, size=(ROWS, 3)) + 0.0001, 4)
TRUTH = np.array(CLASSES)[(Z + RANDOM.gumbel(size=Z.shape)).argmax(axis=1)]

FORMATS = ("csv", "tsv", "jsonl", "json", "parquet", "arrow")
NUMBERS = RANDOM.integers(0, 9, size=ROWS)
BESIDE = {
    "ImageId": np.arange(ROWS) + 892,
    "user_id": np.arange(ROWS)[::-1],
    "y_pred": NUMBERS % 3,
    "predicted_label": np.array(CLASSES)[NUMBERS % 3],
    "confidence": RANDOM.random(ROWS),
    "entropy": RANDOM.random(ROWS),
    "sample_weight": RANDOM.random(ROWS) + 0.5,
    "fold": NUMBERS % 5,
    "epoch": np.full(ROWS, 3),
    "time_ms": RANDOM.random(ROWS) * 100,
    "note": np.array([f"text {i}" for i in range(ROWS)]),
    "is_train": NUMBERS % 2 == 0,
    "row": np.arange(ROWS),
}
FAMILIES = ("{}", "logit_{}", "score_{}", "RawFormulaVal:Class={}")


def write(frame: pd.DataFrame, path) -> None:
    writers = {
        ".csv": lambda: frame.to_csv(path, index=False),
        ".tsv": lambda: frame.to_csv(path, sep="\t", index=False),
        ".jsonl": lambda: frame.to_json(path, orient="records", lines=True, double_precision=15),
        ".json": lambda: frame.to_json(path, orient="records", double_precision=15),
        ".parquet": lambda: frame.to_parquet(path, index=False),
        ".arrow": lambda: frame.to_feather(path),
    }
    writers[path.suffix]()


def crowded(seed: int, family: str, with_numbers: bool) -> pd.DataFrame:
    """The scores and truths among other columns; numbers of unknown names only beside a family."""
    chance = random.Random(seed)
    columns = {family.format(name): Z[:, i] for i, name in enumerate(CLASSES)} | {"label": TRUTH}
    columns |= {name: BESIDE[name] for name in chance.sample(list(BESIDE), chance.randint(1, 6))}
    if with_numbers:
        columns |= {"age": RANDOM.random(ROWS) * 50 + 20, "n_words": NUMBERS}
    names = chance.sample(list(columns), len(columns))
    scores = [name for name in columns if name in {family.format(one) for one in CLASSES}]
    ordered = iter(scores)  # the order of the classes is the order of the columns: it is kept
    names = [next(ordered) if name in scores else name for name in names]
    return pd.DataFrame({name: columns[name] for name in names})


@pytest.fixture
def plain(tmp_path):
    frame = pd.DataFrame({**{f"logit_{name}": Z[:, i] for i, name in enumerate(CLASSES)}, "label": TRUTH})
    write(frame, tmp_path / "plain.csv")
    return "plain.csv"


@pytest.fixture
def outcome(softmax_cli):
    """What a command comes to, less the names of files and columns."""

    def of(command: str, name: str):
        if command == "predict":
            done = softmax_cli("predict", name, "--format", "jsonl", "-q")
            rows = [json.loads(line) for line in done.text.splitlines()]
            assert done.code == 0, done.err
            return [{key: row[key] for key in ("prediction", *(f"prob_{name}" for name in CLASSES))} for row in rows]
        done = softmax_cli(command, name, "--json", "-q")
        assert done.code == 0, done.err
        report = json.loads(done.out)
        keys = {"evaluate": ["figures", "classes"], "calibrate": ["after"], "inspect": ["classes", "confidence"]}
        return {key: report[key] for key in keys[command] if key in report}

    return of


@pytest.mark.parametrize("command", ["predict", "evaluate", "calibrate", "inspect"])
@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("seed", range(4))
def test_what_stands_beside_the_scores_changes_nothing(outcome, plain, tmp_path, command, suffix, seed):
    family = FAMILIES[seed]
    write(crowded(seed, family, with_numbers=family != "{}"), tmp_path / f"x.{suffix}")
    assert outcome(command, f"x.{suffix}") == outcome(command, plain)


@pytest.mark.parametrize("index", ["range", "named", "strings", "levels"])
@pytest.mark.parametrize("command", ["predict", "evaluate", "calibrate", "inspect"])
def test_the_index_of_a_pandas_frame_changes_nothing(outcome, plain, tmp_path, command, index):
    frame = pd.DataFrame({**{name: Z[:, i] for i, name in enumerate(CLASSES)}, "label": TRUTH})
    frame.index = {
        "range": frame.index[::-1],
        "named": pd.Index(np.arange(ROWS) / 2, name="value"),
        "strings": pd.Index([f"r{i}" for i in range(ROWS)]),
        "levels": pd.MultiIndex.from_arrays([np.arange(ROWS) // 2, np.arange(ROWS) % 2], names=["a", None]),
    }[index]
    frame.to_parquet(tmp_path / "x.parquet")
    assert outcome(command, "x.parquet") == outcome(command, plain)
    if index != "levels":
        frame.to_csv(tmp_path / "x.csv")
        if index != "named":  # in text nothing tells an index of fractions from a class
            assert outcome(command, "x.csv") == outcome(command, plain)


NESTED = {
    "list": pa.array(Z.tolist()),
    "fixed list": pa.array(Z.tolist(), pa.list_(pa.float64(), 3)),
    "large list": pa.array(Z.tolist(), pa.large_list(pa.float64())),
    "struct": pa.array([dict(zip(CLASSES, row, strict=True)) for row in Z.tolist()]),
    "map": pa.array([list(zip(CLASSES, row, strict=True)) for row in Z.tolist()], pa.map_(pa.string(), pa.float64())),
    "turned map": pa.array(
        [list(zip(CLASSES, row, strict=True))[:: 1 if i % 2 == 0 else -1] for i, row in enumerate(Z.tolist())],
        pa.map_(pa.string(), pa.float64()),
    ),
}


@pytest.mark.parametrize("command", ["predict", "evaluate", "calibrate", "inspect"])
@pytest.mark.parametrize("kind", NESTED)
@pytest.mark.parametrize("suffix", ["parquet", "arrow"])
def test_a_row_of_scores_in_one_column(outcome, plain, tmp_path, command, kind, suffix):
    """Beside lists of other things, whatever stands first."""
    tokens = pa.array([[101, i, 102] for i in range(ROWS)])
    embedding = pa.array(RANDOM.normal(size=(ROWS, 5)).tolist())
    columns = {"input_ids": tokens, "logits": NESTED[kind], "embedding": embedding, "label": pa.array(TRUTH)}
    table = pa.table(columns)
    if "list" in kind:  # a list does not name its classes
        table = table.set_column(3, "label", pa.array([CLASSES.index(name) for name in TRUTH]))
    if suffix == "parquet":
        pq.write_table(table, tmp_path / "x.parquet")
    else:
        with pa.ipc.new_file(tmp_path / "x.arrow", table.schema) as writer:
            writer.write_table(table)
    if "list" not in kind:
        assert outcome(command, f"x.{suffix}") == outcome(command, plain)
    elif command == "evaluate":
        figures = [one["value"] for one in outcome(command, f"x.{suffix}")["figures"].values()]
        assert figures == [one["value"] for one in outcome(command, plain)["figures"].values()]


@pytest.mark.parametrize("command", ["predict", "evaluate", "inspect"])
def test_what_was_not_taken_is_named(softmax_cli, tmp_path, command):
    frame = pd.DataFrame({f"logit_{name}": Z[:, i] for i, name in enumerate(CLASSES)})
    write(frame.assign(label=TRUTH, age=31.5, sample_weight=0.5), tmp_path / "x.csv")
    done = softmax_cli(command, "x.csv", *(["-o", "out.csv"] if command == "predict" else []))
    assert "passes: age, sample_weight" in " ".join((done.err + done.text).split())
    if command != "inspect":
        plan = softmax_cli(command, "x.csv", "--dry-run").text
        assert "numbers  age, sample_weight (not taken)" in plan
        assert "scores   logit_cat, logit_dog, logit_bird (logit_*)" in plan


@pytest.mark.parametrize("command", ["predict", "evaluate", "calibrate", "inspect"])
@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"foo": [[1.5, 2.5]] * 3, "bar": [[0.5, 0.25]] * 3}, "--logits foo or --logits bar"),
        ({"id": [1, 1, 2], "class": ["a", "b", "a"], "score": [2.5, 1.0, 0.5]}, "--long id,class,score"),
        ({"query_id": [1, 1, 2], "score": [2.5, 1.0, 0.5]}, "--group query_id"),
        ({"cow": [1, 2, 3], "cat": [0.5, 1.5, 2.5]}, "--id cow"),
        ({"prob_a": [0.5] * 3, "prob_b": [0.5] * 3, "score_x": [1.5] * 3, "score_y": [2.5] * 3}, "--logits 'score_*'"),
        ({"a": ["x", "y", "z"]}, "no column looks like a score"),
    ],
)
def test_what_is_open_is_refused_with_the_option_that_decides_it(softmax_cli, tmp_path, command, columns, words):
    write(pd.DataFrame(columns), tmp_path / "x.jsonl")
    done = softmax_cli(command, "x.jsonl")
    assert (done.code, done.out) == (1, b"")
    assert words in done.err


@pytest.mark.parametrize("suffix", ["csv", "parquet", "jsonl"])
@pytest.mark.parametrize(
    "job",
    [
        ("sample", "a.csv", "--seed", "1", "-o"),
        ("predict", "a.csv", "--group", "query", "--logits", "cat", "-o"),
        ("compare", "a.csv", "b.csv", "--flips-out"),
    ],
    ids=lambda job: job[0],
)
def test_what_holds_no_scores_of_classes_is_not_scored_again(softmax_cli, tmp_path, job, suffix):
    """Actions with propensities, probabilities of candidates, rows that flip."""
    if job[0] == "predict" and suffix != "parquet":
        pytest.skip("text says nothing of itself, and a lone column prob is one of two classes")
    rows = ["id,query,cat,dog,owl", "r1,q1,0.5,1.25,-2.5", "r2,q1,1.5,-1,0.75", "r3,q2,0.25,0.5,2.5"]
    (tmp_path / "a.csv").write_text("\n".join([*rows, ""]))
    (tmp_path / "b.csv").write_text("\n".join([*rows, ""]).replace("-1,0.75", "-1,9.75"))
    assert softmax_cli(*job, f"out.{suffix}", "-q").code == 0
    done = softmax_cli("predict", f"out.{suffix}", "-q")
    assert (done.code, "no column looks like a score" in done.err) == (1, True), done.err or done.text
