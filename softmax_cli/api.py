"""The commands in Python: on data frames, Arrow tables, arrays and files, with the options of the command line.

A function runs the command of its name, so that both give the same numbers. An option has its long name with
underscores, and takes what Python has: ``top_k=3``, ``class_weights={"cat": 4}``, ``labels=array``.
"""

from __future__ import annotations

import html
import inspect
import json
import os
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, get_args

import numpy as np
import pyarrow as pa

from softmax_cli import commands
from softmax_cli.errors import SoftmaxCliError, UsageError, did_you_mean
from softmax_cli.numeric.class_weights import log_weights
from softmax_cli.options.parser import call, parameters_of
from softmax_cli.prediction.bad_rows import Policy
from softmax_cli.prediction.layout import Layout
from softmax_cli.prediction.logits import score_dtype
from softmax_cli.prediction.scorer import Scoring
from softmax_cli.prediction.steps import Adjustment, Term, direction
from softmax_cli.prediction.transform import Transform, build_transform
from softmax_cli.tables.arrays import from_arrow, from_arrow_schema, to_arrow, to_arrow_schema, without_dictionaries
from softmax_cli.tables.column_names import Kind
from softmax_cli.tables.columns import Selection, resolve
from softmax_cli.weighting.values import align

if TYPE_CHECKING:
    import pandas as pd

Data = Any
"""A pandas or polars frame, anything with Arrow's PyCapsule interface, an array of shape (rows, classes), or a path."""


@dataclass(frozen=True)
class Result:
    """The figures of a command; `report` is all that it tells with ``--json``."""

    report: Mapping[str, Any] = field(repr=False)
    figures: Mapping[str, Any]
    """Value of each figure, by its name."""

    def _repr_html_(self) -> str:
        """Show the figures as a table, in a notebook."""
        spelled = {name: f"{one:.5g}" if isinstance(one, float) else f"{one}" for name, one in self.figures.items()}
        rows = "".join(f"<tr><td>{html.escape(k)}</td><td>{html.escape(v)}</td></tr>" for k, v in spelled.items())
        return f"<table><tr><th>figure</th><th>value</th></tr>{rows}</table>"


