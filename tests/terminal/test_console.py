"""Colour and width follow what was asked for, then the environment, then the terminal."""

from __future__ import annotations

import io
import os
import pty

import pytest

from softmax_cli.terminal.console import glyphs, make_console


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch):
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "TTY_COMPATIBLE", "COLORTERM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


@pytest.fixture
def terminal():
    """Open a text stream on a real (pseudo) terminal."""
    master, slave = pty.openpty()
    with open(slave, "w", encoding="utf-8") as stream:
        yield stream
    os.close(master)


def is_colored(stream, color="auto") -> bool:
    return make_console(stream, color).color_system is not None


@pytest.mark.parametrize(
    ("environment", "on_terminal", "in_pipe"),
    [
        ({}, True, False),
        ({"NO_COLOR": "1"}, False, False),
        ({"NO_COLOR": ""}, True, False),
        ({"FORCE_COLOR": "1"}, True, True),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, False, False),
        ({"TERM": "dumb"}, False, False),
    ],
)
def test_the_environment_decides_until_someone_does(environment, on_terminal, in_pipe, terminal, monkeypatch):
    """no-color.org and force-color.org; --color goes before both."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert is_colored(terminal) == on_terminal
    assert is_colored(io.StringIO()) == in_pipe
    for stream in (terminal, io.StringIO()):
        assert is_colored(stream, "always")
        assert not is_colored(stream, "never")


def test_always_goes_before_no_color(monkeypatch):
    """Under NO_COLOR rich alone would drop the colours and keep the bold face."""
    monkeypatch.setenv("NO_COLOR", "1")
    stream = io.StringIO()
    make_console(stream, "always").print("cat", style="red")
    assert stream.getvalue() == "\x1b[31mcat\x1b[0m\n"


def test_text_is_data():
    """No markup, no emoji codes, no numbers picked out."""
    stream = io.StringIO()
    make_console(stream, "always").print("[red]:smile: 1.5")
    assert stream.getvalue() == "[red]:smile: 1.5\n"


@pytest.mark.parametrize(("columns", "width"), [("50", 50), ("0", 80), ("many", 80), (None, 80)])
@pytest.mark.parametrize("term", ["xterm", "dumb"])
def test_width(columns, width, term, terminal, monkeypatch):
    """COLUMNS, and 80 where nothing is known, a dumb terminal included."""
    monkeypatch.setenv("TERM", term)
    if columns is not None:
        monkeypatch.setenv("COLUMNS", columns)
    assert make_console(io.StringIO()).width == width
    assert make_console(terminal).width == width


def test_a_terminal_says_how_wide_it_is(terminal):
    """Not the one that standard output happens to be."""
    import fcntl
    import struct
    import termios

    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 61, 0, 0))
    assert make_console(terminal).width == 61


def test_marks_that_the_terminal_can_draw(monkeypatch):
    """Eighths of a cell, or whole ones of ASCII; a trace of everything above 0."""
    unicode = glyphs(make_console(io.StringIO()))
    assert [unicode.bar(share, 4) for share in (0, 1e-9, 0.5, 0.9, 1)] == ["    ", "▏   ", "██  ", "███▋", "████"]
    monkeypatch.setenv("TERM", "dumb")
    ascii_ = glyphs(make_console(io.StringIO()))
    assert [ascii_.bar(share, 4) for share in (0, 1e-9, 0.5, 1)] == ["....", "#...", "##..", "####"]
