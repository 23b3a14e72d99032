"""A report page: a verdict, figures in large type, charts and tables that sort, in this order."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from softmax_cli.page import render

_NUMBER = re.compile(r"[<>+-]?((\d[\d,]*)?\.?\d+(e[+-]\d+)?|inf|nan)( ?%)?")
MOST_ROWS = 1000
"""Rows of a table on a page; a browser gets slow with more, and people do not read them."""


class Tile(NamedTuple):
    """One figure in large type."""

    title: str
    value: str
    note: str
    """What stands below it: its interval, or its unit."""


class Chart(NamedTuple):
    """A drawing whose parts show their numbers; made by the functions of this module."""

    id: str
    title: str
    text: str
    """What to look for."""
    data: dict[str, Any]
    """What the script of the page draws."""


class Table(NamedTuple):
    """Rows of text; numbers stand right and sort as numbers."""

    id: str
    title: str
    text: str
    columns: tuple[tuple[str, bool], ...]
    """Title, and whether its cells are numbers."""
    rows: Sequence[Sequence[str]]


def reliability_chart(
    text: str, bins: Sequence[tuple[float, float, int, float, float]], identity: str = "reliability"
) -> Chart:
    """Draw accuracy against confidence.

    Parameters
    ----------
    bins : sequence of tuple
        Lower and upper edge, rows, mean confidence and accuracy of each bin; those without rows are left out.
    """
    names = ("lower", "upper", "rows", "confidence", "accuracy")
    held = [dict(zip(names, one, strict=True)) for one in bins if one[2]]
    return Chart(identity, "Reliability", text, {"kind": "reliability", "bins": held})


def histogram_chart(
    identity: str, title: str, text: str, x: str, parts: tuple[str, str], counts: Sequence[tuple[int, int]]
) -> Chart:
    """Draw counts in equal bins of [0, 1], as bars of two parts.

    Parameters
    ----------
    parts : tuple of str
        What the lower and the upper part of a bar are; "" for a part that there is not.
    """
    bins = [{"right": lower, "wrong": upper} for lower, upper in counts]
    data = {"kind": "histogram", "label": title, "range": [0, 1], "x": x, "parts": list(parts), "bins": bins}
    return Chart(identity, title, text, data)


def curve_chart(
    identity: str,
    title: str,
    text: str,
    axes: tuple[str, str],
    points: Sequence[tuple[float, float, str]],
    line: Sequence[tuple[float, float]] = (),
) -> Chart:
    """Draw a curve and points of it, each with the sentence that describes it.

    Parameters
    ----------
    line : sequence of tuple
        The curve where it has more points than these.
    """
    drawn = [*line] or [(x, y) for x, y, _ in points]
    low, high = (min(x for x, _ in drawn), max(x for x, _ in drawn)) if drawn else (0.0, 1.0)
    lowest, highest = (min(y for _, y in drawn), max(y for _, y in drawn)) if drawn else (0.0, 1.0)
    data = {
        "kind": "curve",
        "label": title,
        "range": [min(low, 0.0), high],
        "low": min(lowest, 0.0) if lowest < 0.5 * highest else lowest,
        "x": axes[0],
        "y": axes[1],
        "points": [{"x": x, "y": y, "text": text} for x, y, text in points],
        "line": drawn,
    }
    return Chart(identity, title, text, data)


def scatter_chart(
    identity: str,
    title: str,
    text: str,
    axes: tuple[str, str],
    kinds: Sequence[str],
    cells: int,
    marks: Sequence[tuple[int, int, int, int]],
) -> Chart:
    """Draw counts in a square of cells of [0, 1] by [0, 1], as marks of different kinds.

    Parameters
    ----------
    kinds : sequence of str
        What each kind is; "" for one that there is not.
    cells : int
        Along each axis.
    marks : sequence of tuple
        Kind, cell along x and along y, and rows.
    """
    names = ("kind", "x", "y", "rows")
    data = {
        "kind": "scatter",
        "label": title,
        "x": axes[0],
        "y": axes[1],
        "kinds": list(kinds),
        "cells": cells,
        "marks": [dict(zip(names, mark, strict=True)) for mark in marks],
    }
    return Chart(identity, title, text, data)


def table(identity: str, title: str, text: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """Describe a table; every column but the first is numbers where all its cells are."""
    shown = rows[:MOST_ROWS]
    numeric = [place > 0 and all(_is_number(row[place]) for row in shown) for place in range(len(columns))]
    more = f" The first {MOST_ROWS:,} of {len(rows):,}." if len(rows) > MOST_ROWS else ""
    return Table(identity, title, text + more, tuple(zip(columns, numeric, strict=True)), shown)


def print_tables(tables: Sequence[Table], markup: str) -> None:
    """Print tables to be pasted, each under its title, as one of `formats.markups`."""
    from softmax_cli import formats
    from softmax_cli.storage.writing import standard_output
    from softmax_cli.stream.outputs import table_writer
    from softmax_cli.tables.batch import Batch, TextColumn
    from softmax_cli.tables.columns import METADATA_KEY
    from softmax_cli.tables.schema import TEXT, Field, Schema
    from softmax_cli.tables.table import WriteOptions
    from softmax_cli.text.formatting import text_spans

    form: Any = formats.by_name(markup)
    with standard_output() as out:
        for place, one in enumerate(tables):
            out.write(b"\n" * bool(place) + form.title(form.escape(one.title)).encode())
            schema = Schema(
                Field(name, TEXT, {METADATA_KEY: b"number"} if right else None) for name, right in one.columns
            )
            columns = [TextColumn(*text_spans(cells)) for cells in zip(*one.rows, strict=True)]
            with table_writer(out, form, None, schema, WriteOptions()) as writer:
                if columns:
                    writer.write(writer.encode(Batch(schema, columns, len(one.rows))))


def number(value: float) -> str:
    """Write a figure with four decimals, or one that is too small for them with three digits."""
    if math.isnan(value):
        return "unknown"
    return f"{value:.4f}" if value == 0 or abs(value) >= 0.001 else f"{value:.3g}"


def _is_number(cell: str) -> bool:
    return cell in ("", "unknown") or _NUMBER.fullmatch(cell) is not None


def report_page(
    heading: str,
    command: str,
    *,
    verdict: Sequence[str] = (),
    facts: Sequence[str] = (),
    tiles: Sequence[Tile] = (),
    charts: Sequence[Chart] = (),
    tables: Sequence[Table] = (),
    steps: Sequence[str] = (),
) -> bytes:
    """Make the page.

    Parameters
    ----------
    command : str
        What was typed, so that it can be typed again.
    verdict : sequence of str
        Sentences that say what it comes to.
    steps : sequence of str
        How it was computed.
    """
    return render(
        "report",
        {"charts": [{"id": chart.id, **chart.data} for chart in charts]},
        title=heading,
        heading=heading,
        command=command,
        verdict=verdict,
        facts=facts,
        tiles=tiles,
        charts=charts,
        tables=tables,
        steps=steps,
    )
