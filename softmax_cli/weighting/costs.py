"""Costs of decisions and classes of classes, as users give them in files."""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np

from softmax_cli.errors import DataError, UsageError, listed
from softmax_cli.prediction.steps import Costs, Superclasses
from softmax_cli.storage.reading import is_file, read_bytes
from softmax_cli.stream.inputs import input_files, open_table
from softmax_cli.tables.columns import Columns
from softmax_cli.tables.labels import ClassLookup
from softmax_cli.weighting.class_values import CLASS_COLUMNS, finite_number

COSTS, SUPERCLASSES = "--costs", "--superclasses"


def read_costs(path: str, classes: tuple[str, ...]) -> Costs:
    """Read a matrix of costs: a row for each true class, a column for each decision.

    A table with a column ``truth``, or whose first column tells the true class; or JSON of the form
    ``{"cat": {"cat": 0, "dog": 1}, ...}``. A decision that is no class is one to abstain.

    Raises
    ------
    UsageError
        A cost is no number, a class is unknown, or one has no row.
    DataError
        The file cannot be read, or holds something else.
    """
    rows = _rows(COSTS, path, ("truth", *CLASS_COLUMNS))
    costs = {name: row for name, row in rows.items() if isinstance(row, Mapping) and row}
    if not costs or len(costs) < len(rows):
        raise DataError(f"{COSTS} {path}: expected a column 'truth' with the true class, and one for each decision")
    decisions = list(dict.fromkeys(name for row in costs.values() for name in row))
    places = _places(COSTS, path, costs, classes)
    matrix = np.empty((len(classes), len(decisions)))
    for name, row in costs.items():
        cells = [finite_number(f"{COSTS} {path}", f"{name}, {decision}", row.get(decision)) for decision in decisions]
        matrix[places[name]] = cells
    lookup = ClassLookup.of(Columns((), classes, "logits"))
    found = {name: lookup.find(name)[0] for name in decisions}
    others = tuple(name for name, place in found.items() if place < 0)
    codes = [len(classes) + others.index(name) if place < 0 else place for name, place in found.items()]
    return Costs(matrix, np.array(codes, np.int32), others)


def read_superclasses(path: str, classes: tuple[str, ...]) -> Superclasses:
    """Read which class belongs to which superclass: a table with columns ``class`` and ``superclass``, or JSON.

    Superclasses stand in the order in which their first classes do.

    Raises
    ------
    UsageError
        A class is unknown, or has no superclass.
    DataError
        The file cannot be read, or holds something else.
    """
    rows = _rows(SUPERCLASSES, path, CLASS_COLUMNS)
    parents = {
        name: row.get("superclass", next(iter(row.values()))) if isinstance(row, Mapping) else row
        for name, row in rows.items()
        if row
    }
    places = _places(SUPERCLASSES, path, parents, classes)
    by_place = [""] * len(classes)
    for name, parent in parents.items():
        by_place[places[name]] = str(parent).strip()
    names = tuple(dict.fromkeys(by_place))
    return Superclasses(names, np.array([names.index(parent) for parent in by_place], np.intp))


def _rows(flag: str, path: str, named: tuple[str, ...]) -> dict[str, object]:
    """Read the other columns of each row, by what its column of classes says."""
    if not is_file(path):
        raise UsageError(f"{flag} {path}: no such file; expected a table with a row for each class")
    if path.lower().endswith(".json"):
        held = json.loads(read_bytes(path).decode("utf-8-sig"))
        if isinstance(held, dict):
            return {str(name).strip(): value for name, value in held.items()}
    with open_table(input_files([path])) as table:
        names = table.schema.names
        own = next((name for wanted in named for name in names if name.strip().lower() == wanted), names[0])
        listing = [row for block in table.blocks for row in table.decode(block, ()).batch.to_pylist()]
    rows = {str(row[own]).strip(): {name.strip(): row[name] for name in names if name != own} for row in listing}
    if len(rows) < len(listing):
        raise UsageError(f"{flag} {path}: a class has two rows in the column {own!r}")
    return dict(rows)


def _places(flag: str, path: str, rows: Mapping[str, object], classes: tuple[str, ...]) -> dict[str, int]:
    """Find the class that each row is for; every class has one."""
    lookup = ClassLookup.of(Columns((), classes, "logits"))
    places = {name: lookup.find(name)[0] for name in rows}
    unknown = [name for name, place in places.items() if place < 0]
    missing = [name for place, name in enumerate(classes) if place not in places.values()]
    if unknown:
        raise UsageError(f"{flag} {path}: {unknown[0]!r} is no class; the classes are: {listed(classes)}")
    if missing or len(places) > len(classes):
        raise UsageError(f"{flag} {path}: expected one row for each class; missing: {listed(missing)}")
    return places
