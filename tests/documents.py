"""The sessions in README.md and the recipes, run as a user would: on a terminal of 80 columns, in a copy of examples/.

``python tests/documents.py [FILE...]`` writes their output anew, and draws the picture of the terminal;
`tests/test_documents.py` checks that nothing has changed.
"""

from __future__ import annotations

import io
import os
import pty
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).parents[1]
DOCUMENTS = (ROOT / "README.md", *sorted((ROOT / "examples").glob("*.md")))
PICTURE = ROOT / "examples" / "terminal.svg"
PICTURED = "softmax-cli predict examples/digits.csv --limit 6"
SESSION = re.compile(r"```console\n(.*?)```", re.DOTALL)
BAR = re.compile(r"\x1b\[\?25l.*?\x1b\[1A\x1b\[2K", re.DOTALL)
"""A progress bar, from the cursor that is hidden to the line that is cleared: it comes where the machine is slow."""
STYLE = re.compile(r"\x1b\[[0-9;]*m")


def environment(colored: bool = False) -> dict[str, str]:
    """Plain text on 80 columns, with the program of this interpreter first on the path."""
    scripts = sysconfig.get_path("scripts")
    changed = ("FORCE_COLOR", "NO_COLOR", "COLUMNS", "LINES")
    kept = {name: value for name, value in os.environ.items() if name not in changed}
    kept |= {"COLUMNS": "80", "TERM": "xterm", "LC_ALL": "C.UTF-8"} | ({} if colored else {"NO_COLOR": "1"})
    return kept | {"PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}"}


def on_a_terminal(command: str, folder: Path, colored: bool = False) -> str:
    """Run a command and return what a terminal shows of it."""
    main, side = pty.openpty()
    process = subprocess.Popen(
        ["bash", "-c", command],
        cwd=folder,
        env=environment(colored),
        stdin=subprocess.DEVNULL,
        stdout=side,
        stderr=side,
    )
    os.close(side)
    shown = b""
    while True:
        try:
            more = os.read(main, 65536)
        except OSError:  # the other side is closed
            break
        if not more:
            break
        shown += more
    os.close(main)
    process.wait()
    text = BAR.sub("", shown.decode()).replace("\r\n", "\n")
    return text if colored else "".join(f"{line.rstrip()}\n" for line in STYLE.sub("", text).splitlines())


def renewed(text: str) -> str:
    """Return a document with the output of every session as the program gives it now."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        shutil.copytree(ROOT / "examples", folder / "examples")

        def session(match: re.Match[str]) -> str:
            commands = [line for line in match[1].splitlines() if line.startswith("$ ")]
            shown = [f"{command}\n{on_a_terminal(command[2:], folder)}" for command in commands]
            return f"```console\n{''.join(shown)}```"

        return SESSION.sub(session, text)


def picture() -> str:
    """Draw the program's first screen as SVG."""
    with tempfile.TemporaryDirectory() as scratch:
        shutil.copytree(ROOT / "examples", Path(scratch) / "examples")
        shown = on_a_terminal(PICTURED, Path(scratch), colored=True)
    console = Console(record=True, width=80, file=io.StringIO(), force_terminal=True, legacy_windows=False)
    console.print(Text.from_ansi(f"$ {PICTURED}\n{shown}"))
    return console.export_svg(title="softmax-cli")


if __name__ == "__main__":
    for document in map(Path, sys.argv[1:]) if sys.argv[1:] else DOCUMENTS:
        document.write_text(renewed(document.read_text("utf-8")), "utf-8")
    PICTURE.write_text(picture(), "utf-8")
