"""Names that other tools gave to people's fingers lead to what this program calls them."""

from __future__ import annotations

import pytest

from softmax_cli import commands
from softmax_cli.options.other_tools import ANSWERS, OTHER_SPELLINGS, respelled
from softmax_cli.options.parser import option_names

OPTIONS = {name: option_names(getattr(commands.load(name), name)) for name in commands.names()}
EVERYWHERE = set.union(*OPTIONS.values())
IN_SOME_COMMAND = {"--output", "--tau"}
"""Options of some commands, and another tool's word for what others have."""


def test_every_spelling_leads_to_an_option_and_is_none_itself():
    spellings = [theirs for group in OTHER_SPELLINGS.values() for theirs in group]
    assert OTHER_SPELLINGS.keys() <= EVERYWHERE
    assert len(spellings) == len({*spellings})
    assert {*spellings} & EVERYWHERE <= IN_SOME_COMMAND
    assert {*spellings, *OTHER_SPELLINGS} & ANSWERS.keys() == set()


@pytest.mark.parametrize(
    ("typed", "known", "ours"),
    [
        ("--label_col", {"--label"}, "--label"),
        ("--topk=3", {"--top-k"}, "--top-k=3"),
        ("--topk", {"--bins"}, "--topk"),
        ("--top-k", {"--top-k"}, "--top-k"),
        ("--out=x.csv", {"-o"}, "--out=x.csv"),  # a short option takes no =
        ("-x", {"-o"}, "-x"),
        ("topk", {"--top-k"}, "topk"),
    ],
)
def test_a_name_is_taken_where_the_command_has_the_option(typed, known, ours):
    assert respelled(typed, known) == ours


@pytest.mark.parametrize("name", ANSWERS)
def test_what_has_another_way_is_answered(softmax_cli, name):
    typed = ("predict", "x.csv", name) if name.startswith("-") else (name, "x.csv")
    done = softmax_cli(*typed)
    assert (done.code, done.out) == (2, b"")
    assert done.err == f"error: {name}: {ANSWERS[name]}\n"


def test_answers_name_options_that_there_are():
    there = EVERYWHERE | {"--version", "--verbose", "--install-completion", "--show-completion", "--man"}
    named = {word.strip(".,:;") for answer in ANSWERS.values() for word in answer.split() if word.startswith("-")}
    assert {word for word in named if word.startswith("--")} <= there


def test_a_class_is_left_out_as_the_answer_says(softmax_cli, tmp_path):
    (tmp_path / "x.csv").write_text("logit_a,logit_b\n5,1\n")
    done = softmax_cli("predict", "x.csv", "-w", "a=0", "-q")
    assert done.text.splitlines()[1].split(",")[:2] == ["b", "1.000000000000"]
