"""What goes wrong around every command: disks, folders, pipes, names, other programs at the same files."""

import json
import os
import resource
import signal
import subprocess
import threading
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from softmax_cli import commands

CLASSES = ("cat", "dog", "owl")
DRAWN = np.random.default_rng(0).normal(size=(60, 3), scale=2)
TRUTHS = [CLASSES[row] for row in (DRAWN + np.random.default_rng(1).normal(size=(60, 3))).argmax(axis=1)]
ROWS = "id,cat,dog,owl,label\n" + "".join(
    f"r{i},{cat:.3f},{dog:.3f},{owl:.3f},{truth}\n"
    for i, ((cat, dog, owl), truth) in enumerate(zip(DRAWN, TRUTHS, strict=True))
)
BAD_ROW = "bad,x,1,2,cat\n"
OUTLIER = "odd,900,-3,1,cat\n"

WRITES = {
    "predict": ("predict", "in.csv", "-o", "out.parquet"),
    "predict text": ("predict", "in.csv", "-o", "out.csv.gz"),
    "rejects": ("predict", "bad.csv", "--on-bad-row", "skip", "--rejects", "out.csv"),
    "evaluate": ("evaluate", "in.csv", "--bootstrap", "0", "--per-class", "out.csv"),
    "bins": ("evaluate", "in.csv", "--bootstrap", "0", "--bins-out", "out.jsonl"),
    "calibrate": ("calibrate", "in.csv", "-o", "out.json"),
    "inspect": ("inspect", "odd.csv", "--rows-out", "out.csv"),
    "weights": ("weights", "in.csv", "--label", "label", "-o", "out.json"),
    "plot": ("explain", "1", "2", "3", "--plot", "out.svg"),
    "page": ("explain", "1", "2", "3", "--page", "out.html"),
    "sample": ("sample", "in.csv", "-o", "out.csv"),
    "ensemble": ("ensemble", "in.csv", "other.csv", "-o", "out.parquet"),
    "compare": ("compare", "in.csv", "other.csv", "--bootstrap", "0", "--flips-out", "out.csv"),
}
NEEDS = {"plot": "matplotlib", "page": "jinja2"}
READS = {
    "predict": ("predict", "{}"),
    "evaluate": ("evaluate", "{}", "--bootstrap", "0"),
    "calibrate": ("calibrate", "{}"),
    "inspect": ("inspect", "{}"),
    "weights": ("weights", "{}", "--label", "label"),
    "explain": ("explain", "{}", "--row", "1"),
    "sample": ("sample", "{}", "--seed", "1"),
    "ensemble": ("ensemble", "{}", "other.csv"),
    "compare": ("compare", "{}", "other.csv", "--bootstrap", "0"),
}


def missing(name):
    return name in NEEDS and find_spec(NEEDS[name]) is None


writing = pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.skipif(missing(name), reason="is not installed")) for name in WRITES]
)


@pytest.fixture(autouse=True)
def tables(tmp_path):
    (tmp_path / "in.csv").write_text(ROWS)
    (tmp_path / "other.csv").write_text(ROWS.replace("0.", "1."))
    (tmp_path / "bad.csv").write_text(ROWS + BAD_ROW)
    (tmp_path / "odd.csv").write_text(ROWS + OUTLIER)


SCREENS = {
    "predict": ("predict", "{}", "--format", "table"),
    "evaluate": ("evaluate", "{}", "--bootstrap", "0"),
    "inspect": ("inspect", "{}"),
    "explain": ("explain", "{}", "--row", "1"),
    "weights": ("weights", "{}", "--label", "label", "--table"),
}
"""What is drawn for a person."""
ODD_NAMES = (
    *("a b.csv", "[red].csv", "[bold]x.csv", "%s {0}.csv", "$(x);'.csv"),
    *("\x1b[31mx.csv", "new\nline.csv", "\u202ex.csv", b"\xff\xe9.csv"),
)


def target(name):
    return next(part for part in WRITES[name] if part.startswith("out."))


def there(folder):
    return {path.name for path in folder.iterdir()} - {"in.csv", "other.csv", "bad.csv", "odd.csv"}


