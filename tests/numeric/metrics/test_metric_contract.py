"""What every metric promises: parts of any cut, merged in any order, give the very same figures as the whole."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import is_dataclass
from functools import partial, reduce
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.special import log_softmax

from softmax_cli.numeric.conformal import lac_scores, sets
from softmax_cli.numeric.metrics.accuracy import Accuracy, Balanced, TopKAccuracy
from softmax_cli.numeric.metrics.auroc import Auroc
from softmax_cli.numeric.metrics.brier import Brier
from softmax_cli.numeric.metrics.classwise_ece import ClasswiseEce, ClasswiseMassEce
from softmax_cli.numeric.metrics.confusion import Confusion
from softmax_cli.numeric.metrics.coverage import Coverage
from softmax_cli.numeric.metrics.ece import ConfidenceHistogram, Ece, MassEce
from softmax_cli.numeric.metrics.intervals import EceInterval, MeanIntervals
from softmax_cli.numeric.metrics.log_loss import LogLoss, row_log_loss
from softmax_cli.numeric.metrics.refinement import Refinement
from softmax_cli.numeric.metrics.risk_coverage import RiskCoverage
from softmax_cli.numeric.metrics.smooth_ece import SmoothEce

CLASSES = 4


def coverage_of(log_p: np.ndarray, labels: np.ndarray, first_row: int) -> Coverage:
    return Coverage.of(sets(lac_scores(log_p), 0.6), labels)


def intervals_of(log_p: np.ndarray, labels: np.ndarray, first_row: int) -> MeanIntervals:
    return MeanIntervals.of({"loss": row_log_loss(log_p, labels)}, first_row=first_row, replicates=20)


def ece_interval_of(log_p: np.ndarray, labels: np.ndarray, first_row: int) -> EceInterval:
    return EceInterval.of(log_p, labels, first_row=first_row, replicates=20)


def without_row_number(of: Callable[..., Any]) -> Callable[..., Any]:
    return lambda log_p, labels, first_row: of(log_p, labels)


METRICS = {
    metric.__name__: without_row_number(metric.of)
    for metric in (
        Accuracy,
        Auroc,
        Balanced,
        Brier,
        ClasswiseEce,
        ClasswiseMassEce,
        Confusion,
        ConfidenceHistogram,
        Ece,
        LogLoss,
        MassEce,
        Refinement,
        RiskCoverage,
        SmoothEce,
    )
} | {
    "clipped LogLoss": without_row_number(partial(LogLoss.of, clip=1e-3)),
    "TopKAccuracy": without_row_number(partial(TopKAccuracy.of, k=2)),
    "Coverage": coverage_of,
    "MeanIntervals": intervals_of,
    "EceInterval": ece_interval_of,
}
every_metric = pytest.mark.parametrize("of", METRICS.values(), ids=METRICS.keys())

# Few distinct logits, so that ties occur; a masked class now and then; and logits of any size.
logits = hnp.arrays(
    np.float64,
    st.tuples(st.integers(1, 25), st.just(CLASSES)),
    elements=st.sampled_from([-2.0, 0.0, 1.0, 3.5]) | st.floats(-40, 40) | st.just(-np.inf),
)


@st.composite
def judged_tables(draw):
    """Log-probabilities, labels, and rows where the table is cut."""
    z = draw(logits)
    z[:, 1] = np.where(np.isneginf(z).all(axis=1), 0.0, z[:, 1])
    labels = draw(hnp.arrays(np.int64, len(z), elements=st.integers(0, CLASSES - 1)))
    cuts = sorted(draw(st.lists(st.integers(0, len(z)), max_size=3)))
    return log_softmax(z, axis=1), labels, [0, *cuts, len(z)]


def figures(part: Any) -> dict[str, Any]:
    """Every public figure of a metric, to the last bit."""
    names = [name for name in dir(type(part)) if isinstance(getattr(type(part), name), property)]
    found = {name: as_bytes(getattr(part, name)) for name in names if not name.startswith("_")}
    if isinstance(part, EceInterval):
        found["replicates"] = as_bytes(part.replicates())
    assert found
    return found


def as_bytes(figure: Any) -> Any:
    if is_dataclass(figure):
        return {name: as_bytes(value) for name, value in vars(figure).items()}
    return figure.tobytes() if isinstance(figure, np.ndarray) else repr(figure)


@every_metric
@settings(max_examples=40)
@given(table=judged_tables(), seed=st.randoms(use_true_random=False))
def test_any_cut_and_any_order_give_the_same_figures(of, table, seed):
    log_p, labels, cuts = table
    parts = [of(log_p[a:b], labels[a:b], a) for a, b in pairwise(cuts)]
    whole = figures(of(log_p, labels, 0))
    seed.shuffle(parts)
    assert figures(reduce(lambda one, other: one.plus(other), parts)) == whole
    assert figures(reduce(lambda one, other: other.plus(one), parts)) == whole


@every_metric
def test_a_part_travels_between_processes(of):
    log_p = log_softmax(np.random.default_rng(0).normal(size=(30, CLASSES)), axis=1)
    part = of(log_p, np.arange(30) % CLASSES, 0)
    assert figures(pickle.loads(pickle.dumps(part))) == figures(part)


@every_metric
def test_the_layout_in_memory_changes_nothing(of):
    """A column-major block, as it comes from columns of a table, gives the same bits."""
    log_p = log_softmax(np.random.default_rng(1).normal(size=(50, 9)), axis=1)
    labels = np.arange(50) % 9
    assert figures(of(np.asfortranarray(log_p), labels, 0)) == figures(of(log_p, labels, 0))


@every_metric
def test_no_rows_are_no_error(of):
    """An empty part changes nothing, and its own figures are nan or 0."""
    nothing = of(np.empty((0, CLASSES)), np.empty(0, np.int64), 0)
    log_p = log_softmax(np.random.default_rng(2).normal(size=(20, CLASSES)), axis=1)
    part = of(log_p, np.arange(20) % CLASSES, 0)
    figures(nothing)
    assert figures(nothing.plus(part)) == figures(part)
    if isinstance(getattr(nothing, "value", None), float):
        assert np.isnan(nothing.value)


@pytest.mark.parametrize(
    "make",
    [  # From 1 to 2 is what numpy would stretch without a word.
        lambda classes: Confusion.of(np.zeros((2, classes)), np.zeros(2, int)),
        lambda classes: Balanced.of(np.zeros((2, classes)), np.zeros(2, int)),
        lambda classes: ClasswiseEce.of(np.zeros((2, classes)), np.zeros(2, int)),
        lambda classes: Auroc.of(np.zeros((2, classes)), np.zeros(2, int)),
        lambda classes: Coverage.of(np.ones((2, classes), bool), np.zeros(2, int)),
        lambda bins: Ece.of(np.zeros((2, 3)), np.zeros(2, int), bins=bins),
        lambda bins: MassEce.of(np.zeros((2, 3)), np.zeros(2, int), bins=bins),
        lambda bins: ClasswiseMassEce.of(np.zeros((2, 3)), np.zeros(2, int), bins=bins),
        lambda bins: ConfidenceHistogram.of(np.zeros((2, 3)), np.zeros(2, int), bins=bins),
        lambda k: TopKAccuracy.of(np.zeros((2, 3)), np.zeros(2, int), k=k),
        lambda seed: MeanIntervals.of({"loss": np.ones(2)}, first_row=0, seed=seed, replicates=3),
        lambda seed: EceInterval.of(np.zeros((2, 3)), np.zeros(2, int), first_row=0, seed=seed, replicates=3),
    ],
)
def test_parts_of_different_things_are_refused(make):
    with pytest.raises(ValueError, match="not add up"):
        make(1).plus(make(2))
