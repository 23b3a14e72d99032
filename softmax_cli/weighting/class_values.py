"""A number per class as users give it: ``cat=4,dog=1``, a file, counts of training labels; and lists of classes."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from softmax_cli.errors import DataError, UsageError, did_you_mean, listed, nearest
from softmax_cli.storage.reading import can_be_read, read_bytes
from softmax_cli.tables.batch import Batch, Column
from softmax_cli.tables.column_names import class_names, role_by_name, truth_rank, words
from softmax_cli.tables.column_values import FirstRows, find_one_hot_columns, is_number
from softmax_cli.tables.columns import Columns
from softmax_cli.tables.labels import ClassLookup, distinct, is_missing_truth, one_hot, whole_number
from softmax_cli.tables.schema import is_nested
from softmax_cli.tables.table import ReadOptions, Table

CLASS_COLUMNS = ("class", "classes", "label", "labels", "name", "class_name", "label_name", "category", "target")
COUNT_COLUMNS = ("count", "train_count", "n", "support", "counts")


class ByPosition(dict[str, float]):
    """Values that were given as a bare list: ``"0"`` is the first class, and none may be left out."""


def read_class_values(flag: str, typed: str, preferred: Sequence[str]) -> dict[str, float]:
    """Read ``a=1,b=2``, a file, or ``file.csv:column`` as a value per class name.

    A file is a table with a column of classes and one of values, one row with a column for each class, a JSON object
    of numbers, or a JSON list of numbers in the order of the classes.

    Parameters
    ----------
    flag : str
        The option, for messages.
    typed : str
        What was typed.
    preferred : sequence of str
        Names that the column of values may have where a file has more than one.

    Raises
    ------
    UsageError
        It is none of these, or a value is not a number.
    DataError
        The file does not hold a value per class.
    """
    path, column = _split_column(typed)
    if can_be_read(path):
        return _from_file(flag, path, column, preferred)
    if "=" in typed:
        return _numbers(flag, [_pair(flag, part) for part in typed.split(",")])
    raise UsageError(f"{flag} {typed!r}: no such file, and not of the form cat=4,dog=1")


def _numbers(flag: str, pairs: list[tuple[str, object]]) -> dict[str, float]:
    doubled = [name for name, count in Counter(name for name, _ in pairs).items() if count > 1]
    if doubled:
        raise UsageError(f"{flag}: {', '.join(map(repr, doubled))} is given twice")
    return {name: finite_number(flag, name, value) for name, value in pairs}


def _split_column(typed: str) -> tuple[str, str | None]:
    """Split ``priors.csv:train_prior``; a file whose own name holds the colon goes first."""
    if can_be_read(typed) or ":" not in typed:
        return typed, None
    path, _, column = typed.rpartition(":")
    return (path, column) if can_be_read(path) else (typed, None)


def _pair(flag: str, part: str) -> tuple[str, str]:
    name, equals, value = part.rpartition("=")
    if not equals or not name.strip():
        raise UsageError(f"{flag}: {part!r} is not of the form class=number")
    return name.strip(), value.strip()


def finite_number(flag: str, name: str, value: object) -> float:
    """Read the value of a class; UsageError where it is no finite number."""
    from softmax_cli.formats.csv.sniff import looks_like_decimal_comma

    try:
        comma = isinstance(value, str) and looks_like_decimal_comma(value)
        number = float(value.replace(",", ".") if comma else value)  # type: ignore[attr-defined, arg-type]
    except (TypeError, ValueError):
        raise UsageError(f"{flag}: {name}={value}: {value!r} is not a number") from None
    if not math.isfinite(number):
        raise UsageError(f"{flag}: {name}={value}: a finite number is needed")
    return number


def _from_file(flag: str, path: str, column: str | None, preferred: Sequence[str]) -> dict[str, float]:
    if path.lower().endswith(".json"):
        held = _json(flag, path)
        inner = next(iter(held.values())) if isinstance(held, dict) and len(held) == 1 else None
        held = inner if isinstance(inner, dict) else held
        if isinstance(held, dict) and not any(isinstance(value, list | dict) for value in held.values()):
            return _numbers(flag, [(str(name).strip(), value) for name, value in held.items()])
        if isinstance(held, list) and held and all(isinstance(value, int | float) for value in held):
            return ByPosition(_numbers(flag, [(str(position), value) for position, value in enumerate(held)]))
    with _opened(path) as table:
        return _numbers(flag, _from_table(flag, path, table, column, preferred))


def _from_table(
    flag: str, path: str, table: Table, column: str | None, preferred: Sequence[str]
) -> list[tuple[str, object]]:
    header = table.schema.names
    if len(header) == 2 and whole_or_fraction(header[1]) and not whole_or_fraction(header[0]):
        return [(header[0].strip(), header[1]), *_rows(table, header[0], header[1])]  # a file without a header
    named = _class_column(table)
    if named is None:
        return _one_row(flag, path, table)
    return _rows(table, named, _value_column(flag, path, header, named, column, preferred))


def whole_or_fraction(text: str) -> bool:
    """Whether a text spells a number."""
    return text.strip().replace(".", "", 1).replace(",", "", 1).removeprefix("-").isdecimal()


def _json(flag: str, path: str) -> object:
    try:
        return json.loads(read_bytes(path).decode("utf-8-sig"))
    except ValueError as error:
        raise DataError(f"{flag} {path}: not JSON: {error}") from None


def _opened(path: str, array: str | None = None) -> AbstractContextManager[Table]:
    from softmax_cli.stream.inputs import input_files, open_table

    return open_table(input_files([path]), ReadOptions(array=array, single_values=True))


def _class_column(table: Table) -> str | None:
    """The column that names the classes: by its name, or a column without a name beside one of numbers."""
    names = table.schema.names
    known = [name for wanted in CLASS_COLUMNS for name in names if "_".join(words(name)) == wanted]
    if known:
        return str(known[0])
    roles = {name: role_by_name(name, at, len(names)) for at, name in enumerate(names)}
    texts = [name for name in names if not is_number(table.schema.field(name).type)]
    if len(names) == 2 and (texts or "index" in roles.values()):
        found = texts if len(texts) == 1 else [name for name in names if roles[name] == "index"]
        return str(found[0]) if found else None
    return None


def _value_column(
    flag: str, path: str, names: Sequence[str], named: str, column: str | None, preferred: Sequence[str]
) -> str:
    others = [name for name in names if name != named]
    if column is None:
        known = [name for wanted in preferred for name in others if name.strip().lower() == wanted]
        column = others[0] if len(others) == 1 else next(iter(known), None)
    if column not in others:
        raise DataError(f"{flag} {path}: which column? write {path}:COLUMN with one of {listed(others)}")
    return column


def _rows(table: Table, named: str, column: str) -> list[tuple[str, object]]:
    pairs: list[tuple[str, object]] = []
    for batch in _batches(table):
        codes, texts = distinct(batch.column(named))
        values = batch.column(column).to_pylist()
        pairs += [(_plain(texts[code]), value) for code, value in zip(codes.tolist(), values, strict=True) if code >= 0]
    return pairs


def _one_row(flag: str, path: str, table: Table) -> list[tuple[str, object]]:
    """Read a column for each class."""
    rows = [row for batch in _batches(table) for row in batch.slice(0, 2).to_pylist()]
    if len(rows) != 1 or not all(is_number(kind) for kind in table.schema.types):
        there = listed(table.schema.names)
        raise DataError(f"{flag} {path}: expected a column 'class' and one of numbers; there are: {there}")
    return [(name.strip(), value) for name, value in rows[0].items()]


def _batches(table: Table) -> Iterator[Batch]:
    return (table.decode(block, ()).batch for block in table.blocks)


def _plain(text: str) -> str:
    """A label without blanks; ``1.0`` is 1."""
    number = whole_number(text) if "." in text else None
    return text.strip() if number is None else str(number)


class LabelCounts(NamedTuple):
    """Training examples of each class."""

    counts: dict[str, float]
    missing: int = 0
    """Examples without a label, which are not counted."""


def count_labels(flag: str, typed: str, label: str | None) -> LabelCounts:
    """Count the training examples per class: from a table of counts, or by counting a column of labels.

    The labels are those that the model was trained on; the file that is being scored says nothing about them.

    Parameters
    ----------
    flag, typed : str
        The option and the file that was typed, ``file:column`` to name the column of labels or counts.
    label : str or None
        The column of labels, where the option says so.
    """
    path, column = _split_column(typed)
    if not can_be_read(path):
        raise UsageError(f"{flag} {typed!r}: no such file; expected training labels or counts")
    if path.lower().endswith(".json"):
        held = _json(flag, path)
        if isinstance(held, dict) and not any(isinstance(value, list) for value in held.values()):
            return LabelCounts(read_class_values(flag, typed, COUNT_COLUMNS))
    with _opened(path, column if path.lower().endswith(".npz") else None) as table:
        names = table.schema.names
        counted = next((name for name in names if "_".join(words(name)) in COUNT_COLUMNS), None)
        if column in (None, counted) and counted and _class_column(table) is not None:
            return LabelCounts(_numbers(flag, _from_table(flag, path, table, column, COUNT_COLUMNS)))
        batches = _batches(table)
        first = [batch for _, batch in zip(range(1), batches, strict=False)]
        marks = () if column or label else _one_hot(first, names)
        if marks:
            return _count_marks(chain(first, batches), marks)
        chosen = column or label or _label_column(flag, path, names)
        if chosen not in names:
            raise DataError(
                f"{flag} {path}: which column holds the labels? write {path}:COLUMN; {did_you_mean(chosen, names)}"
            )
        return _count(f"{flag} {path}: column {chosen!r}", (batch.column(chosen) for batch in chain(first, batches)))


def _label_column(flag: str, path: str, names: Sequence[str]) -> str:
    known = sorted((name for name in names if truth_rank(name) is not None), key=lambda name: truth_rank(name) or 0)
    if len(known) == 1 or (known and truth_rank(known[0]) == 0):
        return known[0]
    if not known and len(names) == 1:
        return names[0]
    raise DataError(f"{flag} {path}: which column holds the labels? write {path}:COLUMN; there are: {listed(names)}")


def _count(where: str, columns: Iterator[Column]) -> LabelCounts:
    counts: Counter[str] = Counter()
    missing = classes = 0
    for column in columns:
        codes, texts = distinct(column)
        found = np.bincount(codes[codes >= 0], minlength=len(texts)).tolist()
        missing += int((codes < 0).sum())
        for text, count in zip(texts, found, strict=True):
            if is_missing_truth(text):
                missing += count
            elif count and (marks := one_hot(text)) is not None:
                counts[str(marks.index(1))] += count
                classes = len(marks)
            elif count and text.startswith("[") and is_nested(column.type):
                raise DataError(
                    f"{where}: {text} is no label; expected one, or a list of 0 with a single 1, for each row"
                )
            elif count:
                counts[_plain(text)] += count
    if classes:
        counts = Counter({str(place): counts[str(place)] for place in range(classes)})
    return LabelCounts({name: float(count) for name, count in counts.items()}, missing)


def _one_hot(batches: Sequence[Batch], names: Sequence[str]) -> tuple[str, ...]:
    if not batches or any(truth_rank(name) is not None for name in names):
        return ()
    return find_one_hot_columns(FirstRows(batches[0]), names)


def _count_marks(batches: Iterable[Batch], marks: Sequence[str]) -> LabelCounts:
    counts = np.zeros(len(marks))
    rows = 0
    for batch in batches:
        for position, name in enumerate(marks):
            codes, texts = distinct(batch.column(name))
            ones = [code for code, text in enumerate(texts) if whole_number(text) == 1]
            counts[position] += np.isin(codes, ones).sum()
        rows += batch.num_rows
    return LabelCounts(dict(zip(class_names(marks, ()), counts.tolist(), strict=True)), rows - int(counts.sum()))


def align(
    flag: str,
    values: Mapping[str, float],
    classes: Sequence[str],
    default: float | None,
    notes: list[str] | None = None,
) -> tuple[NDArray[np.float64], list[str]]:
    """Put values in the order of the classes, shape (classes,), and name the classes that took the default.

    Names go before numbers within names, and those before positions, as for truths.

    Raises
    ------
    UsageError
        A class is unknown, or one is missing and there is no default.
    """
    if isinstance(values, ByPosition) and len(values) != len(classes):
        raise UsageError(f"{flag}: a list of {len(values)} values for {len(classes)} classes")
    lookup = ClassLookup.of(Columns((), tuple(classes), "logits"))
    found = {name: lookup.find(name) for name in values}
    unknown = [name for name, (position, _) in found.items() if position < 0]
    by_index = [name for name, (_, how) in found.items() if how.by_index is not None]
    if unknown or (by_index and len(by_index) < len(found)):
        strangers = unknown or by_index
        near = [f"did you mean {nearest(name, classes, 1)[0]!r}? " for name in strangers[:1] if nearest(name, classes)]
        raise UsageError(
            f"{flag}: no class is called {', '.join(map(repr, strangers[:5]))}; {''.join(near)}the classes are: "
            f"{listed(classes)}"
        )
    if by_index and notes is not None:
        notes.append(f"{flag}: its numbers are no class names but fit as positions: 0 is {classes[0]}, the first")
    aligned = {classes[position]: values[name] for name, (position, _) in found.items()}
    missing = [name for name in classes if name not in aligned]
    if missing and default is None:
        raise UsageError(f"{flag}: every class needs a value; missing: {listed(missing)}")
    return np.array([aligned.get(name, default) for name in classes], np.float64), missing


def read_class_names(typed: str) -> tuple[str, ...]:
    """Read class names in the order of the scores: ``a,b,c``, or a file.

    A file holds one name a line, a JSON list, a JSON id2label or label2id map, or a table with a column of classes.

    Raises
    ------
    UsageError
        There is no such file, here or remote.
    DataError
        The file holds something else.
    """
    if not can_be_read(typed):
        if "," in typed:
            return _checked(typed, [name.strip() for name in typed.split(",")])
        raise UsageError(
            f"--classes {typed}: no such file; expected one name a line, a JSON list or an id2label map, or a,b,c"
        )
    data = read_bytes(typed)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if not data.startswith((b"PAR1", b"ARROW1", b"\x93NUMPY", b"PK\x03\x04")):
            raise DataError(f"--classes {typed}: not UTF-8 text: {error}") from None
        return _checked(typed, _names_from_table(typed))
    if text.lstrip()[:1] in ("[", "{"):
        return _checked(typed, _names_from_json(typed, text))
    lines = [line.strip() for line in text.splitlines()]
    header = [cell.strip().strip('"').lower() for cell in lines[0].replace(";", ",").replace("\t", ",").split(",")]
    is_table = any(cell in CLASS_COLUMNS for cell in header) and (len(header) > 1 or typed.endswith((".csv", ".tsv")))
    return _checked(typed, _names_from_table(typed) if is_table else lines)


def _checked(typed: str, names: list[str]) -> tuple[str, ...]:
    while names and not names[-1]:
        names.pop()
    if not names or not all(names):
        raise DataError(f"--classes {typed}: line {names.index('') + 1 if names else 1} holds no name")
    return tuple(names)


def _names_from_table(typed: str) -> list[str]:
    with _opened(typed) as table:
        named = _class_column(table) or (table.schema.names[0] if len(table.schema) == 1 else None)
        if named is None:
            raise DataError(f"--classes {typed}: expected a column 'class'; there are: {listed(table.schema.names)}")
        return [str(value).strip() for batch in _batches(table) for value in batch.column(named).to_pylist()]


def _names_from_json(typed: str, text: str) -> list[str]:
    try:
        held = json.loads(text)
    except ValueError as error:
        raise DataError(f"--classes {typed}: not JSON: {error}") from None
    if isinstance(held, dict):
        held = next((held[key] for key in ("id2label", "label2id") if isinstance(held.get(key), dict)), held)
        if all(isinstance(value, int) for value in held.values()):  # label2id
            held = {str(position): name for name, position in held.items()}
        numbered = sorted(held, key=lambda key: int(key) if key.isdecimal() else -1)
        if numbered != [str(index) for index in range(len(numbered))]:
            raise DataError(f'--classes {typed}: an id2label map has the keys "0", "1", "2" ... without a gap')
        held = [held[key] for key in numbered]
    return [str(name).strip() for name in held]
