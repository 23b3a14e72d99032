"""The map that carries every scoring command: a batch of scores in, a batch of probabilities out."""

from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from softmax_cli.errors import DataError
from softmax_cli.prediction.layout import Layout, passed_fields
from softmax_cli.prediction.score_kinds import KindCheck, check_width, read_scores, to_log_scale_
from softmax_cli.prediction.scorer import BesideLogits, Scored, Scoring
from softmax_cli.tables.batch import Batch
from softmax_cli.tables.columns import METADATA_KEY, Columns
from softmax_cli.tables.schema import Field, Schema
from softmax_cli.tables.table import Decoded, Fault, Place
from softmax_cli.version import __version__

if TYPE_CHECKING:
    from softmax_cli.prediction.bad_rows import Policy, Reject
    from softmax_cli.prediction.sorting import Order
    from softmax_cli.tables.labels import Truth

RECORD_FORMAT = 1
"""Version of the record that output files carry about themselves."""
_RECORDED_KINDS = {"prob": "prob", "logprob": "logprob", "logit": "logits"}


class Outcome(NamedTuple):
    """What came of one batch."""

    batch: Batch
    tally: "Tally"
    rejects: "tuple[Reject, ...]" = ()
    kinds: KindCheck = KindCheck()
    keys: NDArray[np.floating] | None = None
    """What the rows of `batch` are sorted by, the least first, shape (rows,); None: they stay in their order."""


class ScoredRows(NamedTuple):
    """The rows of one batch with what was computed for them."""

    scored: Scored
    rejects: "tuple[Reject, ...]"
    kinds: KindCheck


