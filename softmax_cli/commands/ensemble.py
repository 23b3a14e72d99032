"""``softmax-cli ensemble``: several models as one, and how far they disagree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from softmax_cli.commands._joined import check_count, conclude, inputs_of, open_tables, together
from softmax_cli.commands._scored import build, plan, write
from softmax_cli.errors import UsageError, check_choice
from softmax_cli.options.completion import one_of
from softmax_cli.options.decisions import DecisionOptions
from softmax_cli.options.output import OutputOptions, PartsOptions, ResultOptions
from softmax_cli.options.parser import Options
from softmax_cli.options.run import RunOptions
from softmax_cli.options.source import SourceOptions, TruthOptions
from softmax_cli.terminal.messages import print_plan

if TYPE_CHECKING:
    from softmax_cli.evaluation.ensemble_summary import EnsembleSummary
    from softmax_cli.prediction.members.ensemble import Pool
    from softmax_cli.prediction.members.joining import Members
    from softmax_cli.prediction.parts.manifest import Folder
    from softmax_cli.prediction.run import Target
    from softmax_cli.stream.scores import Inputs


RANK = 6
FIRST = ("pool", "weights", "fit_weights", "label", "labels", "output", "format", "top_k", "json", "quiet")
EXAMPLES = (
    ("softmax-cli ensemble a.parquet b.parquet c.csv -o out.parquet", "the mean of the probabilities, by id"),
    ("softmax-cli ensemble a.csv b.csv --pool logit --weights 2,1", "softmax of the weighted mean logits"),
    ("softmax-cli ensemble a.csv b.csv --label y --fit-weights -o out.csv", "the weights with the least log loss"),
)
POOLS = ("linear", "log", "logit")


class PoolOptions(Options, panel="Pool"):
    """The kind of mean, and the weights."""

    pool: Annotated[
        str,
        typer.Option(
            help="linear (mean of probabilities), log (normalised geometric mean) or logit (mean of logits, which "
            "gives what log gives).",
            autocompletion=one_of(*POOLS),
        ),
    ] = "linear"
    weights: Annotated[str | None, typer.Option(metavar="W,W,...", help="A weight for each table, such as 2,1,1.")] = (
        None
    )
    fit_weights: Annotated[
        bool,
        typer.Option(
            "--fit-weights",
            help="Take the weights with the least log loss on the rows with a truth. Reads the input twice; use "
            "held-out rows, and give the others what is found with --weights.",
        ),
    ] = False

    def __post_init__(self) -> None:
        check_choice("--pool", self.pool, POOLS)
        if self.weights is not None and self.fit_weights:
            raise UsageError("--weights and --fit-weights exclude each other: choose one")

    def check(self, tables: int) -> None:
        """Refuse, before anything is read, what does not go together."""
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
        from softmax_cli.prediction.members.ensemble import Pool, fit_weights

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
    parts: PartsOptions,
    run: RunOptions,
) -> None:
    """Pool tables of scores of the same rows into one table of probabilities.

    Rows are joined by id, in any order (up to 2 GB of rows wait for theirs), or
    by position where a table has no ids; classes by name. Adds vote_entropy,
    mutual_information (nats) and agreement (of the pairs of tables). --input
    logits,prob says of each table what its scores are. With -o FOLDER/, the
    first file of each table is pooled with the first of the others, and so on,
    side by side; without ids, also the same row groups of large Parquet files.
    """
    from softmax_cli.evaluation.ensemble_summary import EnsembleSummary
    from softmax_cli.prediction.members.ensemble import pooled_table
    from softmax_cli.prediction.members.member_parts import merging
    from softmax_cli.prediction.scorer import Scoring

    check_count(source.paths, "ensemble")
    pooling.check(len(source.paths))
    decisions.check(result.layout, result.threshold, "softmax")
    inputs = inputs_of(source, truths)
    target = output.resolve(together(inputs), parts, run)
    pool = _fitted(source, inputs, pooling, run) if pooling.fit_weights and not run.dry_run else None
    found: list[EnsembleSummary] = []
    keep = merging(found)
    with open_tables(source, inputs, run) as members:
        pool = pool or pooling.replaced(fit_weights=False).build(members, run.workers)
        scores = pooled_table(members, pool, run.workers, EnsembleSummary.of, keep)
        asked = Scoring(emit=result.emitted(), top=result.top_k or 0)
        if target.in_parts:
            target = _by_part(target, inputs, members, pool)
        transform = replace(build(scores, asked, result, decisions, target, "float64", run), before=(pool.step,))
        if run.dry_run:
            print_plan(plan(scores, transform, target))
            return
        notes = (*result.notes(len(transform.classes)), *output.notes())
        finished = write(scores, transform, target, run, (pool.step, *notes))
        checks = [*members.checks]
        for part in finished.beside:
            checks = [check.plus(other) for check, other in zip(checks, part.checks, strict=True)]
            for summary in part.measured:
                keep(summary)
        conclude(run, members, checks)
    if output.json:
        from softmax_cli.evaluation.ensemble_summary import ensemble_json
        from softmax_cli.stream.outputs import print_json

        print_json(found[0].to_json(members.names, pool) if found else ensemble_json(members.names, pool))
    for summary in found:
        run.say(*summary.lines(members.names))


def _fitted(source: SourceOptions, inputs: Sequence[Inputs], pooling: PoolOptions, run: RunOptions) -> Pool:
    """Read the tables a first time, for their weights."""
    from softmax_cli.stream.inputs import make_rereadable

    rewind = make_rereadable(source.paths, "--fit-weights")
    with open_tables(source, inputs, run.replaced(quiet=True)) as members:
        pool = pooling.build(members, run.workers)
    rewind()
    return pool


def _by_part(target: Target, inputs: Sequence[Inputs], members: Members, pool: Pool) -> Folder:
    """Return a folder whose parts are pooled each by itself."""
    from softmax_cli.evaluation.ensemble_summary import EnsembleSummary
    from softmax_cli.prediction.members.member_parts import MeasuredUnit, MemberUnits, PooledUnit
    from softmax_cli.prediction.parts.manifest import Folder

    assert isinstance(target, Folder), "nothing else is made in parts"
    reading = MemberUnits.of(inputs, members)
    return replace(
        target,
        workers=target.workers._replace(units=reading.units()),
        reading=reading,
        make=partial(PooledUnit, pool=pool, measure=EnsembleSummary.of),
        measure_again=MeasuredUnit(reading, pool, EnsembleSummary.of),
    )


PYTHON = ensemble
