"""The summary of an ensemble: the figures of each table alone, and of what was pooled, whatever the cut."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, log_loss

from softmax_cli.evaluation.ensemble_summary import EnsembleSummary
from softmax_cli.prediction.members.ensemble import Pool, pool_rows
from softmax_cli.prediction.members.joining import open_members
from softmax_cli.prediction.scorer import Scoring
from softmax_cli.tables.threads import NOBODY

HALF = Pool("linear", np.array([0.5, 0.5]))


def summed(tables):
    found = None
    with open_members(tables, Scoring(emit=("logprob",)), True, wants_truth=True) as members:
        for joined in members.rows(1, NOBODY):
            part = EnsembleSummary.of(joined, pool_rows(joined, HALF, members.truth))
            found = part if found is None else found.plus(part)
    return found


def test_members_and_pool_are_measured_as_scikit_learn_does(table):
    z = np.random.default_rng(0).normal(size=(2, 50, 3))
    z[1, 7] = np.nan
    truths = np.array(["a", "b", "c"])[np.arange(50) % 3]
    tables = [[table("one", z[0], truths=truths, cut=cut), table("two", z[1], cut=5)] for cut in (50, 4)]
    whole, pieces = map(summed, tables)
    names = ["one", "two"]
    assert list(whole.members(names)) == list(pieces.members(names))
    assert whole.to_json(names, HALF) == pieces.to_json(names, HALF)
    good = np.arange(50) != 7
    p = np.exp(z[:, good]) / np.exp(z[:, good]).sum(axis=2, keepdims=True)
    for (_, figures), one in zip(whole.members(names), (*p, p.mean(axis=0)), strict=True):
        values = {figure.name: figure.value for figure in figures}
        assert values["log_loss"] == pytest.approx(log_loss(truths[good], one))
        assert values["accuracy"] == accuracy_score(truths[good], np.array(["a", "b", "c"])[one.argmax(axis=1)])
    assert (whole.rows, whole.labelled) == (49, 49)
    assert "ensemble: accuracy" in " ".join(whole.lines(names))


def test_without_truths_the_disagreement_is_left(table):
    found = summed([table("one", np.eye(3)), table("two", np.eye(3)[::-1])])
    assert len(list(found.lines(["one", "two"]))) == 1
    assert {figure.name: figure.value for figure in found.figures}["agreement"] == pytest.approx(1 / 3)
