"""What surrounds a softmax, as tables: other temperatures, small changes of a score, and other functions."""

from __future__ import annotations

from rich.console import Console

from softmax_cli.display.glyphs import Glyphs
from softmax_cli.display.prose import heading, paragraph
from softmax_cli.display.ranking import ConfidenceColumn
from softmax_cli.display.scorecells import Classes, numbers
from softmax_cli.display.table import Column, TextColumn, draw
from softmax_cli.numeric.explanation import Explanation
from softmax_cli.runs.explaining import TEMPERATURES, nudged


def show_temperatures(console: Console, told: Explanation, classes: Classes, marks: Glyphs) -> None:
    """Print p at several temperatures, with bars."""
    heading(console, "What the temperature does", marks)
    columns: list[Column] = [TextColumn("class", classes.names, 20, least=8, most=16)]
    for temperature in TEMPERATURES:
        p = classes.pick(told.at_temperature(temperature).tolist())
        columns.append(ConfidenceColumn(p, 10, heading=f"T = {temperature:g}"))
    draw(console, columns, marks)
    paragraph(console, "It never changes which class is best (class weights aside), only how sure that looks.", marks)


def show_nudges(console: Console, told: Explanation, classes: Classes, marks: Glyphs) -> None:
    """Print the derivatives of the probabilities: a row answers, a column is nudged."""
    heading(console, "How p answers to a small rise of one score (the Jacobian)", marks)
    chosen = nudged(told)[:5]
    matrix = told.jacobian(chosen)
    names = [classes.name(i) for i in chosen]
    columns: list[Column] = [TextColumn("p of", names, 20, least=8, most=14)]
    for name, column in zip(names, matrix.T.tolist(), strict=True):
        columns.append(TextColumn(f"z of {name}", [_signed(value) for value in column], 10, is_number=True, most=12))
    draw(console, columns, marks)
    divided = "" if told.temperature == 1 else f" / {told.temperature:g}"
    among = f" (the best {len(chosen)} classes)" if len(chosen) < len(told.p) else ", so every column sums to 0"
    paragraph(
        console,
        f"dp_i/dz_j = p_i (d_ij - p_j){divided}: a rising score takes from all other classes what it gives to its own"
        f"{among}. Where one class has nearly everything, nothing moves: a saturated softmax does not learn.",
        marks,
    )


def show_alternatives(console: Console, told: Explanation, classes: Classes, marks: Glyphs) -> None:
    """Print what other functions make of the same scores."""
    heading(console, "Other functions on the same scores", marks)
    columns: list[Column] = [TextColumn("class", [*classes.names, "sum"], 20, least=8, most=16)]
    for name, values in told.alternatives().items():
        cells = numbers([*classes.pick(values.tolist()), round(float(values.sum()), 12)])
        columns.append(TextColumn(name, cells, 10, is_number=True))
    draw(console, columns, marks)
    for line in (
        "sigmoid: each class alone, for labels that do not exclude each other; no sum.",
        "sparsemax, entmax15: sum to 1 like softmax, but give weak classes exactly 0.",
        "z / sum z is not a softmax: it goes negative, is undefined where the sum is 0, and changes when the same "
        "number is added to every score.",
    ):
        paragraph(console, line, marks, hang="  ")


def _signed(value: float) -> str:
    return f"{value:+.4f}" if abs(value) >= 1e-3 or value == 0 else f"{value:+.1e}"
