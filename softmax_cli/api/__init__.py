"""The commands in Python: on data frames, Arrow tables, arrays and files, with the options of the command line.

A function runs the command of its name, so that both give the same numbers. An option has its long name with
underscores, and takes what Python has: ``top_k=3``, ``class_weights={"cat": 4}``, ``labels=array``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from softmax_cli.api.arguments import describe, given
from softmax_cli.api.frames import Data, shape_of
from softmax_cli.api.pipelines import ArrowTransform as ArrowTransform
from softmax_cli.api.pipelines import for_ray as for_ray
from softmax_cli.api.pipelines import for_spark as for_spark
from softmax_cli.api.pipelines import transform as transform
from softmax_cli.api.results import CalibrationResult, ComparisonResult, InspectionResult, Result
from softmax_cli.api.wording import in_python_words
from softmax_cli.errors import GateError, UsageError
from softmax_cli.tables.arrays import to_arrow, to_arrow_schema


@describe
def predict(data: Data, **options: Any) -> Any:
    """Turn scores into probabilities.

    Parameters
    ----------
    data : DataFrame, Arrow table, array of shape (rows, classes), or path
        A row per example; class columns are found by the rules of ``softmax-cli predict``.
    **options
        Those of the command, such as ``temperature``, ``class_weights``, ``top_k``, ``calibration``, ``threshold``,
        ``on_bad_row``. With ``output`` the result is written there, and nothing is returned.

    Returns
    -------
    DataFrame, Arrow table or array
        Of the kind of `data`, a pandas index included; an Arrow table for a path. Of an array, the probabilities,
        unless other columns were asked for: then an Arrow table.

    Raises
    ------
    UsageError
        An option is unknown, or does not take the value.
    DataError
        A row has a missing or infinite score, or no column looks like a score.

    Examples
    --------
    >>> import pandas as pd
    >>> predict(pd.DataFrame({"cat": [2.0], "dog": [1.0]})).round(3).to_dict("records")
    [{'prediction': 'cat', 'confidence': 0.731, 'prob_cat': 0.731, 'prob_dog': 0.269}]
    >>> predict([[2.0, 1.0], [0.0, 0.0]], temperature=2).round(3)
    array([[0.622, 0.378],
           [0.5  , 0.5  ]])
    """
    return _rows(predict, (data,), options, matrix="list")


@describe
def sample(data: Data, **options: Any) -> Any:
    """Draw actions from the softmax of every row: ``draws``, ``seed``, ``epsilon``, and the options of `predict`.

    Parameters
    ----------
    data : DataFrame, Arrow table, array of shape (rows, classes), or path
        As for `predict`.

    Returns
    -------
    DataFrame or Arrow table
        The columns that pass through, ``action``, ``prob`` (the propensity) and ``log_prob`` (nats); with ``draws``
        above 1 a row for each draw. Of an array, an Arrow table.

    Examples
    --------
    >>> sample([[0.0, 9.0], [9.0, 0.0]], seed=7)["action"].to_pylist()
    ['1', '0']
    """
    return _rows(sample, (data,), options)


@describe
def ensemble(*tables: Data, **options: Any) -> Any:
    """Pool tables of scores of the same rows: ``pool``, ``weights``, ``fit_weights``.

    Parameters
    ----------
    *tables : DataFrame, Arrow table, array of shape (rows, classes), or path
        Two at least, of any kinds. Rows are joined by id where all tables have one (a pandas index is one), else by
        position; classes by name.

    Returns
    -------
    DataFrame, Arrow table or array
        As of `predict`, and of the kind of the first; beside the probabilities stand ``vote_entropy`` and
        ``mutual_information`` (nats) and ``agreement`` (0 to 1).

    Examples
    --------
    >>> ensemble([[9.0, 0.0]], [[0.0, 9.0]])
    array([[0.5, 0.5]])
    """
    _check_count(tables, ensemble)
    return _rows(ensemble, tables, options, matrix="list")


@describe
def evaluate(data: Data, **options: Any) -> Result:
    """Measure labelled scores: ``label`` names a column, ``labels`` gives an array, a frame or a file.

    Parameters
    ----------
    data : DataFrame, Arrow table, array of shape (rows, classes), or path
        As for `predict`.

    Returns
    -------
    Result
        The value of each figure in ``figures``; in ``report`` also intervals, bins, classes and confusions.

    Raises
    ------
    GateError
        A condition of ``fail_if`` holds.

    Examples
    --------
    >>> evaluate([[2.0, 0.0], [0.0, 3.0]], labels=[0, 1], bootstrap=0).figures["accuracy"]
    1.0
    """
    with given(evaluate, (data,), options) as job:
        report = job.call()
        _check_gates(report.failed_gates)
        return Result(job.plain(report.to_json()), _values(report.figures))


@describe
def compare(*tables: Data, **options: Any) -> ComparisonResult:
    """Compare tables of scores of the same rows, each with the first.

    Parameters
    ----------
    *tables : DataFrame, Arrow table, array of shape (rows, classes), or path
        Joined as by `ensemble`.

    Returns
    -------
    ComparisonResult
        Figures such as ``agreement``, ``flips``, ``kl`` and ``max_dp``; of more than two tables, those of ``data1``,
        ``data2`` ... With truths, gaps with their paired intervals stand in ``report``. The rows whose prediction
        changes are the table ``flips``, of the kind of the first table; of an array or a path, an Arrow table.

    Raises
    ------
    GateError
        A condition of ``fail_if`` holds.

    Examples
    --------
    >>> found = compare([[2.0, 0.0], [0.0, 3.0]], [[4.0, 0.0], [0.0, -2.0]])
    >>> found.figures["agreement"], found.flips["row"].to_pylist()
    (0.5, [2])
    """
    _check_count(tables, compare)
    with given(compare, tables, options) as job:
        report, flips = job.call()
        _check_gates(report.failed_gates)
        report_json = job.plain(report.to_json())
        figures = [_values(pair.figures) for pair in report.pairs]
        batches = [to_arrow(batch) for batch in flips.kept]
        table = job.kind.returned(pa.Table.from_batches(batches, to_arrow_schema(flips.schema)))
    by_table = {pair["second"]: found for pair, found in zip(report_json["pairs"], figures, strict=True)}
    return ComparisonResult(report_json, figures[0] if len(figures) == 1 else by_table, table)


def _check_count(tables: Sequence[Data], function: Callable[..., Any]) -> None:
    if len(tables) < 2:
        raise UsageError(f"{function.__name__} takes two tables at least: {function.__name__}(a, b)")


def _values(figures: Iterable[Any]) -> dict[str, float]:
    return {figure.name: figure.value for figure in figures}


def _check_gates(failed: Sequence[str]) -> None:
    if failed:
        raise GateError("; ".join(failed))


@describe
def calibrate(data: Data, **options: Any) -> CalibrationResult:
    """Fit a calibration to held-out rows with known classes.

    Parameters
    ----------
    data : DataFrame, Arrow table, array of shape (rows, classes), or path
        As for `evaluate`: ``label`` or ``labels`` tells the classes.

    Returns
    -------
    CalibrationResult
        What ``calibration=`` of the other functions takes; ``save(path)`` writes the file that the commands take.

    Examples
    --------
    >>> fit = calibrate([[2.0, 0.0], [0.0, 2.0], [0.0, 2.0], [1.0, 0.0]] * 99, labels=[0, 1, 0, 0] * 99)
    >>> fit.figures["method"]
    'temperature'
    >>> predict([[2.0, 0.0]], calibration=fit).shape
    (1, 2)
    """
    from softmax_cli.calibration.file import encode

    with given(calibrate, (data,), options) as job:
        found, report = job.call()
        report_json = job.plain(report.to_json())
    text = encode(found).decode("utf-8")
    return CalibrationResult(report_json, {name: report_json[name] for name in ("method", "before", "after")}, text)


@describe
def inspect(data: Data, **options: Any) -> InspectionResult:
    """Look for what would go wrong: outliers, bad rows, probabilities for logits, classes on another scale.

    Parameters
    ----------
    data : DataFrame, Arrow table, array of shape (rows, classes), or path
        As for `predict`; a bad row is a finding, not an error.

    Returns
    -------
    InspectionResult
        Counts in ``figures``, what was found in ``findings``, figures of every class in ``report["classes"]``.

    Examples
    --------
    >>> found = inspect([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3]])
    >>> found.figures["rows"], found.findings[0]["code"]
    (3, 'probabilities-as-logits')
    """
    with given(inspect, (data,), options) as job:
        report_json = job.plain(job.call().to_json())
    severities = [found["severity"] for found in report_json["findings"]]
    counts = {f"{name}s": severities.count(name) for name in ("problem", "warning", "note")}
    figures = {
        "rows": report_json["rows"],
        "scored": report_json["scored"],
        "classes": len(report_json["classes"]),
        **counts,
    }
    findings = [found | {"advice": in_python_words(found["advice"])} for found in report_json["findings"]]
    return InspectionResult(report_json, figures, findings)


@describe
def weights(labels: Data, **options: Any) -> Result:
    """Compute class weights from training labels, or from counts as ``{"cat": 40, "dog": 3}``.

    What comes back is taken by ``class_weights=`` of the other functions; of ``method="prior"``, by ``source_prior=``.

    Parameters
    ----------
    labels : array, Series, DataFrame, mapping or path
        A label for each training example, a column of them, or a count for each class.

    Examples
    --------
    >>> found = weights(["cat", "cat", "cat", "dog"])
    >>> found.figures["dog"]
    2.0
    >>> predict([[0.0, 0.0]], classes=["cat", "dog"], class_weights=found).round(2)
    array([[0.25, 0.75]])
    """
    if getattr(labels, "name", None) == "count" and hasattr(labels, "to_dict"):  # of pandas' value_counts()
        labels = labels.to_dict()
    with given(weights, (labels,), options) as job:
        found = job.call()
    return Result(job.plain(found.to_json()), dict(zip(found.classes, found.values.tolist(), strict=True)))


@describe
def explain(scores: Data, **options: Any) -> Result:
    """Show what a softmax does with one row: every step is in `Result.report`, the probabilities are its figures.

    Parameters
    ----------
    scores : sequence, mapping, DataFrame, Arrow table, array, path, or topic
        The scores of a row, ``{"cat": 2.0, "dog": -1.0}``; a table, of which ``row`` (from 1) or ``id`` says which row;
        or the name of a topic, such as ``"imbalance"``.

    Examples
    --------
    >>> found = explain({"cat": 2.0, "dog": 1.0}, temperature=0.5)
    >>> round(found.figures["cat"], 3), found.report["steps"]["divided_by_temperature"]
    (0.881, {'cat': 4.0, 'dog': 2.0})
    """
    if isinstance(scores, Iterator):
        scores = list(scores)
    if len(shape_of(scores)) == 1:
        names = getattr(getattr(scores, "index", None), "tolist", None)  # of a pandas Series
        known = [f"z{place}" for place, _ in enumerate(scores, 1)] if names is None else names()
        scores = dict(zip(known, np.asarray(scores).tolist(), strict=True))
    if isinstance(scores, Mapping) and not scores:
        raise UsageError("scores: none; expected a number for each class, such as explain([2.0, 1.0, 0.1])")
    if isinstance(scores, Mapping):
        if len(scores) == 1:  # the score of one of two classes
            scores = {**{f"not {name}": 0.0 for name in scores}, **scores}
        for name, score in scores.items():
            if isinstance(score, bool) or not isinstance(score, int | float | np.number):
                raise UsageError(f"scores: that of {name!r} is {score!r}, and no number")
        options = {"classes": list(map(str, scores))} | options
        scores = [list(scores.values())]
    with given(explain, (scores,), options) as job:
        report_json = job.plain(job.call())
    return Result(report_json, report_json["steps"]["prob"] if "steps" in report_json else {})


OF_A_FILE = ("format", "digits", "decimals", "escape_formulas")
"""Options about the bytes of a file, which a table in memory has not."""


def _rows(
    function: Callable[..., Any], tables: Sequence[Data], options: Mapping[str, Any], matrix: str | None = None
) -> Any:
    """Run a command that gives rows, and return them as what its first table came as.

    `matrix` is the layout that gives an array of probabilities, where it is one that came.

    Raises
    ------
    UsageError
        An option is about a file, and none is written.
    """
    asked = {"layout", "top_k", "add", "only_predictions", "emit", "long", "group", "pool_by"}
    with given(function, tables, options) as job:
        is_matrix = matrix is not None and job.kind.name == "array" and not asked & options.keys()
        job.values.update({"layout": matrix} if is_matrix else {})
        if "output" in options:
            job.call()
            return None
        for option in [one for one in OF_A_FILE if one in options]:
            raise UsageError(f"{option}= is about a file: name it with output=, or leave out {option}=")
        path = os.path.join(job.folder, "result.arrow")
        job.call(output=path)
        table = pa.ipc.open_file(pa.OSFile(path)).read_all()
    if is_matrix:
        column = table.column("prob").combine_chunks()
        return column.flatten().to_numpy().reshape(len(column), column.type.list_size)
    return job.kind.returned(table)
