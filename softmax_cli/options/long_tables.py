"""Tables whose rows belong together: groups of candidates, a row for each class, frames to be pooled."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from softmax_cli.errors import UsageError, check_choice, listed
from softmax_cli.options.completion import column, one_of
from softmax_cli.options.completion import columns as columns_of_file
from softmax_cli.options.decisions import DecisionOptions
from softmax_cli.options.output import ResultOptions
from softmax_cli.options.parser import Options
from softmax_cli.options.scoring import ScoringOptions
from softmax_cli.options.source import SourceOptions

if TYPE_CHECKING:
    from softmax_cli.prediction.score_kinds import KindCheck
    from softmax_cli.prediction.scorer import Scoring
    from softmax_cli.prediction.transform import Transform
    from softmax_cli.stream.scores import ScoreTable


POOLS = ("mean-prob", "mean-logit", "max")


class LongOptions(Options, panel="Rows that belong together"):
    """Which rows belong together, and how."""

    group: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            help="Softmax over the rows of a group, such as the candidates of a query; adds prob and rank. --top-k K "
            "keeps the best K rows of each.",
            autocompletion=column,
        ),
    ] = None
    long: Annotated[
        str | None,
        typer.Option(
            metavar="ID,CLASS,SCORE",
            help="The table has a row for each class of an example: the columns that name both, and the scores.",
            autocompletion=columns_of_file,
        ),
    ] = None
    pool_by: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="Pool the rows with the same value into one.", autocompletion=column),
    ] = None
    pool: Annotated[
        str,
        typer.Option(
            help="With --pool-by: mean-prob, mean-logit, or max (the largest logit of each class).",
            autocompletion=one_of(*POOLS),
        ),
    ] = "mean-prob"
    sorted: Annotated[
        bool,
        typer.Option(
            "--sorted",
            help="Rows that belong together stand together, so that the table streams; else up to 2 GB are kept.",
        ),
    ] = False

    def __post_init__(self) -> None:
        if len(self._typed) > 1:
            raise UsageError(f"{' and '.join(self._typed)} exclude each other: choose one")
        check_choice("--pool", self.pool, POOLS)
        if self.pool != "mean-prob" and self.pool_by is None:
            raise UsageError("--pool says how the rows of --pool-by COLUMN become one: name the column")
        if self.sorted and not self._typed:
            raise UsageError("--sorted is about rows that belong together: add --group, --long or --pool-by")
        if self.long is not None and len(self._parts) != 3:
            raise UsageError(f"--long {self.long}: expected three columns, such as --long id,class,score")

    @property
    def _typed(self) -> list[str]:
        flags = {"--group": self.group, "--long": self.long, "--pool-by": self.pool_by}
        return [flag for flag, given in flags.items() if given is not None]

    @property
    def _parts(self) -> list[str]:
        return [part.strip() for part in (self.long or "").split(",")]

    @property
    def is_used(self) -> bool:
        """Return whether rows belong together."""
        return bool(self._typed)

    @property
    def columns(self) -> dict[str, str | None]:
        """Return the columns that are named here and are no scores, by the option."""
        return {
            "--group": self.group,
            "--pool-by": self.pool_by,
            "--long": self._parts[1] if self.long is not None else None,
        }

    def source(self, source: SourceOptions) -> SourceOptions:
        """Return what is read, with the id and the scores that --long names.

        Raises
        ------
        UsageError
            They are named twice.
        """
        if self.long is None:
            return source
        if source.logits is not None or source.id is not None:
            raise UsageError("--long names the id and the scores: leave --id and --logits out")
        example, _, score = self._parts
        return source.replaced(id=example, logits=score, classes=None)

    def check(self, scoring: ScoringOptions, result: ResultOptions, decisions: DecisionOptions) -> None:
        """Refuse, before anything is read, what is about classes where rows are the choices; or about single rows."""
        if self.is_used and scoring.imbalance.estimate_prior:
            raise UsageError(f"--estimate-prior reads single rows: it does not go with {self._typed[0]}")
        if self.is_used and scoring.softmax.temperature_column is not None and self.pool_by is None:
            raise UsageError(f"--temperature-column is of single rows: it does not go with {self._typed[0]}")
        if self.group is None:
            return
        softmax = scoring.softmax.replaced(temperature=1.0, dtype=None)
        given = (result.replaced(top_k=None, emit="prob"), softmax, scoring.remedies, scoring.calibration)
        if not all(map(_is_untouched, (*given, scoring.imbalance, decisions))):
            raise UsageError(
                "--group gives each row one probability, and no classes: it goes with --temperature, --top-k, --emit "
                "prob or logprob, --dtype, and what is about input and output"
            )

    def together(self, scores: "ScoreTable", source: SourceOptions, threads: int) -> "ScoreTable":
        """Return the table cut into whole groups, and one row for each example where --long has one for each class."""
        if not self.is_used:
            return scores
        if self.pool_by is None and not scores.columns.is_binary:
            found = listed(scores.columns.classes if scores.columns.is_list else scores.columns.scores, 5)
            raise UsageError(
                f"{self._typed[0]} takes one column of scores, not several: name it with --logits; there are: {found}"
            )
        from softmax_cli.tables.regroup import regrouped

        column = self.group or self.pool_by or self._parts[0]
        scores = scores._replace(table=regrouped(scores.table, column, scores.columns.scores, self.sorted, threads))
        if self.long is None:
            return scores
        from softmax_cli.prediction.long_to_wide import long_table
        from softmax_cli.weighting.class_values import read_class_names

        classes = None if source.classes is None else read_class_names(source.classes)
        return long_table(scores, column, self._parts[1], classes)

    def pooled(
        self, scores: "ScoreTable", scoring: "Scoring", threads: int, keep: "Callable[[KindCheck], None]"
    ) -> "tuple[ScoreTable, Scoring]":
        """Return the table with one row for each group of --pool-by, and what is still to be done to its scores.

        `keep` takes what speaks against the kind of the scores that are pooled.
        """
        if self.pool_by is None:
            return scores, scoring
        from softmax_cli.prediction.grouped import pooled_groups
        from softmax_cli.prediction.layout import Layout
        from softmax_cli.prediction.scorer import Scoring, Truncation
        from softmax_cli.prediction.transform import build_transform

        rows, rest = Scoring(emit=("logit",)), scoring
        if self.pool == "mean-prob":  # of the final probabilities, so nothing but cuts is left to be done
            rows = scoring._replace(emit=("logprob",), top=0, sets=None, truncation=Truncation())
            rest = Scoring(emit=scoring.emit, top=scoring.top, truncation=scoring.truncation, sets=scoring.sets)
        transform = build_transform(scores.columns, rows, Layout("list"), "float64", "null")
        return pooled_groups(scores, transform, self.pool_by, self.pool, threads, keep), rest

    def of_classes(self, result: ResultOptions) -> ResultOptions:
        """Return what is asked for of the classes of a row; the best rows of a group are none."""
        return result if self.group is None else result.replaced(top_k=None)

    def notes(self, result: ResultOptions, classes: int) -> list[str]:
        """Return what is to be said about options for the classes of a row; those for groups say nothing."""
        return [] if self.group is not None else result.notes(classes)

    def transform(self, transform: "Transform") -> "Transform":
        """Return what is done to every row."""
        if self.group is None:
            return transform
        from softmax_cli.prediction.grouped import group_transform

        return group_transform(transform, self.group)


def _is_untouched(group: object) -> bool:
    """Whether nothing of a group of options was typed."""
    return vars(group) == vars(type(group)())