@dataclass(frozen=True, eq=False, repr=False)
class Transform:
    """Scores to probabilities, stateless, frozen and picklable.

    The same object serves a stream, a notebook and an engine. Made by `build_transform`, which fits its parts to each
    other.
    """

    columns: Columns
    scoring: Scoring = field(default_factory=Scoring)
    layout: Layout = field(default_factory=Layout)
    dtype: str = "float64"
    on_bad_row: "Policy" = "error"
    passed: tuple[str, ...] = ()
    """What the columns that pass through are called in the result, in their order."""
    truth: "Truth | None" = None
    """Where true classes come from; None: nothing asks for them."""
    only: str | None = None
    """Which rows are given out: see `Layout.chosen`; None: all."""
    order: "Order | None" = None
    """How the rows of the result are sorted; None: as they come."""
    before: tuple[str, ...] = ()
    """What was done before the scores were read, a line each."""
    shown_truth: "Truth | None" = None
    """True classes for the accuracy on a screen alone; a row without one is not bad."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes of the result."""
        return self.scoring.classes(self.columns.classes)

    @property
    def summary(self) -> str:
        """What was taken for what, in a line; without the kind of pooled scores, which no file holds."""
        columns = self.columns._replace(kind="logits") if self.before else self.columns
        return columns.summary()

    def schema(self, given: Schema, recorded: bool = True) -> Schema:
        """Columns of the result for a table with the columns `given`; where asked, with a record of what was done."""
        check_width(given, self.columns)
        passed = passed_fields(self._named(given.field(name) for name in self.columns.others))
        fields = [*passed, *self.layout.fields(self.scoring.describe(self.columns.classes, self.dtype))]
        return Schema(fields, self._record(given) if recorded else None)

    def _record(self, given: Schema) -> dict[bytes, bytes]:
        """Return the metadata of the result: what came with the table, and a record of what was done to it."""
        import json  # no text holds metadata, and a small table of text waits for nothing

        kept = {k: v for k, v in (given.metadata or {}).items() if k not in (METADATA_KEY, b"pandas")}
        return {**kept, METADATA_KEY: json.dumps(self.record()).encode()}

    def __call__(self, batch: Batch) -> Batch:
        """Score one batch."""
        return self.run(Decoded(batch, _in_memory)).batch

    def run(self, decoded: Decoded) -> Outcome:
        """Score one batch and say what became of its rows.

        Raises
        ------
        DataError
            A row cannot be scored, and `on_bad_row` is ``error``.
        """
        scored, found, kinds = self.score(decoded)
        kept = decoded.batch.select(self.columns.others)
        kept = kept._replace(schema=Schema(self._named(kept.schema)))
        tally = self._tally(scored, decoded.batch)
        use = ~scored.bad if found and self.on_bad_row == "skip" else None
        if self.only is not None:
            chosen = self.layout.chosen(scored, self.only, len(self.classes))
            use = chosen if use is None else use & chosen
        if use is not None:
            kept, scored = kept.take(np.flatnonzero(use)), scored.take(use)
        keys = None if self.order is None else self.order.keys(scored)
        return Outcome(self.layout(kept, scored, self.classes), tally, found, kinds, keys)

    def score(self, decoded: Decoded) -> ScoredRows:
        """Score one batch without laying it out.

        Raises
        ------
        DataError
            A row cannot be scored, and `on_bad_row` is ``error``.
        """
        scores = read_scores(decoded.batch, self.columns, np.dtype(self.dtype))
        has_sums = self.scoring.activation != "sigmoid"
        kinds = KindCheck.of(scores, self.columns) if has_sums else KindCheck(len(scores))
        beside = None if self.scoring.draws is None else BesideLogits(first_row=decoded.first_row)
        if self.truth is not None or self.scoring.adjustment.temperature_column is not None:
            decoded, beside = self._read_beside(decoded)
        scored = self.scoring(to_log_scale_(scores, self.columns), beside)
        if decoded.faults:
            scored.bad[[fault.row for fault in decoded.faults]] = True
        if not scored.bad.any():
            return ScoredRows(scored, (), kinds)
        from softmax_cli.prediction.bad_rows import refuse, rejects

        found = tuple(rejects(decoded, scored.bad, self.columns))
        if self.on_bad_row == "error":
            refuse(found)
        return ScoredRows(scored, found, kinds)

    def _named(self, passed: Iterable[Field]) -> Iterator[Field]:
        """Columns that pass through, under the names that they have in the result."""
        return (field._replace(name=name) for field, name in zip(passed, self.passed, strict=True))

    def _read_beside(self, decoded: Decoded) -> tuple[Decoded, BesideLogits]:
        """Read temperatures and truths; rows where they are wrong become bad rows, and a truth may be missing."""
        from softmax_cli.tables.labels import UNKNOWN

        temperatures, labels, column = None, None, self.scoring.adjustment.temperature_column
        if column is not None:
            temperatures, wrong = _temperatures(decoded, column)
            decoded = decoded._replace(faults=(*decoded.faults, *wrong))
        if self.truth is not None:
            from softmax_cli.prediction.bad_rows import with_truth_faults

            found = self.truth.labels(decoded.batch)
            found.reading.check(len(self.columns.classes))
            decoded = with_truth_faults(decoded, self.truth, found, np.flatnonzero(found.indices == UNKNOWN))
            labels = found.indices
        return decoded, BesideLogits(temperatures, labels, decoded.first_row)

    def _tally(self, scored: Scored, batch: Batch) -> "Tally":
        good = ~scored.bad
        predictions, confidence = scored.prediction, scored.confidence
        if scored.bad.any():
            predictions, confidence = predictions[good], confidence[good]
        counts = np.bincount(predictions, minlength=len(self.classes)).astype(np.int64)
        tally = Tally(
            rows=len(scored.bad),
            bad_rows=int(scored.bad.sum()),
            bad_policy=self.on_bad_row,
            counts=counts,
            confidence=confidence_units(confidence),
        )
        if self.layout.abstention is None and scored.decision is None and self.shown_truth is None:
            return tally
        codes = self.layout.codes(scored)
        tally = replace(tally, abstained=int((codes >= len(self.classes)).sum()))
        return tally if self.shown_truth is None else self._judged(tally, codes, self.shown_truth, batch)

    def _judged(self, tally: "Tally", codes: NDArray[np.int32], truth: "Truth", batch: Batch) -> "Tally":
        """Count the predictions that are right, where that is beyond doubt."""
        try:
            found = truth.labels(batch)
        except DataError:  # names and positions mixed: for a command that asks for truths, which says so
            return replace(tally, judged=None)
        reading, classes = found.reading, len(self.columns.classes)
        if reading.by_index is not None and not (reading.least == 0 and (reading.largest or 0) < classes):
            return replace(tally, judged=None)
        labels = found.indices
        if self.scoring.superclasses is not None:
            labels = self.scoring.superclasses.labels(labels)
        known = (labels >= 0) & (codes >= 0) & (codes < len(self.classes))
        return replace(tally, judged=int(known.sum()), right=int((known & (codes == labels)).sum()))

    @property
    def renamed(self) -> dict[str, str]:
        """Columns that pass through under another name, because the result has one of their own name."""
        pairs = zip(self.columns.others, self.passed, strict=True)
        return {before: after for before, after in pairs if before != after}

    def record(self) -> dict[str, object]:
        """What an output file says about itself, so that a later command needs no flags."""
        emitted = self.scoring.emit[0]
        names = {"wide": [f"{emitted}_{name}" for name in self.classes], "list": [emitted]}
        whole = not (self.layout.only_predictions or (self.scoring.top and self.layout.shape == "wide"))
        return {
            "format": RECORD_FORMAT,
            "softmax_cli": __version__,
            "kind": _RECORDED_KINDS[emitted],
            "classes": list(self.classes),
            "scores": names.get(self.layout.shape, []) if whole else [],
            "operations": self.steps(),
        }

    def steps(self) -> list[str]:
        """The operations in order, one line each."""
        read = {
            "logits": "logits as they are",
            "prob": "log p of probabilities",
            "percent": "log p of percentages / 100",
            "logprob": "log-probabilities as they are",
        }
        truncation = self.scoring.truncation
        kind = "percent" if self.columns.percent else self.columns.kind
        return [
            *self.before,
            f"read {kind}: {read[kind]}, in {self.dtype}",
            *self.scoring.adjustment.steps(),
            self.scoring.activation,
            *([self.scoring.superclasses.step] if self.scoring.superclasses is not None else []),
            *([self.scoring.sets.step] if self.scoring.sets is not None else []),
            *([f"keep the best {truncation.top_k} classes"] if truncation.top_k is not None else []),
            *([f"keep top-p {truncation.top_p:g} of the distribution"] if truncation.top_p is not None else []),
            *([f"keep p >= {truncation.min_p:g} * the largest p"] if truncation.min_p is not None else []),
            *([self.scoring.draws.step] if self.scoring.draws is not None else []),
            *([f"list the best {self.scoring.top} classes"] if self.scoring.top and not self.scoring.draws else []),
            *([self.scoring.costs.step] if self.scoring.costs is not None else []),
            *(["abstain below the threshold"] if self.layout.abstention is not None else []),
        ]


