"""What commands say, as Python says it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from softmax_cli import calibrate, compare, ensemble, evaluate, inspect, predict, sample, weights
from softmax_cli.api.wording import Call, in_python_words, plain
from softmax_cli.errors import SoftmaxCliError


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("add --on-bad-row skip", "add on_bad_row='skip'"),
        ("--on-bad-row skip (leave it out) or null (keep it)", "on_bad_row='skip' (leave it out) or 'null' (keep it)"),
        ("--engine ray takes 4 s; without --engine it takes 1", "engine='ray' takes 4 s; without engine= it takes 1"),
        ("choose: --label y or --label z", "choose: label='y' or label='z'"),
        ("leave --id and --logits out", "leave id= and logits= out"),
        ("name it with --label, or with --labels", "name it with label=, or with labels="),
        ("name it: --classes FILE or --label COLUMN", "name it: classes=FILE or label=COLUMN"),
        ("--draws 5 --no-replacement: 3 classes", "draws=5 no_replacement=True: 3 classes"),
        ("--weights 2,x: such as --weights 2,1,1", "weights='2,x': such as weights='2,1,1'"),
        ("--fail-if 'ece > 0.1': ece is 0.2", "fail_if='ece > 0.1': ece is 0.2"),
        ("--temperature nan: try --temperature 2.5.", "temperature=nan: try temperature=2.5."),
        ("add --decimal ,", "add decimal=','"),
        ("say --format parquet, csv ...", "say format='parquet', 'csv' ..."),
        ("--resume is for a folder: -o probs/", "resume=True is for a folder: output='probs/'"),
        ("fit one: softmax-cli calibrate", "fit one: calibrate()"),
        ("softmax-cli calibrate --method vector helps", "calibrate(method='vector') helps"),
        ("softmax-cli predict --help shows how", "help(predict) shows how"),
        ("softmax-cli explain 2 1 0.1", "softmax-cli explain 2 1 0.1"),
        ("--nonsense 3", "--nonsense 3"),
    ],
)
def test_a_flag_and_its_value_become_an_argument(typed, wanted):
    assert in_python_words(typed) == wanted


def test_what_has_one_name_in_two_commands_is_that_of_the_function():
    assert in_python_words("--per-class", Call("calibrate")) == "per_class=True"
    assert in_python_words("--per-class FILE", Call("evaluate")) == "per_class=FILE"


def test_a_file_is_called_by_the_data_in_it_and_a_value_as_it_was_given():
    call = Call("predict", "/tmp/x", {"weights": ([2, 1], "2,1"), "class_weights": ({}, "/tmp/x/class_weights.json")})
    assert in_python_words("/tmp/x/data.arrow: row 1", call) == "data: row 1"
    assert in_python_words("--weights 2,1: too few", call) == "weights=[2, 1]: too few"
    assert in_python_words("--class-weights /tmp/x/class_weights.json: no class", call) == "class_weights: no class"
    assert in_python_words("my_data.arrow and data.csv stay", call) == "my_data.arrow and data.csv stay"
    assert plain({"at": ("/tmp/x/data.npy: row 1", 2.5)}, "/tmp/x") == {"at": ["data: row 1", 2.5]}
    assert plain("softmax-cli predict -w x --json", "/tmp/x") == "softmax-cli predict -w x --json"


SCORES = np.array([[2.0, 1.0, 0.0], [0.0, 3.0, 1.0], [1.0, 0.0, 5.0]])
FRAME = pd.DataFrame(SCORES, columns=["cat", "dog", "owl"]).assign(y=["cat", "dog", "owl"])


@pytest.mark.parametrize(
    ("run", "words"),
    [
        (lambda: predict(FRAME, class_weights={"owls": 2}), "class_weights: no class is called 'owls'"),
        (lambda: predict(FRAME, layout="wde"), "layout='wde': did you mean wide?"),
        (lambda: predict(FRAME, where="z=1"), "where='z=1': no such column"),
        (lambda: predict(FRAME, id="row"), "id='row'"),
        (lambda: predict(FRAME.assign(cat=np.nan)), "go on with on_bad_row='skip' (leave it out) or 'null'"),
        (lambda: predict("none.csv"), "none.csv: no such file"),
        (lambda: predict(SCORES, engine="ray"), "engine='ray' is for a folder of parts: name one, such as output="),
        (lambda: evaluate(SCORES), "name it with label=, or take it from a file with labels="),
        (lambda: evaluate(SCORES, labels=[1, 2]), "labels"),
        (lambda: evaluate(FRAME, fail_if="acuracy < 1"), "fail_if='acuracy < 1': no figure is called 'acuracy'"),
        (lambda: evaluate(FRAME, bins=0), "bins=0: expected a whole number, 1 at least"),
        (lambda: calibrate(FRAME, method="vectr"), "method='vectr': did you mean vector?"),
        (lambda: sample(FRAME, epsilon=2), "epsilon=2: expected a share from 0 to 1"),
        (lambda: ensemble(FRAME, FRAME, weights=[1, 2, 3]), "weights=[1, 2, 3]: expected 2 numbers"),
        (lambda: compare(FRAME, FRAME, plots=["pie"], plot="x.png"), "plots=['pie']: no plot is called 'pie'"),
        (lambda: inspect(FRAME, outlier_limit=0), "outlier_limit=0: expected a number of deviations"),
        (lambda: weights(["a"], method="foo"), "method='foo': choose one of balanced"),
    ],
)
def test_what_is_wrong_is_told_of_the_argument(run, words):
    with pytest.raises(SoftmaxCliError) as caught:
        run()
    assert words in str(caught.value)
    assert " --" not in str(caught.value)
    assert "/tmp/softmax" not in str(caught.value)
