"""What a person sees of a scored table fits the terminal, says what the rows say, and is never steered by a name."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from softmax_cli.prediction.screen import Shown, show_predictions
from softmax_cli.prediction.transform import Tally, confidence_units
from softmax_cli.tables.arrays import labels, numbers, strings
from softmax_cli.tables.columns import METADATA_KEY
from softmax_cli.terminal.console import make_console

PROB = {METADATA_KEY: b"prob"}
HOSTILE = [
    "[red]",
    "[/b]",
    ":smile:",
    "\x1b[31m",
    "a\nb",
    "\u202eevil",
    "日本語の長い名前",
    "é" * 30,
    "",
    "{x}",
    "👍🏽",
    "❤️",
]
names = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=30))
SHOWS_LITERALLY = ["[red]", "[/b]", ":smile:", r"\x1b[31m", r"a\nb", r"\u202eevil"]


class Stream(io.StringIO):
    """A text stream with an encoding of its own."""

    def __init__(self, encoding: str = "utf-8") -> None:
        super().__init__()
        self._encoding = encoding

    @property
    def encoding(self) -> str:
        return self._encoding


def scored(p: np.ndarray, classes: list[str], ids: list[str] | None, truths: list[str] | None):
    """Make a batch in the wide form, and say what its columns are. A row of nan is a bad one."""
    bad = np.isnan(p[:, 0])
    best = np.where(bad, -1, np.nan_to_num(p).argmax(1)).astype(np.int32)
    columns = {"id": strings(ids)} if ids is not None else {}
    columns |= {"label": strings(truths)} if truths is not None else {}
    columns["prediction"] = labels(best, strings(classes))
    columns["confidence"] = numbers(np.nan_to_num(p).max(1), ~bad)
    columns |= {f"prob_{i}": numbers(np.ascontiguousarray(p[:, i]), ~bad) for i in range(len(classes))}
    shown = Shown(
        tuple(classes),
        tuple(f"prob_{i}" for i in range(len(classes))),
        "id" if ids is not None else None,
        "label" if truths is not None else None,
    )
    counts = np.bincount(best[~bad], minlength=len(classes))
    tally = Tally(len(p), int(bad.sum()), "null", counts, confidence_units(p[~bad].max(1)) if (~bad).any() else 0)
    return pa.RecordBatch.from_pydict(columns), shown, tally


def render(batch, shown, tally, *, width=80, encoding="utf-8", color="auto", note=None) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", str(width))
        stream = Stream(encoding)
        show_predictions(make_console(stream, color), batch, shown, tally, note)
    return stream.getvalue()


@st.composite
def tables(draw):
    classes = draw(st.lists(names, min_size=2, max_size=12, unique=True))
    rows = draw(st.integers(0, 5))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    p = rng.dirichlet(np.full(len(classes), 0.3), rows)
    if rows > 2:
        p[1] = np.nan
    ids = draw(st.none() | st.lists(names, min_size=rows, max_size=rows))
    truths = draw(st.none() | st.lists(st.sampled_from(classes), min_size=rows, max_size=rows))
    return scored(p, classes, ids, truths)


@given(tables(), st.integers(30, 200), st.booleans(), st.sampled_from(["utf-8", "ascii"]))
def test_no_line_is_wider_than_the_terminal(table, width, is_plain, encoding):
    """Whatever the names and the width; and one row is one line."""
    batch, shown, tally = table
    shown = Shown(shown.classes, shown.probabilities, shown.id, shown.label, is_plain)
    printed = render(batch, shown, tally, width=width, encoding=encoding, note="the first rows; --all shows every row")
    lines = printed.split("\n")
    assert max(map(cell_len, lines)) <= width
    if batch.num_rows:
        assert re.fullmatch("[─-]+ *", lines[1])
        assert lines[2 + batch.num_rows].startswith(("the first", "…", ".."))


@given(tables())
def test_an_ascii_terminal_gets_ascii(table):
    """Rules, bars, marks and names."""
    assert render(*table, encoding="ascii").isascii()


@given(tables(), st.sampled_from(["auto", "never"]))
def test_no_escape_sequence_without_colour(table, color):
    """A stream that is no terminal gets no ESC, not even from a name."""
    assert "\x1b" not in render(*table, color=color)


def test_names_are_printed_as_they_are():
    """Markup, emoji codes and what would steer the terminal, as an id, as a class and as a truth."""
    p = np.full((6, 6), 0.1) + 0.4 * np.eye(6)
    printed = render(*scored(p, HOSTILE[:6], HOSTILE[:6], HOSTILE[:6]), color="always", width=120)
    assert re.sub(r"\x1b\[[\d;]*m", "", printed).count("\x1b") == 0
    lines = re.sub(r"\x1b\[[\d;]*m", "", printed).split("\n")[2:8]
    for line, name in zip(lines, SHOWS_LITERALLY, strict=True):
        assert line.split()[:4] == [name, name, name, "✓"]


def test_a_row_tells_what_the_model_thinks():
    """Five classes: the predicted one with its bar, then the others in order."""
    p = np.array([[0.83, 0.11, 0.04, 0.02, 0.0], [0.3, 0.6996, 1e-4, 1e-4, 1e-4]])
    printed = render(*scored(p, ["cat", "dog", "ship", "car", "owl"], ["a", "b"], ["cat", "cat"]))
    assert printed.split("\n")[2].rstrip() == "a   cat    cat         ✓  0.830 ██████▋   dog  .11  ship  .04  car  .02"
    assert printed.split("\n")[3].rstrip() == "b   cat    dog         ✗  0.700 █████▋    cat  .30"


def test_few_classes_have_a_column_each():
    """Three classes on 80 columns; on 40 they have to go, and the prediction stays."""
    table = scored(np.array([[0.7, 0.2, 0.1]]), ["cat", "dog", "ship"], ["img_1"], None)
    wide = render(*table).split("\n")
    assert wide[0].split() == ["id", "prediction", "confidence", "cat", "dog", "ship"]
    assert wide[2].split() == ["img_1", "cat", "0.700", "█████▋", "0.700", "0.200", "0.100"]
    assert render(*table, width=30).split("\n")[2].split()[:3] == ["img_1", "cat", "0.700"]


@pytest.mark.parametrize("classes", [3, 10, 214])
@pytest.mark.parametrize("width", [40, 80, 200])
def test_the_prediction_is_whole_at_every_width(classes, width):
    """The figures that a row is about are never shortened away."""
    rng = np.random.default_rng(classes)
    p = rng.dirichlet(np.full(classes, 0.1), 10)
    table = scored(p, [f"class{i}" for i in range(classes)], [f"img_{i:05}.png" for i in range(10)], None)
    for line, row in zip(render(*table, width=width).split("\n")[2:], p, strict=False):
        assert line.split()[1] == f"class{row.argmax()}"
        assert line.split()[0].startswith("img")


def test_bad_rows_and_abstentions_have_no_figures():
    """They are named for what they are, get no mark, and are counted in the summary."""
    batch, shown, tally = scored(np.array([[0.9, 0.1], [np.nan, np.nan]]), ["cat", "dog"], None, ["cat", "dog"])
    printed = render(batch, shown, tally)
    assert printed.split("\n")[3].split() == ["2", "dog", "(bad", "row)"]
    assert "2 rows · mean confidence 0.900 · 1 bad row, kept unscored" in printed
    withheld = batch.set_column(1, "prediction", strings(["", ""]))
    assert "(abstained)" in render(withheld, shown, tally)
    unsure = batch.set_column(1, "prediction", strings(["unsure", "dog"]))
    assert render(unsure, shown, tally).split("\n")[2].split()[1:4] == ["cat", "unsure", "0.900"], "and no cross"


def test_integer_truths_are_indices_unless_a_class_has_that_name():
    """As everywhere in the program; a truth that is no class is not judged."""
    p = np.array([[0.9, 0.1], [0.8, 0.2]])
    assert render(*scored(p, ["cat", "dog"], None, ["0", "1"])).count("✗") == 1
    assert render(*scored(p, ["1", "0"], None, ["1", "0"])).split("\n")[2].split()[1:4] == ["1", "1", "✓"]
    for truths in (["owl", "0"], ["0", "7"]):
        assert not {"✓", "✗"} & set(render(*scored(p, ["cat", "dog"], None, truths)))


def test_the_spread_names_the_commonest_classes():
    """Seven classes: four lines and the rest; the counts add up to the rows."""
    tally = Tally(1_000, 0, "error", np.array([10, 500, 200, 150, 100, 39, 1]), confidence_units(np.full(1_000, 0.9)))
    nothing = pa.RecordBatch.from_pydict({})
    printed = render(nothing, Shown(tuple("abcdefg")), tally)
    assert "1,000 rows · mean confidence 0.900\n" in printed
    spread = [line.split() for line in printed.rstrip().split("\n")[-5:]]
    assert [line[:2] for line in spread[:2]] == [["b", "500"], ["c", "200"]]
    assert spread[0][2:4] == ["50.0", "%"]
    assert spread[-1] == ["…", "3", "more:", "--all", "50", "5.0", "%"]
    every = render(nothing, Shown(tuple("abcdefg"), all_classes=True), tally).rstrip().split("\n")[-7:]
    assert [line.split()[0] for line in every] == list("bcdefag")


def test_facts_stay_whole_on_a_narrow_terminal():
    """A line breaks between two facts."""
    tally = Tally(1_000, 0, "error", np.array([600, 400]), confidence_units(np.full(1_000, 0.9)))
    printed = render(pa.RecordBatch.from_pydict({}), Shown(("a", "b")), tally, width=40)
    assert printed.startswith("1,000 rows · mean confidence 0.900\n")
    tally = replace(tally, abstained=123, judged=877, right=800)
    printed = render(pa.RecordBatch.from_pydict({}), Shown(("a", "b")), tally, width=40)
    assert printed.startswith("1,000 rows · 123 abstained\naccuracy 0.912 of 877\nmean confidence 0.900\n")


def test_other_layouts_are_plain_tables():
    """A row per class; what passes through gives way to what was computed, and it is said how much did."""
    fields = [pa.field("id", pa.string()), pa.field("path", pa.string()), pa.field("rank", pa.int64())]
    fields += [pa.field("label", pa.string()), pa.field("prob", pa.float64(), metadata=PROB)]
    fields += [pa.field("logprob", pa.float64())]
    arrays = [strings(["a", "a"]), strings(["x" * 40] * 2), numbers(np.array([1, 2])), strings(["cat", "dog"])]
    arrays += [numbers(np.array([0.9, 1e-9])), numbers(np.array([-0.105, -20.72]))]
    batch = pa.RecordBatch.from_arrays(arrays, schema=pa.schema(fields))
    shown = Shown(("cat", "dog"), id="id", is_plain=True, passed=("id", "path"))
    tally = Tally(1, 0, "error", np.array([1, 0]), confidence_units(np.array([0.9])))
    printed = render(batch, shown, tally, width=34).split("\n")
    assert printed[0].split() == ["id", "rank", "label", "prob", "logprob"]
    assert printed[3].split() == ["a", "2", "dog", "<.001", "-20.720"]
    assert printed[4] == "… 1 more column"


def test_no_pandas_and_no_compute_kernels():
    """Start-up time: what shows ten rows loads rich, and nothing else that is slow."""
    code = (
        "import sys, io, numpy as np, pyarrow as pa\n"
        "from softmax_cli.prediction.screen import show_predictions\n"
        "from softmax_cli.prediction.screen import Shown\n"
        "from softmax_cli.terminal.console import make_console\n"
        "from softmax_cli.tables.arrays import strings, numbers\n"
        "from softmax_cli.prediction.transform import Tally\n"
        "b = pa.RecordBatch.from_arrays([strings(['a']), strings(['x']), numbers(np.ones(1))], ['id', 'prediction',"
        " 'confidence'])\n"
        "show_predictions(make_console(io.StringIO()), b, Shown(('x',), id='id'), Tally(1, 0, 'error', np.ones(1, int),"
        " 1))\n"
        "print([name for name in ('pandas', 'pyarrow.compute', 'scipy') if name in sys.modules])\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"


def test_prediction_sets_have_a_column():
    sets = pa.array([["cat", "[dog]"], None], pa.list_(pa.string()))
    p = {"prob_cat": [0.7, None], "prob_dog": [0.3, None]}
    columns = {"prediction": pa.array(["cat", None]).dictionary_encode(), "confidence": [0.7, None], "set": sets, **p}
    shown = Shown(("cat", "[dog]"), ("prob_cat", "prob_dog"), sets="set")
    tally = Tally(2, 1, "null", np.array([1, 0]), confidence_units(np.array([0.7])))
    printed = render(pa.record_batch(columns), shown, tally, width=100)
    assert "cat, [dog]" in printed
