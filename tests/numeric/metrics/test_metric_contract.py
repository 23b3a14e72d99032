"""What every metric promises: parts of any cut, merged in any order, give the very same figures as the whole."""

from __future__ import annotations

import pickle
from functools import reduce
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.special import log_softmax

from softmax_cli.numeric import metrics
from softmax_cli.numeric.bootstrap import weights
from softmax_cli.numeric.conformal import sets
from softmax_cli.numeric.metrics import Parts, Plan
from softmax_cli.numeric.metrics._bins import WidthBins
from softmax_cli.numeric.metrics._class_bins import ClassBins, ClassRankings
from softmax_cli.numeric.metrics._counts import ClassCounts, Confusion
from softmax_cli.numeric.metrics._rows import Rows
from softmax_cli.numeric.metrics.auroc import Auroc
from softmax_cli.numeric.metrics.coverage import Coverage
from softmax_cli.numeric.metrics.top_k_accuracy import TopK
from softmax_cli.numeric.nonconformity import lac_scores

CLASSES = 4
REPLICATES = 20
PLAN = Plan(bins=5, top_k=(1, 3), replicates=REPLICATES, answer_from=0.5, sets=True)
PLANS = [
    PLAN,
    Plan(bins=5, scheme="mass", norm="l2", clip=1e-3, replicates=REPLICATES),
    Plan(bins=5, kind="classwise", norm="max", replicates=REPLICATES, costs=np.arange(20.0).reshape(4, 5) - 7),
    Plan(bins=5, kind="classwise", scheme="mass", replicates=REPLICATES),
]
every_metric = pytest.mark.parametrize("name", metrics.names())

# Few distinct logits, so that ties occur; a masked class now and then; and logits of any size.
logits = hnp.arrays(
    np.float64,
    st.tuples(st.integers(1, 25), st.just(CLASSES)),
    elements=st.sampled_from([-2.0, 0.0, 1.0, 3.5]) | st.floats(-40, 40) | st.just(-np.inf),
)


def rows_of(log_p, labels):
    return Rows(log_p, labels, sets(lac_scores(log_p), 0.6))


@st.composite
def labelled_tables(draw):
    """Log-probabilities, labels, and rows where the table is cut."""
    z = draw(logits)
    z[:, 1] = np.where(np.isneginf(z).all(axis=1), 0.0, z[:, 1])
    labels = draw(hnp.arrays(np.int64, len(z), elements=st.integers(0, CLASSES - 1)))
    cuts = sorted(draw(st.lists(st.integers(0, len(z)), max_size=3)))
    return log_softmax(z, axis=1), labels, [0, *cuts, len(z)]


def measured(metric, rows, plan, first_row=0):
    """Folds and replicates of a metric for some rows."""
    weight = weights(3, first_row, len(rows), plan.replicates).astype(np.float64)
    drawn = [figure.interval.replicates for figure in metric.figures(plan) if figure.interval is not None]
    return (
        Parts({kind: kind.of(rows, plan) for kind in (*metric.folds(plan), ClassCounts)}),
        Parts({kind: kind.of(rows, plan, weight) for kind in drawn}),
    )


def plus(one, other):
    return one[0].plus(other[0]), one[1].plus(other[1])


def figures(metric, plan, parts, draws):
    """Everything that a metric reports, to the last bit."""
    found = {}
    for figure in metric.figures(plan):
        limits = None if figure.interval is None else figure.interval.limits(draws, parts)
        found[figure.name] = (repr(figure.value(parts)), figure.note(parts), repr(limits))
    columns = {column.name: column.values(parts) for column in metric.columns(plan)}
    found |= {name: None if values is None else values.tobytes() for name, values in columns.items()}
    return found | ({"sentences": [*metric.sentences(parts)]} if parts[ClassCounts].rows else {})


def metric_of(name):
    return next(metric for metric in metrics.metrics() if metric.figures.__module__.endswith(f".{name}"))


@every_metric
@settings(max_examples=25)
@given(table=labelled_tables(), order=st.randoms(use_true_random=False), plan=st.sampled_from(PLANS))
def test_any_cut_and_any_order_give_the_same_figures(name, table, order, plan):
    metric = metric_of(name)
    log_p, labels, cuts = table
    parts = [measured(metric, rows_of(log_p[a:b], labels[a:b]), plan, a) for a, b in pairwise(cuts)]
    whole = figures(metric, plan, *measured(metric, rows_of(log_p, labels), plan))
    order.shuffle(parts)
    assert figures(metric, plan, *reduce(plus, parts)) == whole
    assert figures(metric, plan, *reduce(lambda one, other: plus(other, one), parts)) == whole


@every_metric
@given(table=labelled_tables(), plan=st.sampled_from(PLANS))
def test_figures_and_limits_are_in_their_range_or_unknown(name, table, plan):
    metric = metric_of(name)
    parts, draws = measured(metric, rows_of(*table[:2]), plan)
    for figure in metric.figures(plan):
        least, greatest = figure.range
        values = [figure.value(parts)]
        if figure.interval is not None:
            values += metrics.within(figure.interval.limits(draws, parts), figure)
        assert all(np.isnan(value) or least - 1e-12 <= value <= greatest + 1e-12 for value in values), figure.name


