"""Where computed numbers go: the columns of every layout, what is withheld, and what a bad row keeps."""

import numpy as np
import pyarrow as pa
import pytest

from softmax_cli.prediction.abstention import Abstention
from softmax_cli.prediction.layout import LAYOUTS, Layout
from softmax_cli.prediction.scorer import Scored
from softmax_cli.tables.arrays import from_arrow, to_arrow
from softmax_cli.tables.columns import METADATA_KEY

CLASSES = ("cat", "dog")
KEPT = from_arrow(pa.record_batch({"id": ["x", "y", "z"]}))
P = np.array([[0.75, 0.25], [0.5, 0.5], [np.nan, np.nan]])
SCORED = Scored(np.array([0, 0, 0], np.int32), P.max(axis=1), {"prob": P}, None, np.array([False, False, True]))
RANKED = SCORED._replace(top=np.array([[0, 1], [0, 1], [0, 1]], np.int32))


def rows(layout, scored=SCORED, kept=KEPT):
    batch = layout(kept, scored, CLASSES)
    arrow = to_arrow(batch)
    arrow.validate(full=True)
    assert repr(arrow.to_pylist()) == repr(batch.to_pylist())
    return arrow.to_pylist()


def test_wide():
    assert rows(Layout()) == [
        {"id": "x", "prediction": "cat", "confidence": 0.75, "prob_cat": 0.75, "prob_dog": 0.25},
        {"id": "y", "prediction": "cat", "confidence": 0.5, "prob_cat": 0.5, "prob_dog": 0.5},
        {"id": "z", "prediction": None, "confidence": None, "prob_cat": None, "prob_dog": None},
    ]


def test_a_list():
    found = rows(Layout("list"))
    assert [row["prob"] for row in found] == [[0.75, 0.25], [0.5, 0.5], None]
    assert found[0].keys() == {"id", "prediction", "confidence", "prob"}


def test_long_has_one_row_for_a_bad_one():
    found = rows(Layout("long"), RANKED)
    assert [(row["id"], row["rank"], row["label"], row["prob"]) for row in found] == [
        ("x", 1, "cat", 0.75),
        ("x", 2, "dog", 0.25),
        ("y", 1, "cat", 0.5),
        ("y", 2, "dog", 0.5),
        ("z", None, None, None),
    ]


def test_a_ranking_names_its_classes():
    first, _, bad = rows(Layout(), RANKED)
    assert first == {"id": "x", "label_1": "cat", "prob_1": 0.75, "label_2": "dog", "prob_2": 0.25}
    assert bad == {"id": "z", "label_1": None, "prob_1": None, "label_2": None, "prob_2": None}
    assert "prediction" in rows(Layout(abstention=Abstention(np.zeros(2))), RANKED)[0]


def test_only_predictions():
    assert rows(Layout(only_predictions=True))[0] == {"id": "x", "prediction": "cat", "confidence": 0.75}


def test_a_prediction_is_withheld_below_the_threshold_and_not_at_it():
    at = Abstention(np.array([0.5, 0.9]), "unsure")
    assert [row["prediction"] for row in rows(Layout(abstention=at))] == ["cat", "cat", None]
    above = Abstention(np.array([np.nextafter(0.5, 1), 0.9]), "unsure")
    assert [row["prediction"] for row in rows(Layout(abstention=above))] == ["cat", "unsure", None]


def test_sets_are_listed_with_their_size():
    sets = np.array([[True, False], [True, True], [True, True]])
    found = rows(Layout(), SCORED._replace(sets=sets))
    assert [(row["set"], row["set_size"]) for row in found] == [(["cat"], 1), (["cat", "dog"], 2), (None, None)]


@pytest.mark.parametrize("shape", LAYOUTS)
def test_without_rows_the_columns_are_the_same(shape):
    """A schema is made of a batch without rows."""
    empty = RANKED._replace(
        prediction=np.empty(0, np.int32),
        confidence=np.empty(0),
        values={"prob": np.empty((0, 2))},
        top=np.empty((0, 2), np.int32),
        bad=np.empty(0, np.bool_),
    )
    assert Layout(shape)(KEPT.slice(0, 0), empty, CLASSES).schema == Layout(shape)(KEPT, RANKED, CLASSES).schema


def test_what_an_earlier_run_computed_is_the_users_own_now():
    marked = pa.schema([pa.field("prob_old", pa.float64(), metadata={METADATA_KEY: b"prob"})])
    kept = from_arrow(pa.record_batch([pa.array([0.1, 0.2, 0.3])], schema=marked))
    batch = Layout()(kept, SCORED, CLASSES)
    assert batch.schema.field("prob_old").metadata is None
    assert batch.schema.field("prob_cat").metadata == {METADATA_KEY: b"prob"}
