"""``evaluate``, ``inspect`` and ``calibrate`` print the same bytes whoever does the work, and if a worker is lost."""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq
import pytest

CLASSES = ("cat", "dog", "bird", "fish")
ROWS = 900
pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """Three files each, as Parquet and as CSV: outliers, repeated rows, and two rows that are bad."""
    rng = np.random.default_rng(11)
    z = rng.normal(-2, 1.5, (ROWS, len(CLASSES)))
    truth = rng.integers(0, len(CLASSES), ROWS)
    z[np.arange(ROWS), truth] = rng.normal(2, 2, ROWS)
    z[[7, 600], [0, 2]] = np.nan
    z[[11, 800], [1, 3]] = [200, -150]
    z[850] = z[3]
    columns = {"id": [f"r{row}" for row in range(ROWS)]}
    columns |= {f"logit_{name}": pa.array(z[:, place]) for place, name in enumerate(CLASSES)}
    columns |= {"label": [CLASSES[place] for place in truth], "site": [("x", "y")[row % 2] for row in range(ROWS)]}
    table = pa.table(columns)
    folder = tmp_path_factory.mktemp("tables")
    for form in ("parquet", "csv"):
        (folder / form).mkdir()
    for number, (start, stop) in enumerate([(0, 400), (400, 650), (650, ROWS)]):
        part = table.slice(start, stop - start)
        pq.write_table(part, folder / "parquet" / f"{number}.parquet", row_group_size=100)
        pc.write_csv(part, folder / "csv" / f"{number}.csv")
    return folder


@pytest.fixture
def run(program, program_env, tables):
    """Run the program among the tables; what comes back are its exit code, output, and talk."""

    def finish(*arguments, **env):
        done = subprocess.run(
            [program, *map(str, arguments)],
            cwd=tables,
            env=program_env | env,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=280,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr.decode()

    return finish


def both(run, engine, tmp_path, files, *arguments):
    """Run alone and on an engine, with files that are written besides; an engine may have a word of its own first."""
    outcomes = []
    for name, extra in (("alone", ()), (engine, ("--engine", engine, "--threads", "2"))):
        written = {flag: tmp_path / f"{name}-{suffix}" for flag, suffix in files.items()}
        flags = [word for flag, path in written.items() for word in (flag, path)]
        code, out, err = run(*arguments, *flags, *extra)
        err = err.replace(str(tmp_path / name), "")
        outcomes.append((code, out, err, [path.read_bytes() for path in written.values()]))
    (code, out, err, written), (code_there, out_there, err_there, written_there) = outcomes
    assert code in (0, 3), err
    assert (code_there, out_there, written_there) == (code, out, written)
    assert err_there.endswith(err)
    return outcomes[1]


@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_evaluate(run, engine, tmp_path, form):
    """Figures, intervals, slices, classes, rejected rows in order, and a gate that fails."""
    files = {"--rejects": "rejects.csv", "--per-class": "classes.csv", "--bins-out": "bins.csv"}
    flags = ("--on-bad-row", "skip", "--by", "site", "--json", "--fail-if", "accuracy < 1", "-T", "2")
    code, out, err, (rejects, *_) = both(run, engine, tmp_path, files, "evaluate", form, *flags)
    assert code == 3
    assert "failed" in err or "accuracy" in err
    assert json.loads(out)["figures"]["log_loss"]["interval"] is not None
    assert [line.split(b",")[0].rpartition(b"/")[2][:1] for line in rejects.splitlines()[1:]] == [b"0", b"1"]


@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_inspect(run, engine, tmp_path, form):
    _, out, _, (flagged,) = both(run, engine, tmp_path, {"--rows-out": "flagged.csv"}, "inspect", form, "--json")
    assert {"outlier-cells", "bad-rows", "duplicate-rows"} <= {one["code"] for one in json.loads(out)["findings"]}
    assert b"2.parquet: row 151" in flagged or b"2.csv:152" in flagged


def test_calibrate(run, engine, tmp_path):
    """The file too, hash of the rows and all; and with it, on some of the rows, evaluate."""
    arguments = ("calibrate", "csv", "--method", "vector", "--coverage", "0.9", "--on-bad-row", "skip", "--json")
    both(run, engine, tmp_path, {"-o": "c.json"}, *arguments)
    given = ("--calibration", tmp_path / "alone-c.json", "--where", "site=x", "--on-bad-row", "skip")
    both(run, engine, tmp_path, {}, "evaluate", "parquet", *given)


def test_a_worker_that_is_killed_changes_no_digit(run, engine, tmp_path):
    arguments = ("evaluate", "csv", "--on-bad-row", "skip", "--json", "--quiet")
    mark = tmp_path / "killed"
    path = os.pathsep.join([str(Path(__file__).with_name("killing")), *filter(None, [os.environ.get("PYTHONPATH")])])
    killed = run(*arguments, "--engine", engine, "--threads", "2", KILL_ONCE=str(mark), PYTHONPATH=path)
    assert mark.exists(), "a worker was killed"
    assert killed[:2] == run(*arguments)[:2], "an engine may say that it has lost one"


def test_a_bad_row_is_named_as_ever(run, engine):
    """The first of two, in different files, with its place in its own."""
    alone, parted = run("evaluate", "csv"), run("evaluate", "csv", "--engine", engine)
    assert parted[:2] == alone[:2] == (1, b"")
    assert parted[2].endswith(alone[2]), "an engine may have a word of its own first"
    assert "0.csv:9: column 'logit_cat'" in alone[2]


def test_a_prior_is_estimated_from_all_units(run, tmp_path):
    """With the cheapest of the engines: the units go the way that the others go."""
    flags = ("--estimate-prior", "--source-prior", "uniform", "--on-bad-row", "skip")
    both(run, "local", tmp_path, {}, "evaluate", "csv", *flags)


@pytest.mark.parametrize("command", ["evaluate", "inspect", "calibrate"])
def test_standard_input_is_refused(run, command):
    code, out, err = run(command, "-", "--engine", "local")
    assert (code, out) == (2, b"")
    assert "standard input cannot be cut: save it to a file, or leave --engine out" in " ".join(err.split())


@pytest.mark.slow
def test_real_tables(run, engine, tmp_path, real_data):
    """Large enough that a Parquet file of many classes, and a CSV file, are read in several blocks."""
    test = ("--where", "split=test", "--json")
    magika = real_data("magika_filetypes/magika_logits.parquet")
    both(run, engine, tmp_path, {}, "evaluate", magika, *test)
    both(run, engine, tmp_path, {}, "inspect", magika, real_data("magika_filetypes/magika_logits.parquet"), "--json")
    both(run, engine, tmp_path, {"-o": "c.json"}, "calibrate", real_data("cifar10_resnet50_brier/val.csv"), "--json")
