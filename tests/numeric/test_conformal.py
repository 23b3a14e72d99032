"""Conformal sets keep their promise: the theorem itself, by leaving every row out in turn."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.special import log_softmax

from softmax_cli.numeric.conformal import (
    chosen_on,
    class_clusters,
    class_thresholds,
    cluster_thresholds,
    quantile_threshold,
    scores_of_truth,
    sets,
    threshold,
)
from softmax_cli.numeric.nonconformity import lac_scores

miss_rates = st.sampled_from([0.01, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 0.99]) | st.floats(0.001, 0.999)
held_out = hnp.arrays(float, st.integers(1, 40), elements=st.integers(0, 9))


@given(held_out, miss_rates)
def test_hold_each_row_out_in_turn(scores, miscoverage):
    """Of n + 1 rows, each judged by the other n, at least 1 - miscoverage are covered."""
    covered = sum(
        score <= threshold(np.delete(scores, row), miscoverage=miscoverage) for row, score in enumerate(scores)
    )
    assert covered >= (1 - miscoverage) * len(scores) - 1e-9


@given(st.permutations(range(30)), miss_rates)
def test_no_score_more_than_needed(scores, miscoverage):
    """Without ties the next smaller score would cover too few: there is no smaller threshold that will do."""
    found = threshold(np.array(scores, float), miscoverage=miscoverage)
    below = 30 if found == math.inf else scores[scores.index(int(found))]
    assert below < (1 - miscoverage) * 31 + 1e-9


@given(held_out, miss_rates)
def test_published_code_takes_the_next_larger_score(scores, miscoverage):
    exact, published = (find(scores, miscoverage=miscoverage) for find in (threshold, quantile_threshold))
    ordered = [*np.sort(scores).tolist(), math.inf]
    assert exact <= published <= ordered[min(ordered.index(exact) + int((scores == exact).sum()), len(scores))]


@pytest.mark.parametrize(
    ("rows", "miscoverage", "expected"), [(9, 0.1, 9), (9, 0.7, 3), (19, 0.05, 19), (8, 0.1, None)]
)
def test_the_order_is_exact_in_decimals(rows, miscoverage, expected):
    """(9 + 1)(1 - 0.7) is 3, though binary arithmetic makes it 3.0000000000000004; 8 rows cannot promise 90 %."""
    scores = np.arange(1.0, rows + 1)
    assert threshold(scores, miscoverage=miscoverage) == (math.inf if expected is None else expected)


@given(hnp.arrays(float, (6, 4), elements=st.integers(0, 3)), st.integers(-1, 3))
def test_ties_are_in_and_sets_are_not_empty(scores, bound):
    may_be_empty = sets(scores, bound, allow_empty=True)
    assert np.array_equal(may_be_empty, scores <= bound)
    chosen = sets(scores, bound)
    filled = chosen.any(axis=1) & ~may_be_empty.any(axis=1)
    assert chosen.any(axis=1).all()
    assert np.array_equal(chosen[~filled], may_be_empty[~filled])
    assert (chosen[filled].sum(axis=1) == 1).all()
    assert np.array_equal(chosen[filled].argmax(axis=1), scores[filled].argmin(axis=1))


def test_each_class_has_its_own_threshold():
    """Class 2 has no row: nothing is known of it, so it is in every set."""
    scores, labels = np.array([0.1, 0.2, 0.3, 0.7, 0.8, 0.9]), np.array([0, 0, 0, 1, 1, 1])
    found = class_thresholds(scores, labels, 3, miscoverage=0.5)
    assert found.tolist() == [0.2, 0.8, math.inf]
    assert sets(np.full((1, 3), 0.5), found).tolist() == [[False, True, True]]


def test_no_rows_make_no_sets():
    assert sets(np.empty((0, 3)), 0.5).shape == (0, 3)


@pytest.mark.parametrize("miscoverage", [0, 1, -0.1, math.nan])
def test_a_share_is_wanted(miscoverage):
    with pytest.raises(ValueError, match="strictly between 0 and 1"):
        threshold(np.ones(3), miscoverage=miscoverage)


def test_nan_has_no_place_in_an_order():
    with pytest.raises(ValueError, match="nan"):
        threshold(np.array([0.1, np.nan]), miscoverage=0.1)


@pytest.mark.parametrize("name", ["cifar10_resnet50_brier", "cifar10_wideresnet2610_flsd53"])
@pytest.mark.parametrize(("miscoverage", "key"), [(0.1, "lac_alpha_0p1"), (0.05, "lac_alpha_0p05")])
def test_real_sets_have_the_computed_coverage_and_size(real_data, name, miscoverage, key):
    """The reference cuts at numpy's quantile and lets sets be empty; the k-th score itself still covers as promised."""
    expected = json.loads(real_data("reference_metrics.json").read_text())[name][key]
    table = np.load(real_data(f"{name}/{name}.npz"))
    val, test = (lac_scores(log_softmax(table[f"{split}_logits"].astype(float), axis=1)) for split in ("val", "test"))
    held = scores_of_truth(val, table["val_labels"])
    cut = quantile_threshold(held, miscoverage=miscoverage)
    chosen = sets(test, cut, allow_empty=True)
    assert cut == pytest.approx(expected["qhat"], abs=1e-12)
    assert chosen[np.arange(len(test)), table["test_labels"]].mean() == expected["coverage"]
    assert chosen.sum() / len(test) == expected["mean_size"]
    exact = threshold(held, miscoverage=miscoverage)
    assert (held <= exact).sum() == math.ceil((len(held) + 1) * (1 - miscoverage))
    assert (held <= cut).sum() == (held <= exact).sum() + 1


