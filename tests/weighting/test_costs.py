"""Costs and superclasses, in the forms in which people have them."""

from __future__ import annotations

import numpy as np
import pytest

from softmax_cli.errors import DataError, UsageError
from softmax_cli.weighting.costs import read_costs, read_superclasses

CLASSES = ("cat", "dog")
MATRIX = [[0, 1, 0.5], [10, 0, 0.5]]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("c.csv", "truth,cat,dog,refer\ncat,0,1,0.5\ndog,10,0,0.5\n"),
        ("c.csv", ";cat;dog;refer\ndog;10;0;0,5\ncat;0;1;0,5\n"),
        ("c.tsv", "class\tcat\tdog\trefer\ncat\t0\t1\t0.5\ndog\t10\t0\t0.5\n"),
        ("c.json", '{"cat": {"cat": 0, "dog": 1, "refer": 0.5}, "dog": {"cat": 10, "dog": 0, "refer": 0.5}}'),
        ("c.jsonl", '{"truth": "cat", "cat": 0, "dog": 1, "refer": 0.5}\n{"truth": "dog", "cat": 10, "dog": 0, '
        '"refer": 0.5}\n'),
    ],
)  # fmt: skip
def test_a_matrix_of_costs(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    costs = read_costs(str(tmp_path / name), CLASSES)
    np.testing.assert_array_equal(costs.matrix, MATRIX)
    assert (costs.decisions.tolist(), costs.others) == ([0, 1, 2], ("refer",))


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("truth,cat,dog\ncat,0,1\n", UsageError, "missing: dog"),
        ("truth,cat,dog\ncat,0,1\ndog,1,0\nowl,1,1\n", UsageError, "'owl' is no class"),
        ("truth,cat,dog\ncat,0,x\ndog,1,0\n", UsageError, "'x' is not a number"),
        ("truth,cat,dog\ncat,0,\ndog,1,0\n", UsageError, "not a number"),
        ("truth,cat\ncat,0\ncat,1\n", UsageError, "two rows"),
        ("truth\ncat\ndog\n", DataError, "one for each decision"),
    ],
)
def test_what_is_wrong_with_costs_is_named(tmp_path, text, error, words):
    (tmp_path / "c.csv").write_text(text)
    with pytest.raises(error, match=words):
        read_costs(str(tmp_path / "c.csv"), CLASSES)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("s.csv", "class,superclass\ndog,pet\nlion,wild\ncat,pet\n"),
        ("s.json", '{"cat": "pet", "lion": "wild", "dog": "pet"}'),
    ],
)
def test_superclasses(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    found = read_superclasses(str(tmp_path / name), ("lion", "cat", "dog"))
    assert (found.names, found.members.tolist()) == (("wild", "pet"), [0, 1, 1])


def test_every_class_has_a_superclass(tmp_path):
    (tmp_path / "s.csv").write_text("class,superclass\ncat,pet\n")
    with pytest.raises(UsageError, match="missing: dog"):
        read_superclasses(str(tmp_path / "s.csv"), CLASSES)
    with pytest.raises(UsageError, match="no such file"):
        read_superclasses(str(tmp_path / "t.csv"), CLASSES)
