"""Options from variables and from a file beside the data: what is typed goes first, and each is named."""

from __future__ import annotations

import pytest

from softmax_cli.errors import UsageError
from softmax_cli.options.configuration import FILE_NAME, settings_for

TABLE = "logit_a,logit_b\n1,2\n3,1\n"


@pytest.fixture
def table(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "x.csv").write_text(TABLE)
    return tmp_path / "data"


def test_typed_goes_before_variable_goes_before_file(softmax_cli, table):
    (table / "softmax-cli.toml").write_text("temperature = 2\n")
    variable = {"SOFTMAX_CLI_TEMPERATURE": "4"}
    of_file = softmax_cli("predict", "data/x.csv")
    of_variable = softmax_cli("predict", "data/x.csv", env=variable)
    typed = softmax_cli("predict", "data/x.csv", "-T", "8", env=variable)
    for run, temperature in ((of_file, "2"), (of_variable, "4"), (typed, "8")):
        (table / "softmax-cli.toml").unlink(missing_ok=True)
        assert run.out == softmax_cli("predict", "data/x.csv", "-T", temperature).out
    assert "data/softmax-cli.toml: --temperature=2" in of_file.err
    assert "SOFTMAX_CLI_TEMPERATURE: --temperature=4" in of_variable.err
    assert "--temperature" not in typed.err


def test_a_table_of_a_command_holds_for_it_alone(softmax_cli, table):
    (table / "softmax-cli.toml").write_text(
        "temperature = 2\n[predict]\nonly-predictions = true\n[evaluate]\nbins = 3\n"
    )
    done = softmax_cli("predict", "data/x.csv")
    assert done.text.splitlines()[0] == "prediction,confidence"
    assert "bins" not in done.err


def test_pyproject_and_the_folder_one_is_in(softmax_cli, table, tmp_path):
    (tmp_path / "pyproject.toml").write_text("[tool.other]\na = 1\n[tool.softmax-cli]\ntop_k = 1\nquiet = true\n")
    done = softmax_cli("predict", "data/x.csv")
    assert (done.text.splitlines()[0], done.err) == (
        "label_1,prob_1",
        "pyproject.toml: --top-k=1; pyproject.toml: --quiet\n",
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[predict]\ntemprature = 2\n", "predict has no option 'temprature'; did you mean 'temperature'?"),
        ("output = 'x.csv'\n", "'output' has to be typed: --output"),
        ("force = true\n", "'force' has to be typed: --force"),
        ("a = \n", "not TOML"),
    ],
)
def test_a_file_that_cannot_be_followed_is_refused(softmax_cli, table, text, message):
    (table / "softmax-cli.toml").write_text(text)
    done = softmax_cli("predict", "data/x.csv")
    assert (done.code, done.out) == (2, b"")
    assert message in " ".join(done.err.split())


def test_a_bad_value_is_a_usage_error(softmax_cli, table):
    done = softmax_cli("predict", "data/x.csv", env={"SOFTMAX_CLI_TEMPERATURE": "warm"})
    assert done.code == 2
    assert "--temperature" in done.err


def test_a_list_gives_an_option_several_times(softmax_cli, table):
    (table / "softmax-cli.toml").write_text("[evaluate]\nfail-if = ['accuracy < 2', 'error > -1']\nlabel = 'y'\n")
    (table / "y.csv").write_text("logit_a,logit_b,y\n1,2,a\n3,1,a\n")
    done = softmax_cli("evaluate", "data/y.csv", "--bootstrap", "0")
    assert done.code == 3
    assert "accuracy" in done.err
    assert "error > -1" in done.err


def settings(tmp_path, text, typed=(), **variables):
    """What holds for predict with the options below, a file beside the data, and variables."""
    (tmp_path / FILE_NAME).write_text(text)
    options = ["temperature", "top-k", "quiet", "output"]
    found = settings_for("predict", options, typed, [str(tmp_path / "x.csv")], variables)
    return [argument for setting in found for argument in setting.argument]


@pytest.mark.parametrize("option", ["per-class", "confusion", "bins-out", "rows-out", "flips-out"])
def test_a_file_beside_the_data_writes_no_table(tmp_path, option):
    with pytest.raises(UsageError, match=f"'{option}' has to be typed: --{option}"):
        settings(tmp_path, f"{option} = 'x.csv'\n")


def test_settings_are_what_could_have_been_typed(tmp_path):
    assert settings(tmp_path, "top_k = 2\nquiet = true\n") == ["--top-k=2", "--quiet"]
    assert settings(tmp_path, "quiet = false\n") == []
    assert settings(tmp_path, "top-k = [1, 2]\n") == ["--top-k=1", "--top-k=2"]
    assert settings(tmp_path, "top_k = 2\n", ["top-k"], SOFTMAX_CLI_TOP_K="3") == []
    assert settings(tmp_path, "top_k = 2\n", SOFTMAX_CLI_TOP_K="3", SOFTMAX_CLI_OUTPUT="x") == ["--top-k=3"]
    assert settings(tmp_path, "[evaluate]\ntop_k = 2\n") == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("output = 'x.csv'\n", "'output' has to be typed: --output"),
        ("[predict]\ntop_kk = 2\n", "predict has no option 'top_kk'; did you mean 'top-k'"),
        ("top_k = \n", "not TOML"),
    ],
)
def test_settings_that_are_refused(tmp_path, text, words):
    with pytest.raises(UsageError, match=words):
        settings(tmp_path, text)
