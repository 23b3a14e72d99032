"""The first pass that ``--estimate-prior`` takes over the input, with everything that comes before the prior."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING

from softmax_cli.options.run import RunOptions
from softmax_cli.options.scoring import ScoringOptions
from softmax_cli.options.source import SourceOptions

if TYPE_CHECKING:
    from softmax_cli.numeric.em import PriorEstimate
    from softmax_cli.units.fleet import Fleet


def estimated_prior(
    source: SourceOptions, scoring: ScoringOptions, run: RunOptions, find_fleet: Callable[[], Fleet | None]
) -> PriorEstimate | None:
    """Estimate the prior of the input, tell what was found, and leave the input to be read again.

    Parameters
    ----------
    find_fleet : callable
        Says who scores the input, None for this process; asked only where there is something to estimate.

    Returns
    -------
    PriorEstimate or None
        None: it was not asked for, or this is a dry run.
    """
    imbalance = scoring.imbalance
    if not imbalance.estimate_prior or run.dry_run:
        return None
    from softmax_cli.display.progress import progress
    from softmax_cli.perclass.imbalance import read_prior
    from softmax_cli.runs import priorestimation
    from softmax_cli.runs.scoring import Listeners, score_table
    from softmax_cli.sources.rereading import make_rereadable

    fleet = find_fleet()
    rewind = make_rereadable(source.paths, priorestimation.FLAG)
    with source.open() as opened:
        classes = opened.columns.classes
        before = scoring.before_prior(opened.columns)
        transform = priorestimation.probabilities_transform(opened.columns, before, run.on_bad_row != "error")
        prior = read_prior("--source-prior", imbalance.source_prior or "", classes, [])
        with ExitStack() as closing:
            kept = closing.enter_context(priorestimation.kept_probabilities(len(classes)))
            advance = closing.enter_context(progress(opened.table.size, not run.quiet, run.colors))
            listeners = Listeners(advance, lambda rejects: None)
            if fleet is None:
                score_table(opened.table, transform, kept, run.workers, listeners)
            else:
                from softmax_cli.units.priorestimation import keep_units

                keep_units(fleet, source.reading(opened), transform, kept, listeners)
            found = priorestimation.estimate_from(kept, prior)
    rewind()
    run.say(*priorestimation.report(found, classes))
    for warning in priorestimation.warnings(found):
        run.warn(warning)
    return found
