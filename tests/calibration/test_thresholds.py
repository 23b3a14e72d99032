"""The threshold to abstain does on its rows what it says, and no other does it better."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from softmax_cli.calibration.thresholds import MaxRisk, MinCoverage
from softmax_cli.errors import DataError

rows = st.lists(st.tuples(st.integers(51, 99), st.booleans()), min_size=1, max_size=30)


def table(pairs):
    """Two classes: the first is predicted with the given confidence in percent, and true or not."""
    p = np.array([percent / 100 for percent, _ in pairs])
    return np.log(np.column_stack([p, 1 - p])), np.array([0 if right else 1 for _, right in pairs])


def outcomes(pairs):
    """Every distinct answer set by a confidence, as (coverage, risk)."""
    for cut in {percent for percent, _ in pairs}:
        answered = [right for percent, right in pairs if percent >= cut]
        yield len(answered) / len(pairs), answered.count(False) / len(answered)


@given(rows, st.sampled_from([0, 0.1, 0.25, 0.5]))
def test_the_most_answers_within_the_risk(pairs, risk):
    within = [coverage for coverage, found in outcomes(pairs) if found <= risk]
    if not within:
        with pytest.raises(DataError, match=r"--max-risk .* the lowest risk"):
            MaxRisk(risk).choose(*table(pairs))
        return
    chosen = MaxRisk(risk).choose(*table(pairs))
    assert chosen.coverage == max(within)
    check(chosen, pairs)


@given(rows, st.sampled_from([0.1, 0.5, 0.9, 1.0]))
def test_the_fewest_errors_among_enough_answers(pairs, coverage):
    chosen = MinCoverage(coverage).choose(*table(pairs))
    assert chosen.coverage >= coverage
    least = min(risk for found, risk in outcomes(pairs) if found >= coverage)
    assert chosen.risk == least
    assert chosen.coverage == max(found for found, risk in outcomes(pairs) if risk == least)
    check(chosen, pairs)


def check(chosen, pairs):
    answered = [right for percent, right in pairs if percent / 100 >= chosen.confidence]
    assert len(answered) / len(pairs) == chosen.coverage
    assert answered.count(False) / len(answered) == chosen.risk
