"""`predict` on data frames: the command line's transform, in a notebook's clothes."""

import doctest
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax as scipy_softmax

import softmax_cli
from softmax_cli import api as notebook
from softmax_cli import predict
from softmax_cli.errors import DataError, UsageError


@pytest.fixture
def frame():
    z = np.random.default_rng(0).normal(scale=3, size=(6, 3))
    return pd.DataFrame(z, columns=["cat", "dog", "cow"], index=list("abcdef")).assign(file=list("uvwxyz"))


def test_it_is_the_softmax_with_the_index_kept(frame):
    out = predict(frame, temperature=2)
    expected = scipy_softmax(frame[["cat", "dog", "cow"]].to_numpy() / 2, axis=1)
    np.testing.assert_allclose(out[["prob_cat", "prob_dog", "prob_cow"]], expected, rtol=1e-12)
    assert list(out.index) == list("abcdef")
    assert list(out["file"]) == list("uvwxyz")
    assert list(out["prediction"]) == list(frame[["cat", "dog", "cow"]].idxmax(axis=1))


def test_weights_multiply_and_renormalise(frame):
    p = predict(frame)[["prob_cat", "prob_dog", "prob_cow"]].to_numpy() * [1, 4, 1]
    out = predict(frame, class_weights={"dog": 4})
    np.testing.assert_allclose(out[["prob_cat", "prob_dog", "prob_cow"]], p / p.sum(axis=1, keepdims=True), rtol=1e-12)


def test_a_listing(frame):
    out = predict(frame, top_k=2)
    assert list(out.columns) == ["file", "label_1", "prob_1", "label_2", "prob_2"]


def test_columns_by_name(frame):
    assert "prob_cow" not in predict(frame, logits=["cat", "dog"]).columns


@pytest.mark.parametrize(
    ("change", "arguments", "error", "words"),
    [
        ({}, {"temperature": 0}, ValueError, "above 0"),
        ({}, {"temperature": float("nan")}, ValueError, "above 0"),
        ({}, {"class_weights": {"owl": 2}}, UsageError, "no class is called 'owl'"),
        ({}, {"logits": "x_*"}, UsageError, "no such column"),
        ({"cat": np.nan}, {}, DataError, "row 1: column 'cat'"),
    ],
)
def test_what_is_wrong_is_told(frame, change, arguments, error, words):
    with pytest.raises(error, match=words):
        predict(frame.assign(**change), **arguments)


def test_the_examples_in_the_docstrings_hold():
    for module in (notebook, sys.modules[softmax_cli.softmax.__module__]):
        assert doctest.testmod(module).failed == 0


def test_public_names():
    assert set(softmax_cli.__all__) == {
        "__version__",
        "for_ray",
        "for_spark",
        "log_softmax",
        "predict",
        "softmax",
        "transform",
    }
    assert all(hasattr(softmax_cli, name) for name in softmax_cli.__all__)
    assert not hasattr(softmax_cli, "nonsense")


def test_importing_the_package_loads_nothing_heavy():
    code = "import sys, softmax_cli; print({'numpy', 'pandas', 'pyarrow', 'typer'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