def build_transform(columns: Columns, scoring: Scoring, layout: Layout, dtype: str, on_bad_row: "Policy") -> Transform:
    """Put the parts of a transform together.

    A ranking covers at most all classes. A column that passes through gives way where it bears the name of a computed
    one: ``label`` becomes ``input_label``.
    """
    classes = len(scoring.classes(columns.classes))
    top = min(scoring.top, classes) if scoring.draws is None else scoring.draws.count
    if layout.shape == "long":
        top = top or classes
    scoring = scoring._replace(top=0 if layout.only_predictions or layout.shape == "list" else top)
    layout = layout._replace(has_gaps=on_bad_row == "null")
    computed = {field.name for field in layout.fields(scoring.describe(columns.classes, dtype))}
    return Transform(columns, scoring, layout, dtype, on_bad_row, names_beside(computed, columns.others))


def names_beside(computed: Set[str], others: Iterable[str]) -> tuple[str, ...]:
    """Names of columns that pass through beside those with the names `computed`."""
    return tuple(f"input_{name}" if name in computed else name for name in others)


def _temperatures(decoded: Decoded, column: str) -> tuple[NDArray[np.float64], list[Fault]]:
    """Temperature of every row, shape (rows,), 1 where it is wrong; and what is wrong."""
    from softmax_cli.tables.labels import MISSING, distinct

    codes, texts = distinct(decoded.batch.column(column))
    values = np.array([*map(_number, texts), np.nan])[np.where(codes == MISSING, len(texts), codes)]
    wrong = ~(values > 0)
    faults = [
        Fault(row, column, f"{decoded.place(row, column).found!r} is no temperature: expected a number above 0")
        for row in np.flatnonzero(wrong).tolist()
    ]
    return np.where(wrong, 1.0, values), faults


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return np.nan


