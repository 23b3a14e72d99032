"""The report of ``evaluate`` on a screen: the figures, the reliability diagram, and where the errors are."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text

from softmax_cli.errors import counted
from softmax_cli.evaluation.report import Bin, ClassFigures, Figure, Report
from softmax_cli.storage.writing import standard_output
from softmax_cli.terminal.console import Color, Glyphs, glyphs, heading, make_console, paragraph
from softmax_cli.terminal.grid import BarColumn, Column, FigureColumn, TextColumn, Want, draw
from softmax_cli.terminal.text import percent, probability, shorten, visible, width

_CLASSES = 12
"""Classes in the table: all of so many, else the worst."""
_PAIRS = 5
_MISTAKES = 10


def print_evaluation(report: Report, colors: Color, full: bool) -> None:
    """Print what decides, or all of a report, in one go: a reader who closes the pipe early is no error."""
    console = make_console(sys.stdout, colors)
    with console.capture() as drawn:
        show_evaluation(console, report, full)
    with standard_output() as out:
        out.write(drawn.get().encode(console.encoding, "backslashreplace"))


def show_evaluation(console: Console, report: Report, full: bool = False) -> None:
    """Print what decides, or all of a report; `console` as `make_console` opens it."""
    _show_source(console, report)
    if not report.rows:
        paragraph(console, "no row to measure", "yellow")
        return
    _show_figures(console, report, full)
    if full:
        _show_all(console, report)
    _show_slices(console, report)
    if not full:
        paragraph(console, "--full: every figure, reliability, classes, confusions, worst mistakes", "dim")


def _show_all(console: Console, report: Report) -> None:
    heading(console, f"reliability of the predicted class, {report.bins_by}")
    show_reliability(console, report.bins)
    _show_histogram(console, report)
    _show_risk(console, report)
    _show_classes(console, report)
    _show_matrix(console, report)
    _show_confusions(console, report)
    _show_mistakes(console, report)


def _show_source(console: Console, report: Report) -> None:
    bad = f" ({counted(report.bad_rows, 'bad row')} left out)" if report.bad_rows else ""
    paragraph(console, f"{report.source}: {counted(report.rows, 'row')}{bad}, {report.columns}", "bold")
    paragraph(console, f"probabilities: {'; '.join(report.operations)}", "dim", hang="  ")
    for sentence in report.verdict:
        paragraph(console, sentence, hang="  ")
    console.print()


def _show_figures(console: Console, report: Report, full: bool) -> None:
    chosen = [one for one in report.figures if full or one.decides]
    show_figures(console, chosen, bool(report.bootstrap))
    if report.bootstrap:
        text = (
            f"intervals: {report.bootstrap} bootstrap replicates, seed {report.seed}; those of ECE are free of its bias"
        )
        paragraph(console, text, "dim")


def show_figures(console: Console, figures: Sequence[Figure], with_intervals: bool) -> None:
    """Print figures below each other, with their limits and notes; columns are as wide as what stands in them."""
    titles = [visible(figure.title, console.encoding) for figure in figures]
    limits = ["" if one.interval is None else "[{}, {}]".format(*map(_number, one.interval)) for one in figures]
    headings = ("", "value", "95 % interval")
    columns = (titles, [_number(figure.value) for figure in figures], limits)
    title, value, interval = (max(map(len, [name, *cells])) for name, cells in zip(headings, columns, strict=True))

    def line(*cells: str) -> str:
        start = f"{cells[0]:{title}}  {cells[1]:>{value}}  "
        return f"{start}{cells[2]:{interval}}  " if with_intervals else start

    if with_intervals:
        console.print(Text(line(*headings).rstrip(), "bold"), soft_wrap=True)
    for figure, *cells in zip(figures, *columns, strict=True):
        start = line(*cells)
        room = max(20, min(console.width, 120) - len(start))
        first, *rest = textwrap.wrap(visible(figure.note, console.encoding), room, break_on_hyphens=False) or [""]
        console.print(Text.assemble(start, (first, "dim")), soft_wrap=True)
        for more in rest:
            console.print(Text(" " * len(start) + more, "dim"), soft_wrap=True)


def _number(value: float) -> str:
    if value != value:
        return "unknown"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.5f}" if value == 0 or 1e-4 <= abs(value) < 1e3 else f"{value:.4g}"


def _show_histogram(console: Console, report: Report) -> None:
    """Print the confidences by tenths, those before the first and after the last that is used left out."""
    tenths = [(a + c, b + d) for (a, b), (c, d) in zip(report.histogram[::2], report.histogram[1::2], strict=True)]
    used = [place for place, pair in enumerate(tenths) if sum(pair)]
    lines = range(used[0], used[-1] + 1)
    most = max(map(sum, tenths))
    heading(console, "confidence of the predictions")
    columns: list[Column] = [
        TextColumn("confidence", [f"{place / 10:.1f} - {(place + 1) / 10:.1f}" for place in lines], 9, least=10),
        FigureColumn("right", [f"{tenths[place][0]:,}" for place in lines], 8, least=6),
        FigureColumn("wrong", [f"{tenths[place][1]:,}" for place in lines], 8, least=6),
        FigureColumn("share", [percent(sum(tenths[place]), report.rows) for place in lines], 7, least=8),
        BarColumn([sum(tenths[place]) / most for place in lines], 1),
    ]
    draw(console, columns)


def _show_risk(console: Console, report: Report) -> None:
    heading(console, "if only the surest predictions were given")
    columns: list[Column] = [
        FigureColumn("answered", [f"{100 * point.coverage:.1f} %" for point in report.risk_coverage], 9),
        FigureColumn("confidence from", [probability(point.threshold, 4) for point in report.risk_coverage], 8),
        FigureColumn("errors", [f"{100 * point.risk:.2f} %" for point in report.risk_coverage], 9),
    ]
    draw(console, columns)


def _show_classes(console: Console, report: Report) -> None:
    marks = glyphs(console)
    shown = _worst(report.per_class)
    heading(console, "classes" if len(shown) == report.classes else "classes with the lowest F1")
    columns: list[Column] = [
        TextColumn("class", [one.name for one in shown], 9, least=8, most=24),
        FigureColumn("rows", [f"{one.support:,}" for one in shown], 8),
        FigureColumn("predicted", [f"{one.predicted:,}" for one in shown], 4),
    ]
    figures: list[tuple[str, list[float | None], int]] = [
        ("precision", [one.precision for one in shown], 6),
        ("recall", [one.recall for one in shown], 7),
        ("F1", [one.f1 for one in shown], 7),
        *((title, [one.metrics[name] for one in shown], 3) for name, title in report.titles.items()),
    ]
    for title, values, weight in figures:
        if any(value is not None for value in values):
            columns.append(FigureColumn(title, [_rounded(value) for value in values], weight))
    draw(console, columns)
    if left := report.classes - len(shown):
        paragraph(console, f"{marks.ellipsis} {left:,} more classes: --per-class FILE has all", "dim")


def _worst(classes: Sequence[ClassFigures]) -> list[ClassFigures]:
    """Choose the classes to show, in the order of the table: all, or those that occur and have the lowest F1."""
    if len(classes) <= _CLASSES:
        return list(classes)
    occur = [place for place, one in enumerate(classes) if one.support]
    chosen = sorted(occur, key=lambda place: (classes[place].f1, -classes[place].support, place))[:_CLASSES]
    return [classes[place] for place in chosen]


def _rounded(value: float | None) -> str:
    return "" if value is None or value != value else f"{value:.3f}"


def _show_confusions(console: Console, report: Report) -> None:
    shown = report.confused()[:_PAIRS]
    if not shown:
        return
    heading(console, "commonest confusions")
    support = {one.name: one.support for one in report.per_class}
    columns: list[Column] = [
        TextColumn("true", [pair.true for pair in shown], 9, least=8, most=24),
        TextColumn("taken for", [pair.predicted for pair in shown], 9, least=9, most=24),
        FigureColumn("rows", [f"{pair.rows:,}" for pair in shown], 8),
        FigureColumn("of the class", [percent(pair.rows, support[pair.true]) for pair in shown], 7),
    ]
    draw(console, columns)


def _show_mistakes(console: Console, report: Report) -> None:
    shown = report.mistakes[:_MISTAKES]
    if not shown:
        return
    heading(console, "worst mistakes")
    columns: list[Column] = [
        TextColumn("row", [one.row for one in shown], 9, least=8, most=30),
        TextColumn("true", [one.true for one in shown], 8, least=8, most=20),
        TextColumn("taken for", [one.predicted for one in shown], 8, least=9, most=20),
        FigureColumn("confidence", [probability(one.confidence) for one in shown], 7),
        FigureColumn("p of true", [probability(one.true_probability) for one in shown], 6),
    ]
    draw(console, columns)


_SHARES = (0.0, 0.05, 0.2, 0.5)
"""Above each, a cell of the heat map is darker by one shade."""


def _show_matrix(console: Console, report: Report) -> None:
    """Print the confusion matrix in shades of the share of a true class; of many classes the most confused."""
    marks = glyphs(console)
    shades = (" ", ".", ":", "*", "#") if marks.full.isascii() else (" ", "░", "▒", "▓", "█")
    label = min(max(width(visible(one.name, console.encoding)) for one in report.per_class), 16)
    number = len(f"{report.classes}")
    cell = max(number + 1, 2)
    names = [one.name for one in report.per_class]
    room = max(1, (console.width - label - number - 2) // cell)
    if len(names) > room:
        involved = dict.fromkeys(name for pair in report.confused() for name in (pair.true, pair.predicted))
        chosen = {*list(involved)[:room]}
        names = [name for name in names if name in chosen]
    heading(console, "confusion: lines are true, columns predicted")
    places = {one.name: place for place, one in enumerate(report.per_class, 1)}
    support = {one.name: one.support for one in report.per_class}
    counts = {(pair.true, pair.predicted): pair.rows for pair in report.confusion}
    console.print(Text(" " * (label + number + 1) + "".join(f"{places[name]:>{cell}}" for name in names), "dim"))
    for true in names:
        line = Text(f"{places[true]:>{number}} " + shorten(visible(true, console.encoding), label, marks.ellipsis))
        line.append(" " * (label + number + 1 - width(line.plain)))
        for name in names:
            rows = counts.get((true, name), 0)
            shade = shades[sum(rows > share * support[true] for share in _SHARES)]
            line.append(" " + shade * (cell - 1), "cyan" if true == name else "red")
        console.print(line)
    steps = ", ".join(f"{shade} over {share:.0%}" for shade, share in zip(shades[1:], _SHARES, strict=True))
    less = counted(report.classes - len(names), "class")
    left = f"; {less} less confused not shown: --confusion FILE has all" if len(names) < report.classes else ""
    paragraph(console, f"share of the true class: {steps}{left}", "dim")


def _show_slices(console: Console, report: Report) -> None:
    if report.by is None:
        return
    heading(console, f"by {report.by}")
    columns: list[Column] = [
        TextColumn("value", [one.name for one in report.slices], 9, least=8, most=24),
        FigureColumn("rows", [f"{one.rows:,}" for one in report.slices], 8),
    ]
    deciding = zip(*([figure for figure in one.figures if figure.decides] for one in report.slices), strict=True)
    columns += [FigureColumn(found[0].title, [_number(figure.value) for figure in found], 5) for found in deciding]
    draw(console, columns)


MOST_LINES = 30
"""More bins than this are left out, those with the fewest rows first."""


@dataclass(frozen=True, slots=True)
class Brush:
    """The marks of a diagram."""

    came_true: str
    """Accuracy, up to the confidence."""
    more: str
    """Accuracy above the confidence: too modest."""
    less: str
    """Confidence above the accuracy: too sure."""
    mark: str
    """Where the mean confidence stands."""


_UNICODE = Brush("█", "▓", "░", "│")
_ASCII = Brush("#", "+", "-", "|")


def brush(marks: Glyphs) -> Brush:
    """Choose marks that the terminal can draw."""
    return _ASCII if marks.full.isascii() else _UNICODE


@dataclass(frozen=True, slots=True)
class GapColumn:
    """Accuracy as a bar and confidence as a mark on a line from 0 to 1; what lies between them is the gap."""

    bins: Sequence[Bin]
    weight: int
    heading: str = "from 0 to 1"

    def want(self) -> Want:
        """Ask for enough to see a gap of 2 %."""
        return Want(natural=50, least=12, weight=self.weight)

    def cells(self, cells: int, marks: Glyphs) -> list[Text]:
        """Draw every bin."""
        return [draw_gap(one, cells, brush(marks)) for one in self.bins]


def draw_gap(one: Bin, cells: int, with_brush: Brush) -> Text:
    """Draw one bin on a line that is `cells` wide."""
    mark = min(int(one.confidence * cells), cells - 1)
    end = round(one.accuracy * cells)
    line = Text()
    line.append(with_brush.came_true * min(end, mark), "cyan")
    line.append(with_brush.less * max(mark - end, 0), "red")
    line.append(with_brush.mark, "bold")
    line.append(with_brush.more * max(end - mark - 1, 0), "green")
    return line


def show_reliability(console: Console, bins: Sequence[Bin]) -> None:
    """Print a diagram of the bins that hold rows."""
    marks = glyphs(console)
    used = [one for one in bins if one.rows]
    shown = _fullest(used)
    columns: list[Column] = [
        TextColumn("confidence", [_range(one) for one in shown], 9, least=10, most=15),
        FigureColumn("rows", [f"{one.rows:,}" for one in shown], 8, least=4),
        FigureColumn("said", [probability(one.confidence) for one in shown], 6),
        FigureColumn("true", [probability(one.accuracy) for one in shown], 6),
        FigureColumn("gap", [f"{one.accuracy - one.confidence:+.3f}" for one in shown], 7, least=6),
        GapColumn(shown, 5),
    ]
    draw(console, columns)
    signs = brush(marks)
    legend = (
        f"{signs.mark} said: mean confidence; {signs.came_true} true: accuracy; {signs.less} too sure; "
        f"{signs.more} too modest"
    )
    if left := len(used) - len(shown):
        legend += f"; {marks.ellipsis} {counted(left, 'bin')} with fewer rows not shown: --bins-out FILE has all"
    paragraph(console, legend, "dim")


def _fullest(used: Sequence[Bin]) -> list[Bin]:
    order = sorted(range(len(used)), key=lambda place: -used[place].rows)[:MOST_LINES]
    return [used[place] for place in sorted(order)]


def _range(one: Bin) -> str:
    return f"{one.lower:.3f}-{one.upper:.3f}"
