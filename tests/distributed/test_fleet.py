"""What an engine's workers find in units is, added up, what a single reader finds: to the last byte, in any order."""

from __future__ import annotations

import json
import pickle
import random
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softmax_cli.calibration.labelled_rows import Collector, collect
from softmax_cli.distributed.fleet import EngineWorkers, ThisProcess, Workers
from softmax_cli.distributed.plan import plan_together, plan_units
from softmax_cli.errors import DataError
from softmax_cli.evaluation.labelled import LabelledScorer
from softmax_cli.evaluation.pairs.report import build_comparison
from softmax_cli.evaluation.pairs.run import compare
from softmax_cli.evaluation.report import build_report
from softmax_cli.evaluation.run import measure
from softmax_cli.inspection.report import inspection
from softmax_cli.inspection.run import inspect_rows, inspector_of, write_flagged
from softmax_cli.numeric.metrics import Plan
from softmax_cli.prediction.layout import Layout
from softmax_cli.prediction.members.joining import open_members
from softmax_cli.prediction.members.member_parts import MemberUnits
from softmax_cli.prediction.scorer import Scoring
from softmax_cli.prediction.transform import build_transform
from softmax_cli.stream.inputs import input_files
from softmax_cli.stream.scores import Inputs, TruthSource, open_scores
from softmax_cli.tables.filter import Condition
from softmax_cli.tables.labels import ClassLookup, OwnTruth
from softmax_cli.tables.threads import NOBODY
from softmax_cli.weighting.prior import keep_probabilities, kept_probabilities, probabilities_transform

CLASSES = ("cat", "dog", "bird")
PLAN = Plan(top_k=(2,), replicates=40, seed=3)


