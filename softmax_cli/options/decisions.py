"""Which columns, rows and decisions are given out beside the probabilities."""

from typing import TYPE_CHECKING, Annotated

import typer

from softmax_cli.errors import UsageError, check_choice, did_you_mean
from softmax_cli.options.completion import one_of, some_of
from softmax_cli.options.parser import Options

if TYPE_CHECKING:
    from softmax_cli.prediction.layout import Layout
    from softmax_cli.prediction.scorer import Scoring
    from softmax_cli.prediction.sorting import Order
    from softmax_cli.prediction.steps import Costs


PANEL = "Rows and decisions"
ADDED = ("entropy", "margin", "energy", "max_logit", "true_prob", "correct", "rank_of_truth")
OF_TRUTH = ("true_prob", "correct", "rank_of_truth")
OF_DISTRIBUTION = {"entropy", "margin", "energy", "loss"}
"""Figures that need classes which exclude each other."""
ONLY = ("wrong", "abstained", "bad")
SORTED_BY = ("confidence", "margin", "entropy", "loss")


class CostOptions(Options, panel=PANEL):
    """What decisions cost."""

    costs: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="What decisions cost: a table with a row for each truth and a column for each decision; one that is "
            "no class abstains. Rows get the decision of least expected cost.",
        ),
    ] = None

    def read(self, classes: tuple[str, ...]) -> "Costs | None":
        """Read the file; None: there is none."""
        if self.costs is None:
            return None
        from softmax_cli.weighting.costs import read_costs

        return read_costs(self.costs, classes)


class DecisionOptions(CostOptions, panel=PANEL):
    """Figures of a row, which rows are kept and in which order, costs, superclasses."""

    add: Annotated[
        str | None,
        typer.Option(
            metavar="NAME,...",
            help="Add columns: entropy (nats), margin (p1 - p2), energy (-T logsumexp z/T), max_logit; and where there "
            "is a truth true_prob, correct (1 or 0), rank_of_truth.",
            autocompletion=some_of(*ADDED),
        ),
    ] = None
    only: Annotated[
        str | None,
        typer.Option(
            metavar="ROWS",
            help="Give out only the rows that are wrong, abstained or bad.",
            autocompletion=one_of(*ONLY),
        ),
    ] = None
    sort: Annotated[
        str | None,
        typer.Option(
            metavar="FIGURE",
            help="Sort by confidence, margin, entropy or loss, the least first; -confidence: the largest first. "
            "Memory stays bounded: beyond 128 MB, sorted rows go to temporary files.",
            autocompletion=one_of(*SORTED_BY, *(f"-{figure}" for figure in SORTED_BY)),
        ),
    ] = None
    superclasses: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="Sum probabilities up to superclasses: a table with columns class and superclass."
        ),
    ] = None

    def __post_init__(self) -> None:
        if self.only is not None:
            check_choice("--only", self.only, ONLY)
        figure = (self.sort or "confidence").removeprefix("-")
        if figure not in SORTED_BY:
            raise UsageError(f"--sort {self.sort}: {did_you_mean(figure, SORTED_BY)}")

    @property
    def added(self) -> tuple[str, ...]:
        """Return the columns that were asked for, in the order that was typed."""
        return tuple(dict.fromkeys(name.strip() for name in (self.add or "").split(",") if name.strip()))

    @property
    def needs_truth(self) -> str | None:
        """Return what was typed that needs true classes; None: nothing."""
        of_truth = [f"--add {name}" for name in self.added if name in OF_TRUTH]
        of_truth += ["--only wrong"] if self.only == "wrong" else []
        of_truth += [f"--sort {self.sort}"] if (self.sort or "").endswith("loss") else []
        return of_truth[0] if of_truth else None

    def check(self, layout: str, threshold: str | None, activation: str) -> None:
        """Refuse, before anything is read, what does not go together."""
        for name in self.added:
            if name not in ADDED:
                raise UsageError(f"--add {name}: {did_you_mean(name, ADDED)}")
        figures = {*self.added, (self.sort or "").removeprefix("-")}
        if activation == "sigmoid" and figures & OF_DISTRIBUTION:
            name = min(figures & OF_DISTRIBUTION)
            raise UsageError(f"{name} is a figure of one distribution; --activation sigmoid gives every class its own")
        if activation == "sigmoid" and (self.costs or self.superclasses):
            raise UsageError("--costs and --superclasses add probabilities up; those of --activation sigmoid do not")
        if self.costs is not None and threshold is not None:
            raise UsageError("--costs and --threshold both decide when to abstain: drop one")
        if self.superclasses is not None and figures & {"energy", "max_logit"}:
            raise UsageError("--superclasses sums probabilities, which have no energy and no logits: leave them out")
        if layout == "long" and (self.costs is not None or self.sort is not None):
            flag = "--costs" if self.costs is not None else "--sort"
            raise UsageError(f"--layout long has several rows for each example: it does not go with {flag}")

    def scoring(self, scoring: "Scoring", classes: tuple[str, ...]) -> "Scoring":
        """Return what is computed, with what was asked for here."""
        if (self.add, self.sort, self.costs, self.superclasses) == (None,) * 4:
            return scoring
        from softmax_cli.prediction.added_columns import FIGURES
        from softmax_cli.weighting.costs import read_superclasses

        sort = (self.sort or "").removeprefix("-")
        wanted = dict.fromkeys((*self.added, sort))
        if self.superclasses is not None:
            if scoring.sets is not None:
                raise UsageError("--superclasses: the calibration holds sets of classes, and they cannot be summed up")
            scoring = scoring._replace(superclasses=read_superclasses(self.superclasses, classes))
        figures = tuple(name for name in wanted if name in FIGURES)
        return scoring._replace(figures=figures, costs=self.read(scoring.classes(classes)))

    def layout(self, layout: "Layout", scoring: "Scoring") -> "Layout":
        """Return the layout with the columns that were asked for."""
        if scoring.costs is None:
            return layout._replace(added=self.added)
        if layout.abstention is not None:
            raise UsageError("--costs and the threshold of the --calibration both decide when to abstain: drop one")
        return layout._replace(added=(*self.added, "expected_cost"), others=scoring.costs.others, has_costs=True)

    def order(self) -> "Order | None":
        """Return what rows are sorted by; None: they stay in their order."""
        if self.sort is None:
            return None
        from softmax_cli.prediction.sorting import Order

        return Order(self.sort.removeprefix("-"), self.sort.startswith("-"))
