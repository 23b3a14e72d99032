"""``evaluate``, ``inspect``, ``calibrate``, ``compare``: the same bytes whoever does the work, and if one is lost."""

import json
import os
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq
import pytest

CLASSES = ("cat", "dog", "bird", "fish")
ROWS = 900
pytestmark = [pytest.mark.timeout(600), pytest.mark.slow]


def on(*pairs):
    """Engines, each with a case: every engine and every case, not each with each, for an engine starts slowly."""
    split = [pair.split("-") for pair in pairs]
    marked = [pytest.param(*pair, marks=[] if pair[0] == "local" else pytest.mark.engine) for pair in split]
    return pytest.mark.parametrize(("engine", "case"), marked, indirect=["engine"])


CHEAP = pytest.mark.parametrize("engine", ["local", pytest.param("dask", marks=pytest.mark.engine)], indirect=True)
"""For what is the same work on every engine."""


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """Three files each, as Parquet and as CSV: outliers, repeated rows, and two rows that are bad.

    Also of another model: as arrays without ids, and as Parquet with the rows of each file in another order.
    """
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
    for form in ("parquet", "csv", "arrays", "shuffled"):
        (folder / form).mkdir()
    other = z + rng.normal(0, 0.5, z.shape)
    for number, (start, stop) in enumerate([(0, 400), (400, 650), (650, ROWS)]):
        part = table.slice(start, stop - start)
        pq.write_table(part, folder / "parquet" / f"{number}.parquet", row_group_size=100)
        pc.write_csv(part, folder / "csv" / f"{number}.csv")
        np.save(folder / "arrays" / f"{number}.npy", np.nan_to_num(other[start:stop]))
        order = rng.permutation(np.arange(start, stop))
        ids = {"id": [f"r{row}" for row in order]}
        scores = {f"logit_{name}": np.nan_to_num(other[order, place]) for place, name in enumerate(CLASSES)}
        pq.write_table(pa.table(ids | scores), folder / "shuffled" / f"{number}.parquet", row_group_size=70)
    return folder


@pytest.fixture
def alone(softmax_cli, tables):
    """Run the program among the tables, without an engine."""
    return partial(softmax_cli, cwd=tables)


@pytest.fixture
def parted(softmax_cli_process, tables, engine):
    """Run the program among the tables, with an engine, in a process that ends what the engine starts."""

    def run(*arguments, **env):
        return softmax_cli_process(*arguments, "--engine", engine, "--threads", "2", cwd=tables, env=env)

    return run


@pytest.fixture
def both(alone, parted, tmp_path):
    """Run without an engine and with one, which changes nothing; an engine may have a word of its own first."""

    def run(files, *arguments):
        outcomes = []
        for name, start in (("alone", alone), ("parted", parted)):
            written = {flag: tmp_path / f"{name}-{suffix}" for flag, suffix in files.items()}
            flags = [word for flag, path in written.items() for word in (flag, path)]
            done = start(*arguments, *flags)
            messages = done.err.replace(str(tmp_path / name), "")
            outcomes.append((done.code, done.out, messages, [path.read_bytes() for path in written.values()]))
        (code, out, messages, written), (code_there, out_there, messages_there, written_there) = outcomes
        assert code in (0, 3), messages
        assert (code_there, out_there, written_there) == (code, out, written)
        assert messages_there.endswith(messages)
        return outcomes[1]

    return run


@on("local-parquet", "ray-csv", "spark-parquet", "dask-csv")
def test_evaluate(both, case):
    """Figures, intervals, slices, classes, rejected rows in order, and a gate that fails."""
    files = {"--rejects": "rejects.csv", "--per-class": "classes.csv", "--bins-out": "bins.csv"}
    flags = ("--on-bad-row", "skip", "--by", "site", "--json", "--fail-if", "accuracy < 1", "-T", "2")
    code, out, err, (rejects, *_) = both(files, "evaluate", case, *flags)
    assert code == 3
    assert "failed" in err or "accuracy" in err
    assert json.loads(out)["figures"]["log_loss"]["interval"] is not None
    assert [line.split(b",")[0].rpartition(b"/")[2][:1] for line in rejects.splitlines()[1:]] == [b"0", b"1"]


@on("local-csv", "dask-parquet")
def test_inspect(both, case):
    _, out, _, (flagged,) = both({"--rows-out": "flagged.csv"}, "inspect", case, "--json")
    assert {"outlier-cells", "bad-rows", "duplicate-rows"} <= {one["code"] for one in json.loads(out)["findings"]}
    assert b"2.parquet: row 151" in flagged or b"2.csv:152" in flagged


@CHEAP
def test_calibrate(both, tmp_path):
    """The file too, hash of the rows and all; and with it, on some of the rows, evaluate."""
    arguments = ("calibrate", "csv", "--method", "vector", "--coverage", "0.9", "--on-bad-row", "skip", "--json")
    both({"-o": "c.json"}, *arguments)
    given = ("--calibration", tmp_path / "alone-c.json", "--where", "site=x", "--on-bad-row", "skip")
    both({}, "evaluate", "parquet", *given)


