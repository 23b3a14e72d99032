"""What was typed is refused where it makes no sense, before anything is read; what makes sense becomes its step."""

import pickle

import numpy as np
import pyarrow as pa
import pytest

from softmax_cli.distributed.plan import UnitReader
from softmax_cli.errors import UsageError
from softmax_cli.options.coverage_and_risk import ThresholdOptions
from softmax_cli.options.decisions import DecisionOptions
from softmax_cli.options.imbalance import ImbalanceOptions
from softmax_cli.options.long_tables import LongOptions
from softmax_cli.options.metrics import MetricOptions
from softmax_cli.options.output import OutputOptions, PartsOptions, ResultOptions
from softmax_cli.options.pictures import EvaluationPictureOptions, PictureOptions, PlotOptions, write_page
from softmax_cli.options.run import EngineOptions, RunOptions
from softmax_cli.options.scoring import CalibrationOptions, RemedyOptions, ScoringOptions, SoftmaxOptions
from softmax_cli.options.source import SourceOptions
from softmax_cli.prediction.run import layout_in
from softmax_cli.stream.inputs import InputFile
from softmax_cli.stream.scores import Inputs, open_scores
from softmax_cli.tables.columns import Selection, resolve
from softmax_cli.tables.schema import is_string

CLASSES = ("cat", "dog", "cow")


@pytest.mark.parametrize(
    ("options", "given", "words"),
    [
        (SoftmaxOptions, {"temperature": 0.0}, "division by zero"),
        (MetricOptions, {"seed": 1 << 64}, "expected a whole number below 2"),
        (MetricOptions, {"bootstrap": 39}, "95 % limits take 40 replicates at least; 200 is usual"),
        (ThresholdOptions, {"coverage": 90}, "expected a share above 0 and below 1, such as 0.9"),
        (ThresholdOptions, {"max_risk": 0.1, "min_coverage": 0.9}, "each choose the threshold"),
        (SoftmaxOptions, {"temperature": -1.0}, "turn the ranking of the classes around"),
        (SoftmaxOptions, {"temperature": float("nan")}, "expected a number above 0"),
        (SoftmaxOptions, {"dtype": "float16"}, "choose float32 or float64"),
        (SoftmaxOptions, {"top_p": 0.0}, "--top-p 0"),
        (SoftmaxOptions, {"min_p": 1.5}, "--min-p 1.5"),
        (SoftmaxOptions, {"top_p": 0.5, "activation": "sigmoid"}, "has none to cut"),
        (RemedyOptions, {"winsorize": 0.5}, "below 0.5"),
        (RemedyOptions, {"softcap": float("inf")}, "a finite number above 0"),
        (RemedyOptions, {"standardize": "column"}, "only row is possible"),
        (RemedyOptions, {"clip_logits": "5"}, "expected two numbers"),
        (RemedyOptions, {"clip_logits": "5,-5"}, "the lower one first"),
        (ImbalanceOptions, {"class_weights": "cat=2", "kept_share": "cat=0.5"}, "together correct twice"),
        (ImbalanceOptions, {"target_prior": "uniform"}, "--target-prior needs --source-prior"),
        (ImbalanceOptions, {"logit_adjust": 1.0}, "--logit-adjust needs --source-prior"),
        (ImbalanceOptions, {"estimate_prior": True}, "--estimate-prior needs --source-prior"),
        (ImbalanceOptions, {"source_prior": "uniform"}, "changes nothing by itself"),
        (ResultOptions, {"only_predictions": True, "top_k": 2}, "does not go with --top-k"),
        (ResultOptions, {"layout": "list", "top_k": 2}, "holds every class in its place"),
        (ResultOptions, {"layout": "long", "threshold": "0.5"}, "no prediction to withhold"),
        (OutputOptions, {"digits": 3, "decimals": 2}, "exclude each other"),
        (RunOptions, {"color": "blue"}, "--color blue: choose one of auto, always, never"),
        (RunOptions, {"on_bad_row": "drop"}, "choose one of error, skip, null"),
        (RunOptions, {"rejects": "r.csv"}, "add --on-bad-row skip or null"),
    ],
)
def test_what_makes_no_sense_cannot_be_built(options, given, words):
    options()
    with pytest.raises(UsageError, match=words):
        options(**given)


