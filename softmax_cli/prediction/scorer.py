"""From a matrix of logits to probabilities, a prediction and a ranking, in blocks that stay in the cache."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.activations import ACTIVATIONS, scale_
from softmax_cli.numeric.softmax import COLUMNAR_CLASSES, Temperature, argmax

if TYPE_CHECKING:
    from softmax_cli.prediction.prediction_sets import SetRule
    from softmax_cli.prediction.steps import Costs, Draws, Superclasses


Emit = Literal["prob", "logprob", "logit"]
_BLOCK_BYTES = 1 << 21
"""2 MB: small enough for the cache, and so large that a NumPy call outlasts a change of the interpreter's lock.

With blocks of half a megabyte two threads spent half of their time handing that lock to each other.
"""


class Term(NamedTuple):
    """A constant per class that is added after the temperature: log weights, a ratio of priors."""

    name: str
    """The option it came from, as typed: ``--class-weights``."""
    formula: str
    """``+ log w``."""
    values: NDArray[np.float64]
    """Shape (classes,); ``-inf`` masks a class."""
    direction: str
    """The direction in words: ``raises cat (x4)``."""


class LogitStep(Protocol):
    """Changes logits in place, shape (rows, classes), each row by itself: a remedy, or a calibration instead of z/T."""

    @property
    def step(self) -> str:
        """The operation in one line, with the option it came from."""

    def __call__(self, z: NDArray[np.floating]) -> NDArray[np.floating]:
        """Return `z` itself."""


class Adjustment(NamedTuple):
    """Remedies for outliers first, then the temperature or a calibration that holds it, then the terms."""

    temperature: float = 1.0
    terms: tuple[Term, ...] = ()
    remedies: tuple[LogitStep, ...] = ()
    calibration: LogitStep | None = None
    temperature_column: str | None = None
    """The column that tells the temperature of each row, instead of `temperature`."""

    @property
    def bias(self) -> NDArray[np.float64] | None:
        """Sum of the terms, shape (classes,); None when there is none."""
        return np.sum([term.values for term in self.terms], axis=0) if self.terms else None

    def steps(self) -> list[str]:
        """The operations in order, one line each."""
        scaled = [f"z / {self.temperature:g}  (--temperature)"] if self.temperature != 1 else []
        scaled += [f"z / {self.temperature_column}  (--temperature-column)"] if self.temperature_column else []
        scaled += [self.calibration.step] if self.calibration is not None else []
        terms = [f"{term.formula}  ({term.name}: {term.direction})" for term in self.terms]
        return [*(remedy.step for remedy in self.remedies), *scaled, *terms]


class Truncation(NamedTuple):
    """Which part of each distribution is kept and renormalised; None: all of it."""

    top_p: float | None = None
    min_p: float | None = None
    top_k: int | None = None
    """So many classes at most: the first of the cuts."""

    def __bool__(self) -> bool:
        return any(bound is not None for bound in self)

    def cut_(self, z: NDArray[np.floating]) -> None:
        """Mask the classes that are not kept, on the log scale and in place, shape (rows, classes)."""
        from softmax_cli.numeric.distributions.truncation import truncate_

        truncate_(z, **self._asdict())


class BesideLogits(NamedTuple):
    """What rows bring along besides their logits; None: nothing."""

    temperature: NDArray[np.float64] | None = None
    """Of each row, above 0, shape (rows,)."""
    labels: NDArray[np.int64] | None = None
    """Column of the true class, shape (rows,); negative where there is none."""
    first_row: int = 0
    """Number of the first of these rows in the whole table, for what is drawn."""


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
    figures: dict[str, NDArray[Any]] = {}  # noqa: RUF012  # nobody writes into the default
    """Further figures of each row, by their names in `added.FIGURES`, shape (rows,); nan where there is none."""
    decision: NDArray[np.int32] | None = None
    """The decision of least expected cost, shape (rows,): see `Costs.codes`; None: there are no costs."""
    labels: NDArray[np.int64] | None = None
    """Column of the true class, shape (rows,); negative where there is none; None: not asked for."""

    def take(self, rows: NDArray[np.bool_] | NDArray[np.intp]) -> "Scored":
        """Some of the rows."""

        def some(values: Any) -> Any:
            if isinstance(values, dict):
                return {name: some(held) for name, held in values.items()}
            return None if values is None else values[rows]

        return Scored(*map(some, self))

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
    sets: "SetRule | None" = None
    """Which classes make up the prediction set of a row; decided before any truncation."""
    figures: tuple[str, ...] = ()
    """Further figures of each row; see `added.FIGURES`."""
    costs: "Costs | None" = None
    superclasses: "Superclasses | None" = None
    """What the probabilities are summed up to, before anything is cut off or predicted."""
    draws: "Draws | None" = None
    """What is drawn; then `Scored.top` holds the `top` actions of each row in the order drawn."""

    def __call__(self, logits: NDArray[np.floating], beside: BesideLogits | None = None) -> Scored:
        """Score a matrix of logits, shape (rows, classes); its memory is reused for the result."""
        rows, classes = logits.shape
        beside = beside or BesideLogits()
        if self.superclasses is not None:
            fine = Scoring(self.adjustment, self.activation, emit=("logprob",))(logits, beside).values["logprob"]
            labels = None if beside.labels is None else self.superclasses.labels(beside.labels)
            whole = self._replace(adjustment=Adjustment(), activation="softmax", superclasses=None)
            return whole(self.superclasses.sums(fine), BesideLogits(None, labels, beside.first_row))
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
            figures={name: np.empty(rows, logits.dtype) for name in self._figures},
            decision=np.empty(rows, np.int32) if self.costs is not None else None,
            labels=beside.labels,
        )
        bias = self.adjustment.bias
        # Many classes are worked on along the rows, also where columns lie in memory: in the cache, turning is cheap.
        turned = classes > COLUMNAR_CLASSES and not logits.flags.c_contiguous
        for block in _blocks(rows, classes * logits.dtype.itemsize):
            z = np.ascontiguousarray(logits[block]) if turned else logits[block]
            temperature = self.adjustment.temperature if beside.temperature is None else beside.temperature[block]
            self._score_block(z, temperature, bias, scored, block, beside.first_row)
        return scored

    def classes(self, given: tuple[str, ...]) -> tuple[str, ...]:
        """Name the classes of the result, for a table with the classes `given`."""
        return given if self.superclasses is None else self.superclasses.names

    @property
    def _figures(self) -> tuple[str, ...]:
        return (*self.figures, "expected_cost") if self.costs is not None else self.figures

    def describe(self, classes: tuple[str, ...], dtype: str) -> Computed:
        """Say which values there will be."""
        return Computed(self.classes(classes), self.emit, self.top, self.sets is not None, dtype)

    def _ranking(self, logits: NDArray[np.floating]) -> NDArray[np.int32] | None:
        """The best classes of each row, shape (rows, top); None: they are not asked for, or drawn."""
        if not self.top or self.draws is not None:
            return None
        from softmax_cli.numeric.topk import top_k

        return top_k(logits, self.top)

    def _score_block(
        self,
        z: NDArray[np.floating],
        temperature: Temperature,
        bias: NDArray[np.float64] | None,
        scored: Scored,
        rows: slice,
        first_row: int,
    ) -> None:
        activation = ACTIVATIONS[self.activation]
        for remedy in self.adjustment.remedies:
            remedy(z)
        before = z.copy(order="K") if self.figures else None
        if self.adjustment.calibration is not None:
            self.adjustment.calibration(z)
        logit = None
        if bias is not None or "logit" in self.emit or self.figures:
            logit = scale_(z.copy(order="K"), temperature, bias)
        # Ranked before the shift, which may round two small logits to the same number.
        ranked = z if bias is None or logit is None else logit
        best = argmax(ranked)
        top = self._ranking(ranked)
        activation.adjust_(z, temperature, bias)
        scored.bad[rows] = np.isnan(z[:, 0])
        if self.sets is not None and scored.sets is not None:
            scored.sets[rows] = self.sets(activation.log_probabilities_(z.copy(order="K")))
        allowed = None if self.draws is None else z > -np.inf
        if self.truncation:
            self.truncation.cut_(z)
            if logit is not None:
                logit[z == -np.inf] = -np.inf
        log_p = activation.log_probabilities_(z.copy(order="K")) if "logprob" in self.emit or self.figures else None
        p = activation.probabilities_(z)
        scored.prediction[rows] = best
        if self.costs is not None and scored.decision is not None:
            scored.decision[rows], scored.figures["expected_cost"][rows] = self.costs.least(p)
            best = np.where(scored.decision[rows] < p.shape[1], scored.decision[rows], best)
        scored.confidence[rows] = np.take_along_axis(p, best[:, None], axis=1)[:, 0]
        if before is not None and log_p is not None and logit is not None:
            from softmax_cli.prediction.added_columns import FIGURES, ScoredBlock

            labels = np.full(len(p), -1) if scored.labels is None else scored.labels[rows]
            block = ScoredBlock(before, temperature, logit, p, log_p, labels)
            for name in self.figures:
                scored.figures[name][rows] = FIGURES[name](block)
        if self.draws is not None and allowed is not None and log_p is not None and scored.top is not None:
            scored.top[rows], drawn = self.draws(log_p, allowed, first_row + rows.start)
            for name, target in scored.values.items():
                target[rows] = np.exp(drawn) if name == "prob" else drawn
            return
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
