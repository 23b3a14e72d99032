"""``softmax-cli sample``: actions drawn from the distribution of every row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from softmax_cli.commands._scored import plan, print_report, write
from softmax_cli.errors import UsageError
from softmax_cli.options.imbalance import estimated_prior
from softmax_cli.options.output import OutputOptions, PartsOptions
from softmax_cli.options.parser import Options
from softmax_cli.options.run import RunOptions, check_seed
from softmax_cli.options.scoring import ScoringOptions
from softmax_cli.options.source import SourceOptions
from softmax_cli.terminal.messages import print_plan

if TYPE_CHECKING:
    from softmax_cli.prediction.scorer import Scoring


RANK = 7
FIRST = ("draws", "seed", "temperature", "temperature_column", "top_k", "top_p", "epsilon", "output", "format", "quiet")
EXAMPLES = (
    ("softmax-cli sample logits.csv --seed 7 -o actions.csv", "an action for each row, with its probability"),
    ("softmax-cli sample logits.csv -n 5 -T 0.7 --top-p 0.9", "five each, from the best classes"),
    (
        "softmax-cli sample q.parquet --epsilon 0.05 -o log.parquet",
        "explore in 5 % of the rows; prob is the propensity",
    ),
)


class SampleOptions(Options, panel="Draws"):
    """How many, from which classes, with which seed."""

    draws: Annotated[int, typer.Option("--draws", "-n", min=1, help="Actions for each row, a row of output each.")] = 1
    seed: Annotated[
        int,
        typer.Option(
            min=0,
            help="Below 2^64. The draw of a row depends on the seed and the number of the row alone, whatever the "
            "threads, batches and engine.",
        ),
    ] = 0
    no_replacement: Annotated[
        bool,
        typer.Option(
            "--no-replacement", help="Draw no class twice for a row; prob is that among the classes that were left."
        ),
    ] = False
    top_k: Annotated[int | None, typer.Option("--top-k", "-k", min=1, help="Draw among the K best classes.")] = None
    epsilon: Annotated[
        float,
        typer.Option(
            metavar="E", help="Share of exploration, 0 to 1: (1 - E) p + E / the number of classes that are not masked."
        ),
    ] = 0.0

    def __post_init__(self) -> None:
        check_seed(self.seed)
        if not 0 <= self.epsilon <= 1:
            raise UsageError(f"--epsilon {self.epsilon:g}: expected a share from 0 to 1, such as 0.05")

    def scoring(self, scoring: Scoring, classes: int) -> Scoring:
        """Return what is computed, with the draws."""
        from softmax_cli.prediction.steps import Draws

        if self.no_replacement and self.draws > classes:
            raise UsageError(f"--draws {self.draws} --no-replacement: there are {classes} classes to draw from")
        draws = Draws(self.draws, self.seed, not self.no_replacement, self.epsilon)
        truncation = scoring.truncation._replace(top_k=self.top_k)
        return scoring._replace(truncation=truncation, draws=draws, sets=None)


def sample(
    source: SourceOptions,
    scoring: ScoringOptions,
    sampling: SampleOptions,
    output: OutputOptions,
    parts: PartsOptions,
    run: RunOptions,
) -> None:
    """Draw actions from the softmax of every row, streaming.

    Writes action, prob (the propensity: after temperature, truncation and
    exploration) and log_prob (nats). A masked class (-inf) is never drawn.
    """
    from softmax_cli.prediction.layout import DRAWS, Layout
    from softmax_cli.prediction.transform import build_transform
    from softmax_cli.stream.scores import open_scores

    if scoring.softmax.activation == "sigmoid":
        raise UsageError("--activation sigmoid gives every class alone a probability; an action is drawn from one")
    inputs = source.resolve(None, scoring.softmax.columns)
    target = output.resolve(inputs, parts, run)
    estimate = estimated_prior(inputs, scoring, run, parts.engine)
    with open_scores(inputs) as scores:
        columns = scores.columns
        chosen = scoring.build(columns, ("prob", "logprob"), 0, estimate)
        drawn = sampling.scoring(chosen.scoring, len(columns.classes))
        transform = build_transform(columns, drawn, Layout(DRAWS), scoring.dtype(scores), run.policy)
        if run.dry_run:
            print_plan(plan(scores, transform, target))
            return
        finished = write(scores, transform, target, run, (*chosen.notes, *output.notes()))
        if output.json:
            print_report("sample", finished, scores, transform)


PYTHON = sample
