"""From a matrix of logits to probabilities, a prediction and a ranking, in blocks that stay in the cache."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.activations import ACTIVATIONS, scale_
from softmax_cli.numeric.softmax import COLUMNAR_CLASSES
from softmax_cli.numeric.topk import argmax, top_k
from softmax_cli.numeric.truncation import truncate_
from softmax_cli.prediction.steps import Adjustment

if TYPE_CHECKING:
    from softmax_cli.prediction.steps import SetRule


Emit = Literal["prob", "logprob", "logit"]
_BLOCK_BYTES = 1 << 21
"""2 MB: small enough for the cache, and so large that a NumPy call outlasts a change of the interpreter's lock.

With blocks of half a megabyte two threads spent half of their time handing that lock to each other.
"""


class Truncation(NamedTuple):
    """Which part of each distribution is kept and renormalised; None: all of it."""

    top_p: float | None = None
    min_p: float | None = None

    def __bool__(self) -> bool:
        return self.top_p is not None or self.min_p is not None


class Computed(NamedTuple):
    """Which values are computed for every row."""

    classes: tuple[str, ...]
    emit: tuple[Emit, ...]
    top: int
    """How many classes are ranked; 0: none, each stands in its place."""
    has_sets: bool
    dtype: str


class Scored(NamedTuple):
    """What was computed for the rows of one batch."""

    prediction: NDArray[np.int32]
    """Column of the largest adjusted logit, shape (rows,)."""
    confidence: NDArray[np.floating]
    """Its probability, shape (rows,)."""
    values: dict[Emit, NDArray[np.floating]]
    """Shape (rows, classes), or (rows, k) in the order of `top`."""
    top: NDArray[np.int32] | None
    """Columns from the most to the least probable, shape (rows, k); None: not asked for."""
    bad: NDArray[np.bool_]
    """Rows from which no distribution follows, shape (rows,)."""
    sets: NDArray[np.bool_] | None = None
    """Which classes are in the prediction set, shape (rows, classes); None: not asked for."""

    def describe(self, classes: tuple[str, ...]) -> Computed:
        """Say which values these are."""
        top = 0 if self.top is None else self.top.shape[1]
        return Computed(classes, tuple(self.values), top, self.sets is not None, self.confidence.dtype.name)


class Scoring(NamedTuple):
    """The numeric half of a transform: what happens between reading the logits and laying out the result."""

    adjustment: Adjustment = Adjustment()
    activation: str = "softmax"
    truncation: Truncation = Truncation()
    emit: tuple[Emit, ...] = ("prob",)
    top: int = 0
    """How many classes to rank per row; 0: none."""
    sets: SetRule | None = None
    """Which classes make up the prediction set of a row; decided before any truncation."""

    def __call__(self, logits: NDArray[np.floating]) -> Scored:
        """Score a matrix of logits, shape (rows, classes); its memory is reused for the result."""
        rows, classes = logits.shape
        values: dict[Emit, NDArray[np.floating]] = {}
        if not self.top:
            order: Literal["F", "C"] = "F" if logits.flags.f_contiguous else "C"
            values = {name: np.empty(logits.shape, logits.dtype, order=order) for name in self.emit if name != "prob"}
            values |= {"prob": logits} if "prob" in self.emit else {}
        else:
            values = {name: np.empty((rows, self.top), logits.dtype) for name in self.emit}
        scored = Scored(
            prediction=np.empty(rows, np.int32),
            confidence=np.empty(rows, logits.dtype),
            values={name: values[name] for name in self.emit},
            top=np.empty((rows, self.top), np.int32) if self.top else None,
            bad=np.empty(rows, np.bool_),
            sets=np.empty((rows, classes), np.bool_) if self.sets is not None else None,
        )
        bias = self.adjustment.bias
        # Many classes are worked on along the rows, also where columns lie in memory: in the cache, turning is cheap.
        turned = classes > COLUMNAR_CLASSES and not logits.flags.c_contiguous
        for block in _blocks(rows, classes * logits.dtype.itemsize):
            z = np.ascontiguousarray(logits[block]) if turned else logits[block]
            self._score_block(z, bias, scored, block)
        return scored

    def describe(self, classes: tuple[str, ...], dtype: str) -> Computed:
        """Say which values there will be."""
        return Computed(classes, self.emit, self.top, self.sets is not None, dtype)

    def _score_block(
        self, z: NDArray[np.floating], bias: NDArray[np.float64] | None, scored: Scored, rows: slice
    ) -> None:
        activation = ACTIVATIONS[self.activation]
        temperature = self.adjustment.temperature
        for remedy in self.adjustment.remedies:
            remedy(z)
        if self.adjustment.calibration is not None:
            self.adjustment.calibration(z)
        logit = None
        if bias is not None or "logit" in self.emit:
            logit = scale_(z.copy(order="K"), temperature, bias)
        # Ranked before the shift, which may round two small logits to the same number.
        ranked = z if bias is None or logit is None else logit
        best = argmax(ranked)
        top = top_k(ranked, self.top) if self.top else None
        activation.adjust_(z, temperature, bias)
        scored.bad[rows] = np.isnan(z[:, 0])
        if self.sets is not None and scored.sets is not None:
            scored.sets[rows] = self.sets(activation.log_probabilities_(z.copy(order="K")))
        if self.truncation:
            truncate_(z, top_p=self.truncation.top_p, min_p=self.truncation.min_p)
            if logit is not None:
                logit[z == -np.inf] = -np.inf
        log_p = activation.log_probabilities_(z.copy(order="K")) if "logprob" in self.emit else None
        p = activation.probabilities_(z)
        scored.prediction[rows] = best
        scored.confidence[rows] = np.take_along_axis(p, best[:, None], axis=1)[:, 0]
        if scored.top is not None and top is not None:
            scored.top[rows] = top
        computed: dict[Emit, NDArray[np.floating] | None] = {"prob": p, "logprob": log_p, "logit": logit}
        for name, target in scored.values.items():
            result = computed[name]
            if result is not None and top is not None:
                target[rows] = np.take_along_axis(result, top, axis=1)
            elif result is not None and not np.may_share_memory(result, target):  # else it was computed in its place
                target[rows] = result


def _blocks(rows: int, row_bytes: int) -> Iterator[slice]:
    step = max(1, _BLOCK_BYTES // row_bytes)
    for start in range(0, rows, step):
        yield slice(start, min(start + step, rows))
