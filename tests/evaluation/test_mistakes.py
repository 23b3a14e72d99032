"""The surest mistakes: the same however the table is cut, and those that sorting all rows would find."""

import csv
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from softmax_cli.evaluation import labelled
from softmax_cli.evaluation.labelled import Mistakes
from softmax_cli.numeric.metrics._rows import Rows

CLASSES = ("cat", "dog", "bird")
ROW = st.tuples(st.integers(0, 2), st.integers(0, 2), st.sampled_from([0.4, 0.5, 0.5, 0.6, 0.9]))


def found(rows, first=0):
    """Rows of (truth, prediction, confidence), named by their numbers."""
    p = np.array([[c if k == top else (1 - c) / 2 for k in range(3)] for _, top, c in rows]).reshape(-1, 3)
    labels = np.array([truth for truth, _, _ in rows], np.intp)
    return Mistakes.of(Rows(np.log(p), labels), lambda some: [f"{first + row}" for row in some.tolist()])


@given(st.lists(ROW, max_size=40), st.integers(0, 40), st.integers(1, 6), st.integers(1, 3), st.integers(0, 8))
def test_what_is_kept_is_what_sorting_finds(rows, cut, of_all, of_a_pair, of_pairs):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(labelled, "OF_ALL", of_all)
        patch.setattr(labelled, "OF_A_PAIR", of_a_pair)
        patch.setattr(labelled, "OF_PAIRS", of_pairs)
        kept = found(rows[:cut]).plus(found(rows[cut:], min(cut, len(rows)))).named(CLASSES)
    wrong = sorted((-c, row, t, top) for row, (t, top, c) in enumerate(rows) if t != top)
    first = [one for place, one in enumerate(wrong) if [w[2:] for w in wrong[:place]].count(one[2:]) < of_a_pair]
    wanted = [one for one in wrong if one in wrong[:of_all] or one in first[:of_pairs]]
    assert [(m.row, m.true, m.predicted) for m in kept] == [(f"{r}", CLASSES[t], CLASSES[p]) for _, r, t, p in wanted]
    assert [m.confidence for m in kept] == pytest.approx([-c for c, *_ in wanted])
    assert [m.true_probability for m in kept] == pytest.approx([(1 + c) / 2 for c, *_ in wanted])


TABLE = "id,logit_cat,logit_dog,label\na,2,0,cat\n007,3,0,dog\nc,1,0,dog\nd,0,1,cat\n"


def test_ids_and_numbers_by_the_program(softmax_cli, tmp_path):
    """1/(1+e^-3) = 0.952574; without ids a row is named by its place."""
    (tmp_path / "in.csv").write_text(TABLE)
    done = softmax_cli("evaluate", "in.csv", "--json", "-q", "--confusion", "confusion.csv")
    report = json.loads(done.text)
    assert [one["row"] for one in report["mistakes"]] == ["007", "c", "d"]
    assert report["mistakes"][0]["confidence"] == pytest.approx(0.952574, abs=1e-6)
    assert report["mistakes"][0]["true_probability"] == pytest.approx(0.047426, abs=1e-6)
    assert [pair["examples"] for pair in report["confusion"]] == [[], ["d"], ["007", "c"]]
    assert (tmp_path / "confusion.csv").read_text() == "true,cat,dog\ncat,1,1\ndog,2,0\n"
    full = softmax_cli("evaluate", "in.csv", "--full", "-q").text
    assert "007  dog" in full.partition("worst mistakes")[2]
    (tmp_path / "bare.csv").write_text("\n".join(line.partition(",")[2] for line in TABLE.splitlines()) + "\n")
    report = json.loads(softmax_cli("evaluate", "bare.csv", "--json", "-q").text)
    assert report["mistakes"][0]["row"] == "bare.csv:3"


def test_many_classes_are_written_as_pairs(softmax_cli, tmp_path):
    names = [f"k{place}" for place in range(201)]
    rows = [",".join(["1" if place == row else "0" for place in range(201)] + ["k5"]) for row in range(3)]
    (tmp_path / "in.csv").write_text(",".join([*(f"logit_{name}" for name in names), "label"]) + "\n" + "\n".join(rows))
    assert softmax_cli("evaluate", "in.csv", "-q", "--confusion", "pairs.csv").code == 0
    with (tmp_path / "pairs.csv").open() as file:
        assert [*csv.reader(file)] == [["true", "predicted", "rows"], *(["k5", f"k{row}", "1"] for row in range(3))]
    refused = softmax_cli("evaluate", "in.csv", "--confusion", "x.csv", "--bins-out", "x.csv")
    assert (refused.code, "--confusion and --bins-out both name x.csv" in refused.err) == (2, True)
