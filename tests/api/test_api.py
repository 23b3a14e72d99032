"""`predict` on data frames: the command line's transform, in a notebook's clothes."""

import doctest
import inspect
import json
import re
import subprocess
import sys
from dataclasses import FrozenInstanceError

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy.special import softmax as scipy_softmax

import softmax_cli as package
from softmax_cli import api as notebook
from softmax_cli import calibrate, commands, compare, ensemble, evaluate, explain, predict, sample, weights
from softmax_cli.api import pipelines
from softmax_cli.errors import DataError, GateError, UsageError
from softmax_cli.options.parser import parameters_of
from softmax_cli.tables import threads


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


def test_the_memory_of_the_process_is_left_as_it_is(frame, monkeypatch):
    """It belongs to the notebook; the command line may tell the C library how to keep it."""
    monkeypatch.setattr(threads, "keep_freed_memory", {}.popitem)
    assert len(predict(frame)) == 6


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
        ({}, {"temperature": 0}, UsageError, "^temperature=0: division by zero"),
        ({}, {"temperature": float("nan")}, UsageError, "^temperature=nan: expected a number above 0"),
        ({}, {"temprature": 2}, UsageError, "^temprature: no such option; did you mean 'temperature'"),
        ({}, {"T": 2}, UsageError, "^T: no such option; did you mean 'temperature'"),
        ({}, {"class_weights": {"owl": 2}}, UsageError, "no class is called 'owl'"),
        ({}, {"logits": "x_*"}, UsageError, "no such column"),
        ({"cat": np.nan}, {}, DataError, "^data: row 1: column 'cat'"),
    ],
)
def test_what_is_wrong_is_told(frame, change, arguments, error, words):
    with pytest.raises(error, match=words):
        predict(frame.assign(**change), **arguments)


def test_the_examples_in_the_docstrings_hold():
    for module in (notebook, pipelines, sys.modules[package.softmax.__module__]):
        assert doctest.testmod(module).failed == 0


def test_public_names():
    assert set(package.__all__) == {
        "__version__",
        "calibrate",
        "compare",
        "ensemble",
        "evaluate",
        "explain",
        "for_ray",
        "for_spark",
        "inspect",
        "log_softmax",
        "predict",
        "sample",
        "softmax",
        "transform",
        "weights",
    }
    assert all(hasattr(package, name) for name in package.__all__)
    assert {*dir(package)} == {*package.__all__}
    assert not hasattr(package, "nonsense")


def command(softmax_cli_, *arguments):
    done = softmax_cli_(*arguments, "-q")
    assert done.code == 0, done.err
    return done.text


@pytest.fixture
def table(tmp_path):
    z = np.random.default_rng(1).normal(scale=3, size=(50, 3))
    frame = pd.DataFrame(z, columns=["cat", "dog", "cow"]).assign(id=np.arange(50), t=np.linspace(0.5, 2, 50))
    frame["label"] = np.array(["cat", "dog", "cow"])[
        (z + np.random.default_rng(2).normal(scale=3, size=z.shape)).argmax(1)
    ]
    frame.to_parquet(tmp_path / "x.parquet", index=False)
    frame.assign(cat=frame["cat"] + 1).to_parquet(tmp_path / "y.parquet", index=False)
    return frame


CLASS_COLUMNS = ("--logits", "cat,dog,cow")
OPTIONS = [
    {"temperature": 2, "class_weights": {"dog": 4}, "add": ["entropy", "correct"]},
    {"top_k": 2, "threshold": 0.9, "abstain_label": "?", "where": "t > 1", "logits": ["cat", "dog", "cow"]},
    {"temperature_column": "t", "sort": "-loss", "limit": 7, "emit": "prob,logprob"},
    {"layout": "long", "top_p": 0.9},
]


def typed(options):
    words = []
    for name, value in options.items():
        if isinstance(value, dict):
            value = ",".join(f"{key}={held}" for key, held in value.items())
        value = ",".join(value) if isinstance(value, list) else value
        words.append(f"--{name.replace('_', '-')}={value}")
    return words


