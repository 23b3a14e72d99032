"""Delimited files that are not as they should be: one message of the real program, and no output of that name."""

import pytest

BAD_ROWS = [
    ("a,b\n1,2\n3,abc\n", "t.csv:3: column 'b': 'abc' is not a number; "),
    ("id,a,b\nx,1,2\ny,3\n", "t.csv:3: 2 fields where the header has 3; "),
    ("a,b,c\n1,2,3\n4,5,", "t.csv:3: column 'c': '' is missing or not a number; "),  # cut short
    ("a,b,c\n1,2,3\n4,5", "t.csv:3: 2 fields where the header has 3; "),
    ("a,b\n1,2\n1,2,3\n", "t.csv:3: 3 fields where the header has 2; "),
    ("a,b\n1,nan\n", "t.csv:2: column 'b': 'nan' is missing or not a number; "),
    ("a,b\n1,NA\n", "t.csv:2: column 'b': 'NA' is missing or not a number; "),
    ("a,b\n1,\n", "t.csv:2: column 'b': '' is missing or not a number; "),
    ("a,b\n1,1e400\n", "t.csv:2: column 'b': '1e400' is infinite: "),
    ("a;b\n1,5;2,5\n", "t.csv:2: column 'a': '1,5' is not a number; if the comma is a decimal mark, add --decimal ,; "),
    ('id,a,b\n"x\ny",1,2\n\nz,3,w\n', "t.csv:5: column 'b': 'w' is not a number; "),  # physical lines
    ("\ufeffid,a,b\r\nx, 1 ,2\r\nz,3,w", "t.csv:3: column 'b': 'w' is not a number; "),
    (
        'a,b\n1,2\n"3,4\n5,6\n',
        "t.csv:3: column 'a': a quote is opened that nothing closes; lines 3 to 4 were read as one row",
    ),
    ("z\n1\n\nx\n", "t.csv:4: column 'z': 'x' is not a number; "),
]
BAD_FILES = [
    (b"", "t.csv: empty"),
    (b"\n\n", "t.csv: empty"),
    (b"a,b,a\n1,2,3\n", "t.csv:1: two columns have the same name: 'a' (columns 1, 3); "),
    ("a,b\n1,2\n".encode("utf-16"), "t.csv: the encoding is utf-16, not utf-8; convert it: iconv -f utf-16 -t utf-8"),
    (
        "a,b\n1,2\n".encode("utf-16-le"),
        "t.csv:1: a NUL byte, which no text holds; the encoding looks like utf-16le; ",
    ),
    (b"a,b\n1,\0\n", "t.csv:2: a NUL byte, which no text holds; "),
    (b"id,a,b\n\xe9,1,2\n", "t.csv:2: byte 0xe9 is not utf-8; if the encoding is Latin-1, convert it: iconv -f latin1"),
    (b"a,b\r1,2\r3,4\r", "t.csv: lines end in a carriage return (CR) alone; "),
    (b"id,name\nx,y\n", "no column looks like a score"),
]


