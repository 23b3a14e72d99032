"""Class weights: computed from a file, written for ``predict -w``, shown, and drawn."""

import csv
import io
import json

import numpy as np
import pytest

from softmax_cli.errors import DataError, UsageError
from softmax_cli.numeric.class_weights import Balanced, LogPrior, Prior
from softmax_cli.terminal.console import make_console
from softmax_cli.weighting.pictures import write_weight_plots
from softmax_cli.weighting.report import ClassWeights, class_weights
from softmax_cli.weighting.screen import show_weights

FOUND = ClassWeights(("cat", "a,b"), np.array([3.0, 1.0]), np.array([2 / 3, 2.0]), "weight", "n / (K n_i)")


@pytest.fixture
def labels(tmp_path):
    path = tmp_path / "train.csv"
    path.write_text("id,label\n1,dog\n2,cat\n3,cat\n4,ant\n")
    return str(path)


def test_the_commonest_class_comes_first_and_of_equals_the_alphabet(labels):
    found = class_weights(labels, None, Balanced(), "weight")
    assert found.classes == ("cat", "ant", "dog")
    np.testing.assert_allclose(found.values, 4 / (3 * np.array([2, 1, 1])))
    np.testing.assert_allclose(found.shares, [0.5, 0.25, 0.25])
    np.testing.assert_allclose(class_weights(labels, "label", Prior(), "prior").values, found.shares)


@pytest.mark.parametrize(
    ("text", "words"), [("label\n", "at least one training example"), ("class,count\ncat,3\ndog,0\n", "dog=0")]
)
def test_no_weight_follows_from_nothing(tmp_path, text, words):
    (tmp_path / "in.csv").write_text(text)
    with pytest.raises(DataError, match=words):
        class_weights(str(tmp_path / "in.csv"), None, Balanced(), "weight")


def test_a_rule_that_leaves_the_range_of_numbers(labels):
    assert np.isfinite(class_weights(labels, None, LogPrior(2.0), "weight").values).all()
    with pytest.raises(UsageError, match="out of the range of numbers"):
        class_weights(labels, None, LogPrior(2000.0), "weight")


def test_what_is_written_reads_back_bit_for_bit(tmp_path):
    path = tmp_path / "w.csv"
    FOUND.write(str(path), force=False)
    header, *lines = csv.reader(io.StringIO(path.read_text()))
    assert header == ["class", "weight"]
    assert [(name, float(value)) for name, value in lines] == [("cat", 2 / 3), ("a,b", 2.0)]


def test_as_json():
    told = json.loads(json.dumps(FOUND.to_json()))
    assert told["examples"] == 4
    assert told["classes"][0] == {"class": "cat", "count": 3, "share": 0.75, "weight": pytest.approx(2 / 3)}


def test_effects_in_words():
    assert FOUND.effects() == ["lowers the class", "raises the class"]
    shares = ClassWeights(("a", "b"), np.array([3.0, 1.0]), np.array([0.75, 0.25]), "prior", "n_i / n")
    assert shares.effects() == ["1.5 times an even share", "0.5 times an even share"]


@pytest.mark.parametrize("width", [60, 100])
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_on_a_screen(width, encoding):
    stream = io.TextIOWrapper(io.BytesIO(), encoding)
    console = make_console(stream, "never")
    console.width = width
    show_weights(console, FOUND)
    stream.flush()
    lines = stream.buffer.getvalue().decode(encoding).splitlines()
    assert max(map(len, lines)) <= width
    assert lines[2].split()[:4] == ["cat", "3", "75.0%", "0.6667"]
    assert "2 classes, 4 examples; the commonest is 3 times the rarest" in lines
    assert lines[-1] == "weight = n / (K n_i)"


def test_the_plot_has_the_rarest_of_many_classes(tmp_path):
    pytest.importorskip("matplotlib")
    names = tuple(f"c{i}" for i in range(30))
    many = ClassWeights(names, np.arange(30.0, 0, -1), np.arange(1.0, 31), "weight", "")
    write_weight_plots(many, str(tmp_path / "w.svg"), force=False)
    drawn = (tmp_path / "w.svg").read_text("utf-8")
    assert "465 training rows, 30 classes: the 20 rarest" in drawn
    assert ">c29<" in drawn
    assert ">c0<" not in drawn
