"""A calibration survives its file bit for bit, and nothing else is taken for one."""

from __future__ import annotations

import json
import math
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softmax_cli.calibration.calibration import Calibration, ChosenThreshold, Figures, FitRecord
from softmax_cli.calibration.file import decode, encode, read_calibration, write_calibration
from softmax_cli.errors import DataError, UsageError
from softmax_cli.numeric.calibrators import by_name, names
from softmax_cli.numeric.calibrators._examples import Examples
from softmax_cli.prediction.prediction_sets import Nonconformity, SetRule

RNG = np.random.default_rng(7)
LABELS = np.repeat([0, 1, 2], 40)
Z = RNG.normal(size=(120, 3)) + 2 * np.eye(3)[LABELS]
FITTED = {name: by_name(name).fit(Examples.checked(Z, LABELS)) for name in names()}
shares = st.floats(0, 1)
finite = st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def calibrations(draw):
    calibrator = FITTED[draw(st.sampled_from(names()))]
    figures = st.builds(Figures, nll=st.floats(0, math.inf), brier=shares, ece=shares)
    record = FitRecord(
        draw(st.text(max_size=5)), "sha256:0", draw(st.integers(1)), "logits", "nll", 5, draw(st.integers(0)),
        draw(figures), draw(figures), tuple(draw(st.lists(st.text(max_size=5), max_size=2))), ("careful",),
    )  # fmt: skip
    thresholds = draw(st.sampled_from([1, 3]))
    values = st.lists(st.floats(0, math.inf), min_size=thresholds, max_size=thresholds).map(np.array)
    tuned = st.none() | st.tuples(st.floats(0, 1e6), st.integers(0, 100))
    kind = st.builds(
        Nonconformity, st.sampled_from(["lac", "aps", "raps"]), st.none() | st.integers(0, 2**64 - 1), tuned
    )
    rule = st.builds(SetRule, kind, shares, values, st.integers(1), st.booleans())
    abstention = st.builds(ChosenThreshold, shares, shares, shares, st.text(max_size=5), st.integers(1))
    bias = st.lists(finite | st.just(-math.inf), min_size=3, max_size=3).map(np.array)
    optional = [draw(st.none() | choice) for choice in (bias, rule, abstention)]
    return Calibration(calibrator, ("cat", 'd"og', draw(st.text(min_size=1))), record, *optional)


def same(a, b):
    """Equal to the last bit, arrays too."""
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and np.array_equal(a, b)
    if hasattr(a, "__dataclass_fields__"):
        return type(a) is type(b) and all(same(getattr(a, name), getattr(b, name)) for name in a.__dataclass_fields__)
    if isinstance(a, tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b


@given(calibrations())
@settings(max_examples=80)
def test_there_and_back(calibration):
    data = encode(calibration)
    back = decode(data)
    assert same(calibration, back)
    assert np.array_equal(calibration.calibrator.log_p(Z), back.calibrator.log_p(Z))
    assert encode(back) == data


def test_a_person_can_read_it_and_json_can_too(tmp_path):
    record = FitRecord("v.csv", "sha256:0", 120, "logits", "nll", 5, 0, Figures(1, 1, 0.5), Figures(0.5, 0.5, 0.25))
    path = tmp_path / "c.json"
    write_calibration(Calibration(FITTED["temperature"], ("a", "b", "c"), record), path, force=False)
    held = json.loads(path.read_text(), parse_constant=pytest.fail)
    assert (held["format"], held["method"], held["classes"]) == (1, "temperature", ["a", "b", "c"])
    assert held["fit"]["after"] == {"nll": 0.5, "brier": 0.5, "ece": 0.25}
    assert max(map(len, path.read_text().splitlines())) < 120
    assert same(read_calibration(str(path)).fit, record)


def written(**changed):
    record = FitRecord("v.csv", "sha256:0", 120, "logits", "nll", 5, 0, Figures(1, 1, 0.5), Figures(0.5, 0.5, 0.25))
    held = json.loads(encode(Calibration(FITTED["vector"], ("a", "b", "c"), record)))
    return json.dumps({name: value for name, value in {**held, **changed}.items() if value is not None}).encode()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"\xff{}", "not JSON"),
        (b"[]", "not a calibration"),
        (b'{"cat": 1}', "not a calibration"),
        (written(format=2), "format 2, and this program .* knows 1"),
        (written(method="os"), "no calibration method 'os'"),
        (written(parameters={}), "'factor' is missing"),
        (written(parameters={"factor": [1, 2], "bias": [1, 2]}), "2 classes"),
        (written(parameters={"factor": [1, 2, "x"], "bias": [1, 2, 3]}), "expected a list of finite numb"),
        (written(classes=["a", "b", 3]), "class 3 is no text"),
        (written(classes=None), "'classes' is missing"),
        (written(fit={}), "'before' is missing"),
        (written(conformal={"score": "x"}), "no score 'x'"),
        (written(abstention={"confidence": 1}), "damaged"),
    ],
)
def test_nothing_else_is_taken_for_one(tmp_path, data, words):
    (tmp_path / "c.json").write_bytes(data)
    with pytest.raises(DataError, match=words) as caught:
        read_calibration(str(tmp_path / "c.json"))
    assert re.match(r"--calibration .*c\.json: ", str(caught.value))


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(UsageError, match="softmax-cli calibrate"):
        read_calibration(str(tmp_path / "none.json"))
