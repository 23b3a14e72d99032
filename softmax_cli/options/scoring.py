"""How scores become probabilities, apart from what concerns imbalance."""

import math
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from softmax_cli.errors import UsageError, check_choice
from softmax_cli.options.completion import column, one_of
from softmax_cli.options.imbalance import ImbalanceOptions
from softmax_cli.options.parser import Options

if TYPE_CHECKING:
    from softmax_cli.calibration.calibration import Calibration
    from softmax_cli.numeric.label_shift.em import PriorEstimate
    from softmax_cli.prediction.scorer import Emit, LogitStep, Scoring, Term
    from softmax_cli.stream.scores import ScoreTable
    from softmax_cli.tables.columns import Columns


PANEL = "Softmax"


class SoftmaxOptions(Options, panel=PANEL):
    """Temperature, activation, precision and truncation."""

    temperature: Annotated[
        float,
        typer.Option(
            "--temperature",
            "-T",
            metavar="T",
            help="Divides the logits: above 1 flattens the distribution, below 1 sharpens it; inf is uniform.",
        ),
    ] = 1.0
    temperature_column: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN", help="Take the temperature of each row from this column.", autocompletion=column
        ),
    ] = None
    activation: Annotated[
        str,
        typer.Option(
            help="softmax, sigmoid (multi-label: each class alone, no sum), sparsemax or entmax15 (exact zeros).",
            autocompletion=one_of("softmax", "sigmoid", "sparsemax", "entmax15"),
        ),
    ] = "softmax"
    dtype: Annotated[
        str | None,
        typer.Option(
            metavar="TYPE",
            help="Compute in float64 or float32; default: float32 for binary files that hold nothing wider.",
            autocompletion=one_of("float64", "float32"),
        ),
    ] = None
    top_p: Annotated[
        float | None,
        typer.Option(
            metavar="P", help="Keep the smallest set of best classes whose probability reaches P, and renormalise."
        ),
    ] = None
    min_p: Annotated[
        float | None,
        typer.Option(metavar="P", help="Keep classes with at least P times the largest probability, and renormalise."),
    ] = None

    def __post_init__(self) -> None:
        if not self.temperature > 0:
            raise UsageError(f"--temperature {self.temperature:g}: {_wrong_temperature(self.temperature)}")
        if self.temperature_column is not None and self.temperature != 1:
            raise UsageError("--temperature and --temperature-column exclude each other: choose one")
        if self.dtype not in (None, "float32", "float64"):
            raise UsageError(f"--dtype {self.dtype}: choose float32 or float64")
        if self.top_p is not None and not 0 < self.top_p <= 1:
            raise UsageError(f"--top-p {self.top_p:g}: expected a probability above 0 and up to 1")
        if self.min_p is not None and not 0 <= self.min_p <= 1:
            raise UsageError(f"--min-p {self.min_p:g}: expected a share from 0 to 1")
        if self.activation != "softmax" and not (self.top_p is None and self.min_p is None):
            raise UsageError(
                f"--top-p and --min-p cut a softmax distribution; --activation {self.activation} has none to cut"
            )

    def scoring(
        self,
        terms: "tuple[Term, ...]",
        emit: "tuple[Emit, ...]",
        top: int,
        remedies: "tuple[LogitStep, ...]" = (),
        calibration: "Calibration | None" = None,
        temperature_column: str | None = None,
    ) -> "Scoring":
        """Return the numeric half of a transform."""
        from softmax_cli.numeric.activations import ACTIVATIONS
        from softmax_cli.prediction.scorer import Adjustment, Scoring, Truncation

        check_choice("--activation", self.activation, ACTIVATIONS)
        scale = None if calibration is None else calibration.scale
        return Scoring(
            Adjustment(self.temperature, terms, remedies, scale, temperature_column),
            self.activation,
            Truncation(self.top_p, self.min_p),
            emit,
            top,
            None if calibration is None else calibration.sets,
        )

    @property
    def columns(self) -> dict[str, str | None]:
        """Return the columns that are named here, by the option."""
        return {"--temperature-column": self.temperature_column}

    def find_temperatures(self, columns: "Columns") -> str | None:
        """Return the column that holds the temperatures, which passes through; None: there is none."""
        if self.temperature_column is None:
            return None
        from softmax_cli.tables.typed_names import find_name

        return find_name("--temperature-column", self.temperature_column, columns.others)

    def precision(self, scores: "ScoreTable") -> str:
        """Return the type to compute in."""
        from softmax_cli.prediction.score_kinds import score_dtype

        return self.dtype or str(score_dtype(scores.table.schema, scores.columns))


