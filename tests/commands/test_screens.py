"""What stands on a screen of 80 columns: figures of the whole run, nothing cut within a word, nothing said twice."""

from __future__ import annotations

import os
import pty
import re
import subprocess

import pytest

NARROW = {"COLUMNS": "80"}
RED = "\x1b[1;31m"


@pytest.fixture
def table(tmp_path):
    """Twelve rows of three classes: confidences of 0.79 and 0.42, every fourth row wrong, one truth missing."""
    rows = []
    for row in range(12):
        best = row % 3
        scores = [(2.0 if row % 2 else 0.3) * (one == best) for one in range(3)]
        truth = "" if row == 11 else "abc"[(best + (row % 4 == 0)) % 3]
        rows.append(f"{row},{','.join(map(str, scores))},{truth}")
    (tmp_path / "in.csv").write_text("\n".join(["id,logit_a,logit_b,logit_c,label", *rows]) + "\n")
    return "in.csv"


def facts(text: str) -> str:
    return next(line for line in text.splitlines() if re.match(r"[\d,]+ rows?\b", line))


@pytest.fixture
def shown(softmax_cli):
    """Run with a table for a person, as on a terminal."""

    def run(*typed):
        done = softmax_cli(*typed, "--format", "table", env=NARROW)
        assert done.code == 0, done.err
        return done

    return run


def test_accuracy_is_shown_where_there_are_truths(shown, table):
    assert "12 rows · accuracy 0.727 of 11 · mean confidence" in facts(shown("predict", table).text)
    assert "accuracy" not in facts(shown("predict", table, "--label", "id").text), "an id is no class"
    assert "accuracy" not in facts(shown("sample", table).text), "an action is no prediction"


def test_what_abstained_is_counted_and_not_judged(shown, softmax_cli, table, tmp_path):
    done = shown("predict", table, "--threshold", "0.6", "--abstain-label", "unsure")
    assert facts(done.text).startswith("12 rows · 6 abstained · accuracy 1.000 of 5 · ")
    done = softmax_cli("predict", table, "--threshold", "0.6", "-o", "out.csv")
    assert done.err == "3 classes: a b c; id: id; truth: label; 12 rows, 6 abstained\n"
    (tmp_path / "parts").mkdir()
    done = softmax_cli("predict", table, table, "--threshold", "0.6", "-o", "parts/")
    assert "24 rows in 2 parts, 12 abstained" in done.err


@pytest.mark.parametrize(
    ("truths", "known"),
    [("011", True), ("0 2 2", True), ("1 2 3", False), ("1 1 2", False), ("a 1 2", False)],
)
def test_positions_are_judged_only_where_it_is_clear_how_they_count(shown, tmp_path, truths, known):
    cells = truths.split() if " " in truths else list(truths)
    rows = [f"{row},1,0,0,{cell}" for row, cell in enumerate(cells)]
    (tmp_path / "x.csv").write_text("\n".join(["id,logit_a,logit_b,logit_c,label", *rows]) + "\n")
    assert ("accuracy 0.333" in facts(shown("predict", "x.csv").text)) == known


def test_superclasses_are_judged_as_superclasses(shown, tmp_path, table):
    (tmp_path / "super.csv").write_text("class,superclass\na,one\nb,one\nc,two\n")
    assert "accuracy 0.818 of 11" in facts(shown("predict", table, "--superclasses", "super.csv").text)


def test_all_shows_every_class_also_with_a_limit(shown, tmp_path):
    names = "abcdefgh"
    (tmp_path / "x.csv").write_text(f"{','.join(f'logit_{one}' for one in names)}\n" + "1,2,3,4,5,6,7,8\n" * 20)
    few, every = shown("predict", "x.csv").text, shown("predict", "x.csv", "--all", "--limit", "3").text
    assert "… 4 more: --all" in few
    assert [line.split()[0] for line in every.rstrip().splitlines()[-8:]] == ["h", *"abcdefg"]
    assert "... 17 more rows: -o FILE keeps them" in every


@pytest.mark.parametrize(
    "typed",
    [
        ("predict",),
        ("sample",),
        ("calibrate", "--keep-fit", "--folds", "2", "--on-bad-row", "skip", "-o", "c.json"),
        ("evaluate", "--on-bad-row", "skip"),
    ],
)
def test_nothing_is_said_twice(softmax_cli, table, typed):
    form = ("--format", "table") if typed[0] in ("predict", "sample") else ()
    done = softmax_cli(typed[0], table, *typed[1:], *form, env=NARROW)
    whole = done.err + done.text.split("\n\n")[0] + facts(done.text + "1 row\n")
    assert whole.count("3 classes") == 1
    assert whole.count("12 rows") + whole.count("11 rows") == 1
    assert whole.count("in.csv") == 1