def scoring(softmax=None, remedies=None, imbalance=None, calibration=None):
    return ScoringOptions(
        remedies=remedies or RemedyOptions(),
        softmax=softmax or SoftmaxOptions(),
        calibration=CalibrationOptions(calibration=calibration),
        imbalance=imbalance or ImbalanceOptions(),
    )


@pytest.mark.parametrize(
    ("softmax", "words"),
    [({"temperature": 2.0}, "its own T"), ({"activation": "sigmoid"}, "gives none"), ({"dtype": "float32"}, "float64")],
)
def test_a_calibration_excludes_what_it_holds(softmax, words):
    with pytest.raises(UsageError, match=words):
        scoring(SoftmaxOptions(**softmax), calibration="c.json")


COLUMNS = resolve((batch := pa.record_batch({f"logit_{n}": [1.0] for n in CLASSES})).schema, Selection(), batch)


def test_the_steps_come_in_their_order():
    remedies = RemedyOptions(clip_logits="-5,5", winsorize=0.1, softcap=10.0, standardize="row")
    imbalance = ImbalanceOptions(class_weights="dog=4", undo_class_weights="cow=2")
    softmax = SoftmaxOptions(temperature=2.0, top_p=0.9)
    chosen = scoring(softmax, remedies, imbalance).build(COLUMNS, ("prob",), 0, None)
    adjustment = chosen.scoring.adjustment
    assert [type(remedy).__name__ for remedy in adjustment.remedies] == ["Clip", "Winsorize", "Softcap", "Standardize"]
    assert adjustment.temperature == 2
    assert [term.name for term in adjustment.terms] == ["--class-weights", "--undo-class-weights"]
    assert (chosen.scoring.activation, chosen.scoring.truncation.top_p) == ("softmax", 0.9)
    assert [note.rpartition("(")[2] for note in chosen.notes[:2]] == ["--clip-logits)", "--winsorize)"]
    assert "--class-weights: raises dog (x4)" in chosen.notes


def test_before_the_prior_is_what_the_estimate_starts_from():
    imbalance = ImbalanceOptions(
        class_weights="dog=4", source_prior="uniform", estimate_prior=True, kept_share="cow=0.5", allow_both=True
    )
    whole = scoring(imbalance=imbalance).build(COLUMNS, ("prob",), 0, None).scoring
    before = scoring(imbalance=imbalance).before_prior(COLUMNS)
    assert [term.name for term in before.adjustment.terms] == ["--class-weights"]
    assert [term.name for term in whole.adjustment.terms] == ["--class-weights", "--estimate-prior", "--kept-share"]


@pytest.mark.parametrize(
    ("imbalance", "activation", "words"),
    [
        ({"kept_share": "cow=0.5"}, "sigmoid", "classes that exclude each other"),
        ({"source_prior": "uniform", "estimate_prior": True}, "sparsemax", "--activation sparsemax gives others"),
    ],
)
def test_priors_are_of_a_softmax(imbalance, activation, words):
    with pytest.raises(UsageError, match=words):
        ImbalanceOptions(**imbalance).build(CLASSES, activation)


def test_standardizing_two_classes_leaves_nothing():
    with pytest.raises(UsageError, match="every row would become -1, 1"):
        RemedyOptions(standardize="row").build(("cat", "dog"))
    (note, warning) = RemedyOptions(winsorize=0.4).notes(tuple("abcdef"))
    assert "0.4 and 0.6 quantiles of its row" in note
    assert "the best 3 of a row become equal" in warning


def test_what_is_emitted():
    assert ResultOptions(emit="prob, logit").emitted() == ("prob", "logit")
    for wrong in ("probs", "prob,prob"):
        with pytest.raises(UsageError, match=f"--emit {wrong}"):
            ResultOptions(emit=wrong).emitted()
    assert ResultOptions(top_k=5).notes(3) == ["--top-k 5: there are 3 classes, and all are listed"]
    assert (
        ResultOptions(emit="logit", only_predictions=True)
        .notes(3)[0]
        .startswith("--emit logit: --only-predictions leaves")
    )
    assert ResultOptions(emit="logit").notes(3) == ResultOptions(only_predictions=True).notes(3) == []


def test_an_unknown_layout():
    with pytest.raises(UsageError, match="--layout tall: choose one of wide, long, list"):
        ResultOptions(layout="tall").build(CLASSES, "tall")


