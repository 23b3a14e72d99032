"""Completion through the protocol of the shells' scripts: what fits is printed, and nothing else, whatever is wrong."""

from __future__ import annotations

import re

import pytest

from softmax_cli import commands
from softmax_cli.numeric import calibrators
from softmax_cli.options import completion

TABLE = "id,logit_cat,logit_dog,label,true class\n7,2,1,cat,a b\n8,1,2,dog,c\n"


@pytest.fixture
def complete(softmax_cli, tmp_path):
    """Complete the last of some words in bash; bash parts them at ``=`` and ``:``."""
    (tmp_path / "x.csv").write_text(TABLE)

    def run(*words: str, after: tuple[str, ...] = ()) -> list[str]:
        typed = ["softmax-cli", *words]
        env = {"COMP_WORDS": "\n".join([*typed, *after]), "COMP_CWORD": str(len(typed) - 1)}
        done = softmax_cli(env=env | {completion.VARIABLE: "complete_bash"})
        assert done.err == ""
        return done.text.split("\n")[:-1] if done.text.strip() else []

    return run


def test_commands_and_options(complete):
    assert complete("ev") == ["evaluate"]
    assert {*complete("")} == {*commands.names()}
    assert complete("help", "cal") == ["calibrate"]
    assert complete("predict", "x.csv", "--lab") == ["--label", "--labels", "--labels-from"]
    assert complete("predict", "x.csv", "--wins") == ["--winsorize"], "also what --help leaves to --help-all"


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        (("--label", ""), ["id", "label", r"true\ class"]),
        (("--label", "t"), [r"true\ class"]),
        (("--label", "'t"), ["true class"]),
        (("--label", "lo"), ["logit_cat", "logit_dog"]),
        (("--label", "=", "la"), ["label"]),
        (("--label", "="), ["id", "label", r"true\ class"]),
        (("--logits", "logit_cat,l"), ["logit_cat,logit_*", "logit_cat,logit_dog", "logit_cat,label"]),
        (("--logits", "logit_"), ["logit_*", "logit_cat", "logit_dog"]),
        (("-w", ""), ["balanced:", "cat=", "dog="]),
        (("-w", "cat", "=", "4,"), ["4,dog="]),
        (("--target-prior", "u"), ["uniform"]),
        (("--where", "la"), ["label="]),
        (("--where", "label", "=", ""), ["cat", "dog"]),
        (("--where", "label", "=", "d"), ["dog"]),
        (("--where", "=", "label", "=", "d"), ["dog"]),
        (("-T", "2", "--id", "i"), ["id"]),
        (("--add", "entropy,mar"), ["entropy,margin"]),
        (("--only", ""), ["wrong", "abstained", "bad"]),
        (("--format", "j"), ["json", "jsonl"]),
        (("--input-format", "l"), []),
        (("--calibration", "x"), []),
        (("--batch-rows", ""), []),
    ],
)
def test_values_of_options(complete, typed, offered):
    assert complete("predict", "x.csv", *typed) == offered


def test_what_follows_the_cursor_does_not_matter(complete):
    assert complete("predict", "x.csv", "--label", "", after=("-T", "2")) == ["id", "label", r"true\ class"]


def test_how_the_table_is_read_is_heeded(complete, tmp_path):
    (tmp_path / "plain.csv").write_text("1;2;3\n2;5;1\n")
    assert complete("predict", "plain.csv", "--no-header", "--delimiter", "';'", "--label", "") == ["0", "1", "2"]
    assert complete("predict", "x.csv", "--classes", "a,b", "-w", "") == ["balanced:", "a=", "b="]


def test_methods_figures_and_labels_of_other_commands(complete):
    assert {*complete("calibrate", "x.csv", "--method", "")} == {"auto", "none", *calibrators.names()}
    assert complete("evaluate", "x.csv", "--plots", "risk,c") == ["risk,confidence", "risk,confusion", "risk,classes"]
    assert complete("evaluate", "x.csv", "--fail-if", "'acc") == ["accuracy"]
    assert complete("compare", "x.csv", "x.csv", "--fail-if", "agr") == ["agreement"]
    assert complete("compare", "x.csv", "--plots", "fl") == ["flips"]
    assert complete("weights", "x.csv", "--label", "t") == [r"true\ class"]
    assert complete("explain", "x.csv", "--row", "1", "-w", "d") == ["dog="]