def one_message(done):
    messages = [line for line in done.err.splitlines() if line.startswith("error: ")]
    assert len(messages) == 1, done.err
    assert "Traceback" not in done.err
    return messages[0]


class TestWhereTheOutputGoes:
    @writing
    def test_it_is_there_when_all_went_well(self, softmax_cli, tmp_path, name):
        assert softmax_cli(*WRITES[name]).code == 0
        assert there(tmp_path) == {target(name)}
        assert (tmp_path / target(name)).stat().st_size > 40

    @pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
    @writing
    def test_a_full_disk(self, softmax_cli, tmp_path, name):
        (tmp_path / target(name)).symlink_to("/dev/full")
        done = softmax_cli(*WRITES[name])
        assert done.code == 1
        assert "No space left on device" in one_message(done)

    @writing
    def test_a_folder_that_takes_no_files(self, softmax_cli, tmp_path, name):
        locked = tmp_path / "locked"
        locked.mkdir(mode=0o500)
        folder = Path("/sys") if os.geteuid() == 0 else locked  # for root, no folder of a disk is read-only
        done = softmax_cli(*(str(folder / part) if part == target(name) else part for part in WRITES[name]))
        assert done.code == 1
        assert "ermi" in one_message(done)  # Permission denied, or Operation not permitted

    @writing
    def test_what_is_there_is_kept_without_force(self, softmax_cli, tmp_path, name):
        (tmp_path / target(name)).write_bytes(b"precious")
        done = softmax_cli(*WRITES[name])
        assert done.code == 2
        assert "--force" in one_message(done)
        assert (tmp_path / target(name)).read_bytes() == b"precious"

    @writing
    def test_a_link_is_written_through(self, softmax_cli, tmp_path, name):
        (tmp_path / "elsewhere").mkdir()
        (tmp_path / target(name)).symlink_to(tmp_path / "elsewhere" / "real")
        assert softmax_cli(*WRITES[name]).code == 0
        assert (tmp_path / target(name)).is_symlink()
        assert [path.name for path in (tmp_path / "elsewhere").iterdir()] == ["real"]

    @writing
    def test_a_named_pipe_gets_the_whole_file(self, softmax_cli, tmp_path, name):
        assert softmax_cli(*WRITES[name]).code == 0
        whole = (tmp_path / target(name)).read_bytes()
        (tmp_path / target(name)).unlink()
        os.mkfifo(tmp_path / target(name))
        came = []
        reader = threading.Thread(target=lambda: came.append((tmp_path / target(name)).read_bytes()))
        reader.start()
        done = softmax_cli(*WRITES[name])
        reader.join(10)
        assert done.code == 0, done.err
        assert len(came[0]) == len(whole)  # a calibration names the moment, a page the command

    @pytest.mark.slow
    @writing
    def test_a_file_size_limit_leaves_nothing(self, program, program_env, tmp_path, name):
        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (20, 20))

        done = subprocess.run(
            [program, *WRITES[name]], cwd=tmp_path, env=program_env, capture_output=True, preexec_fn=limit, check=False
        )
        assert done.returncode == 1, done.stderr
        assert done.stderr.count(b"error: ") == 1
        assert b"File too large" in done.stderr
        assert b"Traceback" not in done.stderr
        assert there(tmp_path) == set()