class Shuffled:
    """An engine that pickles what it is given, as all do, and finishes in an order of its own."""

    def __init__(self, seed):
        self.seed = seed
        self.stopped = False

    def run(self, work, units, workers):
        order = list(range(len(units)))
        random.Random(self.seed).shuffle(order)
        try:
            for position in order:
                job = pickle.loads(pickle.dumps((work, units[position])))
                yield position, pickle.loads(pickle.dumps(job[0](job[1])))
        finally:
            self.stopped = True


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Files of different sizes and types; bad rows, outliers, repeated rows and rows without a truth among them."""
    rng = np.random.default_rng(5)
    rows = 1500
    z = rng.normal(-2, 1.5, (rows, len(CLASSES)))
    truth = rng.integers(0, len(CLASSES), rows)
    z[np.arange(rows), truth] = rng.normal(4, 2, rows)
    z[[17, 300, 1400], [0, 1, 2]] = np.nan
    z[[6, 1101], [1, 1]] = [300, 90]
    z[1200, (truth[1200] + 1) % len(CLASSES)] = -np.inf
    z[1300] = z[2]
    columns = {"id": [f"r{row}" for row in range(rows)]}
    columns |= {f"logit_{name}": pa.array(z[:, place]) for place, name in enumerate(CLASSES)}
    columns |= {
        "y": [CLASSES[place] for place in truth],
        "split": [("val", "test", "x")[row % 3] for row in range(rows)],
    }
    table = pa.table(columns)
    folder = tmp_path_factory.mktemp("tables")
    pq.write_table(table.slice(0, 700), folder / "a.parquet", row_group_size=70)
    pq.write_table(table.slice(700, 1), folder / "b.parquet")
    pc.write_csv(table.slice(701, 300), folder / "c.csv")
    pq.write_table(table.slice(1001), folder / "d.parquet", row_group_size=33)
    return folder


def inputs_of(folder, where=None):
    files = input_files([str(path) for path in sorted(folder.iterdir())])
    return Inputs(files, where=None if where is None else Condition.read(where))


def workers_of(inputs, opened, unit_bytes, seed):
    return Workers(Shuffled(seed), plan_units(inputs.files, unit_bytes), 1, True).fleet(inputs, opened)


cuts = given(st.sampled_from([1, 6000, 1 << 20]), st.integers(0, 9), st.sampled_from([None, "split=val"]))
few = settings(max_examples=6, deadline=None)


def own_truth(opened):
    return OwnTruth(opened.columns.label, ClassLookup.of(opened.columns))


def scorer_of(opened, by=None):
    transform = build_transform(opened.columns, Scoring(emit=("logprob",)), Layout("list"), "float64", "skip")
    return LabelledScorer(transform, OwnTruth("y", ClassLookup.of(opened.columns)), by)


@few
@cuts
def test_evaluating(folder, unit_bytes, seed, where):
    inputs = inputs_of(folder, where)

    def report(fleet_of):
        rejected = []
        with open_scores(inputs) as opened:
            scorer = scorer_of(opened, by="split")
            found = measure(fleet_of(opened), scorer, PLAN, NOBODY._replace(rejected=rejected.extend))
        settled = build_report("t", scorer, PLAN, found.measured, found.bootstrap, found.read, [])
        return json.dumps(settled.to_json()), rejected

    whole = report(lambda opened: ThisProcess(opened.table, 2))
    assert whole[1]
    assert whole == report(lambda opened: workers_of(inputs, opened, unit_bytes, seed))


@few
@cuts
def test_inspecting(folder, unit_bytes, seed, where):
    inputs = inputs_of(folder, where)
    with open_scores(inputs) as opened:
        inspector, opened = inspector_of(opened, 6.0)
        workers = workers_of(inputs, opened, unit_bytes, seed)
        whole = inspect_rows(ThisProcess(opened.table, 2), inspector, NOBODY)
        parted = inspect_rows(workers, inspector, NOBODY)
    assert {"outlier-cells", "bad-rows"} <= {one.code for one in inspection("t", whole).findings}
    assert json.dumps(inspection("t", parted).to_json()) == json.dumps(inspection("t", whole).to_json())
    with open_scores(inputs) as opened, tempfile.TemporaryDirectory() as out:
        counts = [
            write_flagged(fleet, whole, f"{out}/{name}", force=False)
            for name, fleet in (("whole", ThisProcess(opened.table, 2)), ("parted", workers))
        ]
        files = [Path(out, name).read_bytes() for name in ("whole", "parted")]
    assert counts[0]
    assert counts[0] == counts[1]
    assert files[0] == files[1]


@few
@cuts
def test_collecting_labelled_rows(folder, unit_bytes, seed, where):
    inputs = inputs_of(folder, where)
    with open_scores(inputs) as opened:
        collector = Collector(opened.columns, own_truth(opened), (), skips_bad_rows=True)
        whole = collect(ThisProcess(opened.table, 2), collector, NOBODY)
        parted = collect(workers_of(inputs, opened, unit_bytes, seed), collector, NOBODY)
    assert (parted.hash, parted.left_out, parted.kinds) == (whole.hash, whole.left_out, whole.kinds)
    assert whole.left_out


@few
@cuts
def test_keeping_probabilities_for_a_prior(folder, unit_bytes, seed, where):
    inputs = inputs_of(folder, where)
    with open_scores(inputs) as opened, kept_probabilities(3) as whole, kept_probabilities(3) as parted:
        transform = probabilities_transform(opened.columns, Scoring(), "skip")
        keep_probabilities(ThisProcess(opened.table, 2), transform, whole, NOBODY)
        keep_probabilities(workers_of(inputs, opened, unit_bytes, seed), transform, parted, NOBODY)
        blocks = [np.concatenate(list(kept.blocks())).tobytes() for kept in (whole, parted)]
    assert len(set(blocks)) == 1
    assert whole.rows == parted.rows > 0


@pytest.mark.parametrize("unit_bytes", [1, 1 << 20])
def test_progress_is_the_same_in_all(folder, unit_bytes):
    """Every row, and every byte of input, whoever goes over them; in the order of the table."""
    inputs = inputs_of(folder)
    heard = {}
    with open_scores(inputs) as opened:
        collector = Collector(opened.columns, own_truth(opened), (), skips_bad_rows=True)
        for name, fleet in (
            ("here", ThisProcess(opened.table, 2)),
            ("workers", workers_of(inputs, opened, unit_bytes, 4)),
        ):
            steps = []
            collect(
                fleet, collector, NOBODY._replace(progress=lambda rows, size, steps=steps: steps.append((rows, size)))
            )
            heard[name] = tuple(map(sum, zip(*steps, strict=True)))
    assert heard["here"][0] == heard["workers"][0] == 1500
    assert heard["workers"][1] == sum(path.stat().st_size for path in folder.iterdir())


def test_large_parquet_files_are_cut(folder):
    """Else the laws above would say little."""
    assert [len(plan_units(inputs_of(folder).files, size)) for size in (1, 1 << 20)] == [28, 4]


def test_truths_of_two_kinds_are_refused_although_no_unit_has_both(tmp_path):
    """Names in one file and numbers in another: each is sound by itself."""
    (tmp_path / "a.csv").write_text("logit_cat,logit_dog,y\n1,2,cat\n")
    (tmp_path / "b.csv").write_text("logit_cat,logit_dog,y\n1,2,1\n")
    (tmp_path / "c.csv").write_text("logit_cat,logit_dog,y\n1,2,1\n")
    inputs = inputs_of(tmp_path)
    with open_scores(inputs) as opened:
        collecting, evaluating = (workers_of(inputs, opened, 1, seed) for seed in (0, 1))
        collector = Collector(opened.columns, own_truth(opened), (), skips_bad_rows=True)
        with pytest.raises(DataError, match="'cat' is the name of a class and the truth '1' is not"):
            collect(collecting, collector, NOBODY)
        with pytest.raises(DataError, match="'cat' is the name of a class and the truth '1' is not"):
            measure(evaluating, scorer_of(opened), PLAN, NOBODY)
    assert collecting.engine.stopped
    assert evaluating.engine.stopped


@few
@given(st.sampled_from([1, 6000, 1 << 20]), st.integers(0, 9), st.booleans())
def test_comparing_tables_joined_by_position(folder, unit_bytes, seed, with_truth):
    """Files whose row groups hold as many rows are cut in the same places; the numbers of flipped rows go on."""
    with tempfile.TemporaryDirectory() as scratch:
        names = []
        for number, name in enumerate(("old", "new")):
            path = Path(scratch, name)
            path.mkdir()
            names.append(str(path))
            for place, file in enumerate(("a.parquet", "d.parquet")):
                table = pq.read_table(folder / file).drop_columns(["id", "split"] + ([] if with_truth else ["y"]))
                noise = np.random.default_rng(9 * place + number).normal(0, 2, (table.num_rows, len(CLASSES)))
                for column, class_name in zip(noise.T, CLASSES, strict=True):
                    at = table.column_names.index(f"logit_{class_name}")
                    shifted = pa.array(np.nan_to_num(table.column(at).to_numpy(), neginf=-20) + column)
                    table = table.set_column(at, f"logit_{class_name}", shifted)
                pq.write_table(table, path / file, row_group_size=70)
        inputs = [Inputs(input_files([name]), truths=TruthSource()) for name in names]

        def compared(fleet_of):
            flips = []
            openings = [open_scores(one) for one in inputs]
            with open_members(openings, Scoring(emit=("logprob",)), True, True) as members:
                found = compare(fleet_of(members), members.names, PLAN, NOBODY, flips.append)
                report = build_comparison(members, PLAN, found, ())
            return json.dumps(report.to_json()), [row for batch in flips for row in batch.to_pylist()]

        def parted(members):
            parts = plan_together([one.files for one in inputs], True, unit_bytes)
            assert len(parts[0]) == {1: 18, 6000: len(parts[0]), 1 << 20: 2}[unit_bytes]
            reading = replace(MemberUnits.of(inputs, members), parts=parts)
            return EngineWorkers(Shuffled(seed), reading.units(), 1, reading)

        report, flips = compared(lambda members: ThisProcess(members, 2))
        assert (report, flips) == compared(parted)
        assert flips[-1]["row"] > 1000
