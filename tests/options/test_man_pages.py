"""Man pages say what ``--help-all`` says, in troff that needs no excuse."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from softmax_cli import commands
from softmax_cli.options import man_pages

PAGES = (None, *commands.names())
MACROS = {"TH", "nh", "ad", "SH", "SS", "TP", "PP", "nf", "fi"}


def asked_for(name):
    return ("help", "--man") if name is None else ("help", "--man", name)


def plain(page: str) -> str:
    """The text of a page, as a reader sees it but for its lines."""
    lines = [line for line in page.splitlines() if not line.startswith((".", "'")) or line[1:3] in ("SH", "SS")]
    text = re.sub(r"\\f[BIR]|\\&", "", " ".join(lines))
    for escaped, shown in {r"\-": "-", r"\(aq": "'", r"\(ha": "^", r"\(ga": "`", r"\(ti": "~", r"\e": "\\"}.items():
        text = text.replace(escaped, shown)
    return " ".join(text.split())


@pytest.mark.parametrize("name", PAGES)
def test_every_option_and_its_text(softmax_cli, name):
    done = softmax_cli(*asked_for(name))
    assert (done.code, done.err) == (0, "")
    text = plain(done.text)
    shown = softmax_cli(*(("--help",) if name is None else (name, "--help-all")), env={"COLUMNS": "400"}).text
    rows = [row for row in re.findall(r"│ (.*?) *│", shown) if "--" in row.split("  ")[0]]
    assert rows
    for row in rows:
        option, *_, meaning = re.split(r"  +", row)
        meaning = re.sub(r" \[default: .*", "", meaning)
        assert f" {option} " in text
        assert meaning in text
    for command, result in commands.load(name).EXAMPLES if name else ():
        assert command in text
        assert result[1:] in text


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_taken_for_a_command_of_troff(softmax_cli, name):
    page = softmax_cli(*asked_for(name)).text
    requests = {match[1] for line in page.splitlines() if (match := re.match(r"[.'](\S*)", line))}
    assert requests <= MACROS
    body = page.partition("\n")[2]
    assert re.findall(r"(?<!\\)-", body) == [], "a hyphen that cannot be copied"
    assert page.isascii()


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.skipif(shutil.which("groff") is None, reason="no groff")
def test_groff_has_no_warning(softmax_cli, name):
    page = softmax_cli(*asked_for(name)).out
    done = subprocess.run(["groff", "-man", "-Tutf8", "-ww"], input=page, capture_output=True, check=True)
    assert done.stderr == b""
    assert len(done.stdout) > 1000


def test_defaults_exits_and_what_else_there_is(softmax_cli):
    text = plain(softmax_cli("help", "predict", "--man").text)
    assert "inf is uniform. (default: 1.0) --temperature-column COLUMN" in text
    assert "-T, --temperature T Divides" in text
    assert "softmax-cli predict [OPTION]... [FILE]..." in text
    assert "softmax-cli weights [OPTION]... FILE .SH" in plain(softmax_cli("help", "--man", "weights").text)
    for term, meaning in (*man_pages.EXITS, *man_pages.ELSEWHERE):
        assert f"{term} {meaning}" in text
    assert text.count("softmax-cli-evaluate(1)") == 1
    assert "softmax-cli-predict(1)" not in text


def test_a_page_that_is_not_there(softmax_cli):
    done = softmax_cli("help", "--man", "prdict")
    assert (done.code, done.out) == (2, b"")
    assert "did you mean 'predict'?" in done.err
    assert "one page at a time" in softmax_cli("help", "--man", "predict", "sample").err