@pytest.mark.parametrize("options", OPTIONS)
def test_predict_gives_the_numbers_of_the_command(softmax_cli, table, tmp_path, options):
    command(softmax_cli, "predict", "x.parquet", *typed(options), "-o", "out.parquet")
    wanted = pq.read_table(tmp_path / "out.parquet")
    assert predict(pa.Table.from_pandas(table, preserve_index=False), **options).to_pylist() == wanted.to_pylist()
    assert predict(tmp_path / "x.parquet", **options).to_pylist() == wanted.to_pylist()
    found = predict(pl.from_pandas(table), **options)
    assert isinstance(found, pl.DataFrame)
    assert found.to_dicts() == wanted.to_pylist()
    frame = predict(table, **options)
    assert frame.to_dict("records") == wanted.to_pandas().to_dict("records")


GROUPS = [
    {"group": "id", "logits": "score", "temperature": 2},
    {"group": "id", "logits": "score", "top_k": 1, "sorted": True},
    {"long": "id,class,score"},
    {"pool_by": "label", "logits": "cat,dog,cow", "pool": "mean-logit"},
    {"costs": {"cat": 1, "dog": 5, "cow": 1}, "add": "entropy"},
    {"superclasses": {"cat": "pet", "dog": "pet", "cow": "stock"}},
]


@pytest.mark.parametrize("options", GROUPS)
def test_groups_long_tables_costs_and_superclasses_are_those_of_the_command(softmax_cli, table, tmp_path, options):
    if "score" in str(options):
        table = table.melt(id_vars="id", value_vars=["cat", "dog", "cow"], var_name="class", value_name="score")
        table = table.sort_values("id", kind="stable").reset_index(drop=True)
    table = table.drop(columns="t", errors="ignore")
    table.to_parquet(tmp_path / "x.parquet", index=False)
    written = dict(options)
    if "costs" in options:
        costs = pd.DataFrame({"truth": ["cat", "dog", "cow"]})
        for name, cost in options["costs"].items():
            costs[name] = [0 if truth == name else cost for truth in costs["truth"]]
        costs.to_csv(tmp_path / "costs.csv", index=False)
        options, written = options | {"costs": costs}, written | {"costs": "costs.csv"}
    if "superclasses" in options:
        pd.Series(options["superclasses"], name="superclass").rename_axis("class").to_csv(tmp_path / "super.csv")
        written["superclasses"] = "super.csv"
    words = [word.removesuffix("=True") for word in typed(written)]
    command(softmax_cli, "predict", "x.parquet", *words, "-o", "out.parquet")
    wanted = pq.read_table(tmp_path / "out.parquet").to_pylist()
    assert predict(pl.from_pandas(table), **options).to_dicts() == wanted
    assert predict(pa.Table.from_pandas(table, preserve_index=False), **options).to_pylist() == wanted
    assert len(predict(table, **options)) == len(wanted) > 0


@pytest.mark.parametrize("options", [{"draws": 3, "seed": 7, "epsilon": 0.1}, {"no_replacement": True, "draws": 2}])
def test_sample_draws_what_the_command_draws(softmax_cli, table, tmp_path, options):
    words = [word.removesuffix("=True") for word in typed(options)]
    command(softmax_cli, "sample", "x.parquet", *words, "-o", "out.parquet")
    assert sample(pl.from_pandas(table), **options).to_dicts() == pq.read_table(tmp_path / "out.parquet").to_pylist()


