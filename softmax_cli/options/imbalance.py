"""Class weights and priors: corrections for classes that were, or will be, unequally frequent."""

from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated

import typer

from softmax_cli.errors import UsageError, check_choice, listed
from softmax_cli.options.completion import class_values, one_of
from softmax_cli.options.parser import Options

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from softmax_cli.numeric.label_shift.em import PriorEstimate
    from softmax_cli.options.run import EngineOptions, RunOptions
    from softmax_cli.options.scoring import ScoringOptions
    from softmax_cli.prediction.bad_rows import Policy
    from softmax_cli.prediction.scorer import Term
    from softmax_cli.stream.scores import Inputs
    from softmax_cli.weighting.prior import Confusion


PRIOR_METHODS = ("em", "bbse", "rlls")


class ImbalanceOptions(Options, panel="Imbalanced classes"):
    """Terms that are added to the log-probabilities of the classes, after the temperature."""

    class_weights: Annotated[
        str | None,
        typer.Option(
            "--class-weights",
            "-w",
            metavar="WEIGHTS",
            help="Multiply probabilities by a weight and renormalise: cat=4,dog=1 (raises cat x4; unlisted: 1; 0 "
            "leaves a class out), a CSV or JSON file, or balanced:FILE with training labels or counts: n/(K n_i) "
            "raises rare classes.",
            autocompletion=class_values("balanced:"),
        ),
    ] = None
    undo_class_weights: Annotated[
        str | None,
        typer.Option(
            metavar="WEIGHTS",
            help="Divide by the weights that the model was trained with, given in the same forms.",
            autocompletion=class_values("balanced:"),
        ),
    ] = None
    source_prior: Annotated[
        str | None,
        typer.Option(
            metavar="PRIOR",
            help="How frequent the classes were in training: counts or shares as cat=900,dog=100, a file, "
            "file:column, or uniform.",
            autocompletion=class_values("uniform"),
        ),
    ] = None
    target_prior: Annotated[
        str | None,
        typer.Option(
            metavar="PRIOR",
            help="How frequent they are where the model is used; multiplies by target/source and renormalises.",
            autocompletion=class_values("uniform"),
        ),
    ] = None
    kept_share: Annotated[
        str | None,
        typer.Option(
            metavar="SHARES",
            help="Undo undersampling: cat=0.1 says that 10 % of cat's training rows were kept (unlisted: all).",
            autocompletion=class_values(),
        ),
    ] = None
    logit_adjust: Annotated[
        float | None,
        typer.Option(
            metavar="TAU",
            help="Subtract TAU*log(source prior) (Menon et al. 2021): optimises the balanced error; what comes out "
            "is not a calibrated probability for the training population.",
        ),
    ] = None
    estimate_prior: Annotated[
        bool,
        typer.Option(
            "--estimate-prior",
            help="Estimate the target prior from all rows by EM (Saerens et al. 2002), starting at --source-prior. "
            "Calibrate first: EM believes an over-confident model. Reads the input twice.",
        ),
    ] = False
    prior_method: Annotated[
        str,
        typer.Option(
            metavar="METHOD",
            help="How --estimate-prior does it: em; bbse, which solves the confusion matrix of --validation (Lipton et "
            "al. 2018) and needs no calibrated model; or rlls, which keeps that solution near no change "
            "(Azizzadenesheli et al. 2019). Each with standard errors.",
            autocompletion=one_of(*PRIOR_METHODS),
        ),
    ] = "em"
    validation: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="For bbse and rlls: labelled rows like those that the model was trained on, but not the same ones, to "
            "count which classes it confuses.",
        ),
    ] = None
    allow_both: Annotated[
        bool, typer.Option("--allow-both", help="Let two corrections for the same imbalance add up.")
    ] = False

    def __post_init__(self) -> None:
        typed = {
            "--class-weights": self.class_weights is not None,
            "--target-prior": self.target_prior is not None,
            "--kept-share": self.kept_share is not None,
            "--logit-adjust": self.logit_adjust is not None,
            "--estimate-prior": self.estimate_prior,
        }
        both = [flag for flag, given in typed.items() if given]
        if len(both) > 1 and not self.allow_both:
            raise UsageError(
                f"{' and '.join(both)} each correct for imbalance, and together correct twice; "
                "drop one, or add --allow-both"
            )
        if self.target_prior is not None and self.source_prior is None:
            raise UsageError("--target-prior needs --source-prior: what the model was trained on (uniform is possible)")
        if self.logit_adjust is not None and self.source_prior is None:
            raise UsageError("--logit-adjust needs --source-prior: the class frequencies of the training data")
        if self.estimate_prior and self.target_prior is not None:
            raise UsageError("--estimate-prior finds what --target-prior says: drop one")
        if self.estimate_prior and self.source_prior is None:
            raise UsageError("--estimate-prior needs --source-prior: what the model was trained on, to start from")
        check_choice("--prior-method", self.prior_method, PRIOR_METHODS)
        if not self.estimate_prior and (self.prior_method != "em" or self.validation is not None):
            flag = "--validation" if self.validation is not None else f"--prior-method {self.prior_method}"
            raise UsageError(f"{flag} is about an estimated prior: add --estimate-prior")
        if (self.prior_method == "em") != (self.validation is None):
            raise UsageError(
                "--validation is for --prior-method bbse or rlls; em needs no labels"
                if self.prior_method == "em"
                else f"--prior-method {self.prior_method} needs labelled rows: add --validation val.csv"
            )
        used = self.target_prior is not None or self.logit_adjust is not None or self.estimate_prior
        if self.source_prior is not None and not used:
            raise UsageError(
                "--source-prior changes nothing by itself: add --target-prior, --estimate-prior or --logit-adjust"
            )

    def before_prior(self) -> "ImbalanceOptions":
        """Return the corrections that come before those for priors: what --estimate-prior starts from."""
        return ImbalanceOptions(
            class_weights=self.class_weights, undo_class_weights=self.undo_class_weights, allow_both=self.allow_both
        )

    def build(
        self, classes: tuple[str, ...], activation: str, estimate: "PriorEstimate | None" = None
    ) -> "tuple[tuple[Term, ...], list[str]]":
        """Return the terms in the order of the contract, and what the user is to be reported about them.

        Parameters
        ----------
        estimate : PriorEstimate or None
            What --estimate-prior has found; None: nothing yet.
        """
        given = (self.class_weights, self.undo_class_weights, self.source_prior, self.kept_share)
        if given == (None,) * len(given) and not self.estimate_prior:
            return (), []
        from softmax_cli.weighting import logit_terms

        notes: list[str] = []
        terms: list[Term] = []
        if activation == "sigmoid" and (self.source_prior is not None or self.kept_share is not None):
            raise UsageError(
                "priors and kept shares are about classes that exclude each other; --activation sigmoid has none"
            )
        if self.class_weights is not None:
            terms.append(logit_terms.weight_term("--class-weights", self.class_weights, classes, notes))
        if self.undo_class_weights is not None:
            terms.append(
                logit_terms.weight_term("--undo-class-weights", self.undo_class_weights, classes, notes, undo=True)
            )
        if self.source_prior is not None:
            source = logit_terms.read_prior("--source-prior", self.source_prior, classes, notes)
            terms += self._prior_terms(source, classes, notes)
        if self.estimate_prior:
            terms.append(_estimated(classes, activation, estimate))
        if self.kept_share is not None:
            terms.append(logit_terms.kept_share_term("--kept-share", self.kept_share, classes))
        return tuple(terms), [*notes, *(f"{term.name}: {term.direction}" for term in terms)]

    def _prior_terms(self, source: "NDArray[np.float64]", classes: tuple[str, ...], notes: list[str]) -> "list[Term]":
        from softmax_cli.weighting import logit_terms

        terms = []
        if self.target_prior is not None:
            target = logit_terms.read_prior("--target-prior", self.target_prior, classes, notes)
            terms.append(logit_terms.prior_term("--target-prior", source, target, classes))
        if self.logit_adjust is not None:
            terms.append(logit_terms.logit_adjustment_term("--logit-adjust", source, self.logit_adjust, classes))
        return terms


