"""What is measured: bins and norms of the calibration error, top-k, the bootstrap."""

from typing import TYPE_CHECKING, Annotated

import typer

from softmax_cli.errors import UsageError, check_choice
from softmax_cli.options.completion import one_of
from softmax_cli.options.parser import Options
from softmax_cli.options.run import check_replicates, check_seed

if TYPE_CHECKING:
    from softmax_cli.calibration.calibration import Calibration
    from softmax_cli.numeric.metrics import Plan

SCHEMES = ("width", "mass")
KINDS = ("top-label", "classwise")
NORMS = ("l1", "l2", "max")
_TOP_K = 5
"""Reported when nothing else is typed and there are more classes than that."""


class MetricOptions(Options, panel="Metrics"):
    """Bins, norms, intervals."""

    bins: Annotated[int, typer.Option(min=1, help="Bins of the calibration error.")] = 15
    scheme: Annotated[
        str, typer.Option(help="Bins of equal width, or of equal mass (rows).", autocompletion=one_of(*SCHEMES))
    ] = "width"
    norm: Annotated[
        str,
        typer.Option(
            help="How ECE adds the gaps of the bins up: l1 (mean), l2 (root mean square) or max.",
            autocompletion=one_of(*NORMS),
        ),
    ] = "l1"
    kind: Annotated[
        str,
        typer.Option(
            help="ECE of the predicted class (top-label) or of every class, averaged (classwise).",
            autocompletion=one_of(*KINDS),
        ),
    ] = "top-label"
    top_k: Annotated[
        str | None, typer.Option("--top-k", "-k", metavar="K,...", help="Top-k accuracies to report; default: 5.")
    ] = None
    clip: Annotated[
        float | None,
        typer.Option(
            metavar="EPS",
            help="Log loss: keep the probability of the truth within [EPS, 1 - EPS]; by default 0 costs infinity.",
        ),
    ] = None
    bootstrap: Annotated[int, typer.Option(min=0, help="Replicates behind the 95 % intervals; 0: none.")] = 200
    seed: Annotated[int, typer.Option(min=0, help="Of the bootstrap, below 2^64.")] = 0

    def __post_init__(self) -> None:
        for flag, given, known in (
            ("scheme", self.scheme, SCHEMES),
            ("norm", self.norm, NORMS),
            ("kind", self.kind, KINDS),
        ):
            check_choice(f"--{flag}", given, known)
        check_seed(self.seed)
        if self.clip is not None and not 0 < self.clip < 0.5:
            raise UsageError(f"--clip {self.clip:g}: expected a probability above 0 and below 0.5, such as 1e-15")
        check_replicates(self.bootstrap, 200)

    def plan(self, classes: int, calibration: "Calibration | None", sets: bool) -> "Plan":
        """Return what is measured."""
        from softmax_cli.numeric.metrics import Plan

        abstention = None if calibration is None else calibration.abstention
        return Plan(
            bins=self.bins,
            scheme=self.scheme,
            norm=self.norm,
            kind=self.kind,
            top_k=self._top_k(classes),
            clip=self.clip,
            replicates=self.bootstrap,
            seed=self.seed,
            answer_from=None if abstention is None else abstention.confidence,
            sets=sets,
        )

    def _top_k(self, classes: int) -> tuple[int, ...]:
        if self.top_k is None:
            return (_TOP_K,) if classes > _TOP_K else ()
        parts = [part.strip() for part in self.top_k.split(",")]
        if not all(part.isdecimal() and int(part) > 0 for part in parts):
            raise UsageError(f"--top-k {self.top_k}: expected whole numbers from 1, such as --top-k 1,3,5")
        return tuple(dict.fromkeys(int(part) for part in parts))