def test_ensemble_and_compare_give_the_numbers_of_the_commands(softmax_cli, table, tmp_path):
    other = table.assign(cat=table["cat"] + 1).sample(frac=1, random_state=0)
    command(softmax_cli, "ensemble", "x.parquet", "y.parquet", "--weights", "2,1", "-o", "out.parquet")
    tables = [pa.Table.from_pandas(one, preserve_index=False) for one in (table, other)]
    assert ensemble(*tables, weights=[2, 1]).to_pylist() == pq.read_table(tmp_path / "out.parquet").to_pylist()
    report = json.loads(command(softmax_cli, "compare", "x.parquet", "y.parquet", "--json", "--bootstrap", "50"))
    found = compare(*tables, bootstrap=50)
    wanted = {name: figure["value"] for name, figure in report["pairs"][0]["figures"].items()}
    assert found.figures == wanted
    assert "agreement" in found._repr_html_()
    command(softmax_cli, "compare", "x.parquet", "y.parquet", "--flips-out", "flips.parquet", "--bootstrap", "0")
    flips = pq.read_table(tmp_path / "flips.parquet").to_pylist()
    assert found.flips.to_pylist() == flips
    assert compare(pl.from_pandas(table), other, bootstrap=0).flips.to_dicts() == flips
    assert len(flips) == found.figures["flips"] > 0
    assert len(compare(*tables, tables[0], bootstrap=0).figures) == 2


def test_evaluate_and_calibrate_give_the_numbers_of_the_commands(softmax_cli, table, tmp_path):
    report = json.loads(command(softmax_cli, "evaluate", "x.parquet", "--json", "--bins", "5", *CLASS_COLUMNS))
    wanted = {name: figure["value"] for name, figure in report["figures"].items()}
    scores = table.drop(columns="label")
    for data, labels in ((table, None), (scores, table["label"]), (scores, list(table["label"]))):
        found = evaluate(data, bins=5, logits="cat,dog,cow", **({} if labels is None else {"labels": labels}))
        assert found.figures == wanted
    with pytest.raises(FrozenInstanceError):
        found.figures = {}
    command(softmax_cli, "calibrate", "x.parquet", "-o", "c.json", *CLASS_COLUMNS)
    fit = calibrate(table, logits="cat,dog,cow")
    fit.save(tmp_path / "d.json")
    ours, theirs = (json.loads((tmp_path / name).read_text()) for name in ("d.json", "c.json"))
    assert ours["parameters"] == theirs["parameters"]
    command(softmax_cli, "predict", "x.parquet", "--calibration", "c.json", "-o", "out.parquet", *CLASS_COLUMNS)
    for given in (fit, tmp_path / "c.json"):
        found = predict(pl.from_pandas(table), calibration=given, logits="cat,dog,cow")
        assert found.to_dicts() == pq.read_table(tmp_path / "out.parquet").to_pylist()


def test_inspect_gives_the_report_of_the_command(softmax_cli, table, tmp_path):
    broken = table.assign(cat=[np.nan, *table["cat"][1:]])
    broken.to_parquet(tmp_path / "z.parquet", index=False)
    wanted = json.loads(command(softmax_cli, "inspect", "z.parquet", "--json", *CLASS_COLUMNS))
    for data in (broken, pl.from_pandas(broken), tmp_path / "z.parquet"):
        found = package.inspect(data, logits="cat,dog,cow")
        assert found.report["classes"] == wanted["classes"]
        assert [one["text"] for one in found.findings] == [one["text"] for one in wanted["findings"]]
        assert found.figures["rows"] == 50
        assert found.figures["scored"] == 49
        assert found.figures["problems"] == sum(one["severity"] == "problem" for one in wanted["findings"]) > 0
        assert "cannot be scored" in found._repr_html_()
    assert found.findings[0]["places"][0].startswith(str(tmp_path / "z.parquet"))
    assert package.inspect(broken, logits="cat,dog,cow").findings[0]["places"][0].startswith("data: row 1: ")