def _estimated(classes: tuple[str, ...], activation: str, estimate: "PriorEstimate | None") -> "Term":
    from softmax_cli.weighting.prior import estimated_term, planned_term

    if activation != "softmax":
        raise UsageError(
            f"--estimate-prior weighs the probabilities of a softmax; --activation {activation} gives others"
        )
    return planned_term(classes) if estimate is None else estimated_term(estimate, classes)


def estimated_prior(
    inputs: "Inputs", scoring: "ScoringOptions", run: "RunOptions", engine: "EngineOptions"
) -> "PriorEstimate | None":
    """Estimate the prior of the input, report what was found, and leave the input to be read again.

    Returns
    -------
    PriorEstimate or None
        None: it was not asked for, or this is a dry run.
    """
    imbalance = scoring.imbalance
    if not imbalance.estimate_prior or run.dry_run:
        return None
    from softmax_cli.stream.inputs import make_rereadable
    from softmax_cli.stream.scores import open_scores
    from softmax_cli.tables.threads import Listeners
    from softmax_cli.terminal.progress import progress
    from softmax_cli.weighting import prior as prior_estimation
    from softmax_cli.weighting.logit_terms import read_prior

    workers = engine.resolve(inputs, run, announce=False)
    rewind = make_rereadable(inputs.paths, prior_estimation.FLAG)
    with open_scores(inputs._replace(truths=None)) as scores:
        classes = scores.columns.classes
        before = scoring.before_prior(scores.columns)
        policy: Policy = "error" if run.on_bad_row == "error" else "skip"
        transform = prior_estimation.probabilities_transform(scores.columns, before, policy)
        prior = read_prior("--source-prior", imbalance.source_prior or "", classes, [])
        confusion = None if imbalance.validation is None else _confusion(inputs, classes, scoring, run, engine)
        with ExitStack() as closing:
            kept = closing.enter_context(prior_estimation.kept_probabilities(len(classes)))
            advance = closing.enter_context(progress(scores.table.size, not run.quiet, run.colors))
            prior_estimation.keep_probabilities(workers.fleet(inputs, scores), transform, kept, Listeners(advance))
            found = prior_estimation.estimate_from(kept, prior, confusion)
    rewind()
    run.say(*prior_estimation.report(found, classes, confusion))
    for warning in prior_estimation.warnings(found):
        run.warn(warning)
    return found


