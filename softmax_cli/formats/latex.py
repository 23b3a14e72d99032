"""LaTeX: a tabular for a paper, with the rules of booktabs; written, never read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from softmax_cli.formats._markup import MarkupWriter
    from softmax_cli.tables.schema import Schema
    from softmax_cli.tables.table import WriteOptions


SUFFIXES = (".tex",)
MAGIC: tuple[bytes, ...] = ()
SEEKS = False
END = "\\bottomrule\n\\end{tabular}\n"
_MARKS = {ord(mark): f"\\{mark}" for mark in "{}$&#%_"} | {
    ord("\\"): "\\textbackslash{}",
    ord("~"): "\\textasciitilde{}",
    ord("^"): "\\textasciicircum{}",
    ord("<"): "\\textless{}",
    ord(">"): "\\textgreater{}",
    ord("|"): "\\textbar{}",
    ord("["): "{[}",  # after a line's end it would begin an option
}


def escape(text: str) -> str:
    """Spell text without marks of LaTeX."""
    return text.translate(_MARKS)


def title(text: str) -> str:
    """Name the table that follows."""
    return f"\\subsection*{{{text}}}\n\n"


def head(names: Sequence[str], right: Sequence[bool]) -> str:
    """Begin a table."""
    places = "".join("r" if is_right else "l" for is_right in right)
    return f"% \\usepackage{{booktabs}}\n\\begin{{tabular}}{{{places}}}\n\\toprule\n{row(names, right)}\\midrule\n"


def row(cells: Sequence[str], right: Sequence[bool]) -> str:
    """Write a line."""
    return f"{' & '.join(map(_minus, cells, right))} \\\\\n"


def _minus(cell: str, is_number: bool) -> str:
    return f"$-${cell[1:]}" if is_number and cell.startswith("-") else cell


def write(file: BinaryIO, schema: Schema, options: WriteOptions) -> MarkupWriter:
    """Begin a table with its heading."""
    import softmax_cli.formats.latex as markup
    from softmax_cli.formats._markup import MarkupWriter

    return MarkupWriter(file, schema, options, markup)