def _wrong_temperature(temperature: float) -> str:
    if math.isnan(temperature):
        return "expected a number above 0"
    if temperature == 0:
        return "division by zero; T -> 0 puts everything on the largest logit, which --only-predictions gives"
    return "a negative temperature would turn the ranking of the classes around; expected a number above 0"


class RemedyOptions(Options, panel="Outlying logits (off by default; in this order, before the temperature)"):
    """Bounds on logits, and their scale."""

    clip_logits: Annotated[
        str | None,
        typer.Option(
            metavar="LO,HI", help="Move logits beyond LO or HI to that bound; several at one bound become equal."
        ),
    ] = None
    winsorize: Annotated[
        float | None,
        typer.Option(
            metavar="Q",
            help="Pull each row within its own Q and 1-Q quantiles (0 < Q < 0.5), between ranks linearly: from "
            "Q = 1/(K-1) on the best two of K classes become equal.",
        ),
    ] = None
    softcap: Annotated[
        float | None,
        typer.Option(metavar="C", help="C*tanh(z/C): never beyond +-C, almost z near 0, the order is kept."),
    ] = None
    standardize: Annotated[
        str | None,
        typer.Option(
            metavar="row",
            help="row: (z - mean)/deviation over the classes of each row; takes away how sure the model was of one "
            "row against another.",
            autocompletion=one_of("row"),
        ),
    ] = None

    def __post_init__(self) -> None:
        if self.winsorize is not None and not 0 < self.winsorize < 0.5:
            raise UsageError(f"--winsorize {self.winsorize:g}: expected a share above 0 and below 0.5, such as 0.05")
        if self.softcap is not None and not 0 < self.softcap < math.inf:
            raise UsageError(f"--softcap {self.softcap:g}: expected a finite number above 0, such as 30")
        if self.standardize not in (None, "row"):
            raise UsageError(f"--standardize {self.standardize}: only row is possible: over the classes of each row")
        if self.clip_logits is not None:
            self._bounds(self.clip_logits)

    def build(self, classes: tuple[str, ...]) -> "tuple[LogitStep, ...]":
        """Return the remedies in the order in which they are applied."""
        if all(value is None for value in vars(self).values()):
            return ()
        from softmax_cli.prediction import steps as remedies

        if self.standardize is not None and len(classes) < 3:
            raise UsageError("--standardize row: with two classes every row would become -1, 1; use --temperature")
        chosen: list[LogitStep] = []
        if self.clip_logits is not None:
            chosen.append(remedies.Clip(*self._bounds(self.clip_logits)))
        if self.winsorize is not None:
            chosen.append(remedies.Winsorize(self.winsorize))
        if self.softcap is not None:
            chosen.append(remedies.Softcap(self.softcap))
        if self.standardize is not None:
            chosen.append(remedies.Standardize())
        return tuple(chosen)

    def notes(self, classes: tuple[str, ...]) -> list[str]:
        """Return what is to be said about them."""
        notes = [remedy.step for remedy in self.build(classes)]
        equal = math.floor((self.winsorize or 0) * (len(classes) - 1))
        if equal:
            notes.append(
                f"--winsorize {self.winsorize:g}: of {len(classes)} classes the best {equal + 1} of a row become "
                "equal, and the first of them is predicted; a smaller Q keeps the order"
            )
        return notes

    @staticmethod
    def _bounds(given: str) -> tuple[float, float]:
        try:
            low, high = (float(part) for part in given.split(","))
        except ValueError:
            raise UsageError(f"--clip-logits {given}: expected two numbers, such as --clip-logits=-30,30") from None
        if not -math.inf < low < high < math.inf:
            raise UsageError(f"--clip-logits {given}: expected finite bounds, the lower one first")
        return low, high