def _confusion(
    inputs: "Inputs", classes: tuple[str, ...], scoring: "ScoringOptions", run: "RunOptions", engine: "EngineOptions"
) -> "Confusion":
    """Count which classes the model confuses in the labelled rows of --validation, scored as those of the input."""
    from softmax_cli.stream.inputs import input_files
    from softmax_cli.stream.scores import TruthSource, open_scores
    from softmax_cli.tables.threads import NOBODY
    from softmax_cli.weighting import prior as prior_estimation

    path = scoring.imbalance.validation or ""
    labelled = inputs._replace(files=input_files([path]), where=None, truths=TruthSource())
    workers = engine.resolve(labelled, run, announce=False)
    with open_scores(labelled) as scores:
        columns = scores.columns
        if columns.classes != classes:
            raise UsageError(
                f"--validation {path}: its classes are {listed(columns.classes)}, and those of the input are "
                f"{listed(classes)}: expected the same in the same order"
            )
        policy: Policy = "error" if run.on_bad_row == "error" else "null"
        before = scoring.before_prior(columns)
        transform = prior_estimation.probabilities_transform(columns, before, policy)
        truth = scores.required_truth(bool(workers.units))
        fleet = workers.fleet(labelled, scores)
        return prior_estimation.confusion_of(fleet, transform, truth, path, scoring.imbalance.prior_method, NOBODY)