def fails_with(done, message, folder):
    """One line on standard error, no data, no file."""
    assert done.code == 1, done.err
    lines = [line for line in done.err.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1, done.err
    assert lines[0].startswith(f"error: {message}")
    assert "Traceback" not in done.err
    assert done.out == b""
    assert [path.name for path in folder.iterdir()] == ["t.csv"]


@pytest.mark.parametrize(("text", "message"), BAD_ROWS)
def test_a_bad_row_stops_the_run(softmax_cli, tmp_path, text, message):
    """The message ends with what to type to go on."""
    (tmp_path / "t.csv").write_bytes(text.encode())
    done = softmax_cli("predict", "t.csv", "-q", "-o", "out.csv")
    fails_with(done, message, tmp_path)
    assert "--on-bad-row skip" in done.err
    assert len(done.err.splitlines()) == 1


@pytest.mark.parametrize(("data", "message"), BAD_FILES)
def test_a_bad_file_is_named_for_what_it_is(softmax_cli, tmp_path, data, message):
    (tmp_path / "t.csv").write_bytes(data)
    fails_with(softmax_cli("predict", "t.csv", "-o", "out.csv"), message, tmp_path)


def test_a_bad_file_is_no_bad_row(softmax_cli):
    """There is no row to pass over in what is no text."""
    done = softmax_cli("predict", "-", "--on-bad-row", "skip", stdin=b"a,b\n1,\0\n")
    assert (done.code, done.out) == (1, b"")


def test_the_same_message_on_a_pipe(softmax_cli):
    done = softmax_cli("predict", "-", "-q", stdin=b"a,b\n1,2\n3,abc\n")
    assert (done.code, done.out) == (1, b"")
    assert done.err.startswith("error: stdin:3: column 'b': 'abc' is not a number; ")


def test_every_rejected_row_is_kept_as_it_stood(softmax_cli, tmp_path):
    """Of a file with every kind of bad row, the good ones are scored, and nothing is lost."""
    text = 'id,a,b\nr1,1,1\nr2,x,1\nr3,1\n"r\n4",1,NA\n\nr5,1,1,\nr6,2,2\nr7,1e400,0\n'
    (tmp_path / "t.csv").write_text(text)
    done = softmax_cli("predict", "t.csv", "--on-bad-row", "skip", "--rejects", "bad.csv")
    assert done.code == 0, done.err
    assert [line.split(",")[0] for line in done.text.splitlines()] == ["id", "r1", "r6"]
    assert "5 bad rows left out; see bad.csv" in done.err
    rejected = (tmp_path / "bad.csv").read_text()
    for where in ("t.csv:3", "t.csv:4", "t.csv:5", "t.csv:8", "t.csv:10"):
        assert f"\n{where}," in rejected
    for record in (',"r2,x,1"\n', ',"r3,1"\n', ',"""r\n4"",1,NA"\n', ',"r5,1,1,"\n', ',"r7,1e400,0"\n'):
        assert record in rejected


def test_bad_rows_can_be_kept_unscored(softmax_cli):
    done = softmax_cli("predict", "--on-bad-row", "null", stdin=b"id,a,b\nr1,0,0\nr2,x,1\nr3,0,0\n")
    assert done.code == 0, done.err
    rows = done.text.splitlines()
    assert [row.split(",")[0] for row in rows[1:]] == ["r1", "r2", "r3"]
    assert set(rows[2].split(",")[1:]) == {""}


GOOD = [
    b"\xef\xbb\xbfid,a,b\n007,1,2\n",
    b"id,a,b\r\n007,1,2\r\n",
    b"id,a,b\n007,1,2",
    b"\nid,a,b\n\n007,1,2\n\n\n",
    b"id,a,b\n007, 1 , 2\n",
    b'"id","a","b"\n"007","1","2"\n',
    b"id;a;b\n007;1;2\n",
    b"id\ta\tb\n007\t1\t2\n",
    b"id|a|b\n007|1|2\n",
]


@pytest.mark.parametrize("data", GOOD)
def test_spellings_of_one_table_score_alike(softmax_cli, data):
    """Byte order mark, CRLF, no final newline, blank lines, spaces, quotes, other delimiters."""
    done = softmax_cli("predict", "-", stdin=data)
    assert done.code == 0, done.err
    header, row = done.text.splitlines()
    assert header == "id,prediction,confidence,prob_a,prob_b"
    assert row.startswith("007,b,0.73105857863")  # 1 / (1 + 1/e)


def test_a_quoted_newline_and_comma_pass_through(softmax_cli):
    done = softmax_cli("predict", "-", stdin=b'id,a,b\n"x,\n""y""",1,2\n')
    assert done.code == 0, done.err
    assert '"x,\n""y""",b,' in done.text


def test_a_header_alone(softmax_cli):
    done = softmax_cli("predict", "-", stdin=b"id,a,b\n")
    assert (done.code, done.text) == (0, "id,prediction,confidence,prob_a,prob_b\n")
    assert "0 rows" in done.err


def test_a_decimal_comma_that_is_said(softmax_cli):
    done = softmax_cli("predict", "-", "--decimal", ",", stdin=b"id;a;b\nx;1,5;2,5\n")
    assert done.code == 0, done.err
    assert done.text.splitlines()[1].startswith("x,b,0.73105857863")


@pytest.mark.parametrize("said", ["é", "", ";;", '"'])
def test_a_delimiter_that_parts_nothing(softmax_cli, said):
    done = softmax_cli("predict", "-", "--delimiter", said, stdin=b"a,b\n1,2\n")
    assert done.code == 2
    assert done.err.startswith("error: --delimiter ")
    assert len(done.err.splitlines()) == 1


def test_any_thread_count_gives_the_same_bytes(softmax_cli, tmp_path):
    """A table of several blocks, with bad rows in some, quoted newlines at block ends, and missing values."""
    rows = "".join(f'"r\n{i}",{i % 13}.25,{i % 7}\n' if i % 5000 else f"r{i},x,\n" for i in range(200_000))
    (tmp_path / "t.csv").write_text("id,a,b\n" + rows)
    runs = []
    for threads in ("1", "3"):
        extra = ["--rejects", f"bad{threads}.csv", "--on-bad-row", "skip", "-q"]
        done = softmax_cli("predict", "t.csv", "--threads", threads, *extra)
        assert done.code == 0, done.err
        runs.append((done.out, (tmp_path / f"bad{threads}.csv").read_bytes()))
    assert runs[0] == runs[1]
    assert runs[0][1].count(b"'x' is not a number") == 40
    assert b"\nt.csv:10001," in runs[0][1]
