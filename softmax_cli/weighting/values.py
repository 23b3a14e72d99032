"""A number per class as users give it: ``cat=4,dog=1``, a CSV or JSON file, or counts of training labels."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from softmax_cli.errors import DataError, UsageError
from softmax_cli.storage.reading import is_file, read_bytes

CLASS_COLUMNS = ("class", "label", "name")
COUNT_COLUMNS = ("count", "train_count", "n", "support")


def read_class_values(flag: str, said: str, preferred: Sequence[str]) -> dict[str, float]:
    """Read ``a=1,b=2``, ``file.json``, ``file.csv`` or ``file.csv:column`` as a value per class name.

    Parameters
    ----------
    flag : str
        The option, for messages.
    said : str
        What was typed.
    preferred : sequence of str
        Names that the column of values may have where a CSV file has more than one.

    Raises
    ------
    UsageError
        It is none of these, or a value is not a number.
    DataError
        The file does not hold a value per class.
    """
    path, column = _split_column(said)
    if path.is_file():
        pairs = _from_json(flag, path) if path.suffix == ".json" else _from_table(flag, path, column, preferred)
    elif "=" in said:
        pairs = [_pair(flag, part) for part in said.split(",")]
    else:
        raise UsageError(f"{flag} {said!r}: no such file, and not of the form cat=4,dog=1")
    doubled = [name for name, count in Counter(name for name, _ in pairs).items() if count > 1]
    if doubled:
        raise UsageError(f"{flag}: {', '.join(map(repr, doubled))} is given twice")
    return {name: _number(flag, name, value) for name, value in pairs}


def _split_column(said: str) -> tuple[Path, str | None]:
    """Split ``priors.csv:train_prior``; a file whose own name holds the colon goes first."""
    if Path(said).is_file() or ":" not in said:
        return Path(said), None
    path, _, column = said.rpartition(":")
    return Path(path), column


def _pair(flag: str, part: str) -> tuple[str, str]:
    name, equals, value = part.rpartition("=")
    if not equals or not name.strip():
        raise UsageError(f"{flag}: {part!r} is not of the form class=number")
    return name.strip(), value.strip()


def _number(flag: str, name: str, value: object) -> float:
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise UsageError(f"{flag}: {name}={value}: {value!r} is not a number") from None
    if not math.isfinite(number):
        raise UsageError(f"{flag}: {name}={value}: a finite number is needed")
    return number


def _from_json(flag: str, path: Path) -> list[tuple[str, object]]:
    try:
        held = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise DataError(f"{flag} {path}: not JSON: {error}") from None
    if not isinstance(held, dict):
        raise DataError(f'{flag} {path}: an object such as {{"cat": 4, "dog": 1}} is wanted')
    return list(held.items())


def _from_table(flag: str, path: Path, column: str | None, preferred: Sequence[str]) -> list[tuple[str, object]]:
    rows = _text_rows(path)
    names = list(rows[0]) if rows else []
    class_column = next((name for name in names if name.lower() in CLASS_COLUMNS), None)
    if class_column is None:
        raise DataError(f"{flag} {path}: a column 'class' is wanted; there are: {', '.join(names) or 'none'}")
    others = [name for name in names if name != class_column]
    if column is None:
        known = [name for name in preferred if name in others]
        column = others[0] if len(others) == 1 else next(iter(known), None)
    if column not in others:
        raise DataError(f"{flag} {path}: which column? write {path}:COLUMN with one of {', '.join(others) or 'none'}")
    return [(row[class_column], row[column]) for row in rows]


def _text_rows(path: Path) -> list[dict[str, str]]:
    import csv

    with path.open(newline="", encoding="utf-8-sig") as file:
        try:
            return list(csv.DictReader(file, delimiter="\t" if path.suffix == ".tsv" else ","))
        except (csv.Error, UnicodeDecodeError) as error:
            raise DataError(f"{path}: not a table of classes: {error}") from None


def count_labels(flag: str, said: str, label: str | None) -> dict[str, float]:
    """Count the training examples per class: from a table of counts, or by counting a column of labels.

    The labels are those that the model was trained on; the file that is being scored says nothing about them.

    Parameters
    ----------
    flag, said : str
        The option and the file that was typed, ``file:column`` to name the column of labels or counts.
    label : str or None
        The column of labels, where the option says so.
    """
    from softmax_cli.stream.inputs import open_table
    from softmax_cli.tables.batch import texts
    from softmax_cli.tables.column_names import truth_rank
    from softmax_cli.tables.table import ReadOptions

    path, column = _split_column(said)
    if not path.is_file():
        raise UsageError(f"{flag} {said!r}: no such file; training labels or counts are wanted")
    if path.suffix == ".json":
        return read_class_values(flag, said, COUNT_COLUMNS)
    with open_table([str(path)], ReadOptions(), None) as table:
        names = table.schema.names
        counted = next((name for name in names if name.lower() in COUNT_COLUMNS), None)
        if column in (None, counted) and counted and any(name.lower() in CLASS_COLUMNS for name in names):
            return read_class_values(flag, said, COUNT_COLUMNS)
        chosen = column or label or next((name for name in names if truth_rank(name) is not None), None)
        chosen = chosen or (names[0] if len(names) == 1 else None)
        if chosen not in names:
            raise DataError(
                f"{flag} {path}: which column holds the labels? write {path}:COLUMN; there are: {', '.join(names)}"
            )
        counts: Counter[str] = Counter()
        for block in table.blocks:
            counts.update(text for text in texts(table.decode(block, ()).batch.column(chosen)) if text is not None)
    return {name: float(count) for name, count in counts.items()}


def align(
    flag: str, values: Mapping[str, float], classes: Sequence[str], default: float | None
) -> tuple[NDArray[np.float64], list[str]]:
    """Put values in the order of the classes, shape (classes,), and name the classes that took the default.

    Raises
    ------
    UsageError
        A class is unknown, or one is missing and there is no default.
    """
    unknown = [name for name in values if name not in classes]
    if unknown:
        shown = ", ".join(classes[:20]) + (" ..." if len(classes) > 20 else "")
        raise UsageError(f"{flag}: no class is called {', '.join(map(repr, unknown[:5]))}; the classes are: {shown}")
    missing = [name for name in classes if name not in values]
    if missing and default is None:
        raise UsageError(f"{flag}: every class needs a value; missing: {', '.join(missing[:20])}")
    return np.array([values.get(name, default) for name in classes], np.float64), missing


def read_class_names(said: str) -> tuple[str, ...]:
    """Read class names in the order of the scores.

    Raises
    ------
    UsageError
        There is no such file, here or remote.
    DataError
        The file holds something else.
    """
    if not is_file(said):
        raise UsageError(f"--classes {said}: no such file; one name a line, a JSON list or an id2label map is wanted")
    try:
        text = read_bytes(said).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"--classes {said}: not UTF-8 text: {error}") from None
    names = (
        _names_from_json(said, text)
        if text.lstrip()[:1] in ("[", "{")
        else [line.strip() for line in text.splitlines()]
    )
    while names and not names[-1]:
        names.pop()
    if not names or not all(names):
        raise DataError(f"--classes {said}: line {names.index('') + 1 if names else 1} holds no name")
    return tuple(names)


def _names_from_json(said: str, text: str) -> list[str]:
    try:
        held = json.loads(text)
    except ValueError as error:
        raise DataError(f"--classes {said}: not JSON: {error}") from None
    if isinstance(held, dict):
        held = held.get("id2label", held)
        numbered = sorted(held, key=lambda key: int(key) if key.isdecimal() else -1)
        if numbered != [str(index) for index in range(len(numbered))]:
            raise DataError(f'--classes {said}: an id2label map has the keys "0", "1", "2" ... without a gap')
        held = [held[key] for key in numbered]
    return [str(name) for name in held]
