"""What can be wrong with a table of scores: this folder is the list, one family of findings in each module.

A module offers ``find(evidence) -> list[Finding]``; a new family is one new file.
"""

from __future__ import annotations

import pkgutil
from importlib import import_module

from softmax_cli.batches.evidence import Evidence, Finding

_ORDER = ("problem", "warning", "note")


def find_all(evidence: Evidence) -> list[Finding]:
    """Every finding about a table, the gravest first."""
    found: list[Finding] = []
    for module in pkgutil.iter_modules(__path__):
        found += import_module(f"{__name__}.{module.name}").find(evidence)
    return sorted(found, key=lambda finding: _ORDER.index(finding.severity))