@dataclass(frozen=True)
class CalibrationResult(Result):
    """A calibration, for ``calibration=`` of the other functions, and the figures that speak for it."""

    json: str = field(default="", repr=False)
    """What ``softmax-cli calibrate -o FILE`` writes."""

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the file that ``softmax-cli predict --calibration`` takes."""
        Path(path).write_text(self.json, "utf-8")


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
        An option is unknown, or a value is none that it takes.
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


def sample(data: Data, **options: Any) -> Any:
    """Draw actions from the softmax of every row: ``draws``, ``seed``, ``epsilon``, and the options of `predict`.

    Returns ``action``, ``prob`` and ``log_prob``, a row for each draw; of an array, an Arrow table.

    Examples
    --------
    >>> sample([[0.0, 9.0], [9.0, 0.0]], seed=7)["action"].to_pylist()
    ['1', '0']
    """
    return _rows(sample, (data,), options)


def ensemble(*tables: Data, **options: Any) -> Any:
    """Pool tables of scores of the same rows: ``pool``, ``weights``, ``fit_weights``.

    Rows are joined by id where all tables have one (a pandas index is one), else by position.

    Examples
    --------
    >>> ensemble([[9.0, 0.0]], [[0.0, 9.0]])
    array([[0.5, 0.5]])
    """
    return _rows(ensemble, tables, options, matrix="list")


def evaluate(data: Data, **options: Any) -> Result:
    """Measure labelled scores: ``label`` names a column, ``labels`` gives an array, a frame or a file.

    Examples
    --------
    >>> evaluate([[2.0, 0.0], [0.0, 3.0]], labels=[0, 1], bootstrap=0).figures["accuracy"]
    1.0
    """
    with _given(evaluate, (data,), options) as (run, values, _, _):
        report = call(run, values)
    assert report is not None, "there is no dry run here"
    return Result(report.to_json(), {figure.name: figure.value for figure in report.figures})


def compare(*tables: Data, **options: Any) -> Result:
    """Compare tables of scores of the same rows, each with the first; of more than two, figures are those of each file.

    Examples
    --------
    >>> compare([[2.0, 0.0], [0.0, 3.0]], [[4.0, 0.0], [0.0, -2.0]]).figures["agreement"]
    0.5
    """
    with _given(compare, tables, options) as (run, values, _, _):
        report = call(run, values)
    assert report is not None, "there is no dry run here"
    by_file = {pair.second: {figure.name: figure.value for figure in pair.figures} for pair in report.pairs}
    return Result(report.to_json(), next(iter(by_file.values())) if len(by_file) == 1 else by_file)


def calibrate(data: Data, **options: Any) -> CalibrationResult:
    """Fit a calibration to held-out rows with known classes.

    Examples
    --------
    >>> fit = calibrate([[2.0, 0.0], [0.0, 2.0], [0.0, 2.0], [1.0, 0.0]] * 9, labels=[0, 1, 0, 0] * 9)
    >>> fit.figures["method"]
    'temperature'
    >>> predict([[2.0, 0.0]], calibration=fit).shape
    (1, 2)
    """
    from softmax_cli.calibration.file import encode

    with _given(calibrate, (data,), options) as (run, values, _, _):
        found, report, *_ = call(run, values)
    plain = report.to_json()
    text = encode(found).decode("utf-8")
    return CalibrationResult(plain, {name: plain[name] for name in ("method", "before", "after")}, text)


class _Kind(NamedTuple):
    """What a table came as, so that the result goes back as the same."""

    name: str
    """pandas, polars, table, array or path."""
    levels: tuple[str, ...] = ()
    """Columns that hold the index of a pandas frame."""
    names: tuple[Any, ...] = ()
    """What its levels are called."""

    def returned(self, table: pa.Table) -> Any:
        """Return a table as what was given."""
        if self.name == "polars":
            import polars

            return polars.from_arrow(table)
        if self.name != "pandas":
            return table
        frame: pd.DataFrame = table.to_pandas(strings_to_categorical=False)
        if self.levels and {*self.levels} <= {*frame}:
            frame = frame.set_index(list(self.levels))
            frame.index.names = list(self.names)
        return frame


def _rows(
    function: Callable[..., Any], tables: Sequence[Data], options: Mapping[str, Any], matrix: str | None = None
) -> Any:
    """Run a command that gives rows, and return them as what its first table came as.

    `matrix` is the layout that gives an array of probabilities, where it is one that came.
    """
    asked = {"layout", "top_k", "add", "only_predictions", "emit", "long", "group", "pool_by"}
    with _given(function, tables, options) as (run, values, kind, folder):
        is_matrix = matrix is not None and kind.name == "array" and not asked & options.keys()
        values |= {"layout": matrix} if is_matrix else {}
        if "output" in options:
            call(run, values)
            return None
        path = os.path.join(folder, "result.arrow")
        call(run, {**values, "output": path})
        table = pa.ipc.open_file(pa.OSFile(path)).read_all()
    if is_matrix:
        column = table.column("prob").combine_chunks()
        return column.flatten().to_numpy().reshape(len(column), -1)
    return kind.returned(table)


@contextmanager
def _given(
    function: Callable[..., Any], tables: Sequence[Data], options: Mapping[str, Any]
) -> Iterator[tuple[Callable[..., Any], dict[str, Any], _Kind, str]]:
    """Put data and values where the command of a function finds them, and let its messages speak of arguments."""
    run, known = _command_of(function)
    with tempfile.TemporaryDirectory(prefix="softmax-cli-") as folder:
        try:
            for name in options.keys() - known.keys():
                raise UsageError(f"{name}: no such option; {did_you_mean(name, list(known))}")
            stored = [_stored(one, folder, f"data{place or ''}") for place, one in enumerate(tables)]
            values = {name: _value(value, folder, name, known[name].annotation) for name, value in options.items()}
            yield run, {"quiet": True, **values, "paths": [path for path, _ in stored]}, stored[0][1], folder
        except SoftmaxCliError as error:
            raise type(error)(_spoken(str(error), folder)) from None


_NOT_HERE = ("paths", "json", "dry_run", "color")  # about a terminal


def _spoken(message: str, folder: str) -> str:
    """Speak of an argument, not of a flag, and of data, not of the file that it was put into."""
    message = re.sub(rf"{re.escape(folder)}/(\w+)\.\w+", r"\1", message)
    return re.sub(r"--([a-z][a-z-]+)", lambda flag: flag[1].replace("-", "_") + "=", message)


def _stored(data: Data, folder: str, name: str) -> tuple[str, _Kind]:
    """Put a table where a command finds it."""
    if isinstance(data, str | os.PathLike):
        return os.fspath(data), _Kind("path")
    library = type(data).__module__.partition(".")[0]
    kind = _Kind(library if library in ("pandas", "polars") else "table")
    if library in ("pandas", "polars") and len(data.shape) == 1:
        data = data.to_frame()
    if library == "pandas":
        table = pa.Table.from_pandas(data.rename(columns=str), preserve_index=True)
        columns = json.loads(table.schema.metadata[b"pandas"])["index_columns"]
        kind = kind._replace(levels=tuple(columns), names=tuple(data.index.names))
    elif isinstance(data, pa.Table | pa.RecordBatch) or hasattr(data, "__arrow_c_stream__"):
        table = pa.table(data)
    else:
        array = np.asarray(data)
        if array.ndim != 1 or name.startswith("data"):
            np.save(path := os.path.join(folder, f"{name}.npy"), array)
            return path, _Kind("array")
        table = pa.table({name: array.tolist()})
    path = os.path.join(folder, f"{name}.arrow")
    with pa.OSFile(path, "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)
    return path, kind


def _value(value: Any, folder: str, name: str, annotation: Any) -> Any:
    """Spell a value as the option of a command takes it; a table, an array or a mapping becomes a file."""
    hint = get_args(annotation)[0]
    if hint == list[str]:
        return [value] if isinstance(value, str) else list(value)
    if str in (hint, *get_args(hint)) and isinstance(value, int | float | np.number) and not isinstance(value, bool):
        return str(value)
    if value is None or isinstance(value, bool | int | float | str | np.generic):
        return value
    if isinstance(value, CalibrationResult):
        value.save(path := os.path.join(folder, f"{name}.json"))
        return path
    if isinstance(value, Mapping):
        path = os.path.join(folder, f"{name}.json")
        Path(path).write_text(json.dumps({str(key): held for key, held in value.items()}), "utf-8")
        return path
    is_listing = isinstance(value, list | tuple) and all(isinstance(one, str | int | float) for one in value)
    return ",".join(map(str, value)) if is_listing and name != "labels" else _stored(value, folder, name)[0]


def _command_of(function: Callable[..., Any]) -> tuple[Callable[..., Any], dict[str, inspect.Parameter]]:
    """Find what the command of the same name does, and its options."""
    run = commands.load(function.__name__).PYTHON
    return run, {name: one for name, one in parameters_of(run).items() if name not in _NOT_HERE}


for _function in (predict, sample, ensemble, evaluate, compare, calibrate):  # for help and completion
    _known = _command_of(_function)[1].values()
    _first = next(iter(inspect.signature(_function).parameters.values()))
    if _first.kind is not _first.VAR_POSITIONAL:
        _first = _first.replace(kind=_first.POSITIONAL_ONLY)
    vars(_function)["__signature__"] = inspect.Signature([_first, *_known])


def transform(
    sample: pa.RecordBatch | pa.Table,
    *,
    temperature: float = 1.0,
    class_weights: Mapping[str, float] | None = None,
    top_k: int = 0,
    logits: str | Sequence[str] | None = None,
    kind: Kind | None = None,
    on_bad_row: Policy = "error",
) -> ArrowTransform:
    """Decide what is to be done to all batches of a table, from a few of its rows.

    Parameters
    ----------
    sample : RecordBatch or Table
        At least one row, with all columns.
    on_bad_row : {"error", "skip", "null"}
        What becomes of a row that cannot be scored: an error, left out, or kept without values.

    Returns
    -------
    ArrowTransform
        Frozen, stateless and picklable: ``t(batch)`` scores a RecordBatch, ``t.schema(schema)`` gives the columns of
        the result. `for_ray` and `for_spark` fit it into a pipeline. The other
        parameters, and what is raised, are as for `predict`.

    Examples
    --------
    >>> t = transform(pa.table({"logit_cat": [2.0], "logit_dog": [1.0]}))
    >>> t(pa.record_batch({"logit_cat": [0.0], "logit_dog": [0.0]})).to_pylist()
    [{'prediction': 'cat', 'confidence': 0.5, 'prob_cat': 0.5, 'prob_dog': 0.5}]
    """
    if not temperature > 0:
        raise ValueError(f"temperature {temperature}: expected a number above 0")
    typed = logits if logits is None or isinstance(logits, str) else tuple(logits)
    head = sample if isinstance(sample, pa.RecordBatch) else pa.Table.to_batches(sample.combine_chunks())[0]
    given = from_arrow(head)
    columns = resolve(given.schema, Selection(scores=typed, kind=kind), given)
    terms = () if class_weights is None else (_weights(class_weights, columns.classes),)
    scoring = Scoring(Adjustment(temperature, terms), top=top_k)
    dtype = str(score_dtype(given.schema, columns))
    return ArrowTransform(build_transform(columns, scoring, Layout(), dtype, on_bad_row))


@dataclass(frozen=True, slots=True)
class ArrowTransform:
    """What the command line does to every batch, for batches of Arrow; made by `transform`."""

    steps: Transform

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Score one batch."""
        return to_arrow(self.steps(from_arrow(batch)))

    def schema(self, given: pa.Schema) -> pa.Schema:
        """Columns of the result for a table with the columns `given`, with a record of what was done to it."""
        return to_arrow_schema(self.steps.schema(from_arrow_schema(given)))


def _weights(weights: Mapping[str, float], classes: tuple[str, ...]) -> Term:
    values, _ = align("class_weights", weights, classes, default=1.0)
    return Term("class_weights", "+ log w", log_weights(values), direction(values, classes))


def for_ray(transform: ArrowTransform) -> Callable[[pa.Table], pa.Table]:
    """Make what ``ds.map_batches(..., batch_format="pyarrow")`` takes: Ray hands over tables."""

    def score(table: pa.Table) -> pa.Table:
        batches = [transform(batch) for batch in table.to_batches()]
        return table.from_batches(batches, transform.schema(table.schema))

    return score


def for_spark(transform: ArrowTransform) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Make what ``df.mapInArrow(..., schema)`` takes: Spark hands over batches one by one, and reads plain columns."""
    return lambda batches: (without_dictionaries(transform(batch)) for batch in batches)
