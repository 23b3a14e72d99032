"""Which weights are computed from which labels, and how they are given."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from softmax_cli.errors import UsageError, check_choice
from softmax_cli.options.completion import column, one_of
from softmax_cli.options.pictures import PasteOptions, PlotOptions
from softmax_cli.options.run import TalkOptions
from softmax_cli.terminal.messages import print_message

if TYPE_CHECKING:
    from softmax_cli.numeric.class_weights import Rule
    from softmax_cli.weighting.report import ClassWeights


RANK = 5
FIRST = ("method", "output", "label", "json", "quiet")
EXAMPLES = (
    ("softmax-cli weights train_labels.csv -o weights.csv", "n / (K n_i), from labels or counts"),
    ("softmax-cli predict logits.csv -w weights.csv", "score with them"),
    ("softmax-cli weights counts.csv --method effective-number", "Cui et al. 2019"),
)


METHODS = ("balanced", "inverse-sqrt", "effective-number", "log-prior", "prior")


class WeightingOptions(TalkOptions):
    """Labels, method, target."""

    labels: Annotated[
        str,
        typer.Argument(
            metavar="FILE",
            help="Training labels, one row an example, or a table of classes and counts; never the file that is "
            "to be scored.",
        ),
    ]
    label: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="The column of labels; default: found by its name.", autocompletion=column),
    ] = None
    method: Annotated[
        str,
        typer.Option(
            help="balanced: n/(K n_i); inverse-sqrt: half as strong; effective-number: Cui et al. 2019, with --beta; "
            "log-prior: logit adjustment, with --tau; prior: the plain shares, for --source-prior.",
            autocompletion=one_of(*METHODS),
        ),
    ] = "balanced"
    beta: Annotated[
        float | None,
        typer.Option(help="For effective-number: 0 weighs all alike, near 1 is the inverse frequency; default: 0.999."),
    ] = None
    tau: Annotated[
        float | None,
        typer.Option(help="For log-prior: 0 changes nothing, 1 equals a uniform target prior; default: 1."),
    ] = None
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write class,weight as CSV, which predict -w reads."),
    ] = None
    json: Annotated[bool, typer.Option("--json", help="Print JSON, for a program.")] = False
    table: Annotated[bool, typer.Option("--table", help="Print the table in a pipe, too (default: class,weight).")] = (
        False
    )
    force: Annotated[bool, typer.Option("--force", help="Write over an existing file.")] = False

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice("--method", self.method, METHODS)
        if self.beta is not None and self.method != "effective-number":
            raise UsageError("--beta belongs to --method effective-number")
        if self.beta is not None and not 0 <= self.beta < 1:
            raise UsageError(f"--beta {self.beta:g}: expected a number from 0 to below 1, such as 0.999")
        if self.tau is not None and self.method != "log-prior":
            raise UsageError("--tau belongs to --method log-prior")
        if self.tau is not None and not math.isfinite(self.tau):
            raise UsageError(f"--tau {self.tau:g}: expected a finite number; 1 equals a uniform target prior")
        if self.json and self.table:
            raise UsageError("--json and --table exclude each other")

    def check(self) -> None:
        """Refuse, before anything is read, a target that cannot be written."""
        from softmax_cli.storage.writing import check_target

        if self.output is not None:
            check_target(self.output, [self.labels], self.force)

    def rule(self) -> Rule:
        """Return how weights follow from counts."""
        from softmax_cli.numeric import class_weights

        choices: dict[str, Rule] = {
            "balanced": class_weights.Balanced(),
            "inverse-sqrt": class_weights.InverseSquareRoot(),
            "effective-number": class_weights.EffectiveNumber(0.999 if self.beta is None else self.beta),
            "log-prior": class_weights.LogPrior(1.0 if self.tau is None else self.tau),
            "prior": class_weights.Prior(),
        }
        return choices[self.method]

    @property
    def shows_table(self) -> bool:
        """Whether a person reads the standard output."""
        return self.table or (sys.stdout.isatty() and not self.json)

    @property
    def column(self) -> str:
        """Return what the computed values are."""
        return "prior" if self.method == "prior" else "weight"


USES = {
    "weight": "predict -w {file} multiplies by them and renormalises; a model that was trained with them carries them "
    "already: predict --undo-class-weights {file} takes them out",
    "prior": "predict --source-prior {file} says what the model was trained on; add --target-prior or --logit-adjust",
}


def weights(weighting: WeightingOptions, pasting: PasteOptions, pictures: PlotOptions) -> None:
    """Compute class weights from training labels: what they are, and what they will do.

    A weight multiplies the probability of its class, so above 1 it raises the
    class: log w is added to the logit, which is never multiplied. On a terminal
    a table is shown; in a pipe the weights are written as CSV.
    """
    pasting.check_format(weighting.json)
    found = computed(weighting, pictures)
    _report(found, weighting, pasting.format)  # last: a closed pipe (| head) ends the run here
    if found.missing:
        weighting.say(f"{found.missing:,} {'row has' if found.missing == 1 else 'rows have'} no label: left out")
    if not weighting.quiet:
        print_message(USES[found.column].format(file=weighting.output or "FILE"))


def computed(weighting: WeightingOptions, pictures: PlotOptions) -> ClassWeights:
    """Compute, write and draw what was asked for, and return what was found."""
    from softmax_cli.weighting.report import class_weights

    weighting.check()
    pictures.check([weighting.labels], weighting.force, [weighting.output])
    found = class_weights(weighting.labels, weighting.label, weighting.rule(), weighting.column)
    if weighting.output is not None:
        found.write(weighting.output, weighting.force)
    if pictures.plot is not None:
        from softmax_cli.weighting.pictures import write_weight_plots

        write_weight_plots(found, pictures.plot, weighting.force)
    return found


def _report(found: ClassWeights, weighting: WeightingOptions, markup: str | None) -> None:
    if markup is not None:
        from softmax_cli.page.report import print_tables, table

        columns = ("class", "count", "share", found.column, "effect")
        title = f"{found.column} = {found.formula}"
        print_tables([table("weights", title, "", columns, found.cells())], markup)
    elif weighting.shows_table:
        from softmax_cli.terminal.console import make_console
        from softmax_cli.weighting.screen import show_weights

        show_weights(make_console(sys.stdout, weighting.colors), found)
    elif weighting.json or weighting.output is None:
        from softmax_cli.storage.writing import standard_output
        from softmax_cli.stream.outputs import json_bytes

        with standard_output() as out:
            out.write(json_bytes(found.to_json()) if weighting.json else found.to_csv())


PYTHON = computed
