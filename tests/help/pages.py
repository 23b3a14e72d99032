"""The pages of `--help` as files beside this one, 80 columns wide.

``python tests/help/pages.py`` writes them anew; `test_help_pages.py` checks that nothing has changed unseen.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from softmax_cli import commands

FOLDER = Path(__file__).parent
WIDTH = {"COLUMNS": "80"}
PAGES = {"softmax-cli": ("--help",)}
for command in commands.names():
    PAGES |= {command: (command, "--help"), f"{command}-all": (command, "--help-all")}


def tidied(text: str) -> str:
    """Return a page without the spaces that fill its lines."""
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())


def main() -> None:
    """Write what the program prints now; a page that no command has is removed."""
    for old in FOLDER.glob("*.txt"):
        old.unlink()
    plain = {name: value for name, value in os.environ.items() if name not in ("FORCE_COLOR", "NO_COLOR")}
    for name, arguments in PAGES.items():
        run = [sys.executable, "-m", "softmax_cli", *arguments]
        shown = subprocess.run(run, env=plain | WIDTH, stdout=subprocess.PIPE, check=True).stdout.decode()
        (FOLDER / f"{name}.txt").write_text(tidied(shown), "utf-8")


if __name__ == "__main__":
    main()