@pytest.mark.parametrize("options", [{}, {"method": "effective-number", "beta": 0.9}, {"method": "prior"}])
def test_weights_are_those_of_the_command(softmax_cli, table, tmp_path, options):
    report = json.loads(command(softmax_cli, "weights", "x.parquet", "--json", *typed(options)))
    column = "prior" if options.get("method") == "prior" else "weight"
    wanted = {one["class"]: one[column] for one in report["classes"]}
    labels = table["label"]
    many = (
        labels,
        list(labels),
        pl.Series(labels.to_numpy(object)),
        table,
        labels.astype("category"),
        pa.array(labels),
    )
    for given in (*many, labels.value_counts(), dict(labels.value_counts()), tmp_path / "x.parquet"):
        found = weights(given, **options)
        assert found.figures == wanted
        assert found.report == report
    option = {"source_prior": found, "target_prior": "uniform"} if column == "prior" else {"class_weights": found}
    typed_value = {name: wanted if value is found else value for name, value in option.items()}
    scores = table[["cat", "dog", "cow"]]
    pd.testing.assert_frame_equal(predict(scores, **option), predict(scores, **typed_value))


def test_explain_gives_every_number_of_the_command(softmax_cli, table, tmp_path):
    wanted = json.loads(command_as_it_is(softmax_cli, "explain", "a=2", "b=-1", "-T", "2", "-w", "b=4", "--json"))
    for scores in ({"a": 2, "b": -1}, pd.Series({"a": 2.0, "b": -1.0})):
        found = explain(scores, temperature=2, class_weights={"b": 4})
        assert {**found.report, "where": wanted["where"]} == wanted
        assert found.figures == wanted["steps"]["prob"]
    for scores in ([2.0, 1.0, 0.1], (2.0, 1.0, 0.1), np.array([2.0, 1.0, 0.1]), pl.Series([2.0, 1.0, 0.1])):
        typed_scores = json.loads(command_as_it_is(softmax_cli, "explain", "2.0", "1.0", "0.1", "--json"))
        assert explain(scores).report["steps"] == typed_scores["steps"]
    one = json.loads(command_as_it_is(softmax_cli, "explain", "2.0", "--json"))["steps"]["prob"]
    assert list(explain([2.0]).figures.values()) == list(one.values())
    row = json.loads(command_as_it_is(softmax_cli, "explain", "x.parquet", "--id", "7", "--json", *CLASS_COLUMNS))
    for data, which in (
        (table, {"id": "7"}),
        (pl.from_pandas(table), {"row": 8}),
        (tmp_path / "x.parquet", {"row": 8}),
    ):
        assert explain(data, logits="cat,dog,cow", **which).report["steps"] == row["steps"]
    topic = json.loads(command_as_it_is(softmax_cli, "explain", "imbalance", "--json"))
    assert explain("imbalance").report == topic


def command_as_it_is(softmax_cli_, *arguments):
    done = softmax_cli_(*arguments)
    assert done.code == 0, done.err
    return done.text


def test_a_gate_that_fails_is_an_error(table):
    with pytest.raises(GateError, match="fail_if='accuracy < 1': accuracy is 0"):
        evaluate(table, logits="cat,dog,cow", bootstrap=0, fail_if="accuracy < 1")
    with pytest.raises(GateError, match="agreement"):
        compare(table, table, logits="cat,dog,cow", bootstrap=0, fail_if=["agreement > 0.5"])


def test_several_tables_are_compared_by_their_places(table):
    found = compare(table, table, table.assign(cat=9), logits="cat,dog,cow", bootstrap=0)
    assert list(found.figures) == ["data1", "data2"]
    assert found.figures["data1"]["agreement"] == 1
    assert "data2 agreement" in found._repr_html_()
    for function in (compare, ensemble):
        with pytest.raises(UsageError, match=r"takes two tables at least: \w+\(a, b\)$"):
            function(table)


def test_arrays_in_arrays_out(table):
    z = table[["cat", "dog", "cow"]].to_numpy()
    np.testing.assert_allclose(predict(z, temperature=2), scipy_softmax(z / 2, axis=1), rtol=1e-12)
    np.testing.assert_allclose(predict(z.tolist()), scipy_softmax(z, axis=1), rtol=1e-12)
    assert predict(z, top_k=1).column_names == ["label_1", "prob_1"]


