"""What is odd in a table: classes on another scale, missing cells, outliers, lost precision, repeats, odd truths."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from softmax_cli.errors import counted, listed
from softmax_cli.inspection.evidence import NAMED, SCALE_RATIO, Evidence, Finding, share
from softmax_cli.inspection.kind_findings import find_columns, find_kind
from softmax_cli.numeric.profile.class_columns import FLOAT16_MAX
from softmax_cli.numeric.profile.outliers import Extreme
from softmax_cli.numeric.profile.row_figures import First


def find_scale(evidence: Evidence) -> Iterator[Finding]:
    """Compare the robust spread of every class with that of the median class."""
    ratio = evidence.relative_spread
    off = np.flatnonzero((ratio > SCALE_RATIO) | (ratio < 1 / SCALE_RATIO))
    if evidence.columns.kind != "logits" or len(ratio) < 3 or not len(off):
        return
    usual = float(evidence.fences.scale[off[0]] / ratio[off[0]])
    off = off[np.argsort(-np.abs(np.log(ratio[off])), kind="stable")]
    text = listed([f"{evidence.classes[i]} x{ratio[i]:.3g}" for i in off.tolist()], NAMED)
    yield Finding(
        "class-on-another-scale",
        "problem",
        f"{counted(len(off), 'class')} spread unlike the others (median class: {usual:.3g}): {text}",
        advice="softmax compares classes as they stand: see whether the columns have one unit; a vector "
        "calibration (softmax-cli calibrate --method vector) gives each class its own factor",
    )


def find_missing(evidence: Evidence) -> Iterator[Finding]:
    """Name bad rows, missing cells and infinities."""
    profile = evidence.profile
    if profile.bad.count:
        yield Finding(
            "bad-rows",
            "problem",
            f"{counted(profile.bad.count, 'row')} of {profile.rows:,} cannot be scored",
            tuple(evidence.spots[row].problem for row, _ in profile.bad.places),
            "mend them, or leave them out; --rejects FILE keeps them with their reasons",
            "--on-bad-row skip",
        )
    yield from _cells(evidence, profile.missing, "missing-cells", "missing or not a number")
    yield from _cells(evidence, profile.above, "infinite-cells", "+inf (or too large for the type of the numbers)")
    if profile.masked.count:
        cells = profile.rows * len(evidence.classes)
        yield Finding(
            "masked-cells",
            "note",
            f"{counted(profile.masked.count, 'cell')} ({share(profile.masked.count, cells)}) of "
            f"{evidence.names((profile.cells.masked > 0).nonzero()[0].tolist())} "
            "mask their class: its p is exactly 0",
            evidence.cells(profile.masked.places),
        )


def _cells(evidence: Evidence, first: First, code: str, what: str) -> Iterator[Finding]:
    if first.count:
        yield Finding(
            code,
            "problem",
            f"{counted(first.count, 'cell')} {'is' if first.count == 1 else 'are'} {what}",
            evidence.cells(first.places),
            "such values are never made up: the rows are bad until the cells are mended",
            "--on-bad-row skip",
        )


SURE = 0.999
"""Probability from which one cell is said to hold the whole row."""
_NAMED = 5


def find_outliers(evidence: Evidence) -> Iterator[Finding]:
    """Name outlying cells, and what p would be without those that decide their rows."""
    under, over = evidence.outside
    total = int((under + over).sum())
    if not total:
        return
    cells = int(evidence.profile.cells.finite.sum())
    hit = np.argsort(-(under + over), kind="stable")[: int(((under + over) > 0).sum())].tolist()
    named = evidence.outliers[:_NAMED]
    how = "clip the logits (or --winsorize Q)" + ("; --rows-out FILE names every one" if len(named) < total else "")
    yield Finding(
        "outlier-cells",
        "warning" if over.any() else "note",  # one far under the others only makes its class a little less likely
        f"{counted(total, 'cell')} ({share(total, cells)}) in {counted(len(hit), 'class')} "
        f"({evidence.names(hit)}) beyond {evidence.limit:g} robust deviations",
        tuple(_cell(evidence, one) for one in named),
        f"see where they come from; to score with them, {how}",
        f"--clip-logits={_bounds(evidence)}",
    )
    if held := [text for one in evidence.outliers if (text := without(evidence, one))]:
        yield Finding(
            "rows-held-by-an-outlier",
            "problem",
            f"{counted(len(held), 'row')} with over {SURE:.1%} of the mass on a class only because of such a cell",
            tuple(held[:_NAMED]),
            "without it: the cell put at the median of its class; clipping bounds what one cell can do",
            f"--clip-logits={_bounds(evidence)}",
        )


def without(evidence: Evidence, cell: Extreme) -> str:
    """Say what p would be with the cell at the median of its class; "" where the cell does not decide its row alone."""
    if not cell.share > SURE:
        return ""
    winner, p = cell.without(float(evidence.fences.median[cell.position]))
    if winner == cell.position and p > SURE:
        return ""
    name, other = evidence.classes[cell.position], evidence.classes[winner]
    sure = "1.000" if cell.share == 1 else f"{min(cell.share, 0.9999):.4f}"
    return f"{evidence.spot(cell.row)}: {name} {sure}; without it {other} {p:.3f}"


def _cell(evidence: Evidence, cell: Extreme) -> str:
    position = cell.position
    return (
        f"{evidence.spot(cell.row)}: {evidence.classes[position]} = {cell.value:.6g} "
        f"(median {evidence.fences.median[position]:.3g}, robust z {evidence.robust_z(cell):+.3g})"
    )


def _bounds(evidence: Evidence) -> str:
    """Bounds that the cells within their own fences are within, rounded outwards; classes on another scale aside."""
    grid, fences = evidence.profile.values.grid, evidence.fences
    edges = grid.edges()
    ratio = evidence.relative_spread
    usual = (fences.high < grid.bins) & (ratio <= SCALE_RATIO) & (ratio >= 1 / SCALE_RATIO)
    usual |= ~usual.any()  # where no class is usual, all of them count
    low = grid.centre + grid.spread * edges[fences.low.clip(1)]
    high = grid.centre + grid.spread * edges[(fences.high + 1).clip(0, grid.bins - 1)]
    return f"{math.floor(low[usual].min())},{math.ceil(high[usual].max())}"


_MANY = 0.5
"""Share of rows from which saturation is more than worth knowing."""


def find_precision(evidence: Evidence) -> Iterator[Finding]:
    """Count saturated rows in the precision that the table is scored in, and cells beyond float16."""
    figures, cells = evidence.profile.figures, evidence.profile.cells
    narrow = evidence.dtype == "float32"
    count = figures.saturated32 if narrow else figures.saturated64
    if count:
        better = f"; in float64 {figures.saturated64:,}" if narrow else ""
        yield Finding(
            "saturated-rows",
            "warning" if count > _MANY * figures.scored else "note",
            f"{counted(count, 'row')} ({share(count, figures.scored)}) have a confidence of exactly 1 "
            f"in {evidence.dtype}{better}",
            advice="such rows cannot be ranked by confidence"
            + ("; score in float64, or fit" if narrow else ": fit")
            + " a temperature (softmax-cli calibrate, then --temperature)",
            flag="--dtype float64" if narrow and figures.saturated64 < count else "-T",
        )
    if overflowing := int(cells.overflowing.sum()):
        yield Finding(
            "float16-overflow",
            "note",
            f"{counted(overflowing, 'cell')} of {evidence.names(cells.overflowing.nonzero()[0].tolist())} "
            f"lie beyond {FLOAT16_MAX:,.0f}, the largest float16",
            advice="stored as float16 they would become infinite and their rows bad: keep float32",
        )


def find_repeats(evidence: Evidence) -> Iterator[Finding]:
    """Name repeated rows, and rows without a preference."""
    profile = evidence.profile
    repeats, rows, flat = profile.repeats, profile.rows, profile.flat
    if repeats.extra:
        about = "" if repeats.exact else "about "
        yield Finding(
            "duplicate-rows",
            "warning",
            f"{about}{counted(repeats.extra, 'row')} ({share(repeats.extra, rows)}) repeat the scores of an earlier "
            f"row to the last bit ({about}{counted(repeats.groups, 'different row')} occur more than once)",
            tuple(f"data row {row + 1:,} stands {count:,} times" for row, count in repeats.commonest(3)),
            "see whether files were joined twice; metrics and calibration would count such examples more than once",
        )
    yield from _repeated_columns(evidence)
    if flat.count:
        yield Finding(
            "flat-rows",
            "warning",
            f"{counted(flat.count, 'row')} ({share(flat.count, rows)}) give every class the same score",
            evidence.cells(flat.places),
            "their prediction is the first class by order alone; see whether the model has failed on them",
        )


def _repeated_columns(evidence: Evidence) -> Iterator[Finding]:
    """Name columns that repeat another one, or one number; a single row says nothing about that."""
    cells, classes = evidence.profile.cells, evidence.classes
    if evidence.profile.rows < 2:
        return
    equal = enumerate(evidence.profile.equal_columns.tolist())
    pairs = [f"{classes[i]} = {classes[first]}" for i, first in equal if first != i and cells.finite[i] > 0]
    if pairs:
        yield Finding(
            "duplicate-columns",
            "problem",
            f"{counted(len(pairs), 'class')} equal another class in every row: {', '.join(pairs[:3])}",
            tuple(pairs[:5]),
            "two classes that always tie share one probability; leave a column out by naming the others",
            "--logits 'a,b,c'",
        )
    if same := np.flatnonzero(cells.constant & evidence.scored_classes).tolist():
        yield Finding(
            "constant-columns",
            "warning",
            f"{counted(len(same), 'class')} hold one number in every row: {evidence.names(same)}",
            tuple(f"{classes[i]} = {cells.lowest[i]:.6g}" for i in same[:5]),
            "see whether the column is a score at all; name the score columns to leave it out",
            "--logits 'a,b,c'",
        )


_MOST_CLASSES = 0.9
"""Share of rows from which one class is said to take them all."""
_EXPECTED = 20
"""Rows per class that there must be before an absent class says anything."""


def find_balance(evidence: Evidence) -> Iterator[Finding]:
    """Name a class that wins nearly always, and classes that never win."""
    counts, scored = evidence.profile.figures.predicted, evidence.profile.figures.scored
    if scored < _EXPECTED * len(counts):
        return
    best = int(counts.argmax())
    if counts[best] > _MOST_CLASSES * scored:
        yield Finding(
            "one-class-predicted",
            "warning",
            f"{evidence.classes[best]} is predicted for {share(int(counts[best]), scored)} of {counted(scored, 'row')}",
            advice="if training data were imbalanced and these rows are not, correct for the priors "
            "(with --target-prior uniform)",
            flag="--source-prior FILE",
        )
    if never := np.flatnonzero(counts == 0).tolist():
        yield Finding(
            "classes-never-predicted",
            "note",
            f"{counted(len(never), 'class')} of {len(counts):,} win no row: {evidence.names(never)}",
            advice="a rare class can be raised by priors or weights (-w)",
            flag="--source-prior FILE",
        )


def find_labels(evidence: Evidence) -> Iterator[Finding]:
    """Name truths that cannot be used, and classes that are never true."""
    truths, rows = evidence.truths, evidence.profile.rows
    if truths is None or not rows:
        return
    if truths.trouble:
        yield Finding("labels-unreadable", "problem", truths.trouble, flag="--labels-from 1")
    if truths.unknown:
        yield Finding(
            "labels-unknown",
            "problem",
            f"{counted(truths.unknown, 'row')} of {rows:,} have a truth that is no class",
            truths.first_unknown,
            "mend them, or leave the rows out of evaluate and calibrate",
            "--on-bad-row skip",
        )
    if truths.missing:
        yield Finding(
            "labels-missing",
            "warning",
            f"{counted(truths.missing, 'row')} of {rows:,} have no truth",
            truths.first_missing,
            "evaluate and calibrate stop at them unless they are to be left out",
            "--on-bad-row skip",
        )
    if truths.classes.any() and not truths.trouble:
        yield from _never_true(evidence, truths.classes == 0)


def _never_true(evidence: Evidence, never: NDArray[np.bool_]) -> Iterator[Finding]:
    predicted, scored = evidence.profile.figures.predicted, evidence.profile.figures.scored
    for position in np.flatnonzero(never & (predicted * len(never) >= max(scored, 1))).tolist():
        name = evidence.classes[position]
        yield Finding(
            "predicted-and-never-true",
            "warning",
            f"{name} is predicted for {share(int(predicted[position]), scored)} of the rows and is never the truth",
            advice=f"is {name} a class? If not, name the class columns",
            flag="--logits 'a,b,c'",
        )
    if never.any():
        positions = np.flatnonzero(never).tolist()
        yield Finding(
            "classes-never-true",
            "note",
            f"{counted(len(positions), 'class')} of {len(never):,} are the truth of no row: "
            f"{evidence.names(positions)}",
            advice="figures of such classes, and averages over classes, leave them out",
        )


FINDERS = (
    find_balance,
    find_columns,
    find_repeats,
    find_kind,
    find_labels,
    find_missing,
    find_outliers,
    find_precision,
    find_scale,
)
_ORDER = ("problem", "warning", "note")


def find_all(evidence: Evidence) -> list[Finding]:
    """Every finding about a table, the gravest first."""
    found = [finding for find in FINDERS for finding in find(evidence)]
    return sorted(found, key=lambda finding: _ORDER.index(finding.severity))
