"""``python -m tests.benchmarks.peers NAME IN OUT DIGITS [whole]``."""

import sys
from importlib import import_module
from pathlib import Path

name, source, target, digits, *whole = sys.argv[1:]
import_module(f"tests.benchmarks.peers.{name}").run(Path(source), Path(target), int(digits), bool(whole))
