"""The figures of a report, by name: what a gate can ask for, a slice is told in, and a program reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from softmax_cli.batches.draws import Limits
from softmax_cli.batches.entries import entries
from softmax_cli.batches.parts import Parts, Plan
from softmax_cli.numeric.metrics.auroc import Auroc


@dataclass(frozen=True, slots=True)
class Figure:
    """One number, and what it is."""

    name: str
    """Stable, for gates and programs: ``top_5_accuracy``."""
    title: str
    value: float
    """nan: nothing is known, as of no rows."""
    interval: Limits | None
    """95 % bootstrap limits; None: none were drawn."""
    note: str
    """Unit, range, settings, what it rests on."""


def figures_of(plan: Plan, parts: Parts, auroc: Auroc | None, limits: Mapping[str, Limits]) -> tuple[Figure, ...]:
    """Settle every figure of some rows.

    Parameters
    ----------
    auroc : Auroc or None
        None: it was not measured (it is not for slices).
    limits : mapping
        Limits by name, for the figures that have them.
    """
    figures = [
        Figure(entry.name, entry.title, entry.value(parts), limits.get(entry.name), entry.note(parts))
        for entry in entries(plan)
    ]
    if auroc is not None:
        figures.append(Figure("macro_auroc", "macro AUROC", auroc.value, None, _auroc_note(auroc)))
    if parts.coverage is not None:
        sets = parts.coverage
        figures.append(Figure("coverage", "set coverage", sets.value, None, "share of sets that hold the truth"))
        figures.append(Figure("mean_set_size", "set size", sets.mean_size, None, "classes in a set, mean"))
    return tuple(figures)


def names_of(plan: Plan, has_sets: bool) -> tuple[str, ...]:
    """List the figures that there will be, before anything is measured."""
    return (
        *(entry.name for entry in entries(plan)),
        "macro_auroc",
        *(("coverage", "mean_set_size") if has_sets else ()),
    )


def _auroc_note(auroc: Auroc) -> str:
    absent = f"; {auroc.absent:,} classes without both sides left out" if auroc.absent else ""
    bound = f"; within {auroc.error_bound:.1g} (counted in cells)" if auroc.error_bound > 0 else ""
    return f"one class against the rest, mean{absent}{bound}"
