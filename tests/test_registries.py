"""A new metric, calibrator, format, command, engine or store is one new file: no other file names those there are."""

from __future__ import annotations

import ast
import importlib
import json
import sys
from functools import cache as remembered
from pathlib import Path

import numpy as np
import pytest

import softmax_cli
from softmax_cli import commands, formats
from softmax_cli.distributed import engines
from softmax_cli.numeric import calibrators, metrics
from softmax_cli.storage import remote

PACKAGE = Path(softmax_cli.__file__).parent
REGISTRIES = {
    "commands": commands.names(),
    "distributed/engines": engines.names(),
    "formats": formats.names(),
    "numeric/calibrators": calibrators.names(),
    "numeric/metrics": metrics.names(),
    "storage/remote": tuple(path.stem for path in (PACKAGE / "storage/remote").glob("[a-z]*.py")),
}
PLAN = metrics.Plan(top_k=(), answer_from=0.5, sets=True)
FIGURES = {figure.name for figure in metrics.definitions(PLAN)} | {column.name for column in metrics.columns(PLAN)}

CHOICES = {
    ("options/output.py", "csv"): "what a pipe gets where no format is named",
    ("stream/file_kinds.py", "csv"): "text that claims to be nothing else",
    ("stream/file_kinds.py", "json"): "text that begins like it",
    ("stream/file_kinds.py", "jsonl"): "text that begins like it",
    ("stream/file_kinds.py", "arrow"): "a stream may go by the name of a file",
    ("stream/file_kinds.py", "arrows"): "a stream may go by the name of a file",
    ("weighting/class_values.py", "csv"): "a decimal comma is found as in any text table",
    ("options/output.py", "npy"): "an array file has no place for text",
    ("options/output.py", "npz"): "an array file has no place for text",
    ("commands/evaluate.py", "npy"): "an array file has no place for text",
    ("commands/evaluate.py", "npz"): "an array file has no place for text",
    ("options/run.py", "local"): "what runs units where no engine is named",
    ("commands/calibrate.py", "temperature"): "the method where none is named",
    ("calibration/fit.py", "temperature"): "the identity is its T = 1",
    ("calibration/fit.py", "matrix"): "one parameter for each pair of classes takes too long to compare",
    ("calibration/fit.py", "dirichlet"): "one parameter for each pair of classes takes too long to compare",
    ("calibration/fit.py", "sms"): "one parameter for each pair of classes takes too long to compare",
    ("numeric/model_selection.py", "temperature"): "the identity is its T = 1",
}
"""Where one entry of a registry is chosen by its name, and why."""
OTHER_MEANINGS = {
    ("explanation", "temperature"),  # a step, and the topic of a page
    ("page", "histogram"),  # a kind of chart
    ("commands", "temperature"),  # the option
    ("commands", "json"),
    ("evaluation", "answered"),  # the heading of a column
    ("evaluation", "error"),  # what becomes of bad rows
    ("commands", "error"),
    ("page", "accuracy"),  # the axis of a diagram
    ("evaluation", "evaluate"),  # the command that made a report
    ("explanation", "weights"),  # class weights
    ("weighting", "weights"),
    ("numeric", "weights"),  # of the members of an ensemble
    ("tables", "weights"),  # a word in the names of columns
    ("tables", "predict"),  # a word in the names of columns
    ("tables", "sample"),
    *((room, name) for room in ("__init__.py", "evaluation") for name in commands.names()),  # functions of the API
    ("api", "json"),  # the option
    ("options", "predict"),  # the command of an example
    ("version.py", "fsspec"),  # the distribution
}
"""Rooms where the word is another one's name."""


@remembered
def parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_text("utf-8"))


@remembered
def texts_of(file: Path) -> set[str]:
    """Every text of a module but its docstrings."""
    tree = parsed(file)
    statements = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    texts = (node for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str))
    return {node.value for node in texts if id(node) not in statements}


