"""One row as a page and as a plot: the numbers of the explanation, and no more classes than fit."""

import json
import math
import re

import numpy as np
import pytest

from softmax_cli.explanation.example import TEMPERATURES, Example
from softmax_cli.explanation.pictures import (
    MOST_CLASSES,
    explanation_page,
    explanation_tables,
    topic_tables,
    write_explanation_plots,
)
from softmax_cli.explanation.topics import read_topic
from softmax_cli.numeric.explanation import explain_row


def example_of(logits, truth=None):
    return Example("typed", tuple(f"z{i}" for i in range(len(logits))), np.array(logits, float), truth)


def data_of(page):
    return json.loads(re.search(r'type="application/json"[^>]*>(.*?)</script>', page.decode(), re.DOTALL)[1])


@pytest.fixture
def page():
    pytest.importorskip("jinja2")

    def make(logits, truth=None, temperature=1.0):
        example = example_of(logits, truth)
        return data_of(explanation_page(example, explain_row(example.logits, temperature), "softmax-cli explain"))

    return make


def test_the_page_has_the_scores_and_room_to_drag_them(page):
    data = page([2.0, 14.5, -math.inf], truth="z0", temperature=2.0)
    assert (data["classes"], data["logits"]) == (["z0", "z1", "z2"], [2.0, 14.5, "-inf"])
    assert (data["temperature"], data["weights"], data["truth"]) == (2.0, [1, 1, 1], 0)
    assert (data["low"], data["high"]) == (-10, 20)


def test_without_a_truth_the_prediction_is_marked(page):
    assert page([2.0, 14.5])["truth"] == 1


def test_many_classes_are_the_best_in_their_order(page):
    data = page(np.arange(100.0))
    assert data["classes"] == [f"z{i}" for i in range(100 - MOST_CLASSES, 100)]


def test_the_plot_has_a_panel_for_each_temperature(tmp_path):
    pytest.importorskip("matplotlib")
    example = example_of([2.0, 1.0])
    told = explain_row(example.logits, 3.0)
    write_explanation_plots(example, told, str(tmp_path / "a.svg"), force=False)
    drawn = (tmp_path / "a.svg").read_text("utf-8")
    for temperature in (*TEMPERATURES, 3.0):
        p = 1 / (1 + math.exp(-1 / temperature))
        entropy = -(p * math.log(p) + (1 - p) * math.log(1 - p))
        assert f"T = {temperature:g} (entropy {entropy:.3f} nats)" in drawn
        assert f">{p:.3f}<" in drawn


def test_tables_hold_every_class_and_the_steps_with_their_sums():
    logits = [2.0, 1.0, *[-3.0] * 18]
    (steps,) = explanation_tables(example_of(logits), explain_row(np.array(logits), 2.0), full=False)
    assert [title for title, _ in steps.columns] == ["class", "score", "z/T", "- max", "exp", "p"]
    assert all(is_number for _, is_number in steps.columns[1:])
    assert list(steps.rows[1]) == ["z1", "1", "0.5000", "-0.5000", "0.6065", "0.1967"]
    assert list(steps.rows[-1]) == ["sum", "", "", "", "3.0841", "1.0000"]
    assert len(steps.rows) == 21


def test_tables_in_full():
    logits = [2.0, 1.0, 0.1]
    explanation = explain_row(np.array(logits))
    _, heated, jacobian, functions = explanation_tables(example_of(logits), explanation, full=True)
    assert heated.rows[0][1:] == tuple(f"{explanation.at_temperature(t)[0]:.4f}" for t in TEMPERATURES)
    assert jacobian.rows[0] == ("z0", "+0.2247", "-0.1598", "-0.0650")
    assert [title for title, _ in functions.columns][-1] == "z / sum z"
    assert functions.rows[1][-1] == "0.3226"


def test_tables_of_a_topic():
    tables = topic_tables(read_topic("imbalance"))
    assert [one.title for one in tables] == ["Found of each digit", "All scans", "One scan"]
    assert tables[0].rows[0][:2] == ["zero", "119"]
