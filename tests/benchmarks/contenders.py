"""Who takes part: the installed program, and every peer whose libraries are there."""

from __future__ import annotations

import ast
import shutil
import sys
import sysconfig
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

OURS = "softmax-cli"
PEERS = Path(__file__).parent / "peers"


@dataclass(frozen=True)
class Contender:
    """A command line that is timed as a whole process, and the file that it writes."""

    name: str
    command: tuple[str, ...]
    target: Path
    prints: bool = False
    """Its standard output is what it writes."""


def our_program() -> Path:
    """Find the installed ``softmax-cli``: beside this Python, else on the path."""
    beside = Path(sysconfig.get_path("scripts")) / OURS
    found = str(beside) if beside.exists() else shutil.which(OURS)
    if found is None:
        sys.exit("softmax-cli is not installed: pip install -e '.[bench]'")
    return Path(found)


def peers(asked: list[str]) -> tuple[list[str], dict[str, str]]:
    """Return those of the peers asked for that can run, and of the others what they miss."""
    if unknown := {*asked} - {*peer_names()}:
        sys.exit(f"--peers {','.join(sorted(unknown))}: the peers are {', '.join(peer_names())}")
    missing = {name: [need for need in constant(name, "NEEDS") if find_spec(need) is None] for name in asked}
    present = [name for name, needs in missing.items() if not needs]
    return present, {name: ", ".join(needs) for name, needs in missing.items() if needs}


def peer_names() -> list[str]:
    return sorted(path.stem for path in PEERS.glob("*.py") if not path.stem.startswith("__"))


def constant(peer: str, name: str) -> tuple[str, ...]:
    """Read a constant of a peer without importing it: its libraries would weigh on what is measured."""
    for node in ast.parse((PEERS / f"{peer}.py").read_text()).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == name:
            value: tuple[str, ...] = ast.literal_eval(node.value)
            return value
    raise LookupError(f"{peer}.py: {name} is missing")


def peer_command(peer: str, source: Path, target: Path, digits: int, whole: bool = False) -> tuple[str, ...]:
    asked = (str(digits), *(["whole"] if whole else []))
    return (sys.executable, "-m", "tests.benchmarks.peers", peer, str(source), str(target), *asked)