@remembered
def modules_of(file: Path) -> set[str]:
    """Every module that is imported, or that a name may be taken from."""
    tree = parsed(file)
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            found |= {str(node.module)} | {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found


def leaks(registry: str, texts: set[str], rooms: str = "") -> set[tuple[str, str]]:
    """Files outside a registry that import one of its entries, or in some rooms hold one of `texts`; with its name."""
    dotted = f"softmax_cli.{registry.replace('/', '.')}"
    found = set()
    for file in sorted(PACKAGE.rglob("*.py")):
        name = file.relative_to(PACKAGE).as_posix()
        if name.startswith(f"{registry}/"):
            continue
        imported = {
            entry
            for entry in REGISTRIES[registry]
            for one in modules_of(file)
            if f"{one}.".startswith(f"{dotted}.{entry}.")
        }
        room = name.partition("/")[0]
        held = {
            text for text in texts_of(file) & texts if (room, text) not in OTHER_MEANINGS and name.startswith(rooms)
        }
        found |= {(name, entry) for entry in imported | held}
    return found


@pytest.mark.parametrize("registry", [name for name in REGISTRIES if name != "numeric/metrics"])
def test_no_other_file_names_an_entry(registry):
    assert leaks(registry, set(REGISTRIES[registry])) - CHOICES.keys() == set()


@pytest.mark.parametrize("room", ["evaluation/", "page/", "commands/evaluate.py"])
def test_no_other_file_names_a_metric(room):
    """Elsewhere the same words are fields: the accuracy that a calibration was fitted at."""
    assert leaks("numeric/metrics", FIGURES, room) == set()


@pytest.mark.parametrize("registry", REGISTRIES)
def test_entries_do_not_need_each_other(registry):
    dotted = f"softmax_cli.{registry.replace('/', '.')}"
    for file in (PACKAGE / registry).glob("[a-z]*.py"):
        modules = modules_of(file)
        others = {name for name in REGISTRIES[registry] if name != file.stem and f"{dotted}.{name}" in modules}
        assert others <= SHARED.get(registry, set()), file.name


SHARED = {
    "formats": {"csv", "arrow", "npy", "json"},  # tsv is csv with tabs, arrows a stream of arrow, npz a zip of npy
    # bcts begins at the best temperature, dirichlet is a matrix of log p, svs and sms are a vector and a matrix,
    # scaling-binning bins what platt gives, centred isotonic moves the steps of isotonic
    "numeric/calibrators": {"temperature", "vector", "matrix", "platt", "isotonic"},
    "numeric/metrics": {"auroc"},  # pairs of classes are ranked by the same scores
}


@pytest.fixture
def added(tmp_path_factory, monkeypatch):
    """Add a module to a registry, for one test."""
    loaded, caches = [], []

    def add(registry, name, text):
        folder = tmp_path_factory.mktemp("registry")
        (folder / f"{name}.py").write_text(text)
        monkeypatch.setattr(registry, "__path__", [*registry.__path__, str(folder)])
        importlib.invalidate_caches()
        loaded.append(f"{registry.__name__}.{name}")
        caches.extend(value for value in vars(registry).values() if hasattr(value, "cache_clear"))
        for cache in caches:
            cache.cache_clear()

    yield add
    monkeypatch.undo()
    for name in loaded:
        sys.modules.pop(name, None)
    for cache in caches:
        cache.cache_clear()


@pytest.fixture
def table(tmp_path):
    """Twelve rows of two classes, two groups of six: predictions of 0.88, the last of each group wrong."""
    rows = [
        f"{'ab'[row // 6]},{2 * (row % 2)},{2 - 2 * (row % 2)},{'yx'[(row % 2) ^ (row % 6 == 5)]}" for row in range(12)
    ]
    (tmp_path / "in.csv").write_text("\n".join(["group,logit_x,logit_y,label", *rows]) + "\n")
    return "in.csv"


METRIC = '''
"""Surprise: rows whose truth had a probability below one half."""
from dataclasses import dataclass
from softmax_cli.numeric.metrics import Column, Definition, Metric
from softmax_cli.numeric.metrics._counts import ClassCounts

@dataclass(frozen=True)
class Surprise:
    count: int

    @classmethod
    def of(cls, rows, plan):
        return cls(int((rows.log_p_of_truth < -0.7).sum()))

    def plus(self, other):
        return type(self)(self.count + other.count)

def figures(plan):
    yield Definition(
        "surprised", "surprised", lambda parts: float(parts[Surprise].count), lambda parts: "rows", (0, float("inf")),
        decides=True,
    )

def columns(plan):
    yield Column("double", "twice the rows", lambda parts: 2.0 * parts[ClassCounts].support, rank=99)

METRIC = Metric(
    rank=35, folds=lambda plan: (Surprise,), figures=figures, columns=columns,
    sentences=lambda parts: [f"{parts[Surprise].count} surprises."],
)
'''


def test_a_metric_is_one_file(softmax_cli, added, table):
    """It is in the figures, the slices, the classes, the verdict, on the screen, and gates know it."""
    added(metrics, "surprise", METRIC)
    done = softmax_cli("evaluate", table, "--by", "group", "--json", "-q", "--fail-if", "surprised > 1")
    assert done.code == 3
    assert "surprised is 2" in done.err
    report = json.loads(done.text)
    assert report["figures"]["surprised"] == {"title": "surprised", "value": 2.0, "interval": None, "note": "rows"}
    assert [one["figures"]["surprised"]["value"] for one in report["slices"]] == [1, 1]
    assert [one["double"] for one in report["per_class"]] == [8, 16]
    assert "2 surprises." in report["verdict"]
    names = [*report["figures"]]
    assert names.index("surprised") == names.index("log_loss") - 1, "its rank is its place"
    screen = softmax_cli("evaluate", table, "--by", "group", "--full", env={"COLUMNS": "160"}).text
    assert screen.count("surprised") == 2, "among the figures and among the slices"
    assert "twice the rows" in screen


def test_without_it_the_registry_is_what_it_was(softmax_cli, table):
    assert "surprised" not in softmax_cli("evaluate", table, "--json", "-q").text
    assert "surprise" not in metrics.names()


CALIBRATOR = '''
"""Logits divided by ten."""
from dataclasses import dataclass
import numpy as np
from softmax_cli.numeric.softmax import log_softmax

@dataclass(frozen=True)
class Tenth:
    name = "tenth"
    by: float = 10.0
    free_parameters = 1

    @classmethod
    def fit(cls, examples):
        return cls()

    def log_p(self, z):
        return log_softmax(np.asarray(z, np.float64) / self.by)

    def parameters(self):
        return {"by": self.by}

    @classmethod
    def from_parameters(cls, parameters):
        return cls(parameters["by"])

    def describe(self):
        return "a tenth"
'''


def test_a_calibrator_is_one_file(softmax_cli, added, table, tmp_path):
    added(calibrators, "tenth", CALIBRATOR)
    done = softmax_cli("calibrate", table, "--method", "tenth", "--keep-fit", "-o", "c.json", "--folds", "2", "-q")
    assert done.code == 0, done.err
    assert json.loads((tmp_path / "c.json").read_text())["method"] == "tenth"
    first = softmax_cli("predict", table, "--calibration", "c.json", "-q").text.splitlines()[1]
    assert float(first.split(",")[-1]) == pytest.approx(1 / (1 + np.exp(-0.2)))


FORMAT = '''
"""Cells between tildes."""
from softmax_cli.formats.csv.reader import open_table
from softmax_cli.formats.csv.writer import DelimitedWriter

SUFFIXES = (".tilde",)
MAGIC = ()
SEEKS = False

def read(file, name, options):
    return open_table(file, name, options, delimiter="~")

def write(file, schema, options):
    return DelimitedWriter(file, schema, options._replace(delimiter="~"))
'''


def test_a_format_is_one_file(softmax_cli, added, table, tmp_path):
    added(formats, "tilde", FORMAT)
    assert softmax_cli("predict", table, "-o", "out.tilde", "-q").code == 0
    header, first, *_ = (tmp_path / "out.tilde").read_text().splitlines()
    assert header == "group~label~prediction~confidence~prob_x~prob_y"
    assert first.startswith("a~y~y~0.88")
    assert softmax_cli("evaluate", "out.tilde", "--per-class", "classes.tilde", "-q").code == 0
    assert (tmp_path / "classes.tilde").read_text().startswith("name~support~")
    assert softmax_cli("predict", table, "--format", "tilde", "-q").text.startswith("group~label~")


COMMAND = '''
"""Rows."""
from softmax_cli.options.source import SourceOptions

RANK = 9
FIRST = ("label",)
EXAMPLES = (("softmax-cli tally x.csv", "how many rows there are"),)

def tally(source: SourceOptions) -> None:
    """Count the files of a table."""
    print(len(source.paths))
'''


def test_a_command_is_one_file(softmax_cli, added, table):
    added(commands, "tally", COMMAND)
    assert softmax_cli("tally", table, table).text == "2\n"
    assert "Count the files of a table." in softmax_cli("--help").text
    assert "how many rows there are" in softmax_cli("tally", "--help").text
    assert "is no option of tally; " in softmax_cli("tally", table, "--bootstrap", "3").err


ENGINE = '''
"""One unit after the other, here; the last first."""
NEEDS = None

def run(work, units, workers):
    for position in reversed(range(len(units))):
        yield position, work(units[position])
'''


def test_an_engine_is_one_file(softmax_cli, added, table, tmp_path):
    added(engines, "backwards", ENGINE)
    done = softmax_cli("evaluate", table, table, "--engine", "backwards", "--json", "-q")
    assert done.code == 0, done.err
    assert json.loads(done.text)["rows"] == 24
    done = softmax_cli("predict", table, "-o", "parts/", "--engine", "backwards", "-q")
    assert done.code == 0, done.err
    assert any((tmp_path / "parts").iterdir())
    assert "there are: backwards, " in softmax_cli("evaluate", table, "--engine", "sideways").err


STORE = '''
"""Files in the memory of this process."""
import io
from contextlib import contextmanager
from softmax_cli.storage.remote import Held

SCHEMES = ("memo",)
LISTS = True
FILES = {}

def look(url):
    if url not in FILES:
        raise FileNotFoundError("nobody wrote it")
    return Held(url, len(FILES[url]))

def open(held):
    return io.BytesIO(FILES[held.url])

def entries(folder):
    return sorted(url.removeprefix(folder) for url in FILES if url.startswith(folder)), []

def check(url, force):
    pass

@contextmanager
def write(url, force):
    file = io.BytesIO()
    yield file
    FILES[url] = file.getvalue()
'''


def test_a_store_is_one_file(softmax_cli, added, table):
    added(remote, "memo", STORE)
    done = softmax_cli("predict", table, "-o", "memo://bucket/out.csv", "-q")
    assert done.code == 0, done.err
    done = softmax_cli("evaluate", "memo://bucket/out.csv", "--json", "-q", "--bootstrap", "0")
    assert done.code == 0, done.err
    assert json.loads(done.text)["rows"] == 12
    assert "did you mean memo://bucket/out.csv?" in softmax_cli("evaluate", "memo://bucket/other.csv").err
