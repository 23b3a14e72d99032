"""What a transform can do beside the softmax: remedies for outliers, prediction sets, draws, costs, superclasses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.clipping import clip_, softcap_, standardize_, winsorize_

if TYPE_CHECKING:
    from softmax_cli.numeric.nonconformity import Scores


def direction(ratios: NDArray[np.float64], classes: tuple[str, ...]) -> str:
    """Spell a factor per class in words, the strongest first: ``raises cat (x4), lowers dog (x0.5)``.

    Parameters
    ----------
    ratios : array, shape (classes,)
        What the odds of each class are multiplied by; 0 masks it.
    """
    with np.errstate(divide="ignore"):
        strength = np.abs(np.log(ratios))
    order = [i for i in np.argsort(-strength, kind="stable") if ratios[i] != 1]
    words = [f"{_verb(ratios[i])} {classes[i]}{'' if ratios[i] == 0 else f' (x{ratios[i]:.4g})'}" for i in order[:4]]
    words += [f"changes {len(order) - 4} more"] if len(order) > 4 else []
    return ", ".join(words) or "changes nothing"


def _verb(ratio: float) -> str:
    if ratio == 0:
        return "masks"
    return "raises" if ratio > 1 else "lowers"


Matrix = NDArray[np.floating]


class Clip(NamedTuple):
    """Bounds on every logit."""

    low: float
    high: float

    @property
    def step(self) -> str:
        """The operation in one line."""
        return f"clip z to [{self.low:g}, {self.high:g}]  (--clip-logits)"

    def __call__(self, z: Matrix) -> Matrix:
        """Clip in place."""
        return clip_(z, self.low, self.high)


class Winsorize(NamedTuple):
    """Bounds on every row that its own quantiles set."""

    share: float

    @property
    def step(self) -> str:
        """The operation in one line."""
        return f"pull z within the {self.share:g} and {1 - self.share:g} quantiles of its row  (--winsorize)"

    def __call__(self, z: Matrix) -> Matrix:
        """Winsorize in place."""
        return winsorize_(z, self.share)


class Softcap(NamedTuple):
    """A smooth bound."""

    cap: float

    @property
    def step(self) -> str:
        """The operation in one line."""
        return f"{self.cap:g} * tanh(z / {self.cap:g})  (--softcap)"

    def __call__(self, z: Matrix) -> Matrix:
        """Cap in place."""
        return softcap_(z, self.cap)


class Standardize(NamedTuple):
    """Mean 0 and deviation 1 within every row."""

    step: str = "(z - mean) / deviation of its row  (--standardize)"

    def __call__(self, z: Matrix) -> Matrix:
        """Standardize in place."""
        return standardize_(z)


class Nonconformity(NamedTuple):
    """How strange a class is for a row."""

    score: str
    """A name in `SCORES`."""
    seed: int | None = None
    """Of the draws that break ties; None: not randomized."""
    raps: tuple[float, int] | None = None
    """Penalty and free places of raps, where they were tuned."""

    def __call__(self, log_p: NDArray[np.float64]) -> Scores:
        """Score every class, shape (rows, classes)."""
        from softmax_cli.numeric.nonconformity import SCORES, raps_scores, row_draws

        uniform = None if self.seed is None else row_draws(log_p, self.seed)
        if self.raps is None:
            return SCORES[self.score](log_p, uniform)
        penalty, free = self.raps
        return raps_scores(log_p, uniform, penalty=penalty, free=free)


@dataclass(frozen=True, slots=True, eq=False)
class SetRule:
    """Classes within the threshold, the likeliest one at least unless `allow_empty`."""

    nonconformity: Nonconformity
    coverage: float
    """Share of sets that hold the truth, as promised."""
    threshold: NDArray[np.float64]
    """Shape (1,), or (classes,) for one each; ``inf`` admits the class always."""
    rows: int
    """How many rows the threshold comes from."""
    allow_empty: bool = False
    mean_size: float = 0.0
    """Classes in a set, on the rows that the threshold comes from; 0: not kept in a file."""

    @property
    def step(self) -> str:
        """The operation in one line."""
        each = "a threshold for each class" if len(self.threshold) > 1 else f"threshold {self.threshold[0]:.6g}"
        drawn = "" if self.nonconformity.seed is None else f", randomized with seed {self.nonconformity.seed}"
        how = f"{self.nonconformity.score}, {each}{drawn}"
        return f"set of classes that covers {self.coverage:g}  (--calibration: {how})"

    def __call__(self, log_p: NDArray[np.floating]) -> NDArray[np.bool_]:
        """Whether a class is in the set of its row, shape (rows, classes)."""
        from softmax_cli.numeric.conformal import sets

        scores = self.nonconformity(np.ascontiguousarray(log_p, np.float64))
        return sets(scores, self.threshold, allow_empty=self.allow_empty)


class SetRequest(NamedTuple):
    """What a threshold is to promise, before there are rows to take it from."""

    nonconformity: Nonconformity
    coverage: float
    per_class: bool = False
    allow_empty: bool = False
    quantile: str = "exact"
    """exact: the order statistic of the theorem; higher: what published code takes, one score further."""
    clustered: bool = False
    """A threshold for each group of classes that are alike."""
    tuned: bool = False
    """Choose the penalty and the free places of raps."""

    def rule(self, log_p: NDArray[np.float64], labels: NDArray[np.integer]) -> SetRule:
        """Take the threshold from held-out rows, with final log-probabilities of shape (rows, classes).

        A fifth of the rows goes to what has to be chosen on others than the threshold is taken from.
        """
        from softmax_cli.numeric import conformal
        from softmax_cli.numeric.nonconformity import tuned_raps

        log_p, classes, nonconformity = np.ascontiguousarray(log_p), log_p.shape[1], self.nonconformity
        # Through its decimal spelling: 1 - 0.9 is 0.09999999999999998 in binary.
        miscoverage = float(f"{1 - self.coverage:.12g}")
        find = {"exact": conformal.threshold, "higher": conformal.quantile_threshold}[self.quantile]
        kept = np.ones(len(labels), np.bool_)
        if self.clustered or self.tuned:
            kept = ~conformal.chosen_on(labels)
        if self.tuned:
            nonconformity = nonconformity._replace(raps=tuned_raps(log_p[~kept], labels[~kept], coverage=self.coverage))
        scores = nonconformity(log_p)
        of_truth, truths = conformal.scores_of_truth(scores, labels), labels[kept]
        if self.clustered:
            clusters = conformal.class_clusters(of_truth[~kept], labels[~kept], classes, miscoverage=miscoverage)
            found = conformal.cluster_thresholds(of_truth[kept], truths, clusters, miscoverage=miscoverage, find=find)
        elif self.per_class:
            found = conformal.class_thresholds(of_truth[kept], truths, classes, miscoverage=miscoverage, find=find)
        else:
            found = np.array([find(of_truth[kept], miscoverage=miscoverage)])
        size = conformal.sets(scores[kept], found, allow_empty=self.allow_empty).sum(axis=1)
        return SetRule(nonconformity, self.coverage, found, len(truths), self.allow_empty, float(size.mean()))


@dataclass(frozen=True, slots=True)
class Draws:
    """Actions that are drawn for every row."""

    count: int = 1
    seed: int = 0
    replace: bool = True
    epsilon: float = 0.0
    """Share of exploration."""

    @property
    def step(self) -> str:
        """The operation in one line."""
        kind = "" if self.count == 1 else f"{self.count} " + ("with" if self.replace else "without") + " replacement, "
        return f"draw by Gumbel-max: {kind}seed {self.seed}"

    def __call__(
        self, log_p: NDArray[np.floating], allowed: NDArray[np.bool_], first_row: int
    ) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
        """Draw classes, and the log-probabilities that they were drawn with, both of shape (rows, count).

        Parameters
        ----------
        log_p, allowed : arrays, shape (rows, classes)
            The distribution, and which classes may be explored.
        """
        from softmax_cli.numeric.distributions.sampling import mix_uniform, sample

        mixed = mix_uniform(np.asarray(log_p, np.float64), allowed, self.epsilon)
        return sample(mixed, seed=self.seed, first_row=first_row, draws=self.count, replace=self.replace)


@dataclass(frozen=True, slots=True, eq=False)
class Costs:
    """What decisions cost, and the choice of the one with the least expected cost."""

    matrix: NDArray[np.float64]
    """Cost of each decision where a class is true, shape (classes, decisions)."""
    decisions: NDArray[np.int32]
    """Code of each decision: the column of a class, or one from the number of classes on, for `others`."""
    others: tuple[str, ...] = ()
    """Decisions that are no class, such as to abstain."""

    @property
    def step(self) -> str:
        """The operation in one line."""
        return "predict the decision of least expected cost  (--costs)"

    def least(self, p: NDArray[np.floating]) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
        """Code and expected cost of the best decision of each row, both of shape (rows,); of equals the first."""
        from softmax_cli.numeric.distributions.uncertainty import expected_costs

        expected = expected_costs(p, self.matrix)
        best = expected.argmin(axis=1)
        return self.decisions[best], np.take_along_axis(expected, best[:, None], axis=1)[:, 0]


@dataclass(frozen=True, slots=True, eq=False)
class Superclasses:
    """Classes that stand for several, whose probabilities they add up."""

    names: tuple[str, ...]
    members: NDArray[np.intp]
    """Which of them each class belongs to, shape (classes,)."""

    @property
    def step(self) -> str:
        """The operation in one line."""
        return f"sum the probabilities up to {len(self.names)} superclasses  (--superclasses)"

    def sums(self, log_p: NDArray[np.floating]) -> NDArray[np.floating]:
        """Log of the summed probabilities, shape (rows, superclasses)."""
        order = np.argsort(self.members, kind="stable")
        starts = np.searchsorted(self.members[order], np.arange(len(self.names)))
        summed: NDArray[np.floating] = np.logaddexp.reduceat(log_p[:, order], starts, axis=1)
        return summed

    def labels(self, labels: NDArray[np.int64]) -> NDArray[np.int64]:
        """Superclasses of true classes, shape (rows,); what is negative stays."""
        return np.where(labels < 0, labels, self.members[np.maximum(labels, 0)])
