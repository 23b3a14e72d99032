"""Each finding on a table that has only this fault, and none of them on a sound one."""

import numpy as np
import pyarrow as pa
import pytest

from softmax_cli.inspection.evidence import Evidence, make_inspector
from softmax_cli.inspection.findings import FINDERS, find_all, find_outliers, find_scale
from softmax_cli.inspection.kind_findings import find_kind
from softmax_cli.tables.columns import Selection, resolve
from softmax_cli.tables.table import Decoded, Place

ROWS, NAMES = 400, ("a", "b", "c", "d")


def sound(rows=ROWS, seed=0):
    """Logits of a network that is right most of the time: each class wins a quarter of the rows."""
    rng = np.random.default_rng(seed)
    z = rng.normal(-1, 1, (rows, len(NAMES)))
    z[np.arange(rows), np.arange(rows) % len(NAMES)] += 5
    return z


def evidence_of(z, names=NAMES, dtype="float64", limit=6.0, **typed):
    batch = pa.record_batch({f"logit_{name}": np.ascontiguousarray(z[:, i]) for i, name in enumerate(names)})
    decoded = Decoded(batch, lambda row, column: Place(f"t: row {row + 1}", "?", "the row"))
    inspector = make_inspector([decoded], resolve(batch.schema, Selection(**typed), batch), dtype, limit)
    return Evidence.none(inspector).with_batch(decoded, inspector(decoded))


def found_in(z, **options):
    return {finding.code: finding for finding in find_all(evidence_of(z, **options))}


def spoiled(spoil):
    z = sound()
    spoil(z)
    return z


def test_nothing_is_found_in_a_sound_table():
    assert found_in(sound()) == {}
    assert all(list(find(evidence_of(sound()))) == [] for find in FINDERS)


def far_cell(z):
    z[17] = [-1, -1, -1, 300]


def low_cell(z):
    z[17, 1] = -80


def missing(z):
    z[17, 1] = np.nan


def infinite(z):
    z[17, 1] = np.inf


def masked(z):
    z[[17, 18], 1] = -np.inf


def wide_class(z):
    z[:, 2] *= 40


def twice(z):
    z[200:210] = z[17]


def same_column(z):
    z[:, 3] = z[:, 2]


def constant(z):
    z[:, 2] = -0.5


def flat(z):
    z[17] = 1.5


def one_class(z):
    z[:, 0] = 9 + np.random.default_rng(1).normal(size=len(z))


@pytest.mark.parametrize(
    ("spoil", "code", "severity", "words"),
    [
        (far_cell, "outlier-cells", "warning", "1 cell"),
        (far_cell, "rows-held-by-an-outlier", "problem", "1 row with over 99.9%"),
        (low_cell, "outlier-cells", "note", "1 cell"),
        (missing, "bad-rows", "problem", "1 row of 400 cannot be scored"),
        (missing, "missing-cells", "problem", "1 cell is missing or not a number"),
        (infinite, "infinite-cells", "problem", "1 cell is +inf"),
        (masked, "masked-cells", "note", "2 cells"),
        (wide_class, "class-on-another-scale", "problem", "1 class spread unlike the others"),
        (twice, "duplicate-rows", "warning", "10 rows"),
        (same_column, "duplicate-columns", "problem", "1 class equal another class in every row: d = c"),
        (constant, "constant-columns", "warning", "1 class hold one number in every row: c"),
        (flat, "flat-rows", "warning", "1 row"),
        (one_class, "one-class-predicted", "warning", "a is predicted for"),
        (one_class, "classes-never-predicted", "note", "of 4 win no row"),
    ],
)
def test_a_fault_is_named(spoil, code, severity, words):
    finding = found_in(spoiled(spoil))[code]
    assert finding.severity == severity
    assert words in finding.text


def test_a_place_is_that_of_the_row():
    assert found_in(spoiled(missing))["missing-cells"].places[0].startswith("t: row 18")
    (place,) = found_in(spoiled(far_cell))["rows-held-by-an-outlier"].places
    assert place.startswith("t: row 18: d 1.000; without it ")


def test_probabilities_are_no_logits():
    p = np.exp(sound())
    p /= p.sum(axis=1, keepdims=True)
    assert found_in(p)["probabilities-as-logits"].flag == "--input prob"
    assert "probabilities-as-logits" not in found_in(p, kind="prob")
    (finding,) = find_kind(evidence_of(p))
    assert (finding.code, finding.severity) == ("probabilities-as-logits", "problem")
    assert [one.code for one in find_kind(evidence_of(np.log(p)))] == ["log-probabilities-as-logits"]
    mixed = sound()
    mixed[:20] = p[:20]
    assert found_in(mixed)["some-probabilities"].text.startswith("20 rows of 400")


def test_saturated_rows_depend_on_the_precision():
    z = sound()
    z[:30, 0] = 25
    z[:30, 1:] = 0
    assert "30 rows" in found_in(z, dtype="float32")["saturated-rows"].text
    assert "saturated-rows" not in found_in(z)
    z[:30, 0] = 70_000
    assert "float16-overflow" in found_in(z)


def test_bounds_to_clip_at_are_the_next_whole_numbers_beyond_what_is_no_outlier():
    evidence = evidence_of(spoiled(far_cell))
    low, high = map(int, next(find_outliers(evidence)).flag.removeprefix("--clip-logits=").split(","))
    grid, fences = evidence.profile.values.grid, evidence.fences
    cells = np.arange(-60, 60, 0.001)
    codes = grid.codes(np.repeat(cells[:, None], len(NAMES), axis=1))
    usual = cells[~fences.outside(codes, grid.unfit).all(axis=1)]
    assert low <= usual[0] < low + 1
    assert high - 1 < usual[-1] <= high


def test_without_a_limit_nothing_is_an_outlier():
    assert list(find_outliers(evidence_of(spoiled(far_cell), limit=np.inf))) == []


def test_two_classes_have_no_usual_scale():
    assert list(find_scale(evidence_of(spoiled(wide_class)[:, 1:3], names=("b", "c")))) == []


def test_the_gravest_comes_first():
    severities = [finding.severity for finding in find_all(evidence_of(spoiled(lambda z: (masked(z), missing(z)))))]
    assert severities == sorted(severities, key=["problem", "warning", "note"].index)
    assert len(set(severities)) == 2
