"""Messages: one line in a pipe, wrapped on a terminal, control characters shown."""

import io
import os
import pty
import subprocess
import sys

from softmax_cli.terminal.messages import messages_to, print_message

CODE = """
from softmax_cli.terminal.messages import print_message
print_message('a \\x1b[31mred\\u202e name ' + 'word ' * 30)
"""


def test_a_message_in_a_pipe_is_one_line_without_escapes():
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, check=True)
    assert done.stderr.count(b"\n") == 1
    assert b"\x1b" not in done.stderr
    assert "\u202e" not in done.stderr.decode()


def test_a_message_on_a_terminal_wraps_between_words():
    main, side = pty.openpty()
    env = os.environ | {"COLUMNS": "40"}
    subprocess.run([sys.executable, "-c", CODE], stderr=side, env=env, check=True)
    os.close(side)
    lines = os.read(main, 10_000).decode().splitlines()
    os.close(main)
    assert len(lines) > 3
    assert all(len(line) <= 40 for line in lines)
    assert all(line.strip().startswith(("a ", "word")) for line in lines)


def test_what_a_stream_cannot_encode_is_shown_in_ascii(monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO(), "ascii")
    monkeypatch.setattr("sys.stderr", stream)
    print_message("größer als 1\nzweite")
    stream.flush()
    written = stream.buffer.getvalue()
    assert written.isascii()
    assert written.count(b"\n") == 1


def test_a_caller_in_python_takes_the_messages(capsys):
    taken = []
    with messages_to(taken.append):
        print_message("one")
    print_message("two")
    assert (taken, capsys.readouterr().err) == (["one"], "two\n")