def test_an_index_stays_with_its_rows(frame):
    frame.index.name = "name"
    assert list(predict(frame, sort="confidence").index) == list(predict(frame).sort_values("confidence").index)
    twice = pd.MultiIndex.from_product([["x", "y"], [1, 2, 3]], names=["a", "b"])
    assert predict(frame.set_index(twice)).index.equals(twice)
    broken = frame.assign(cat=[np.nan, *frame["cat"][1:]])
    assert list(predict(broken, on_bad_row="skip").index) == list("bcdef")


def test_a_file_is_written_where_one_is_asked_for(frame, tmp_path):
    assert predict(frame, output=tmp_path / "out.csv", digits=4) is None
    assert len(pd.read_csv(tmp_path / "out.csv")) == 6


@pytest.mark.parametrize(
    "option",
    [{"format": "csv"}, {"digits": 4}, {"decimals": 2}, {"escape_formulas": True}],
    ids=lambda one: next(iter(one)),
)
def test_an_option_about_a_file_needs_one(frame, tmp_path, option):
    (name,) = option
    with pytest.raises(UsageError, match=f"^{name}= is about a file: name it with output="):
        predict(frame, **option)
    assert predict(frame, **option, output=tmp_path / "out.csv") is None


def test_the_tables_of_an_evaluation_are_written_where_they_are_asked_for(table, tmp_path):
    tables = {option: tmp_path / f"{option}.csv" for option in ("per_class", "confusion", "bins_out")}
    evaluate(table, bootstrap=0, logits="cat,dog,cow", **tables)
    classes, confusion, bins = map(pd.read_csv, tables.values())
    assert classes["name"].tolist() == ["cat", "dog", "cow"]
    assert confusion[["cat", "dog", "cow"]].to_numpy().sum() == bins["rows"].sum() == len(table)


def test_plots_and_pages_are_drawn_where_they_are_asked_for(table, tmp_path):
    """And the pages call the data by its name, and say how they were made."""
    pytest.importorskip("matplotlib")
    pytest.importorskip("jinja2")
    logits = ["cat", "dog", "cow"]
    for function, given in (
        (evaluate, (table,)),
        (calibrate, (table,)),
        (package.inspect, (table,)),
        (compare, (table, table.assign(cat=0.5))),
    ):
        page, plot = (tmp_path / f"{function.__name__}.{suffix}" for suffix in ("html", "svg"))
        function(*given, logits=logits, report=page, plot=plot)
        assert plot.read_text("utf-8").startswith("<?xml")
        text = page.read_text("utf-8")
        names = "data, data1" if function is compare else "data"
        assert f"{function.__name__}({names}, logits=[&#39;cat&#39;, &#39;dog&#39;, &#39;cow&#39;], report=" in text
        assert "data.arrow" not in text
    weights(table, plot=tmp_path / "w.svg")
    assert (tmp_path / "w.svg").exists()


FUNCTIONS = [getattr(package, name) for name in commands.names()]


OF_A_SCREEN = {"json", "dry_run", "color", "all", "full", "table", "classes_shown"}
"""Options about what is printed; so is ``format`` of a report, whose tables are to be pasted."""


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_has_every_option_of_its_command_and_no_other(function):
    shown = {*inspect.signature(function).parameters}
    command = commands.load(function.__name__)
    known = parameters_of(getattr(command, function.__name__))
    subject = "labels" if function is weights else "paths"
    printed = OF_A_SCREEN | (set() if function in (predict, sample, ensemble) else {"format"})
    wanted = {*known} - printed - {subject}
    first, *_ = inspect.signature(function).parameters
    assert shown - {first} == wanted


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_help_of_a_function_tells_every_option(function):
    shown = inspect.signature(function).parameters
    text = inspect.getdoc(function)
    for name in [*shown][1:]:
        assert re.search(rf"^{name}( : default .+)?\n    \S", text, re.MULTILINE), name
    assert " --" not in text.partition("Other Parameters")[2]
    assert "OptionInfo" not in str(inspect.signature(function))


def test_importing_the_package_loads_nothing_heavy():
    code = "import sys, softmax_cli; print({'numpy', 'pandas', 'pyarrow', 'typer'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
