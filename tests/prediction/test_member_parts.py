"""Tables in parts, pooled part by part: what one run gives, whoever pools which part, and what does not go together."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pandas as pd
import pytest

from softmax_cli.errors import DataError, UsageError
from softmax_cli.numeric.distributions.pooling import equal_weights
from softmax_cli.prediction.members.ensemble import Pool, pooled_table
from softmax_cli.prediction.members.joining import open_members
from softmax_cli.prediction.members.member_parts import MeasuredUnit, MemberUnits, merging
from softmax_cli.prediction.scorer import Scoring
from softmax_cli.stream.inputs import input_files
from softmax_cli.stream.scores import Inputs, open_scores

CLASSES = ["cat", "dog", "owl"]


@pytest.fixture
def parts(tmp_path, monkeypatch):
    """Write two tables of 30 rows, each in a folder of three parts; the rows of b stand in another order."""
    monkeypatch.chdir(tmp_path)
    for seed, name in enumerate("ab"):
        z = np.random.default_rng(seed).normal(size=(30, 3)).round(4)
        frame = pd.DataFrame(z, columns=CLASSES).assign(id=[f"r{row}" for row in range(30)])
        if name == "a":
            frame["y"] = np.array(CLASSES)[np.arange(30) % 3]
        (tmp_path / name).mkdir()
        for place in range(3):
            part = frame.iloc[10 * place : 10 * place + 10]
            if name == "a":
                part.to_parquet(f"a/p{place}.parquet", index=False)
            else:
                part.sample(frac=1, random_state=1).to_csv(f"b/p{place}.csv", index=False)
    return tmp_path


def opened(*names):
    inputs = [Inputs(input_files([name])) for name in names]
    return inputs, open_members([open_scores(one) for one in inputs], Scoring(emit=("logprob",)), False, True)


class Count(int):
    """Rows, as something that merges."""

    def plus(self, other):
        return Count(self + other)


def count(joined, pooled):
    assert pooled.log_p.shape == (len(joined.bad), 3)
    return Count(len(joined.bad))


def test_a_unit_is_the_same_part_of_every_table(parts):
    inputs, opening = opened("a", "b")
    with opening as members:
        reading = pickle.loads(pickle.dumps(MemberUnits.of(inputs, members)))
    units = reading.units()
    assert [reading.paths(unit) for unit in units] == [(f"a/p{i}.parquet", f"b/p{i}.csv") for i in range(3)]
    assert all(unit.size > 300 for unit in units)
    measured = MeasuredUnit(reading, Pool("linear", equal_weights(2)), count)
    found = [measured(unit) for unit in units]
    assert [one.measured for one in found] == [[10], [10], [10]]
    assert [check.kinds.rows for one in found for check in one.checks] == [10] * 6


def test_progress_is_that_of_the_first_table(parts):
    _, opening = opened("a", "b")
    with opening as members:
        scores = pooled_table(members, Pool("linear", equal_weights(2)), 1, count, lambda part: None)
        sizes = [block.size for block in scores.table.blocks]
    assert sum(sizes) == scores.table.size > 0
    assert len(sizes) == 3


def test_tables_of_other_numbers_of_files_are_refused(parts):
    inputs, opening = opened("a", "b/p[01].csv")
    with (
        opening as members,
        pytest.raises(UsageError, match=r"different numbers of files .*: 3, .*: 2\): write one file"),
    ):
        MemberUnits.of(inputs, members)


def test_parts_that_hold_other_rows_are_refused(parts):
    (parts / "b" / "p0.csv").rename(parts / "b" / "p9.csv")
    inputs, opening = opened("a", "b")
    with opening as members:
        reading = MemberUnits.of(inputs, members)
    with pytest.raises(DataError, match=r"no row with the id 'r0'.* same part of every table has to hold"):
        MeasuredUnit(reading, Pool("log", equal_weights(2)), count)(reading.units()[0])


def test_what_merges_is_one():
    found = []
    keep = merging(found)
    assert found == []
    keep(Count(2))
    keep(Count(3))
    assert found == [5]


def test_a_folder_holds_the_rows_of_one_run(softmax_cli, parts):
    options = ("a", "b", "--weights", "2,1", "--add", "entropy", "--json", "-q")
    whole = json.loads(softmax_cli("ensemble", *options, "-o", "whole.parquet").text)
    for engine in ((), ("--engine", "local", "--threads", "2")):
        done = softmax_cli("ensemble", *options, "-o", "out/", "--force", *engine)
        assert done.code == 0, done.err
        assert json.loads(done.text) == whole
        assert list(whole["weights"]) == ["a", "b"]
        found = pd.concat(pd.read_parquet(parts / "out" / f"part-0000{place}.parquet") for place in range(3))
        pd.testing.assert_frame_equal(found.reset_index(drop=True), pd.read_parquet(parts / "whole.parquet"))
    assert json.loads((parts / "out" / "_manifest.json").read_text())["rows"] == 30


def test_a_run_goes_on_with_the_figures_of_all_parts(softmax_cli, parts):
    whole = softmax_cli("ensemble", "a", "b", "--json", "-q", "-o", "out/").text
    (parts / "out" / "_unfinished").mkdir()
    for name in ("_manifest.json", "_SUCCESS"):
        (parts / "out" / name).rename(parts / name)
    manifest = json.loads((parts / "_manifest.json").read_text())
    (parts / "out" / "_unfinished" / "job").write_text(json.dumps(manifest["job"]))
    for part in manifest["parts"][:2]:  # as a run leaves it that was killed while it wrote the third
        (parts / "out" / part["name"]).rename(parts / "out" / "_unfinished" / part["name"])
        (parts / "out" / "_unfinished" / f"{part['name']}.done").write_text(json.dumps(part))
    last = (parts / "out" / manifest["parts"][2]["name"]).read_bytes()
    (parts / "out" / manifest["parts"][2]["name"]).unlink()
    done = softmax_cli("ensemble", "a", "b", "--json", "-q", "-o", "out/", "--resume")
    assert (done.code, done.text) == (0, whole), done.err
    assert (parts / "out" / manifest["parts"][2]["name"]).read_bytes() == last
    other = softmax_cli("ensemble", "a", "b", "--weights", "3,1", "-q", "-o", "out/", "--resume")
    assert (other.code, "parts of another job" in other.err) == (2, True)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("b", "a", "--labels", "y.npy", "-o", "out/"), "goes by the order of the rows"),
        (("a", "b", "--sort", "confidence", "-o", "out/"), "--sort orders the rows of one stream"),
        (("a", "b", "-o", "out.csv", "--engine", "local"), "is for a folder of parts"),
        (("a", "b", "-o", "a/"), "holds"),
    ],
)
def test_what_is_not_made_in_parts_is_refused(softmax_cli, parts, options, words):
    np.save(parts / "y.npy", np.arange(30) % 3)
    for path in (parts / "b").iterdir():
        pd.read_csv(path).drop(columns="id").to_csv(path, index=False)
    done = softmax_cli("ensemble", *options)
    assert (done.code, words in done.err) == (2, True), done.err
    assert not (parts / "out").exists()
