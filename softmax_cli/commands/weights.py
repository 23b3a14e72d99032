"""``softmax-cli weights``: class weights from training labels."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from softmax_cli.display.talk import tell
from softmax_cli.options.weighting import WeightingOptions

if TYPE_CHECKING:
    from softmax_cli.runs.weighting import ClassWeights

USES = {
    "weight": "predict -w {file} multiplies by them and renormalises; a model that was trained with them carries them "
    "already: predict --undo-class-weights {file} takes them out",
    "prior": "predict --source-prior {file} says what the model was trained on; add --target-prior or --logit-adjust",
}


def weights(weighting: WeightingOptions) -> None:
    """Compute class weights from training labels: what they are, and what they will do.

    A weight multiplies the probability of its class, so above 1 it raises the
    class: log w is added to the logit, which is never multiplied. On a terminal
    a table is shown; in a pipe the weights are written as CSV.
    """
    from softmax_cli.runs.weighting import class_weights

    weighting.check()
    found = class_weights(weighting.labels, weighting.label, weighting.rule(), weighting.column)
    if weighting.output is not None:
        found.write(weighting.output, weighting.force)
    _report(found, weighting)
    if not weighting.quiet:
        tell(USES[found.column].format(file=weighting.output or "FILE"))


def _report(found: ClassWeights, weighting: WeightingOptions) -> None:
    if weighting.shows_table:
        from softmax_cli.display.console import make_console
        from softmax_cli.display.weighting import show_weights

        show_weights(make_console(sys.stdout, weighting.colors), found)
    elif weighting.json or weighting.output is None:
        import json

        from softmax_cli.sinks import standard_output

        told = json.dumps(found.to_json(), indent=1, ensure_ascii=False).encode() + b"\n"
        with standard_output() as out:
            out.write(told if weighting.json else found.to_csv())