def _in_memory(row: int, column: str | None) -> Place:
    """Where a row stands when there is no file behind the batch."""
    return Place(f"row {row + 1}", "value", "")


CONFIDENCE_UNIT = 2.0**-32
"""What confidences are counted in. A mean of rounded ones is off by half of that at most, 1.2e-10."""


def confidence_units(confidence: NDArray[np.floating]) -> int:
    """Add up confidences, 0 to 1, shape (rows,), each rounded to whole units; up to 2^31 rows."""
    return int(np.rint(confidence * (1 / CONFIDENCE_UNIT)).sum(dtype=np.int64))


@dataclass(frozen=True, eq=False, repr=False)
class Tally:
    """Counts of what was scored; parts add up with `plus`.

    All figures are whole numbers, so they do not depend on how the rows were cut into batches or in which order these
    are added.
    """

    rows: int
    """Rows that were read, the bad ones among them."""
    bad_rows: int
    """Rows that no distribution follows from."""
    bad_policy: "Policy"
    """What became of the bad rows."""
    counts: NDArray[np.int64]
    """How many rows have each class as their most probable one, shape (classes,); adds up to `scored`."""
    confidence: int
    """Sum over the scored rows of the probability of the most probable class, as `confidence_units`."""
    abstained: int = 0
    """Scored rows whose prediction is no class: below a threshold, or cheaper undecided."""
    judged: int | None = 0
    """Rows whose prediction is a class and whose truth is known; None: truths may count the classes from 0 or 1."""
    right: int = 0
    """Those of them whose prediction is the truth."""

    def __post_init__(self) -> None:
        if int(self.counts.sum()) != self.scored:
            raise ValueError(f"counts add up to {self.counts.sum()}, but {self.scored} rows were scored")

    @property
    def scored(self) -> int:
        """Rows that have a distribution."""
        return self.rows - self.bad_rows

    @property
    def accuracy(self) -> float | None:
        """Share of the judged rows that are right; None where there are none."""
        return self.right / self.judged if self.judged else None

    @property
    def mean_confidence(self) -> float | None:
        """Mean probability of the most probable class, 0 to 1; None when no row was scored."""
        return self.confidence / self.scored * CONFIDENCE_UNIT if self.scored else None

    def plus(self, other: "Tally") -> "Tally":
        """Add the figures of the rows that follow.

        Raises
        ------
        ValueError
            The two are of runs with other classes or another policy, so that their sum would mean nothing.
        """
        if self.counts.shape != other.counts.shape:
            raise ValueError(f"{len(self.counts)} classes cannot be added to {len(other.counts)}")
        if self.bad_policy != other.bad_policy:
            raise ValueError(f"bad rows: {self.bad_policy} cannot be added to {other.bad_policy}")
        return Tally(
            rows=self.rows + other.rows,
            bad_rows=self.bad_rows + other.bad_rows,
            bad_policy=self.bad_policy,
            counts=self.counts + other.counts,
            confidence=self.confidence + other.confidence,
            abstained=self.abstained + other.abstained,
            judged=None if self.judged is None or other.judged is None else self.judged + other.judged,
            right=self.right + other.right,
        )
