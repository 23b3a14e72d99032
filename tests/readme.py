"""The sessions and help texts in README.md, run as a user would: a terminal of 80 columns, in a copy of examples/.

``python tests/readme.py`` writes them anew; `tests/test_readme.py` checks that nothing has changed.
"""

from __future__ import annotations

import os
import pty
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
SESSION = re.compile(r"```console\n(.*?)```", re.DOTALL)
BAR = re.compile(r"\x1b\[\?25l.*?\x1b\[1A\x1b\[2K", re.DOTALL)
"""A progress bar, from the cursor that is hidden to the line that is cleared: it comes where the machine is slow."""
STYLE = re.compile(r"\x1b\[[0-9;]*m")
HELP = re.compile(r"<!-- help: (\S+) -->\n```text\n(.*?)```", re.DOTALL)


def environment() -> dict[str, str]:
    """Plain text on 80 columns, with the program of this interpreter first on the path."""
    scripts = sysconfig.get_path("scripts")
    kept = {name: value for name, value in os.environ.items() if name not in ("FORCE_COLOR", "COLUMNS", "LINES")}
    return kept | {
        "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}",
        "COLUMNS": "80",
        "NO_COLOR": "1",
        "TERM": "xterm",
        "LC_ALL": "C.UTF-8",
    }


def on_a_terminal(command: str, folder: Path) -> str:
    """What a terminal shows of a command."""
    main, side = pty.openpty()
    process = subprocess.Popen(
        ["bash", "-c", command], cwd=folder, env=environment(), stdin=subprocess.DEVNULL, stdout=side, stderr=side
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
    return "".join(
        f"{line.rstrip()}\n" for line in STYLE.sub("", BAR.sub("", shown.decode())).replace("\r\n", "\n").splitlines()
    )


def renewed(text: str) -> str:
    """The README with every session and help text as the program gives them now."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "examples"
        shutil.copytree(ROOT / "examples", folder)

        def session(match: re.Match[str]) -> str:
            commands = [line for line in match[1].splitlines() if line.startswith("$ ")]
            shown = "\n".join(f"{command}\n{on_a_terminal(command[2:], folder)}" for command in commands)
            return f"```console\n{shown}```"

        def help_text(match: re.Match[str]) -> str:
            shown = on_a_terminal(f"softmax-cli {match[1]} --help", folder).strip("\n")
            return f"<!-- help: {match[1]} -->\n```text\n{shown}\n```"

        return HELP.sub(help_text, SESSION.sub(session, text))


if __name__ == "__main__":
    README.write_text(renewed(README.read_text("utf-8")), "utf-8")
    sys.exit(0)
