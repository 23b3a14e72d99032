"""Tables with a row for each example and class, turned into tables with a row for each example."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import numpy as np

from softmax_cli.errors import DataError
from softmax_cli.prediction.grouped import SCORES, one_each, table_of
from softmax_cli.prediction.score_kinds import read_scores
from softmax_cli.stream.scores import ScoreTable
from softmax_cli.tables.labels import ClassLookup, OwnTruth, distinct
from softmax_cli.tables.regroup import Groups
from softmax_cli.tables.table import Block, Decoded, Fault


def long_table(scores: ScoreTable, example: str, label: str, classes: Sequence[str] | None) -> ScoreTable:
    """Read a table with a row for each example and class as one with a row for each example.

    Parameters
    ----------
    example, label : str
        The columns that name the example and the class; blocks hold whole examples.
    classes : sequence of str or None
        All of them; None: those of the first block.

    Raises
    ------
    DataError
        The table has no rows to tell the classes; or, while it is read, a class that none of these is.
    """
    first = next(scores.table.blocks, None)
    if classes is None:
        if first is None:
            raise DataError(f"{scores.table.name}: no row tells the classes; name them with --classes")
        classes = [text.strip() for text in distinct(scores.table.decode(first, ()).batch.column(label))[1]]
    names = tuple(classes)
    blocks = scores.table.blocks if first is None else chain([first], scores.table.blocks)
    others = tuple(name for name in scores.columns.others if name != label)
    columns = scores.columns._replace(scores=(SCORES,), classes=names, others=others, is_list=True, keys=())

    def pivot(block: Block) -> Block:
        decoded = scores.table.decode(block, ())
        return block._replace(data=_pivoted(decoded, scores, example, label, names, others))

    truth = None if columns.label is None else OwnTruth(columns.label, ClassLookup.of(columns))
    made = table_of(scores, columns, len(names), [], (pivot(block) for block in blocks))
    return made._replace(truth=truth)


_COUNTED = ("no row", "several rows")


def _pivoted(
    decoded: Decoded, scores: ScoreTable, example: str, label: str, names: tuple[str, ...], others: tuple[str, ...]
) -> Decoded:
    batch = decoded.batch
    groups = Groups.of(batch, example)
    codes, texts = distinct(batch.column(label))
    places = {name: place for place, name in enumerate(names)}
    found = np.array([*(places.get(text.strip(), -1) for text in texts), -1])[codes]
    for row in np.flatnonzero(found < 0)[:1].tolist():
        place = decoded.place(row, label)
        raise DataError(
            f"{place.where}: column {label!r}: the class {place.found!r} is none of those before it; name all classes "
            "with --classes a,b,c or a file"
        )
    z = read_scores(batch, scores.columns, np.dtype(np.float64))[:, 1]
    number = np.empty(batch.num_rows, np.intp)
    number[groups.order] = np.repeat(np.arange(len(groups.starts)), groups.sizes)
    matrix = np.full((len(groups.starts), len(names)), np.nan)
    matrix[number, found] = z
    times = np.zeros(matrix.shape, np.int64)
    np.add.at(times, (number, found), 1)
    faults = [
        Fault(row, None, f"the example that begins here has {_COUNTED[int(times[row, at] > 1)]} for {names[at]!r}")
        for row, at in zip(*np.nonzero(times != 1), strict=True)
    ]
    faults += [Fault(int(number[fault.row]), fault.column, fault.problem) for fault in decoded.faults]
    return one_each(decoded, groups, others, matrix, tuple(faults))
