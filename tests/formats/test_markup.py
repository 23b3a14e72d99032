"""Tables for papers and tickets: every character of a cell is shown, none of them is a mark."""

import html.parser
import io
import re
import shutil
import subprocess

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from softmax_cli.formats import by_name, by_suffix, is_read, latex, markdown
from softmax_cli.formats import html as html_format
from softmax_cli.stream.inputs import format_by_name
from softmax_cli.stream.outputs import table_writer
from softmax_cli.tables.batch import Batch, NumberColumn, TextColumn
from softmax_cli.tables.schema import FLOAT64, TEXT, Field, Schema
from softmax_cli.tables.table import WriteOptions
from softmax_cli.text.formatting import text_spans

FORMATS = (markdown, latex, html_format)
LINES = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S")), max_size=12)


def written(form, name, texts, numbers):
    schema = Schema([Field(name, TEXT), Field("p", FLOAT64, {b"softmax_cli": b"number"})])
    batch = Batch(schema, [TextColumn(*text_spans(texts)), NumberColumn(np.array(numbers)[:, None])], len(texts))
    file = io.BytesIO()
    with table_writer(file, form, None, schema, WriteOptions(digits=3)) as writer:
        writer.write(writer.encode(batch))
    return file.getvalue().decode()


def cells_of_markdown(text):
    """Undo what GitHub's Markdown does to a line: a bar that is not escaped parts cells, then escapes and entities."""
    cells = [re.split(r"(?<!\\)\|", line)[1:-1] for line in text.splitlines()]
    return [[html.unescape(re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", cell.strip(" "))) for cell in line] for line in cells]


class Cells(html.parser.HTMLParser):
    """Collects the cells of a table as a browser shows them."""

    def __init__(self, text):
        super().__init__()
        self.rows, self.inside = [], False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")
            self.inside = True

    def handle_endtag(self, tag):
        self.inside = self.inside and tag not in ("td", "th")

    def handle_data(self, data):
        if self.inside:
            self.rows[-1][-1] += data


@given(st.lists(LINES, min_size=1, max_size=4), LINES)
def test_html_shows_what_the_cells_hold(texts, name):
    rows = Cells(written(html_format, name, texts, [0.5] * len(texts))).rows
    assert [row[0] for row in rows] == [name, *texts]
    assert {row[1] for row in rows[1:]} == {"0.500"}


@given(st.lists(LINES, min_size=1, max_size=4), LINES)
def test_markdown_shows_what_the_cells_hold(texts, name):
    head, rule, *rows = cells_of_markdown(written(markdown, name, texts, [0.5] * len(texts)))
    assert head == [name, "p"]
    assert rule == [":---", "---:"]
    assert rows == [[text, "0.500"] for text in texts]


@given(st.lists(LINES, min_size=1, max_size=4), LINES)
def test_latex_leaves_no_mark_in_a_cell(texts, name):
    text = written(latex, name, texts, [-0.5] * len(texts))
    lines = [line for line in text.splitlines() if line.endswith(r" \\")]
    assert len(lines) == len(texts) + 1
    for line, cell in zip(lines, [name, *texts], strict=True):
        first, second = re.split(r"(?<!\\) & ", line.removesuffix(r" \\"))
        bare = re.sub(r"\\(text[a-z]+\{\}|[{}$&#%_])|\{\[\}", "", first)
        assert not set(bare) & set(r"\{}$&#%_~^<>|[")
        assert len(bare) == len(cell) - len(re.findall(r"[\\{}$&#%_~^<>|\[]", cell))
        assert second in ("p", "$-$0.500")


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        (markdown, "| a\\_b\\|c | p |\n| :--- | ---: |\n| x &amp; &lt;y&gt; | -1.50 |\n"),
        (
            latex,
            "% \\usepackage{booktabs}\n\\begin{tabular}{lr}\n\\toprule\na\\_b\\textbar{}c & p \\\\\n\\midrule\n"
            "x \\& \\textless{}y\\textgreater{} & $-$1.50 \\\\\n\\bottomrule\n\\end{tabular}\n",
        ),
        (
            html_format,
            '<table>\n<thead>\n<tr><th>a_b|c</th><th align="right">p</th></tr>\n</thead>\n<tbody>\n'
            '<tr><td>x &amp; &lt;y&gt;</td><td align="right">-1.50</td></tr>\n</tbody>\n</table>\n',
        ),
    ],
)
def test_one_line_of_each(form, expected):
    assert written(form, "a_b|c", ["x & <y>"], [-1.5]) == expected


@pytest.mark.parametrize("form", FORMATS)
def test_a_cell_is_one_line(form):
    assert "one two" in written(form, "a", ["one\ntwo"], [0.5])


@pytest.mark.parametrize(("name", "suffix"), [("markdown", ".md"), ("latex", ".tex"), ("html", ".html")])
def test_they_are_written_and_not_read(softmax_cli, tmp_path, name, suffix):
    assert by_suffix(f"x{suffix}.gz")[0] is by_name(name)
    assert not is_read(by_name(name))
    assert format_by_name(f"notes{suffix}") is None, "a README beside tables is no table"
    (tmp_path / "in.csv").write_text("logit_a&b,logit_c\n2,1\n")
    printed = softmax_cli("predict", "in.csv", "--format", name, "--decimals", "4", "-q").text
    assert softmax_cli("predict", "in.csv", "-o", f"out{suffix}", "--decimals", "4", "-q").code == 0
    assert (tmp_path / f"out{suffix}").read_text() == printed
    assert "0.7311" in printed
    refused = softmax_cli("predict", "in.csv", "--input-format", name)
    assert (refused.code, "only written" in refused.err) == (2, True)


def test_every_report_prints_its_tables(softmax_cli, tmp_path):
    rows = [f"{2 - i % 3},{i % 2},{'a_1' if i % 5 else 'b'}" for i in range(40)]
    (tmp_path / "in.csv").write_text("logit_a_1,logit_b,label\n" + "\n".join(rows) + "\n")
    for command, heading in (
        ("evaluate", "### All figures"),
        ("inspect", "### "),
        ("calibrate", "### On held-out rows"),
        ("weights", "### weight = "),
    ):
        done = softmax_cli(command, "in.csv", "--format", "markdown", "-q")
        assert done.code == 0, done.err
        assert done.text.startswith(heading)
        assert command == "calibrate" or "| a\\_1 | " in done.text
        refused = softmax_cli(command, "in.csv", "--format", "csv")
        assert (refused.code, "choose one of html, latex, markdown" in refused.err) == (2, True)
        assert "exclude each other" in softmax_cli(command, "in.csv", "--format", "html", "--json").err


def test_latex_compiles(tmp_path):
    """A real TeX takes every mark, as text and at the start of a line, where ``[`` would be an option."""
    if shutil.which("pdflatex") is None:
        pytest.skip("no TeX is installed")
    marks = [*"!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", "é", "[1]", "a & b", "\\par"]
    title = latex.title(latex.escape("50 % of a_b"))
    table = written(latex, "na_me", marks, [-1.5] * len(marks))
    preamble = "\\documentclass{article}\n\\usepackage{booktabs}\n\\begin{document}\n"
    (tmp_path / "t.tex").write_text(f"{preamble}{title}{table}\\end{{document}}\n", "utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "t.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, errors="replace", timeout=120)
    assert done.returncode == 0, done.stdout