def test_thresholds():
    def least(**given):
        return ResultOptions(**given).build(CLASSES, "wide").abstention

    np.testing.assert_array_equal(least(threshold="0.5").threshold, [0.5] * 3)
    np.testing.assert_array_equal(least(threshold="dog=0.9").threshold, [0, 0.9, 0])
    assert least(threshold="0.5", abstain_label="?").label == "?"
    with pytest.raises(UsageError, match="a confidence is from 0 to 1"):
        least(threshold="1.5")
    with pytest.raises(UsageError, match="for rows below a --threshold"):
        least(abstain_label="?")


def target(inputs=("-",), **given):
    return OutputOptions(**given).resolve(
        Inputs(tuple(map(InputFile, inputs))), PartsOptions(engine=EngineOptions()), RunOptions(threads=1)
    )


@pytest.mark.parametrize(
    ("given", "description"),
    [
        ({}, "csv to standard output"),
        ({"output": "-", "format": "jsonl"}, "jsonl to standard output"),
        ({"output": "o.parquet"}, "parquet to o.parquet"),
        ({"output": "o.csv.gz"}, "csv to o.csv.gz"),
        ({"output": "o.dat", "format": "tsv"}, "tsv to o.dat"),
        ({"format": "table"}, "table to standard output"),
    ],
)
def test_where_a_result_goes(given, description, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: False, raising=False)
    assert target(**given).describe("a, b") == [f"writes   {description}: a, b"]


def test_an_array_file_has_one_list_a_row():
    assert layout_in(target(output="o.npy").form, "wide") == "list"
    assert layout_in(target(output="o.csv").form, "wide") == "wide"
    with pytest.raises(UsageError, match="does not fit an array file"):
        layout_in(target(output="o.npz").form, "long")


def test_a_terminal_takes_text_of_any_format_and_no_bytes(monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    for name in ("csv", "tsv", "jsonl", "json", "markdown"):
        assert target(format=name).path is None
    for name in ("parquet", "arrow", "arrows", "npy", "npz"):
        with pytest.raises(UsageError, match="is binary and would garble the terminal"):
            target(format=name)


def test_numbers_are_put_down_as_typed():
    assert target(format="csv").options.digits == 9
    options = target(format="csv", decimals=3, escape_formulas=True).options
    assert (options.decimals, options.escape_formulas) == (3, True)
    assert "may no longer sum to 1" in OutputOptions(decimals=3).notes()[0]
    assert OutputOptions(decimals=9).notes() == []
    for given in ({"output": "o.parquet"}, {"format": "npy"}, {"format": "arrow", "output": "parts/"}):
        assert OutputOptions(digits=4, **given).notes()[0].startswith("--digits 4 is about numbers in text")
        assert OutputOptions(**given).notes() == []
    assert OutputOptions(digits=4, output="o.csv.gz").notes() == OutputOptions(digits=4, format="table").notes() == []
    assert [target(format="table", **given).rows for given in ({}, {"limit": 3}, {"all": True})] == [10, 3, None]


def test_an_output_is_not_the_input_and_needs_force(tmp_path):
    path = tmp_path / "in.csv"
    path.write_text("x")
    with pytest.raises(UsageError, match="is the input"):
        target([str(path)], output=str(path), force=True)
    with pytest.raises(UsageError, match="exists; write over it with --force"):
        target(output=str(path))
    assert target(output=str(path), force=True).overwrites
    with pytest.raises(UsageError, match="--format table is for the screen"):
        target(output=str(path), format="table")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"limit": 3}, "--limit counts rows"),
        ({"format": "table"}, "for the screen"),
        ({"output": "https://there/p/"}, "only read from"),
    ],
)
def test_a_folder_of_parts_is_refused_at_once(given, words, tmp_path):
    (tmp_path / "in.csv").write_text("a,b\n1,2\n")
    with pytest.raises(UsageError, match=words):
        target([str(tmp_path / "in.csv")], **{"output": f"{tmp_path}/parts/", **given})