@every_metric
@pytest.mark.parametrize("plan", PLANS, ids=range(len(PLANS)))
def test_parts_travel_between_processes(name, plan):
    log_p = log_softmax(np.random.default_rng(0).normal(size=(30, CLASSES)), axis=1)
    metric, parts = metric_of(name), measured(metric_of(name), rows_of(log_p, np.arange(30) % CLASSES), plan)
    assert figures(metric, plan, *pickle.loads(pickle.dumps(parts))) == figures(metric, plan, *parts)


@every_metric
def test_the_layout_in_memory_changes_nothing(name):
    """A column-major block, as it comes from columns of a table, gives the same bits."""
    log_p = log_softmax(np.random.default_rng(1).normal(size=(50, 9)), axis=1)
    metric, labels = metric_of(name), np.arange(50) % 9
    one, other = (measured(metric, rows_of(block, labels), PLAN) for block in (np.asfortranarray(log_p), log_p))
    assert figures(metric, PLAN, *one) == figures(metric, PLAN, *other)


@every_metric
@pytest.mark.parametrize("plan", PLANS, ids=range(len(PLANS)))
def test_no_rows_are_no_error(name, plan):
    """An empty part changes nothing, and its own figures are unknown."""
    metric = metric_of(name)
    nothing = measured(metric, rows_of(np.empty((0, CLASSES)), np.empty(0, np.int64)), plan)
    log_p = log_softmax(np.random.default_rng(2).normal(size=(20, CLASSES)), axis=1)
    parts = measured(metric, rows_of(log_p, np.arange(20) % CLASSES), plan)
    assert figures(metric, plan, *plus(nothing, parts)) == figures(metric, plan, *parts)
    assert all(np.isnan(figure.value(nothing[0])) for figure in metric.figures(plan))
    figures(metric, plan, *nothing)


def test_names_are_taken_once():
    for plan in PLANS:
        names = [figure.name for figure in metrics.definitions(plan)]
        columns = [column.name for column in metrics.columns(plan)]
        assert len(set(names)) == len(names)
        assert len(set(columns)) == len(columns)
        assert names[:2] == ["accuracy", "error"]
    ranks = [metric.rank for metric in metrics.metrics()]
    assert len(set(ranks)) == len(ranks)


def of(fold, classes=3, bins=5, k=2):
    rows = Rows(np.zeros((2, classes)), np.zeros(2, int), np.ones((2, classes), bool))
    return fold.of(rows, Plan(bins=bins, top_k=(k,), sets=True))


@pytest.mark.parametrize(
    "make",
    [  # From 1 to 2 is what numpy would stretch without a word.
        lambda classes: of(Confusion, classes),
        lambda classes: of(ClassCounts, classes),
        lambda classes: of(ClassBins, classes),
        lambda classes: of(Auroc, classes),
        lambda classes: of(Coverage, classes),
        lambda bins: of(WidthBins, bins=bins),
        lambda bins: of(ClassBins, bins=bins),
        lambda bins: of(ClassRankings, bins=bins),
        lambda k: of(TopK, k=k),
        *(
            lambda replicates, kind=kind: kind.of(
                Rows(np.zeros((2, 3)), np.zeros(2, int)), PLAN, np.ones((2, replicates))
            )
            for kind in metrics.replicates(PLAN)
        ),
    ],
)
def test_parts_of_different_things_are_refused(make):
    with pytest.raises(ValueError, match="not add up"):
        make(1).plus(make(2))


def test_names_that_programs_use_and_titles_that_people_read():
    """They are asked for by gates, JSON readers and notebooks: a new one is added here, an old one never changes."""
    asked = dict.fromkeys((figure.name, figure.title.strip()) for plan in PLANS for figure in metrics.definitions(plan))
    assert ", ".join(f"{name}: {title}" for name, title in asked) == (
        "accuracy: accuracy, error: error rate, top_1_accuracy: top-1 accuracy, top_3_accuracy: top-3 accuracy, "
        "balanced_accuracy: balanced accuracy, macro_f1: macro F1, mcc: MCC, cohen_kappa: Cohen's kappa, "
        "log_loss: log loss, refinement: refinement, calibration_loss: calibration, brier: Brier score, ece: ECE, "
        "mce: MCE, rmsce: RMSCE, mass_ece: adaptive ECE, debiased_ece: debiased L2 ECE, "
        "overconfidence_error: overconfidence error, underconfidence_error: underconfidence error, "
        "classwise_ece: classwise ECE, ks_error: KS error, smooth_ece: smooth ECE, mean_confidence: mean confidence, "
        "aurc: AURC, e_aurc: E-AURC, answered: answered, answered_error: error rate, macro_auroc: macro AUROC, "
        "ovo_auroc: one-vs-one AUROC, macro_average_precision: macro AP, coverage: set coverage, "
        "mean_set_size: set size, top_5_accuracy: top-5 accuracy, cost: cost, expected_cost: expected"
    )
    columns = [(column.name, column.title) for column in metrics.columns(PLAN)]
    assert columns == [("auroc", "AUROC"), ("ece", "ECE"), ("coverage", "coverage"), ("mean_set_size", "set size")]
