"""The steps of predict on batches that a pipeline hands over."""

import pickle

import numpy as np
import pyarrow as pa
import pytest
from scipy.special import softmax

from softmax_cli.api.pipelines import for_ray, for_spark, transform

TABLE = pa.table({"name": ["x", "y"], "logit_cat": [2.0, 0.0], "logit_dog": [1.0, 3.0]})


def test_batches_are_scored_as_the_table_is():
    steps = pickle.loads(pickle.dumps(transform(TABLE, temperature=2, class_weights={"dog": 3})))
    scored = steps(TABLE.to_batches()[0])
    z = np.array([[2, 1], [0, 3]]) / 2 + np.log([1, 3])
    np.testing.assert_allclose(np.column_stack([scored["prob_cat"], scored["prob_dog"]]), softmax(z, axis=1))
    assert scored.schema == steps.schema(TABLE.schema)
    assert for_ray(steps)(TABLE).to_pylist() == scored.to_pylist()
    (plain,) = for_spark(steps)(TABLE.to_batches())
    assert plain.schema.field("prediction").type == pa.string()


def test_a_temperature_is_above_zero():
    with pytest.raises(ValueError, match="temperature 0: expected a number above 0"):
        transform(TABLE, temperature=0)
