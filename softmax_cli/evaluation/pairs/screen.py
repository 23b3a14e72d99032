"""The report of ``compare`` on a screen: what the figures come to, the figures, the first rows that flip."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby

from rich.console import Console
from rich.text import Text

from softmax_cli.errors import counted
from softmax_cli.evaluation.pairs.report import ComparisonReport, PairReport
from softmax_cli.evaluation.report import Figure
from softmax_cli.evaluation.screen import show_figures
from softmax_cli.terminal.console import heading, paragraph
from softmax_cli.terminal.grid import Column, FigureColumn, TextColumn, draw
from softmax_cli.terminal.text import probability

_TABLE = {"agreement": "agreement", "kl": "KL", "js": "JS", "total_variation": "TV", "max_dp": "max |dp|"}
"""Columns of the table of several files."""


_TELLING = ("kl", "total_variation", "max_dp", "dp_99", "logit_correlation")
"""Figures of two files that a first look needs; the others are in the sentences before them, or close to these."""


def show_comparison(
    console: Console, report: ComparisonReport, flips: Sequence[dict[str, object]], full: bool = False
) -> None:
    """Print a report; unless all of it is asked for, it fits a terminal of 24 lines.

    Parameters
    ----------
    flips : sequence of dict
        The first rows whose prediction changes.
    full : bool
        Every figure of two files, also those that the sentences name.
    """
    left_out = f" ({counted(report.left_out, 'bad row')} left out)" if report.left_out else ""
    first = f"{counted(report.rows, 'row')} joined by {report.joined_by}{left_out}; {report.labelled:,} with a truth"
    paragraph(console, f"{' | '.join(report.files)}: {first}", "bold")
    if len(report.pairs) == 1:
        _show_pair(console, report, report.pairs[0], full)
    else:
        _show_table(console, report)
    if flips:
        _show_flips(console, flips, "" if full or len(report.pairs) > 1 else "; --full shows every figure")


def _show_pair(console: Console, report: ComparisonReport, pair: PairReport, full: bool) -> None:
    for sentence in pair.verdict:
        paragraph(console, sentence, hang="  ")
    console.print()
    shown = [one for one in pair.figures if full or one.name in _TELLING or (_is_gap(one) and one.interval is None)]
    for with_intervals, figures in groupby(shown, lambda figure: figure.interval is not None):
        show_figures(console, list(figures), with_intervals)
    if report.bootstrap and full:
        note = f"intervals: {report.bootstrap} paired bootstrap replicates (95 %), seed {report.seed}"
        paragraph(console, note, "dim")


def _is_gap(figure: Figure) -> bool:
    return figure.name.endswith("_difference")


def _show_table(console: Console, report: ComparisonReport) -> None:
    console.print()
    paragraph(console, f"each beside {report.files[0]}", "dim")
    by_name = [{figure.name: figure for figure in pair.figures} for pair in report.pairs]
    columns: list[Column] = [TextColumn("file", [pair.second for pair in report.pairs], 9, least=10, most=40)]
    columns += [_numbers(title, [f[name] for f in by_name], 8, _share) for name, title in _TABLE.items()]
    if report.members:
        names = [figure.name for figure in report.members[0]]
        columns += [_numbers(f"{n} gap", [f[f"{n}_difference"] for f in by_name], 5, _gap) for n in names]
    draw(console, columns)
    if report.members:
        heading(console, "each alone")
        columns = [TextColumn("file", report.files, 9, least=10, most=40)]
        columns += [_numbers(f[0].title, f, 5, _share) for f in zip(*report.members, strict=True)]
        draw(console, columns)


def _numbers(title: str, figures: Sequence[Figure], weight: int, spell: Callable[[Figure], str]) -> TextColumn:
    return FigureColumn(title, [spell(figure) for figure in figures], weight)


def _share(figure: Figure) -> str:
    return f"{figure.value:.5f}"


def _gap(figure: Figure) -> str:
    sure = figure.interval is not None and not figure.interval[0] <= 0 <= figure.interval[1]
    return f"{figure.value:+.4f}{'*' if sure else ' '}"


def _show_flips(console: Console, flips: Sequence[dict[str, object]], more: str) -> None:
    heading(console, "the first rows that flip")
    columns: list[Column] = []
    for name in flips[0]:
        cells = [_cell(row[name]) for row in flips]
        is_confidence = name.endswith("_confidence")
        title = name.removesuffix("_prediction")
        columns.append(FigureColumn("confidence", cells, 5) if is_confidence else TextColumn(title, cells, 9))
    draw(console, columns)
    console.print(Text(f"--flips-out FILE keeps all of them{more}", "dim"))


def _cell(value: object) -> str:
    if isinstance(value, float):
        return probability(value)
    return "" if value is None else str(value)
