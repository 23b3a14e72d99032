"""Thresholds that calibrate takes from held-out rows: of prediction sets, and to abstain."""

from typing import TYPE_CHECKING, Annotated

import typer

from softmax_cli.errors import UsageError, check_choice
from softmax_cli.options.completion import one_of
from softmax_cli.options.parser import Options

if TYPE_CHECKING:
    from softmax_cli.calibration.thresholds import AbstentionRequest
    from softmax_cli.prediction.prediction_sets import SetRequest

ABSTAIN = "Abstaining"
SCORES = ("lac", "margin", "aps", "raps", "raps-tuned", "saps", "top-k")
DRAWN = ("aps", "raps", "raps-tuned", "saps", "top-k")
QUANTILES = ("exact", "higher")


class ThresholdOptions(Options, panel="Prediction sets (split conformal prediction)"):
    """Coverage, score, and the risk of an answer."""

    coverage: Annotated[
        float | None,
        typer.Option(
            metavar="C", help="Keep a threshold for sets of classes that hold the truth in a share C of rows: 0.9."
        ),
    ] = None
    score: Annotated[
        str,
        typer.Option(
            help="lac (1 - p: the smallest sets), margin (p beside the best other), aps (larger where the model is "
            "unsure), raps (aps without long tails: penalty 0.01 from the 6th class on), raps-tuned (both numbers for "
            "the smallest sets, chosen on a fifth of the rows), saps (the largest p and the place), top-k (the place).",
            autocompletion=one_of(*SCORES),
        ),
    ] = "lac"
    per_class: Annotated[
        bool, typer.Option("--per-class", help="A threshold for each class: coverage for every class.")
    ] = False
    clustered: Annotated[
        bool,
        typer.Option(
            "--clustered",
            help="A threshold for each group of classes that are alike, grouped on a fifth of the rows: --per-class "
            "for many classes with few rows.",
        ),
    ] = False
    allow_empty: Annotated[
        bool, typer.Option("--allow-empty", help="Let a set be empty; by default it holds one class.")
    ] = False
    randomized: Annotated[
        bool,
        typer.Option(
            "--randomized",
            help="Break ties by a draw that follows from --seed and the row: smaller sets (not lac, margin).",
        ),
    ] = False
    quantile: Annotated[
        str,
        typer.Option(
            help="exact (the k-th smallest score, k = ceil((n+1)C)), or higher (numpy's quantile at k/n, one score "
            "further: to reproduce published code).",
            autocompletion=one_of(*QUANTILES),
        ),
    ] = "exact"
    max_risk: Annotated[
        float | None,
        typer.Option(
            metavar="R",
            help="Abstain below the lowest confidence with which at most a share R of the answers is wrong.",
            rich_help_panel=ABSTAIN,
        ),
    ] = None
    min_coverage: Annotated[
        float | None,
        typer.Option(
            metavar="C",
            help="Abstain below the confidence with the fewest wrong answers of those that answer a share C of rows.",
            rich_help_panel=ABSTAIN,
        ),
    ] = None

    def __post_init__(self) -> None:
        if self.coverage is not None and not 0 < self.coverage < 1:
            raise UsageError(f"--coverage {self.coverage:g}: expected a share above 0 and below 1, such as 0.9")
        check_choice("--score", self.score, SCORES)
        check_choice("--quantile", self.quantile, QUANTILES)
        about_sets = (self.score != "lac", self.per_class, self.clustered, self.allow_empty, self.randomized)
        if self.coverage is None and any(about_sets):
            raise UsageError(
                "--score, --per-class, --clustered, --allow-empty and --randomized are about sets: add --coverage 0.9"
            )
        if self.randomized and self.score not in DRAWN:
            raise UsageError(f"--randomized: {self.score} has no ties to break; choose --score aps or raps")
        if self.per_class and self.clustered:
            raise UsageError("--per-class and --clustered each say which classes share a threshold: drop one")
        if self.max_risk is not None and self.min_coverage is not None:
            raise UsageError("--max-risk and --min-coverage each choose the threshold: drop one")
        if self.max_risk is not None and not 0 <= self.max_risk < 1:
            raise UsageError(f"--max-risk {self.max_risk:g}: expected a share from 0 to below 1, such as 0.02")
        if self.min_coverage is not None and not 0 < self.min_coverage <= 1:
            raise UsageError(f"--min-coverage {self.min_coverage:g}: expected a share above 0, such as 0.95")

    @property
    def wanted(self) -> bool:
        """Whether any threshold is asked for."""
        return any(given is not None for given in (self.coverage, self.max_risk, self.min_coverage))

    def sets(self, seed: int) -> "SetRequest | None":
        """Return what sets are to promise; None: there are none."""
        from softmax_cli.prediction.prediction_sets import Nonconformity, SetRequest

        if self.coverage is None:
            return None
        tuned = self.score == "raps-tuned"
        nonconformity = Nonconformity("raps" if tuned else self.score, seed if self.randomized else None)
        return SetRequest(
            nonconformity, self.coverage, self.per_class, self.allow_empty, self.quantile, self.clustered, tuned
        )

    def abstention(self) -> "AbstentionRequest | None":
        """Return how the threshold to abstain is chosen; None: there is none."""
        from softmax_cli.calibration.thresholds import MaxRisk, MinCoverage

        if self.max_risk is not None:
            return MaxRisk(self.max_risk)
        return None if self.min_coverage is None else MinCoverage(self.min_coverage)
