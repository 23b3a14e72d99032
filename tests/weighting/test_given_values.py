"""Weights, priors, counts, thresholds and lists of classes, in every form that a file of them comes in.

The law: however the same numbers are written, they give the same probabilities.
"""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

CLASSES = ("cat", "dog", "bird")
VALUES = (2.5, 1.0, 0.5)
FRAME = pd.DataFrame({"class": CLASSES, "weight": VALUES})
WIDE = pd.DataFrame([VALUES], columns=list(CLASSES))


def text(content: str):
    return lambda path: path.write_text(content)


FORMS = {
    "w.csv": lambda path: FRAME.to_csv(path, index=False),
    "semicolon.csv": text("class;weight\ncat;2,5\ndog;1,0\nbird;0,5\n"),
    "w.tsv": lambda path: FRAME.to_csv(path, sep="\t", index=False),
    "bars.txt": lambda path: FRAME.to_csv(path, sep="|", index=False),
    "index.csv": lambda path: FRAME.set_index("class").weight.rename_axis(None).to_csv(path),
    "bare.csv": text("cat,2.5\ndog,1\nbird,0.5\n"),
    "blanks.csv": text("Class, Weight\n cat, 2.5\ndog , 1\nbird, 0.5\n"),
    "wide.csv": lambda path: WIDE.to_csv(path, index=False),
    "position.csv": text("class,weight\n0,2.5\n1,1\n2,0.5\n"),
    "floats.csv": text("label,weight\n0.0,2.5\n1.0,1\n2.0,0.5\n"),
    "w.parquet": lambda path: FRAME.to_parquet(path, index=False),
    "w.arrow": lambda path: FRAME.to_feather(path),
    "w.jsonl": lambda path: FRAME.to_json(path, orient="records", lines=True),
    "records.json": lambda path: FRAME.to_json(path, orient="records"),
    "columns.json": text('{"class": ["cat", "dog", "bird"], "weight": [2.5, 1.0, 0.5]}'),
    "names.json": text('{"cat": 2.5, "dog": 1.0, "bird": 0.5}'),
    "keras.json": text('{"0": 2.5, "1": 1.0, "2": 0.5}'),
    "nested.json": text('{"class_weight": {"cat": 2.5, "dog": 1.0, "bird": 0.5}}'),
    "list.json": text("[2.5, 1.0, 0.5]"),
}


@pytest.fixture
def probabilities(softmax_cli, tmp_path):
    (tmp_path / "x.csv").write_text("cat,dog,bird\n1.5,1,0.25\n-1,0.5,2\n")

    def run(*flags: str) -> bytes:
        done = softmax_cli("predict", "x.csv", *flags, "--format", "jsonl", "-q")
        assert done.code == 0, done.err
        return done.out

    return run


@pytest.mark.parametrize("name", FORMS)
def test_weights_are_read_alike_in_every_form(probabilities, tmp_path, name):
    FORMS[name](tmp_path / name)
    typed = probabilities("-w", "cat=2.5,dog=1,bird=0.5")
    assert probabilities("-w", name) == typed
    assert probabilities("-w", "0=2.5,1=1,2=0.5") == typed


@pytest.mark.parametrize("name", FORMS)
def test_priors_and_kept_shares_too(probabilities, tmp_path, name):
    FORMS[name](tmp_path / name)
    typed = "cat=2.5,dog=1,bird=0.5"
    assert probabilities("--source-prior", name, "--target-prior", "uniform") == probabilities(
        "--source-prior", typed, "--target-prior", "uniform"
    )


def test_thresholds_too(probabilities, tmp_path):
    (tmp_path / "t.csv").write_text("class;threshold\ncat;0,99\n")
    assert probabilities("--threshold", "t.csv") == probabilities("--threshold", "cat=0.99")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("w.json", '{"1": 2, "2": 3, "3": 1}', "no class is called '3'"),
        ("w.csv", "class,weight\ncta,2\n", "did you mean 'cat'?"),
        ("w.json", "[1, 2]", "a list of 2 values for 3 classes"),
        ("w.csv", "class,a,b\ncat,1,2\n", "write w.csv:COLUMN with one of a, b"),
        ("w.json", '{"cat": 2, "1": 3}', "no class is called '1'"),
    ],
)
def test_what_does_not_fit_is_answered(softmax_cli, tmp_path, name, content, words):
    (tmp_path / "x.csv").write_text("cat,dog,bird\n1.5,1,0.25\n")
    (tmp_path / name).write_text(content)
    done = softmax_cli("predict", "x.csv", "-w", name)
    assert done.code in (1, 2)
    assert words in done.err


