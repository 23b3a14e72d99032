"""``softmax-cli ensemble``: several models as one, and how far they disagree."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

import typer

from softmax_cli.commands._joined import check_count, open_tables
from softmax_cli.commands._scored import build, plan, write
from softmax_cli.errors import UsageError, check_choice
from softmax_cli.options.completion import one_of
from softmax_cli.options.decisions import DecisionOptions
from softmax_cli.options.output import OutputOptions, ResultOptions
from softmax_cli.options.run import RunOptions
from softmax_cli.options.source import SourceOptions, TruthOptions
from softmax_cli.terminal.messages import print_plan

if TYPE_CHECKING:
    from softmax_cli.evaluation.pooled import EnsembleSummary
    from softmax_cli.prediction.ensemble import Pool
    from softmax_cli.prediction.members import Members


RANK = 6
FIRST = ("pool", "weights", "fit_weights", "label", "labels", "output", "format", "top_k", "json", "quiet")
EXAMPLES = (
    ("softmax-cli ensemble a.parquet b.parquet c.csv -o out.parquet", "the mean of the probabilities, by id"),
    ("softmax-cli ensemble a.csv b.csv --pool logit --weights 2,1", "softmax of the weighted mean logits"),
    ("softmax-cli ensemble a.csv b.csv --label y --fit-weights -o out.csv", "the weights with the least log loss"),
)
PANEL = "Pool"
POOLS = ("linear", "log", "logit")


@dataclass(frozen=True)
class PoolOptions:
    """The kind of mean, and the weights."""

    pool: Annotated[
        str,
        typer.Option(
            help="linear (mean of probabilities), log (normalised geometric mean) or logit (mean of logits, which "
            "gives what log gives).",
            rich_help_panel=PANEL,
            autocompletion=one_of(*POOLS),
        ),
    ] = "linear"
    weights: Annotated[
        str | None,
        typer.Option(metavar="W,W,...", help="A weight for each table, such as 2,1,1.", rich_help_panel=PANEL),
    ] = None
    fit_weights: Annotated[
        bool,
        typer.Option(
            "--fit-weights",
            help="Take the weights with the least log loss on the rows with a truth. Reads the input twice; use "
            "held-out rows, and give the others what is found with --weights.",
            rich_help_panel=PANEL,
        ),
    ] = False
    json: Annotated[
        bool,
        typer.Option(
            "--json", help="Print weights and figures as JSON; the rows need -o FILE then.", rich_help_panel=PANEL
        ),
    ] = False

    def __post_init__(self) -> None:
        check_choice("--pool", self.pool, POOLS)
        if self.weights is not None and self.fit_weights:
            raise UsageError("--weights and --fit-weights exclude each other: choose one")

    def check(self, tables: int, output: OutputOptions) -> None:
        """Refuse, before anything is read, what does not go together."""
        if self.json and output.path is None:
            raise UsageError("--json prints the figures on standard output: give the rows a file with -o FILE")
        self._typed(tables)

    def _typed(self, tables: int) -> list[float] | None:
        if self.weights is None:
            return None
        try:
            typed = [float(part) for part in self.weights.split(",")]
        except ValueError:
            raise UsageError(f"--weights {self.weights}: expected numbers, such as --weights 2,1,1") from None
        if len(typed) != tables or not all(0 <= weight < float("inf") for weight in typed) or not sum(typed):
            raise UsageError(f"--weights {self.weights}: expected {tables} numbers from 0, one a table, not all 0")
        return typed

    def build(self, members: Members, threads: int) -> Pool:
        """Return how the tables are put together; --fit-weights reads them for it."""
        import numpy as np

        from softmax_cli.numeric.distributions.pooling import equal_weights
        from softmax_cli.prediction.ensemble import Pool, fit_weights

        if self.fit_weights:
            return Pool(self.pool, fit_weights(members, self.pool, threads).weights)
        typed = self._typed(len(members.tables))
        if typed is None:
            return Pool(self.pool, equal_weights(len(members.tables)))
        return Pool(self.pool, np.array(typed) / sum(typed))


def ensemble(
    source: SourceOptions,
    truths: TruthOptions,
    pooling: PoolOptions,
    result: ResultOptions,
    decisions: DecisionOptions,
    output: OutputOptions,
    run: RunOptions,
) -> None:
    """Pool tables of scores of the same rows into one table of probabilities.

    Rows are joined by id, in any order (up to 2 GB of rows wait for theirs), or
    by position where a table has no ids; classes by name. Adds vote_entropy,
    mutual_information (nats) and agreement (of the pairs of tables).
    """
    from softmax_cli.evaluation.pooled import EnsembleSummary
    from softmax_cli.prediction.ensemble import pooled_table
    from softmax_cli.prediction.scorer import Scoring
    from softmax_cli.stream.inputs import make_rereadable

    check_count(source.paths, "ensemble")
    pooling.check(len(source.paths), output)
    decisions.check(result.layout, result.threshold, "softmax")
    target = output.resolve_whole(source.paths)
    found: list[EnsembleSummary] = []

    def keep(part: EnsembleSummary) -> None:
        found[:] = [found[0].plus(part) if found else part]

    rewind = make_rereadable(source.paths, "--fit-weights") if pooling.fit_weights else lambda: None
    pool = None
    if pooling.fit_weights and not run.dry_run:
        with open_tables(source, truths, replace(run, quiet=True), wants_truth=True) as members:
            pool = pooling.build(members, run.workers)
        rewind()
    with open_tables(source, truths, run, wants_truth=True) as members:
        pool = pool or replace(pooling, fit_weights=False).build(members, run.workers)
        scores = pooled_table(members, pool, run.workers, EnsembleSummary.of, keep)
        asked = Scoring(emit=result.emitted(), top=result.top_k or 0)
        transform = replace(build(scores, asked, result, decisions, target, "float64", run), before=(pool.step,))
        if run.dry_run:
            print_plan(plan(scores, transform, target))
            return
        notes = (*result.notes(len(transform.classes)), *output.notes())
        write(scores, transform, target, run, (pool.step, *notes))
        for table in members.tables:
            run.conclude(table)
    for summary in found:
        if pooling.json:
            from softmax_cli.stream.outputs import print_json

            print_json(summary.to_json(members.names, pool))
        run.say(*summary.lines(members.names))


PYTHON = ensemble