def test_a_title_names_all_files(softmax_cli, table, tmp_path):
    for name in ("b.csv", "c.csv"):
        (tmp_path / name).write_text((tmp_path / table).read_text().replace("\n", "\n9", 1))
    two = softmax_cli("evaluate", table, "b.csv", "--on-bad-row", "skip", "--bootstrap", "0", "-q").text
    assert two.startswith("in.csv and b.csv: ")
    three = softmax_cli("inspect", table, "b.csv", "c.csv", "-q").text
    assert three.startswith("in.csv and 2 more: ")


def test_a_legend_explains_what_is_shown(softmax_cli, table, tmp_path):
    plain = " ".join(softmax_cli("inspect", table, env=NARROW).text.split())
    assert "wins: rows in which" in plain
    assert "missing cells" not in plain
    (tmp_path / "gap.csv").write_text((tmp_path / table).read_text() + "99,,1,2,a\n")
    assert "nan: missing cells" in " ".join(softmax_cli("inspect", "gap.csv", env=NARROW).text.split())


def test_a_plan_names_a_truth_from_elsewhere_alone(softmax_cli, table, tmp_path):
    (tmp_path / "truths.csv").write_text("id,label\n0,a\n1,b\n")
    plan = softmax_cli("evaluate", table, "--labels", "truths.csv", "--dry-run").text
    assert [line for line in plan.splitlines() if line.startswith("truth")] == ["truth    truths.csv, by id"]


def on_terminal(program, env, cwd, *typed: str) -> str:
    """Run on a terminal of 80 columns and return all that appears there."""
    main, side = pty.openpty()
    subprocess.run([program, *typed], stdout=side, stderr=side, env=env, cwd=cwd, check=False, timeout=60)
    os.close(side)
    seen = os.read(main, 100_000).decode()
    os.close(main)
    return seen.replace("\r\n", "\n")


def test_a_fit_that_is_not_kept_says_how_it_would_be(program, program_env, table, tmp_path):
    typed = ("calibrate", table, "--folds", "2", "--on-bad-row", "skip")
    seen = " ".join(on_terminal(program, program_env | NARROW, tmp_path, *typed).split())
    assert seen.startswith("the calibration is not saved: add -o calibration.json to keep it")
    assert "not saved" not in on_terminal(program, program_env, tmp_path, *typed, "-o", "calibration.json")


def test_a_plan_breaks_between_words_on_a_terminal(program, program_env, tmp_path):
    names = [f"logit_quite_a_long_name_{one}" for one in range(20)]
    (tmp_path / "x.csv").write_text(f"{','.join(names)}\n{','.join('1' * 20)}\n")
    seen = on_terminal(program, program_env | NARROW, tmp_path, "predict", "x.csv", "--dry-run")
    assert max(map(len, seen.splitlines())) <= 80
    for name in names:
        assert name in seen
    assert f"\n{' ' * 9}logit_" in seen


def test_error_is_red_on_a_terminal_alone(softmax_cli, program, program_env, tmp_path):
    env = program_env | {"TERM": "xterm"}
    typed = ("predict", "nowhere.csv")
    assert on_terminal(program, env, tmp_path, *typed).startswith(f"{RED}error:\x1b[0m nowhere.csv: no such file")
    for plain in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        assert on_terminal(program, env | plain, tmp_path, *typed).startswith("error: nowhere.csv")
    assert on_terminal(program, env, tmp_path, *typed, "--color", "never").startswith("error: nowhere.csv")
    for forced in ({}, {"FORCE_COLOR": "1"}):
        assert softmax_cli(*typed, env=forced).err.startswith("error: nowhere.csv")


def test_notes_of_a_comparison_stand_beside_their_figures(softmax_cli, table, tmp_path):
    """Only figures with an interval leave room for one; headings of the rows that flip are whole."""
    flipped = (tmp_path / table).read_text().replace("2.0,0.0,0.0", "0.0,2.0,0.0")
    (tmp_path / "new.csv").write_text(flipped)
    text = softmax_cli("compare", table, "new.csv", "--on-bad-row", "skip", "-q", "--full", env=NARROW).text
    assert re.search(r"^agreement +0\.\d+  share of rows with the same prediction$", text, re.MULTILINE)
    assert re.search(r"^accuracy gap +-?\d\.\d+  \[.*\] +0\.\d+ less 0\.\d+$", text, re.MULTILINE)
    assert re.search(r"^id +truth +first +confidence +second +confidence$", text, re.MULTILINE)