LABELS = ["cat", "dog", "cat", "bird", "cat", "dog"]
LABEL_FORMS = {
    "y.csv": lambda path: pd.DataFrame({"id": range(6), "label": LABELS}).to_csv(path, index=False),
    "blanks.csv": text("label\n cat\ndog \ncat\nbird\ncat\ndog\n"),
    "gaps.csv": text("id,label\n1,cat\n2,dog\n3,\n4,cat\n5,NA\n6,bird\n7,cat\n8,dog\n9,nan\n"),
    "y.npy": lambda path: np.save(path, np.array(LABELS)),
    "y.parquet": lambda path: pd.DataFrame({"target": LABELS}).to_parquet(path),
    "hot.csv": lambda path: pd.get_dummies(pd.Series(LABELS)).to_csv(path, index=False),
    "prefixed.csv": lambda path: pd.get_dummies(pd.DataFrame({"y": LABELS}), dtype=int).to_csv(path, index=False),
    "counts.csv": text("class;count\ncat;3\ndog;2\nbird;1\n"),
    "counts.json": text('{"cat": 3, "dog": 2, "bird": 1}'),
    "value_counts.csv": lambda path: pd.Series(LABELS, name="label").value_counts().to_csv(path),
    "y.jsonl": lambda path: path.write_text("".join(f'{{"label": "{label}"}}\n' for label in LABELS)),
    "bare.txt": text("\n".join(LABELS)),
}


@pytest.mark.parametrize("name", LABEL_FORMS)
def test_training_labels_are_counted_alike_in_every_form(softmax_cli, tmp_path, name):
    LABEL_FORMS[name](tmp_path / name)
    done = softmax_cli("weights", name, "--json")
    assert done.code == 0, done.err
    counts = {one["class"]: one["count"] for one in json.loads(done.out)["classes"]}
    assert counts == {"cat": 3, "dog": 2, "bird": 1}
    assert ("3 rows have no label: left out" in done.err) == (name == "gaps.csv")


def test_labels_that_are_floats_are_whole(softmax_cli, tmp_path):
    pd.DataFrame({"y": [0.0, 1.0, 1.0, None]}).to_csv(tmp_path / "y.csv", index=False)
    (tmp_path / "x.csv").write_text("cat,dog\n1,2\n")
    done = softmax_cli("predict", "x.csv", "-w", "balanced:y.csv", "--format", "jsonl")
    assert done.code == 0, done.err
    assert "1 rows of y.csv have no label" in done.err


CLASS_LISTS = {
    "lines.txt": text("tench, fish\nbrown dog\nbird\n"),
    "list.json": text('["tench, fish", "brown dog", "bird"]'),
    "id2label.json": text('{"id2label": {"0": "tench, fish", "1": "brown dog", "2": "bird"}}'),
    "label2id.json": text('{"label2id": {"tench, fish": 0, "bird": 2, "brown dog": 1}}'),
    "table.csv": text('index;class\n0;"tench, fish"\n1;brown dog\n2;bird\n'),
    "one.csv": text('class\n"tench, fish"\nbrown dog\nbird\n'),
    "t.parquet": lambda path: pd.DataFrame({"label": ["tench, fish", "brown dog", "bird"]}).to_parquet(path),
    "classes.npy": lambda path: np.save(path, np.array(["tench, fish", "brown dog", "bird"])),
}


@pytest.mark.parametrize("name", CLASS_LISTS)
def test_lists_of_classes(probabilities, tmp_path, name):
    CLASS_LISTS[name](tmp_path / name)
    row = json.loads(probabilities("--classes", name).splitlines()[0])
    assert [key for key in row if key.startswith("prob_")] == ["prob_tench, fish", "prob_brown dog", "prob_bird"]


def test_a_typed_list_of_classes(probabilities):
    row = json.loads(probabilities("--classes", "a, b,c").splitlines()[0])
    assert [key for key in row if key.startswith("prob_")] == ["prob_a", "prob_b", "prob_c"]
