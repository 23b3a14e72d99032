"""The stream as a whole gives the bytes that plain Python gives, row by row and number by number."""

import csv
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softmax_cli import softmax
from softmax_cli.formats.csv.reader import open_table
from softmax_cli.formats.csv.writer import DelimitedWriter
from softmax_cli.prediction.layout import Layout
from softmax_cli.prediction.run import score_table
from softmax_cli.prediction.scorer import Scoring
from softmax_cli.prediction.transform import build_transform
from softmax_cli.tables.batch import empty_batch
from softmax_cli.tables.columns import Selection, resolve
from softmax_cli.tables.table import ReadOptions, WriteOptions
from softmax_cli.tables.threads import Listeners

texts = st.text(st.sampled_from("aé7 ,;\"'=\n[]"), max_size=6)
numbers = st.one_of(
    st.floats(-800, 800),
    st.sampled_from([0.0, -0.0, 1e308, -1e308, 5e-324, -745.2, 709.9, float("-inf"), float("nan"), float("inf")]),
)


@st.composite
def tables(draw):
    classes = draw(st.sampled_from([1, 2, 3, 17, 140]))
    rows = draw(st.integers(0, 12))
    ids = draw(st.lists(texts, min_size=rows, max_size=rows))
    seed = draw(st.lists(numbers, min_size=1, max_size=8))
    picks = np.random.default_rng(draw(st.integers(0, 99))).integers(0, len(seed), (rows, classes))
    return [f"c{i}" for i in range(classes)], ids, [[seed[pick] for pick in row] for row in picks]


def streamed(text, digits, block_bytes, threads):
    """Through the program's own reader, transform and writer."""
    table = open_table(io.BytesIO(text.encode()), "t.csv", ReadOptions(), block_bytes=block_bytes)
    scores = tuple(name for name in table.schema.names if name != "id")
    columns = resolve(table.schema, Selection(scores=scores, kind="logits"), empty_batch(table.schema))
    transform = build_transform(columns, Scoring(), Layout(), "float64", "null")
    first = next(table.blocks, None)
    file = io.BytesIO()
    blocks = [] if first is None else [first, *table.blocks]
    given_schema = table.decode(first, scores).batch.schema if first else table.schema
    writer = DelimitedWriter(file, transform.schema(given_schema), WriteOptions(digits=digits))
    listeners = Listeners(lambda *_: None, lambda _: None)
    score_table(table._replace(blocks=iter(blocks)), transform, writer, threads, listeners)
    writer.close()
    return file.getvalue().decode()


def plain(names, ids, rows, digits):
    """By the csv module, one row and one number at a time."""

    def spell(p):
        if digits == 9 and (p == 0 or p >= 2**-10):
            return f"{p:.12f}"
        mantissa, exponent = f"{p:.{digits - 1}e}".split("e")
        short = f"{mantissa.replace('.', '')}e{int(exponent) - digits + 1}"  # no room for three digits and a point
        return short if int(exponent) <= -100 else f"{mantissa}e{exponent}"

    classes = names if len(names) > 1 else [f"not {names[0]}", names[0]]
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["id", "prediction", "confidence", *(f"prob_{name}" for name in classes)])
    for name, row in zip(ids, rows, strict=True):
        z = row if len(row) > 1 else [0.0, row[0]]
        p = softmax(z)
        scored = (
            [classes[int(np.argmax(z))], spell(p.max()), *map(spell, p)]
            if np.isfinite(p).all()
            else [""] * (2 + len(z))
        )
        writer.writerow([name, *scored])
    return file.getvalue()


@settings(max_examples=60, deadline=None)
@given(tables(), st.sampled_from([9, 17]), st.sampled_from([64, 1000, 1 << 21]), st.integers(1, 3))
def test_the_bytes_are_those_of_plain_python(table, digits, block_bytes, threads):
    names, ids, rows = table
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["id", *names])
    writer.writerows([[name, *map(repr, row)] for name, row in zip(ids, rows, strict=True)])
    assert streamed(file.getvalue(), digits, block_bytes, threads) == plain(names, ids, rows, digits)


@pytest.mark.parametrize("classes", [1, 1000])
def test_narrow_and_wide_tables(classes):
    rng = np.random.default_rng(classes)
    names = [f"c{i}" for i in range(classes)]
    rows = (rng.normal(size=(50, classes)) * rng.choice([1, 300, 1e-300], size=(50, 1))).tolist()
    text = f"id,{','.join(names)}\n" + "".join(f"r{i},{','.join(map(repr, row))}\n" for i, row in enumerate(rows))
    assert streamed(text, 17, 1 << 16, 2) == plain(names, [f"r{i}" for i in range(50)], rows, 17)
