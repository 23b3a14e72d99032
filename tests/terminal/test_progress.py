"""The bar appears to people who wait, and to nobody else."""

from __future__ import annotations

import io
import os
import pty
import re
import select
import subprocess
import sys
import threading
import time

import pytest

from softmax_cli.terminal import progress as progress_module
from softmax_cli.terminal.console import glyphs, make_console
from softmax_cli.terminal.progress import _duration, _line, progress, rounds


@pytest.fixture
def terminal(monkeypatch):
    """Open a terminal of 100 columns, and tell what was written to it."""
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    master, slave = pty.openpty()
    with open(slave, "w", encoding="utf-8") as stream:

        def written() -> str:
            stream.flush()
            seen = b""
            while select.select([master], [], [], 0.1)[0]:  # the kernel hands it over in its own time
                seen += os.read(master, 1 << 16)
            return seen.decode()

        yield stream, written
    os.close(master)


def test_long_work_shows_how_far_it_is(terminal, monkeypatch):
    """Half of the bytes: 50 %; the bar is taken away at the end and the cursor is back."""
    stream, written = terminal
    monkeypatch.setattr(progress_module, "PATIENCE", 0.01)
    with progress(2_000_000, enabled=True, stream=stream) as advance:
        time.sleep(0.02)
        advance(1500, 1_000_000)
        shown = written()
        assert re.search(r" 50 %  1,500 rows  [\d,]+ MB/s  0 s left", shown)
    assert written().endswith(("\x1b[2K", "\x1b[?25h"))


def test_short_work_shows_nothing(terminal):
    """Not a byte before the first second is over."""
    stream, written = terminal
    with progress(100, enabled=True, stream=stream) as advance:
        advance(1, 100)
    assert written() == ""


def test_a_long_fit_shows_its_method_and_fold(terminal, monkeypatch):
    """Without a call while it lasts; nothing is left at the end, nor after an interrupt."""
    stream, written = terminal
    monkeypatch.setattr(progress_module, "PATIENCE", 0.01)

    def interrupted():
        with rounds(5, enabled=True, stream=stream) as tell:
            tell("matrix", 3)
            time.sleep(0.5)
            assert "matrix  fold 3 of 5  0 s so far" in written()
            tell("matrix", 6)
            time.sleep(0.5)
            assert "matrix  all rows" in written()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert written().endswith(("\x1b[2K", "\x1b[?25h"))


def test_a_short_or_quiet_fit_shows_nothing(terminal, monkeypatch):
    """Not a byte, and no thread is left."""
    stream, written = terminal
    with rounds(5, enabled=True, stream=stream) as tell:
        tell("temperature", 1)
    monkeypatch.setattr(progress_module, "PATIENCE", 0.0)
    with rounds(5, enabled=False, stream=stream) as tell:
        tell("temperature", 1)
        time.sleep(0.05)
    assert written() == ""
    assert [thread.name for thread in threading.enumerate() if isinstance(thread, threading.Timer)] == []


def test_quiet_and_dumb_terminals_show_nothing(terminal, monkeypatch):
    """Even when the work is long."""
    stream, written = terminal
    monkeypatch.setattr(progress_module, "PATIENCE", 0.0)
    with progress(100, enabled=False, stream=stream) as advance:
        advance(1, 50)
    monkeypatch.setenv("TERM", "dumb")
    with progress(100, enabled=True, stream=stream) as advance:
        advance(1, 50)
    assert written() == ""


def test_a_pipe_shows_nothing_and_loads_no_rich():
    """Standard error that is no terminal: not a byte, not a module."""
    code = (
        "import sys; from softmax_cli.terminal import progress as module; module.PATIENCE = 0\n"
        "with module.progress(10, enabled=True) as advance: advance(1, 5)\n"
        "print([name for name in sys.modules if name.split('.')[0] in ('rich', 'pandas')])\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (run.stdout, run.stderr) == ("[]\n", "")


@pytest.mark.parametrize("width", [10, 30, 60, 100])
@pytest.mark.parametrize("total", [None, 0, 5_000_000, 10**12])
def test_the_line_fits(total, width):
    """A file that grew while it was read is not more than done."""
    marks = glyphs(make_console(io.StringIO()))
    line = _line(10**7, 6_000_000, total, 20.0, marks, width)
    assert line.cell_len <= width
    assert "120 %" not in line.plain


def test_times():
    """In one or two units."""
    assert [_duration(seconds) for seconds in (0, 59.4, 200, 7500)] == ["0 s", "59 s", "3 min 20 s", "2 h 5 min"]
