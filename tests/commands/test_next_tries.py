"""A message leads to success in one more try: what was found, what was meant, what to type next."""

from __future__ import annotations

import os
import pty
import subprocess

import pandas as pd
import pytest

TABLE = "id,cat,dog,bird,label,split\na,2,1,0,cat,valid\nb,0,3,1,dog,test\nc,0,1,2,bird,test\n"


@pytest.fixture(autouse=True)
def table(tmp_path):
    (tmp_path / "x.csv").write_text(TABLE)
    (tmp_path / "again.csv").write_text(TABLE.replace("2,1,0", "1,2,0"))
    names = [f"c{i}" for i in range(214)]
    wide = pd.DataFrame([[0.5] * 214], columns=names).assign(label="c1")
    wide.to_csv(tmp_path / "wide.csv", index=False)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("evaluate", "wide.csv", "--label", "lable"), 2, "--label 'lable': no such column; did you mean 'label'?"),
        (("predict", "x.csv", "--id", "idd"), 2, "did you mean 'id'?"),
        (("predict", "x.csv", "--logits", "cat,dgo"), 2, "--logits 'dgo': no such column; did you mean 'dog'?"),
        (("predict", "x.csv", "--where", "splt=test"), 2, "did you mean 'split'?"),
        (("evaluate", "x.csv", "--by", "splt"), 2, "did you mean 'split'?"),
        (("predict", "x.csv", "-w", "cta=2"), 2, "no class is called 'cta'; did you mean 'cat'?"),
        (("evaluate", "x.csv", "--fail-if", "accurcy < 0.5"), 2, "did you mean 'accuracy'?"),
        (("predict", "x.csv", "--format", "jsn"), 2, "did you mean 'json'?"),
        (("predict", "x.csv", "--temprature", "2"), 2, "did you mean --temperature or --temperature-column?"),
        (
            ("predict", "x.csv", "--fail-if", "ece > 1"),
            2,
            "--fail-if is no option of predict; compare and ",
        ),
        (("inspect", "x.csv", "-T", "2"), 2, "-T is no option of inspect; "),
        (("predict", "2", "1", "0.1"), 2, "softmax-cli explain 2 1 0.1; "),
        (("predict", "2", "1", "0.1"), 2, "echo '2,1,0.1' | softmax-cli predict -"),
        (("calibrate", "x.csv", "--method", "tempreature"), 2, "did you mean temperature? choose one of "),
        (("predict", "x.csv", "--prior", "uniform"), 2, "did you mean --source-prior or --target-prior"),
        (("predict", "xx.csv"), 2, "did you mean x.csv?"),
        (("evaluate", "x.csv", "--fail-if", "acc < 0.5"), 2, "did you mean 'accuracy'?"),
        (("x.csv", "-T", "2"), 2, "a command comes first: softmax-cli predict x.csv -T 2"),
        (("-2.5", "1"), 2, "a command comes first: softmax-cli explain -2.5 1"),
        (("--bins", "3", "x.csv"), 2, "a command comes first: softmax-cli evaluate --bins 3 x.csv"),
        (("evaluate",), 1, "stdin: empty (0 bytes); a table of scores was expected: name a file"),
        (("weights", "x.csv", "--label", "lable"), 1, "did you mean 'label'?"),
    ],
)
def test_what_is_mistyped_is_answered_with_what_was_meant(softmax_cli, arguments, code, words):
    done = softmax_cli(*arguments)
    assert (done.code, words in done.err) == (code, True), done.err
    assert len(done.err) < 600


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("split=vaild", "did you mean split=valid? 'split' holds: valid, test"),
        ("split=train", "keeps no row; 'split' holds: valid, test"),
    ],
)
@pytest.mark.parametrize("command", ["predict", "evaluate", "inspect"])
def test_a_filter_that_keeps_nothing_names_the_values_that_are_there(softmax_cli, command, typed, words):
    done = softmax_cli(command, "x.csv", "--where", typed, "-q")
    assert words in done.err


def test_a_filter_does_not_mind_blanks(softmax_cli, tmp_path):
    (tmp_path / "x.csv").write_text(TABLE.replace(",test", ", test"))
    assert len(softmax_cli("predict", "x.csv", "--where", "split=test", "--format", "jsonl").text.splitlines()) == 2


def test_files_of_the_same_ids_are_no_longer_table(softmax_cli, tmp_path):
    done = softmax_cli("predict", "x.csv", "again.csv", "-o", "o.csv", "-q")
    assert (done.code, "x.csv and again.csv hold the same ids (a ...)" in done.err) == (0, True)
    (tmp_path / "again.csv").write_text(TABLE.replace("a,", "d,").replace("b,", "e,").replace("\nc,", "\nf,"))
    assert softmax_cli("predict", "x.csv", "again.csv", "-o", "o2.csv", "-q").err == ""


def test_a_column_that_gives_way_is_named(softmax_cli):
    done = softmax_cli("predict", "x.csv", "--layout", "long", "--format", "jsonl")
    assert "'label' passes on as 'input_label'" in done.err
    assert '"input_label":"cat"' in done.text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["evaluate"], "nothing to read: name a file, softmax-cli evaluate FILE"),
        (["predict", "-"], "waiting for a table on standard input; Ctrl-D ends it"),
    ],
)
def test_a_terminal_without_a_table(program, program_env, tmp_path, arguments, words):
    main, side = pty.openpty()
    try:
        process = subprocess.Popen(
            [program, *arguments],
            cwd=tmp_path,
            env=program_env,
            stdin=side,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        os.write(main, b"\x04")
        _, err = process.communicate(timeout=60)
    finally:
        os.close(main)
        os.close(side)
    assert words in err.decode()