def test_the_first_table_of_a_folder_or_a_pattern(complete, tmp_path):
    (tmp_path / "logits").mkdir()
    (tmp_path / "logits" / "a.csv").write_text(TABLE)
    assert complete("predict", "logits", "--label", "i") == ["id"]
    assert complete("predict", "'logits/*.csv'", "--label", "i") == ["id"]


@pytest.mark.parametrize(
    "path", ["nowhere.csv", "-", "https://example.org/x.csv", "broken.parquet", "empty.csv", "x.xlsx"]
)
def test_what_cannot_be_read_is_passed_over_in_silence(complete, tmp_path, path):
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 and no more")
    (tmp_path / "empty.csv").write_bytes(b"")
    (tmp_path / "x.xlsx").write_bytes(b"PK\x03\x04 and no more")
    assert complete("predict", path, "--label", "") == []


def test_only_the_head_of_a_table_is_read(complete, tmp_path):
    """The last of many rows is no row: what read it all would say so."""
    (tmp_path / "long.csv").write_text(TABLE + "9,1,2,dog,d\n" * 500_000 + '9,1,"')
    assert complete("predict", "long.csv", "--label", "t") == [r"true\ class"]
    assert complete("predict", "long.csv", "-w", "d") == ["dog="]


def test_zsh_and_fish_get_what_they_understand(softmax_cli, tmp_path):
    (tmp_path / "x.csv").write_text(TABLE)

    def ask(shell: str, line: str, **env: str):
        return softmax_cli(env={completion.VARIABLE: f"complete_{shell}", "_TYPER_COMPLETE_ARGS": line} | env)

    assert ask("zsh", "softmax-cli predict x.csv --where label=d").text == """_arguments '*: :(("label=dog"))'\n"""
    assert '(("--label=id"\n"--label=label"\n"' in ask("zsh", "softmax-cli predict x.csv --label=").text
    get = {"_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    assert ask("fish", "softmax-cli predict x.csv --label=l", **get).text == "--label=label\n"
    assert ask("zsh", "softmax-cli predict nowhere.csv --where label=d").text == "_files\n"
    assert ask("fish", "softmax-cli predict x.csv -w d", _TYPER_COMPLETE_FISH_ACTION="get-args").text == "dog=\n"
    for table, code in (("x.csv", 0), ("nowhere.csv", 1)):
        done = ask("fish", f"softmax-cli predict {table} -w d", _TYPER_COMPLETE_FISH_ACTION="is-args")
        assert (done.code, done.err) == (code, "")


@pytest.mark.parametrize(
    ("command", "option"),
    [
        *(("predict", name) for name in ("activation", "dtype", "layout", "only", "pool", "on-bad-row", "color")),
        *(("predict", name) for name in ("input", "format", "emit", "add", "sort")),
        *(("evaluate", name) for name in ("scheme", "norm", "kind", "plots", "format")),
        *(("calibrate", name) for name in ("method", "objective", "score", "quantile")),
        *(("weights", "method"), ("ensemble", "pool"), ("compare", "plots")),
    ],
)
def test_what_is_offered_is_taken(complete, softmax_cli, command, option):
    """No value is offered that the command then refuses as unknown; and one that is not offered is refused."""
    offered = [value for value in complete(command, "x.csv", f"--{option}", "") if value != "table"]
    assert offered
    needs = {"plots": ("--plot", "p.png"), "pool": ("--pool-by", "label") if command == "predict" else ()}

    def refused(value: str) -> bool:
        typed = (f"--{option}={value}", *needs.get(option, ()), "--quiet")
        done = softmax_cli(command, "x.csv", *typed)
        return done.code == 2 and bool(
            re.search(rf"--{option} \S*{re.escape(value)}: |no (plot|format) is called", done.err)
        )

    assert refused("xyzzy")
    assert [value for value in offered if refused(value)] == []