def test_a_folder_gets_a_part_for_each_file_in_the_format_of_the_input(tmp_path):
    for name in ("a", "b"):
        (tmp_path / f"{name}.tsv").write_text("a\tb\n1\t2\n")
    folder = OutputOptions(output=f"{tmp_path}/parts/").resolve(
        SourceOptions(paths=[str(tmp_path)]).resolve(), PartsOptions(engine=EngineOptions()), RunOptions(threads=3)
    )
    assert folder.describe("a, b") == [
        f"writes   tsv to {tmp_path}/parts/: a, b",
        "units    2: 2 of a whole file; 1 at once",
    ]


@pytest.mark.parametrize("given", [{"decimal": "x"}, {"delimiter": ""}, {"delimiter": "ab"}])
def test_a_source_that_cannot_be_read(given, tmp_path):
    (tmp_path / "in.csv").write_text("a,b\n1,2\n")
    source = SourceOptions(paths=[str(tmp_path / "in.csv")], **given)
    with pytest.raises(UsageError, match=f"--{next(iter(given))}"):
        source.resolve()


def test_a_source_knows_its_columns_and_keeps_its_first_block(tmp_path):
    (tmp_path / "in.tsv").write_text("id\tlogit_a\tlogit_b\tsplit\nx\t1\t2\ttest\ny\t3\t4\tval\n")
    source = SourceOptions(paths=[str(tmp_path / "in.tsv")], delimiter="\\t", where="split=val")
    inputs = source.resolve()
    assert pickle.loads(pickle.dumps(inputs)) == inputs
    with open_scores(inputs) as opened:
        assert opened.columns.classes == ("a", "b")
        batches = [opened.table.decode(block, opened.columns.scores).batch for block in opened.table.blocks]
    assert [row["id"] for batch in batches for row in batch.to_pylist()] == ["y"]
    assert is_string(opened.table.schema.field("id").type)
    reading = UnitReader.of(inputs, opened)
    assert (reading.first, reading.columns, reading.where.value) == (opened.table.name, opened.columns, "val")


def test_engines():
    stream, file = Inputs((InputFile("-"),)), Inputs((InputFile(__file__),))
    run = RunOptions(threads=3)
    assert EngineOptions().resolve(stream, run)[1:] == ((), 3, True)
    assert [unit.path for unit in EngineOptions(engine="local").resolve(file, run).units] == [__file__]
    with pytest.raises(UsageError, match="standard input cannot be cut"):
        EngineOptions(engine="local").resolve(stream, run)
    with pytest.raises(UsageError, match="no engine is called 'mars'"):
        EngineOptions(engine="mars").resolve(file, run)


def test_talk(capsys):
    RunOptions().say("one", "two")
    RunOptions(quiet=True).say("never")
    RunOptions(quiet=True).warn("always")
    assert capsys.readouterr().err == "one\ntwo\nwarning: always\n"
    assert RunOptions(threads=3).workers == 3
    assert RunOptions().workers >= 1


def test_pictures_have_names_of_their_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert PictureOptions(plot="a.png", report="b.html").files == [("--plot", "a.png"), ("--report", "b.html")]
    assert PlotOptions().files == []
    with pytest.raises(UsageError, match="another output has this name"):
        PlotOptions(plot="a.png").check([], False, ["./a.png"])
    (tmp_path / "a.png").touch()
    with pytest.raises(UsageError, match="exists"):
        PlotOptions(plot="a.png").check([], False)
    write_page(b"<html>", str(tmp_path / "b.html"), force=False)
    assert (tmp_path / "b.html").read_bytes() == b"<html>"


def test_plots_are_chosen_by_name():
    assert EvaluationPictureOptions(plot="a.png", plots="risk, confusion").names() == ["risk", "confusion"]
    with pytest.raises(UsageError, match="no plot is called 'pie'; there are: reliability"):
        EvaluationPictureOptions(plot="a.png", plots="pie").names()
    with pytest.raises(UsageError, match="--plots chooses what --plot FILE draws"):
        EvaluationPictureOptions(plots="risk").check([], False)


def test_figures_are_asked_for_once_each():
    assert DecisionOptions(add="entropy, margin,entropy").added == ("entropy", "margin")
    assert DecisionOptions(sort="-loss").needs_truth == "--sort -loss"
    assert DecisionOptions(add="margin", sort="entropy").needs_truth is None


def test_the_class_of_a_long_table_is_no_score():
    assert LongOptions(long="id, class ,s").columns["--long"] == "class"
    assert not LongOptions().is_used
