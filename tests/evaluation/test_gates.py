"""Gates: what a shell may rely on."""

from __future__ import annotations

import operator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softmax_cli.errors import ExitCode, GateError, UsageError
from softmax_cli.evaluation.gates import failures, parse_gate
from softmax_cli.evaluation.report import Figure

SIGNS = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le}
numbers = st.floats(allow_nan=False)


def figure(name, value):
    return Figure(name, name, value, None, "")


@given(st.sampled_from(sorted(SIGNS)), numbers, numbers, st.sampled_from(["", " ", "  "]))
def test_a_gate_fails_where_its_condition_holds(sign, limit, value, blank):
    gate = parse_gate(f"{blank}ECE{blank}{sign}{blank}{limit!r}{blank}", ("accuracy", "ece"))
    assert bool(failures([gate], [figure("ece", value)])) == SIGNS[sign](value, limit)


@pytest.mark.parametrize("sign", SIGNS)
def test_what_is_unknown_fails(sign):
    gate = parse_gate(f"ece {sign} 0.5", ("ece",))
    assert failures([gate], [figure("ece", float("nan"))]) == (f"--fail-if 'ece {sign} 0.5': ece is unknown",)


def test_every_failure_is_listed_in_order():
    gates = [parse_gate(given, ("ece", "brier")) for given in ("brier > 1", "ece > 0", "ece > 9")]
    found = failures(gates, [figure("ece", 0.25), figure("brier", 2.0)])
    assert found == ("--fail-if 'brier > 1': brier is 2", "--fail-if 'ece > 0': ece is 0.25")
    assert GateError.code == ExitCode.GATE == 3


def test_dashes_do_for_underscores():
    assert parse_gate("log-loss > 1", ("log_loss",)).name == "log_loss"


@pytest.mark.parametrize(
    "given_gate", ["", "ece", "ece > ", "> 1", "ece = 1", "ece == 1", "ece > 1 2", "ece > nan", "nope > 1"]
)
def test_what_is_no_gate_is_refused_with_a_way_on(given_gate):
    with pytest.raises(UsageError, match=r"such as|there are: ece|not a number"):
        parse_gate(given_gate, ("ece",))
