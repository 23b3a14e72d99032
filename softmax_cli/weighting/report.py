"""Weights from training counts: the table that ``weights`` shows, and the file that ``predict -w`` reads."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from softmax_cli.errors import DataError, UsageError
from softmax_cli.numeric.class_weights import Rule
from softmax_cli.storage.writing import whole_file
from softmax_cli.weighting.class_values import count_labels


@dataclass(frozen=True, slots=True)
class ClassWeights:
    """Counts and what a rule makes of them, the commonest class first."""

    classes: tuple[str, ...]
    counts: NDArray[np.float64]
    """Training examples of each class, shape (classes,); above 0."""
    values: NDArray[np.float64]
    """Shape (classes,)."""
    column: str
    """What the values are called in a file: ``weight`` or ``prior``."""
    formula: str
    missing: int = 0
    """Examples without a label, which do not count."""

    @property
    def shares(self) -> NDArray[np.float64]:
        """Share of each class among the examples, shape (classes,)."""
        shares: NDArray[np.float64] = self.counts / self.counts.sum()
        return shares

    def effects(self) -> list[str]:
        """What each value does, in words."""
        if self.column == "prior":
            return [f"{share * len(self.classes):.3g} times an even share" for share in self.values]
        return [_effect(weight) for weight in self.values.tolist()]

    def cells(self) -> list[tuple[str, str, str, str, str]]:
        """Return a line per class as people read it: name, count, share, value, effect."""
        rows = zip(self.classes, self.counts, self.shares, self.values, self.effects(), strict=True)
        return [(name, f"{n:,.10g}", f"{share:.1%}", f"{value:.4g}", effect) for name, n, share, value, effect in rows]

    def to_json(self) -> dict[str, object]:
        """Return plain values."""
        rows = zip(self.classes, self.counts.tolist(), self.shares.tolist(), self.values.tolist(), strict=True)
        named = [{"class": name, "count": n, "share": share, self.column: value} for name, n, share, value in rows]
        return {"formula": self.formula, "examples": float(self.counts.sum()), "classes": named}

    def to_csv(self) -> bytes:
        """Return ``class,weight`` lines; the numbers read back bit for bit."""
        text = io.StringIO()
        lines = csv.writer(text, lineterminator="\n")
        lines.writerow(["class", self.column])
        lines.writerows([name, repr(value)] for name, value in zip(self.classes, self.values.tolist(), strict=True))
        return text.getvalue().encode()

    def write(self, path: str, force: bool) -> None:
        """Write the file, whole or not at all."""
        with whole_file(path, force) as file:
            file.write(self.to_csv())


def _effect(weight: float) -> str:
    if weight == 1:
        return "leaves it as it is"
    return "raises the class" if weight > 1 else "lowers the class"


def class_weights(path: str, label: str | None, rule: Rule, column: str) -> ClassWeights:
    """Count training examples and weigh their classes.

    Parameters
    ----------
    path : str
        A table with a column of labels, or of classes and their counts.
    label : str or None
        The column of labels; None: found by its name.
    column : str
        What the values are: ``weight`` or ``prior``.

    Raises
    ------
    DataError
        There is no column of labels, or a class without an example.
    UsageError
        There is no such file, or the rule leaves the range of numbers.
    """
    found, missing = count_labels("weights", path, label)
    if not found:
        raise DataError(f"{path}: no labels: at least one training example is needed")
    wrong = [f"{name}={count:g}" for name, count in found.items() if count <= 0]
    if wrong:
        raise DataError(
            f"{path}: {wrong[0]}: no weight follows from a class without examples; take its line out, "
            "and give it a weight by hand in predict -w"
        )
    ranked = sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))
    counts = np.array([count for _, count in ranked])
    values = rule(counts)
    if not (np.isfinite(values) & (values > 0)).all():
        raise UsageError(f"{rule.formula}: out of the range of numbers for these counts; choose a milder parameter")
    return ClassWeights(tuple(name for name, _ in ranked), counts, values, column, rule.formula, missing)
