"""Truths are counted alike however the rows are cut, and what is odd about them is named."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from softmax_cli.distributed.fleet import ThisProcess
from softmax_cli.inspection.evidence import TruthCounts
from softmax_cli.inspection.findings import find_labels
from softmax_cli.inspection.run import inspect_rows, inspector_of
from softmax_cli.stream.inputs import input_files
from softmax_cli.stream.scores import Inputs, TruthSource, open_scores
from softmax_cli.tables.threads import NOBODY


def evidence_of(path):
    with open_scores(Inputs(input_files([str(path)]), truths=TruthSource())) as opened:
        inspector, opened = inspector_of(opened, 6.0)
        return inspect_rows(ThisProcess(opened.table, 1), inspector, NOBODY)


counts = st.builds(
    TruthCounts,
    st.lists(st.integers(0, 9), min_size=3, max_size=3).map(lambda held: np.array(held, np.int64)),
    st.integers(0, 5),
    st.integers(0, 5),
    st.lists(st.text("ab", min_size=1), max_size=3).map(tuple),
    st.lists(st.text("ab", min_size=1), max_size=3).map(tuple),
)


@given(counts, counts, counts)
def test_adding_up_does_not_depend_on_the_grouping(a, b, c):
    left, right = a.plus(b).plus(c), a.plus(b.plus(c))
    assert left.classes.tolist() == right.classes.tolist()
    assert (left.missing, left.unknown) == (right.missing, right.unknown)
    assert (left.first_missing, left.first_unknown) == (right.first_missing, right.first_unknown)
    assert len(left.first_missing) <= 3


def test_findings_name_the_places(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("logit_cat,logit_dog,logit_eel,label\n5,1,0,cat\n5,1,0,bird\n0,9,0,\n5,0,1,cat\n0,9,1,cat\n")
    found = {one.code: one for one in find_labels(evidence_of(path))}
    assert {"labels-unknown", "labels-missing", "predicted-and-never-true", "classes-never-true"} == {*found}
    assert (
        found["labels-unknown"].places[0].startswith("x.csv:3: 'bird'")
        or "x.csv:3" in found["labels-unknown"].places[0]
    )
    assert "dog is predicted for" in found["predicted-and-never-true"].text


@pytest.mark.parametrize("labels", ["cat\ndog\neel\n"])
def test_sound_truths_have_no_finding(tmp_path, labels):
    path = tmp_path / "x.csv"
    rows = [f"{z},{name}" for z, name in zip(("5,1,0", "0,5,1", "0,1,5"), labels.split(), strict=True)]
    path.write_text("logit_cat,logit_dog,logit_eel,label\n" + "\n".join(rows) + "\n")
    assert list(find_labels(evidence_of(path))) == []