def test_every_quantile_rule_serves_each_class():
    scores, labels = np.arange(20.0), np.arange(20) % 2
    exact = class_thresholds(scores, labels, 2, miscoverage=0.5)
    published = class_thresholds(scores, labels, 2, miscoverage=0.5, find=quantile_threshold)
    assert exact.tolist() == [10, 11]
    assert published.tolist() == [12, 13]


def two_kinds(rows=4000, classes=20, seed=0):
    """Scores of the truth: classes of even number are easy, the others hard."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, classes, rows)
    return random.beta(np.where(labels % 2, 6, 1), 2), labels


def test_classes_alike_are_one_cluster():
    scores, labels = two_kinds()
    clusters = class_clusters(scores, labels, 21, miscoverage=0.1)
    assert clusters.shape == (21,)
    assert set(clusters[0:20:2]).isdisjoint(clusters[1:20:2])
    assert clusters[20] not in clusters[:20], "a class without rows is placed with no other"


def test_clusters_cover_hard_classes_where_one_threshold_does_not():
    chosen, threshold_rows, new = (two_kinds(seed=seed) for seed in (1, 2, 3))
    clusters = class_clusters(*chosen, 20, miscoverage=0.1)
    found = cluster_thresholds(*threshold_rows, clusters, miscoverage=0.1)
    overall = threshold(threshold_rows[0], miscoverage=0.1)
    hard = new[1] % 2 == 1
    assert (new[0] <= found[new[1]])[hard].mean() == pytest.approx(0.9, abs=0.02)
    assert (new[0] <= found[new[1]])[~hard].mean() == pytest.approx(0.9, abs=0.02)
    assert (new[0] <= overall)[hard].mean() < 0.85


def test_few_rows_make_one_cluster_with_the_threshold_of_all():
    scores, labels = two_kinds(rows=40)
    clusters = class_clusters(scores, labels, 20, miscoverage=0.1)
    assert set(clusters) == {0}
    found = cluster_thresholds(scores, labels, clusters, miscoverage=0.1)
    assert set(found) == {threshold(scores, miscoverage=0.1)}


def test_a_fifth_of_each_class_is_chosen_on():
    labels = np.repeat([0, 1], [50, 10])
    chosen = chosen_on(labels)
    assert [int(chosen[labels == column].sum()) for column in (0, 1)] == [10, 2]
