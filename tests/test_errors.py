"""The words for what was meant, and the exit codes."""

from softmax_cli.errors import DataError, GateError, UsageError, did_you_mean, first_line, listed, nearest


def test_names_are_listed_up_to_a_number():
    assert listed(["a", "b"]) == "a, b"
    assert listed(["a", "b", "c"], 2) == "a, b and 1 more"
    assert listed([]) == "none"


def test_the_nearest_name_is_offered():
    assert nearest("Temprature ", ["top_k", "temperature"]) == ["temperature"]
    assert did_you_mean("temprature", ["temperature", "top_k"]) == "did you mean 'temperature'?"
    assert did_you_mean("zzz", ["temperature", "top_k"]) == "there are: temperature, top_k"


def test_exit_codes_and_first_lines():
    assert [int(kind.code) for kind in (DataError, UsageError, GateError)] == [1, 2, 3]
    assert first_line(ValueError("it is cut.\nmore")) == "it is cut"
    assert first_line(ValueError()) == "ValueError"
