"""What a delimited file looks like is found from its first lines, and what is no such file is named for what it is."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softmax_cli.errors import DataError, UsageError
from softmax_cli.formats.csv.reader import check_encoding, open_table
from softmax_cli.formats.csv.sniff import DELIMITERS, Sniffed, find_dialect, sniff
from softmax_cli.tables.table import ReadOptions
from softmax_cli.text.parsing import Dialect

words = st.text("abé ", min_size=1, max_size=4)


def dialect(text: str, delimiter: str = ",", **said: object) -> Sniffed:
    options = ReadOptions(**said)
    return sniff(bytearray(text.encode()), "x.csv", options, Dialect(delimiter, options.decimal))


def opening(data: bytes, **said: object) -> None:
    open_table(io.BytesIO(data), "x.csv", ReadOptions(**said))


@given(st.sampled_from(DELIMITERS), st.integers(2, 5), st.integers(0, 5), st.data())
@settings(deadline=None)
def test_the_delimiter_that_parts_every_line_alike_is_found(delimiter, columns, rows, data):
    """Also where quoted cells hold the other ones, and newlines."""
    others = "".join(set(DELIMITERS) - {delimiter})
    quoted = st.text(st.sampled_from(f"a{others}\n"), max_size=4).map(lambda text: f'"{text}"')
    lines = data.draw(
        st.lists(st.lists(words | quoted, min_size=columns, max_size=columns), min_size=rows, max_size=rows)
    )
    text = "".join(delimiter.join(line) + "\n" for line in [["a"] * columns, *lines])
    assert find_dialect(bytearray(text.encode())) == Dialect(delimiter)


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("a\n1\n", ","),  # a single column
        ("a;b\n1,5;2,5\n", ";"),  # decimal commas
        ("name|note\nx|a, b\ny|c\n", "|"),
        ("a;b\n" + "1;2\n" * 40_000 + "1,", ";"),  # more than is looked at
        ("a,b;c\n1,2;3\n", ","),  # a tie
        ("a\tb", "\t"),  # no line end yet
    ],
)
def test_delimiters(text, delimiter):
    assert find_dialect(bytearray(text.encode())) == Dialect(delimiter)


@pytest.mark.parametrize(
    ("text", "are_columns"),
    [
        ("1.0e+00 2.5\n3 4\n", True),  # numpy.savetxt
        ("   cat   dog\n   1.5  -2.0\n  10.5   3.0\n", True),  # printf, pandas.to_string
        ("a b c\n1 2\n", False),  # lines of other lengths
        ("my score\n1.5\n", False),
        ("a b\nso what\nas if\n", False),  # text
        ("a b", False),
        ("1 2", True),
        ("", False),
    ],
)
def test_runs_of_spaces_part_columns_of_numbers(text, are_columns):
    """Where nothing else parts the lines."""
    assert find_dialect(bytearray(text.encode())) == (Dialect(" ", runs=True) if are_columns else Dialect(","))


@pytest.mark.parametrize("said", ["§", ";;", '"', "\n", ""])
def test_what_cannot_part_cells_is_refused(said):
    with pytest.raises(UsageError, match=r"--delimiter .*expected one ASCII character"):
        opening(b"a,b\n1,2\n", delimiter=said)


@pytest.mark.parametrize(
    ("text", "said", "names", "lines"),
    [
        ("a,b\n1,2\n", None, ("a", "b"), 1),
        ("\n\r\na,b\n1,2\n", None, ("a", "b"), 3),  # blank lines before it
        ('"a\nb","c,"\n1,2\n', None, ("a\nb", "c,"), 2),
        ("0,1,2\n1,2,3\n", None, ("0", "1", "2"), 1),  # what pandas writes for a bare matrix
        (",0,1\n0,1,2\n", None, ("", "0", "1"), 1),  # ... and with its index
        ("a,b\n1,2\n", False, ("0", "1"), 0),
        ("1.5,2\n3,4\n", True, ("1.5", "2"), 1),
        ("a,b", None, ("a", "b"), 0),
        ("a\x0bb,c\u2028d\n1,2\n", None, ("a\x0bb", "c\u2028d"), 1),  # line ends for str.splitlines only
    ],
)
def test_headers(text, said, names, lines):
    found = dialect(text, header=said)
    assert (found.names, found.header_lines, found.notes) == (names, lines, ())
    header = text.encode()[: found.header_bytes]
    assert header.count(b"\n") == lines
    assert header == b"" or header.endswith(b"\n") or header == text.encode()


@pytest.mark.parametrize("text", ["1.5,2\n3,4\n", "0,1,2", "nan,1,2\n0,0,0\n", "1,2\n3,4\n", "-1e5,inf\n"])
def test_a_first_line_of_numbers_is_data_and_that_is_said(text):
    found = dialect(text)
    assert (found.names[0], found.header_bytes, found.header_lines) == ("0", 0, 0)
    assert "no header: the first line is numbers, so it is data; columns are named 0 to" in found.notes[0]


def test_a_header_that_may_be_data_is_said():
    assert "'1.5' is a number; if not: --no-header" in dialect("img1,1.5,2.5\nimg2,1,2\n").notes[0]


@pytest.mark.parametrize(
    ("cells", "is_numeric"),
    [
        (["1", "abc"], True),  # half: the text is a mistake that will be named
        (["1", "abc", "def"], False),
        (["1", "", "NA", "null"], True),  # what is missing does not count
        (["abc", "", "", ""], False),
        (["nan", "nan"], True),
        (["1e400", "-inf", " 2 "], True),
        (["1,5", "2,5"], True),  # refused later, with the flag that helps
        (["0x1p3", "1_0", "\u0661"], False),
        (["", "NA"], True),  # scores, all missing: refused, not left out
        ([], True),
    ],
)
def test_columns_of_numbers(cells, is_numeric):
    found = dialect("id;x\n" + "".join(f"a;{cell}\n" for cell in cells), ";")
    assert ("x" in found.numeric) == is_numeric


def test_decimal_comma_is_the_only_mark_once_said():
    assert dialect("a;b\n1,5;1.5\n", ";", decimal=",").numeric == {"a"}


def test_columns_named_twice_are_listed_with_their_places():
    with pytest.raises(DataError, match=r"x\.csv:1: two columns .* 'a' \(columns 1, 3\); 'b' \(columns 2, 4\); rename"):
        dialect("a,b,a,b,c\n1,2,3,4,5\n")


@pytest.mark.parametrize("data", [b"", b"\n\r\n", b"  \n \n", b"\xef\xbb\xbf", b",,\n"])
def test_nothing_is_no_table(data):
    with pytest.raises(DataError, match=r"x\.csv: empty: expected a header and rows"):
        opening(data)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("a,b\n1,2\n".encode("utf-16"), r"x\.csv: the encoding is utf-16, .*iconv -f utf-16 -t utf-8"),
        ("a,b\n1,2\n".encode("utf-32"), r"x\.csv: the encoding is utf-32, .*iconv -f utf-32 -t utf-8"),
        ("a,b\n1,2\n".encode("utf-16-le"), r"x\.csv:1: a NUL byte, .*looks like utf-16le; .*iconv -f utf-16le"),
        ("a,b\n1,2\n".encode("utf-16-be"), r"x\.csv:1: a NUL byte, .*looks like utf-16be; .*iconv -f utf-16be"),
        (b"a,b\n1,\0\n", r"x\.csv:2: a NUL byte, .*is this a binary file\?"),
        ("a,é\n1,2\n".encode("latin1"), r"x\.csv:1: byte 0xe9 is not utf-8; .*iconv -f latin1 -t utf-8"),
        (b"a,b\r1,2\r3,4\r", r"x\.csv: lines end in a carriage return \(CR\) alone; convert it: tr"),
        (b"a,b\r" + b"1,2\r" * (1 << 20), r"x\.csv: lines end in a carriage return"),
    ],
)
def test_what_is_no_text_of_lines_is_named(data, message):
    with pytest.raises(DataError, match=message):
        opening(data)


@pytest.mark.parametrize(
    ("data", "first_line"),
    [(b"a,b\r", 1), (b"", 1), (b"a,b\r\n", 1), (b'"a\rb",1', 7), (b"\xff\xfe,1\n", 7)],
)
def test_what_begins_a_file_is_not_looked_for_later(data, first_line):
    """A carriage return in the last row is no sign of old line ends, nor two bytes of a bad one a mark of UTF-16."""
    check_encoding(bytearray(data), "x.csv", first_line)