@on("local-arrays", "ray-arrays", "local-shuffled", "dask-shuffled+parquet")
def test_compare(both, case):
    """By position and by id: figures, intervals, flipped rows by their numbers in all files, rejected rows."""
    files = {"--flips-out": "flips.csv", "--rejects": "rejects.csv"}
    flags = ("--on-bad-row", "skip", "--json", "--fail-if", "agreement < 1")
    code, out, _, (flips, rejects) = both(files, "compare", "csv", *case.split("+"), *flags)
    assert code == 3
    last = max(int(line.split(b",")[0].lstrip(b"r")) for line in flips.splitlines()[1:])
    assert 650 < last <= ROWS
    assert rejects.count(b"\n") > 1
    assert json.loads(out)["pairs"][0]["figures"]["log_loss_difference"]["interval"] is not None


@CHEAP
def test_compare_without_truths(both):
    both({"--flips-out": "flips.jsonl"}, "compare", "arrays", "arrays", "--json")


@pytest.mark.parametrize("engine", ["local"])
def test_a_worker_that_is_killed_changes_no_digit(alone, parted, tmp_path):
    """With the cheapest of the engines; a cluster of each of the others loses a worker in another test."""
    arguments = ("evaluate", "csv", "--on-bad-row", "skip", "--json", "--quiet")
    mark = tmp_path / "killed"
    path = os.pathsep.join([str(Path(__file__).with_name("killing")), *filter(None, [os.environ.get("PYTHONPATH")])])
    killed, whole = parted(*arguments, KILL_ONCE=str(mark), PYTHONPATH=path), alone(*arguments)
    assert mark.exists(), "a worker was killed"
    assert (killed.code, killed.out) == (whole.code, whole.out), "an engine may say that it has lost one"


@CHEAP
def test_a_bad_row_is_named_as_ever(alone, parted):
    """The first of two, in different files, with its place in its own."""
    whole, cut = alone("evaluate", "csv"), parted("evaluate", "csv")
    assert (cut.code, cut.out) == (whole.code, whole.out) == (1, b"")
    assert cut.err.endswith(whole.err), "an engine may have a word of its own first"
    assert "0.csv:9: column 'logit_cat'" in whole.err


@pytest.mark.parametrize("engine", ["local"])
def test_a_prior_is_estimated_from_all_units(both):
    """With the cheapest of the engines: the units go the way that the others go."""
    flags = ("--estimate-prior", "--source-prior", "uniform", "--on-bad-row", "skip")
    both({}, "evaluate", "csv", *flags)


@pytest.mark.parametrize("command", ["evaluate", "inspect", "calibrate", "compare"])
def test_standard_input_is_refused(softmax_cli, tables, command):
    done = softmax_cli(command, "-", *([tables / "csv"] if command == "compare" else []), "--engine", "local")
    assert (done.code, done.out) == (2, b"")
    assert "standard input cannot be cut: save it to a file, or leave --engine out" in " ".join(done.err.split())


@pytest.mark.parametrize("engine", ["local"])
def test_a_condition_that_no_row_meets_is_told(both):
    _, _, err, _ = both({}, "evaluate", "csv", "--where", "site=z", "--json")
    assert "--where site=z keeps no row" in err
    assert "'site' holds: x, y" in err


@pytest.mark.parametrize(
    ("files", "code", "words"),
    [
        (("csv", "arrays/*0.npy"), 2, "different numbers of files (csv: 3, 0.npy: 1): leave --engine out"),
        (("csv", "arrays", "--labels", "labels.npy"), 2, "goes by the order of the rows"),
        (("csv", "moved"), 1, "--engine compares part by part, and the same part of every table has to hold the same"),
    ],
)
def test_tables_whose_parts_do_not_go_together_are_refused(alone, tables, files, code, words):
    (tables / "moved").mkdir(exist_ok=True)
    for number in range(3):
        path = tables / "moved" / f"{number}.parquet"
        path.write_bytes((tables / "shuffled" / f"{2 - number}.parquet").read_bytes())
    np.save(tables / "labels.npy", np.zeros(ROWS, np.int64))
    done = alone("compare", *files, "--on-bad-row", "skip", "--engine", "local", "--threads", "1")
    assert (done.code, words in " ".join(done.err.split())) == (code, True), done.err


@CHEAP
def test_real_tables(both, real_data):
    """Large enough that a Parquet file of many classes, and a CSV file, are read in several blocks."""
    test = ("--where", "split=test", "--json")
    magika = real_data("magika_filetypes/magika_logits.parquet")
    both({}, "evaluate", magika, *test)
    both({}, "inspect", magika, real_data("magika_filetypes/magika_logits.parquet"), "--json")
    both({"-o": "c.json"}, "calibrate", real_data("cifar10_resnet50_brier/val.csv"), "--json")