class TestWhereTheInputComesFrom:
    @pytest.mark.parametrize("command", READS)
    def test_a_named_pipe_is_read_like_a_file(self, softmax_cli, tmp_path, command):
        arguments = [part.format("in.csv") for part in READS[command]]
        plain = softmax_cli(*arguments)
        (tmp_path / "in.csv").unlink()
        os.mkfifo(tmp_path / "in.csv")
        writer = threading.Thread(target=(tmp_path / "in.csv").write_text, args=(ROWS,), daemon=True)
        writer.start()
        piped = softmax_cli(*arguments)
        assert (plain.code, piped.code) == (0, 0), piped.err
        assert piped.text == plain.text

    @pytest.mark.parametrize("command", READS)
    @pytest.mark.parametrize("name", ODD_NAMES, ids=range(len(ODD_NAMES)))
    def test_odd_names(self, softmax_cli, tmp_path, command, name):
        """They are read like any other, printed so that a terminal obeys nothing in them, and missed by name."""
        path = tmp_path / os.fsdecode(name)
        (tmp_path / "in.csv").rename(path)
        arguments = [part.replace("{}", path.name) for part in READS[command]]
        done = softmax_cli(*arguments)
        assert done.code == 0, done.err
        path.unlink()
        missing = softmax_cli(*arguments)
        assert missing.code == 2
        assert one_message(missing)
        for told in (done.err, missing.err, *([done.text] if command in ("evaluate", "inspect", "explain") else [])):
            assert not set(told) & {"\x1b", "\u202e"}

    def test_an_odd_name_in_files(self, softmax_cli, tmp_path):
        """Bytes that are no UTF-8 come back out of rejects and JSON as they are in the name."""
        name = os.fsdecode(b"\xff\xe9.csv")
        (tmp_path / "bad.csv").rename(tmp_path / name)
        done = softmax_cli("predict", name, "--on-bad-row", "skip", "--rejects", "rejects.csv", "-o", "out.parquet")
        assert done.code == 0, done.err
        assert b"\n\xff\xe9.csv:62,cat," in (tmp_path / "rejects.csv").read_bytes()
        done = softmax_cli("calibrate", name, "--on-bad-row", "skip", "-o", "calibration.json")
        assert done.code == 0, done.err
        assert json.loads((tmp_path / "calibration.json").read_bytes())["fit"]["data"] == name
        done = softmax_cli("evaluate", name, "--on-bad-row", "skip", "--calibration", "calibration.json", "--json")
        assert done.code == 0, done.err
        assert json.loads(done.text)["rows"] == len(TRUTHS)

    @pytest.mark.parametrize("color", ["auto", "always"])
    @pytest.mark.parametrize("command", SCREENS)
    def test_names_of_classes_and_ids_are_shown_not_obeyed(self, softmax_cli, tmp_path, command, color):
        odd = {"cat": "[red]cat", "dog": "\x1b]0;dog\x07", "owl": "\u202eowl", "r0": "\x1b[31mr0"}
        text = ROWS
        for plain, spelled in odd.items():
            text = text.replace(f"{plain},", f"{spelled},").replace(f"{plain}\n", f"{spelled}\n")
        (tmp_path / "in.csv").write_text(text)
        arguments = [part.format("in.csv") for part in SCREENS[command]]
        done = softmax_cli(*arguments, *(() if command == "weights" else ("--color", color)))
        assert done.code == 0, done.err
        assert "[red]cat" in done.text
        for told in (done.text, done.err):
            assert "\x1b]0;" not in told
            assert "\x1b[31mr0" not in told
            assert "\u202e" not in told


@pytest.mark.slow
@pytest.mark.parametrize("force", [(), ("--force",)])
def test_of_twenty_writers_at_once_one_wins(program, program_env, tmp_path, force):
    """Every run ends by itself, the output is that of one of them, and no hidden file is left."""
    command = [program, "predict", "in.csv", "-q", "-o", "out.csv", *force]
    runs = [
        subprocess.Popen([*command, "-T", str(1 + i)], cwd=tmp_path, env=program_env, stderr=subprocess.PIPE)
        for i in range(20)
    ]
    ends = [(run.communicate(timeout=100)[1], run.returncode) for run in runs]
    assert {code for _, code in ends} <= ({0} if force else {0, 2}), ends
    assert 0 in {code for _, code in ends}
    assert there(tmp_path) == {"out.csv"}
    written = (tmp_path / "out.csv").read_bytes()
    alone = set()
    for i in range(20):
        once = [program, "predict", "in.csv", "-q", "-T", str(1 + i)]
        alone.add(subprocess.run(once, cwd=tmp_path, env=program_env, capture_output=True, check=True).stdout)
    assert written in alone


def test_every_command_is_among_them():
    """A new command is added to what is tried here, with signals, and with closed pipes."""
    tried = {command[0] for command in READS.values()}
    written = {command[0] for command in WRITES.values()}
    assert tried == written == set(commands.names())