class CalibrationOptions(Options, panel=PANEL):
    """The file that ``softmax-cli calibrate`` writes."""

    calibration: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Apply what softmax-cli calibrate has fitted, instead of --temperature. Adds set (a list of classes) "
            "and set_size, and withholds predictions, where the file holds thresholds for that.",
        ),
    ] = None

    def check(self, softmax: SoftmaxOptions) -> None:
        """Refuse, before anything is read, what a calibration excludes.

        Raises
        ------
        UsageError
            A temperature, another activation or float32 was given as well.
        """
        if self.calibration is None:
            return
        if softmax.temperature_column is not None:
            raise UsageError("--temperature-column and --calibration exclude each other: a calibration holds its own T")
        if softmax.temperature != 1:
            raise UsageError("--temperature and --calibration exclude each other: a calibration holds its own T")
        if softmax.activation != "softmax":
            raise UsageError(f"--calibration gives softmax probabilities; --activation {softmax.activation} gives none")
        if softmax.dtype == "float32":
            raise UsageError("--calibration was fitted in float64, and its thresholds hold there: drop --dtype float32")

    def load(
        self, columns: "Columns", terms: "tuple[Term, ...]", remedies: "tuple[LogitStep, ...]"
    ) -> "Calibration | None":
        """Read the file, and refuse a table, weights or remedies that it was not made for; None: there is none.

        Raises
        ------
        UsageError
            There is no such file, or weights or remedies differ.
        DataError
            It is no calibration, or the table has other classes.
        """
        if self.calibration is None:
            return None
        from softmax_cli.calibration.file import read_calibration

        found = read_calibration(self.calibration)
        found.check_classes(columns.classes)
        found.check_kind(columns.kind)
        found.check_remedies(remedies)
        found.check_terms(terms)
        return found

    def dtype(self, otherwise: str) -> str:
        """Return the type to compute in: a calibration and its thresholds are made of float64."""
        return otherwise if self.calibration is None else "float64"


class Chosen(NamedTuple):
    """What the options come to for one table."""

    scoring: "Scoring"
    calibration: "Calibration | None"
    notes: list[str]
    """What the user is to be reported."""


class ScoringOptions(Options):
    """Remedies, temperature and activation, or a calibration, and corrections for imbalance."""

    remedies: RemedyOptions
    softmax: SoftmaxOptions
    calibration: CalibrationOptions
    imbalance: ImbalanceOptions

    def __post_init__(self) -> None:
        self.calibration.check(self.softmax)

    def build(self, columns: "Columns", emit: "tuple[Emit, ...]", top: int, estimate: "PriorEstimate | None") -> Chosen:
        """Return the numeric half of a transform, and what belongs to it.

        Parameters
        ----------
        estimate : PriorEstimate or None
            What --estimate-prior has found; None: nothing yet.
        """
        terms, notes = self.imbalance.build(columns.classes, self.softmax.activation, estimate)
        steps = self.remedies.build(columns.classes)
        calibration = self.calibration.load(columns, terms, steps)
        column = self.softmax.find_temperatures(columns)
        scoring = self.softmax.scoring(terms, emit, top, steps, calibration, column)
        return Chosen(scoring, calibration, [*self.remedies.notes(columns.classes), *notes])

    def before_prior(self, columns: "Columns") -> "Scoring":
        """Return what comes before the prior, for --estimate-prior; refuses what does not go together."""
        calibration = self.build(columns, ("prob",), 0, None).calibration
        terms, _ = self.imbalance.before_prior().build(columns.classes, self.softmax.activation)
        column = self.softmax.find_temperatures(columns)
        return self.softmax.scoring(terms, ("prob",), 0, self.remedies.build(columns.classes), calibration, column)

    def dtype(self, scores: "ScoreTable") -> str:
        """Return the type to compute in."""
        return self.calibration.dtype(self.softmax.precision(scores))
