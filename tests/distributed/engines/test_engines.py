"""Laws of every engine: each unit comes once, a killed worker's unit runs again, an error comes up as it is."""

import importlib
import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softmax_cli.distributed import engines
from softmax_cli.errors import DataError, UsageError

ROOT = Path(__file__).parents[3]
DRIVER = Path(__file__).with_name("driver.py")
pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def start(program_env, tmp_path):
    """Start the driver in a session of its own, as a shell with job control would."""

    def run(*arguments):
        return subprocess.Popen(
            [sys.executable, DRIVER, *arguments],
            env=program_env,
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    return run


def run(start, *arguments):
    process = start(*arguments)
    out, err = process.communicate(timeout=280)
    assert process.returncode == 0, err
    return json.loads(out), err


def marks(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_killed_workers_unit_runs_again_and_output_stays_clean(engine, start, tmp_path):
    found, err = run(start, engine, tmp_path, "print", "kill-once", *["print"] * 4)
    assert sorted(found["came"]) == [[n, n, n * n] for n in range(6)]
    assert found["error"] is None
    assert "1-1" in marks(tmp_path), "the second attempt"
    assert "Traceback" not in err


def test_the_first_error_in_order_comes_up_as_it_is_and_is_not_tried_again(engine, start, tmp_path):
    """The later unit fails long before; still the message is that of the row that a single reader meets first."""
    found, err = run(start, engine, tmp_path, "sleep0.01", "sleep1", "fail", "fail", "sleep0.01")
    assert found["error"] == "DataError: unit 2: bad row"
    assert {"2-0"} == {mark for mark in marks(tmp_path) if mark.startswith("2-")}
    assert "Traceback" not in err


def test_a_unit_that_always_kills_its_worker_ends_the_job(engine, start, tmp_path):
    found, _ = run(start, engine, tmp_path, "ok", "kill", "ok")
    assert found["error"].startswith("DataError: ")
    # Each of the two other units, when it is done, starts the count of losses anew.
    assert 4 <= len([mark for mark in marks(tmp_path) if mark.startswith("1-")]) <= 3 * 4


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_signal_ends_every_process(engine, start, tmp_path, number):
    if (engine, number) == ("ray", signal.SIGKILL):
        pytest.skip("Ray notices after a minute that its driver was killed")
    process = start(engine, tmp_path, "ok", "sleep200", "sleep200", "ok")
    deadline = time.monotonic() + 250
    while len(marks(tmp_path)) < 3 and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.1)
    before = descendants(process.pid)
    if number == signal.SIGINT:  # as a terminal sends it: to all of the group
        os.killpg(process.pid, number)
    else:
        process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == (-9 if number == signal.SIGKILL else 128 + number), err
    assert "Traceback" not in err
    assert before, "there was something to end"
    while before & alive() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not before & alive()


def descendants(pid):
    """Processes below one, by their ids."""
    parents = {int(child): int(parent) for child, parent, *_ in _processes()}
    below, more = set(), {pid}
    while more:
        more = {child for child, parent in parents.items() if parent in more} - below
        below |= more
    return below


def alive():
    return {int(pid) for pid, _, state, *_ in _processes() if not state.startswith("Z")}


def _processes():
    listed = subprocess.run(["ps", "-eo", "pid=,ppid=,stat="], capture_output=True, text=True, check=True)
    return [line.split() for line in listed.stdout.splitlines()]


def test_no_units_no_work(engine):
    assert list(engines.by_name(engine).run(print, [], 2)) == []


class Sized(NamedTuple):
    number: int
    size: int


@given(st.lists(st.integers(0, 1 << 27), min_size=1, max_size=60), st.integers(1, 8))
def test_neighbours_that_are_small_are_one_task(sizes, workers):
    tasks = engines.in_tasks([Sized(place, size) for place, size in enumerate(sizes)], workers)
    assert [place for task in tasks for place in task] == [*range(len(sizes))]
    assert all(tasks)
    most = min(engines.TASK_BYTES, sum(sizes) // (4 * workers))
    held = [sum(sizes[place] for place in task) for task in tasks]
    assert all(len(task) == 1 or size <= most for task, size in zip(tasks, held, strict=True))
    # Two neighbours would not have fitted together: there are no more tasks than needed.
    assert all(a + sizes[b.start] > most for a, b in zip(held, tasks[1:], strict=False))


def test_five_thousand_small_files_are_a_few_tasks_that_come_one_by_one():
    calls = []

    class Recording:
        @staticmethod
        def run(work, units, workers):
            calls.extend(units)
            yield from ((place, work(unit)) for place, unit in reversed(list(enumerate(units))))

    units = [Sized(place, 10_000) for place in range(5000)]
    found = dict(engines._Checked(Recording).run(lambda unit: unit.number**2, units, 2))
    assert found == {place: place**2 for place in range(5000)}
    assert len(calls) == 8

    def fails(unit):
        if unit.number in (40, 3000):
            raise DataError(f"unit {unit.number}")
        return unit.number

    with pytest.raises(DataError, match=r"unit 40$"):
        list(engines._Checked(Recording).run(fails, units, 2))


def test_workers_without_the_program_are_told_apart_from_bad_data():
    class Elsewhere:
        @staticmethod
        def run(work, units, workers):
            raise DataError("ray: ModuleNotFoundError: No module named 'softmax_cli'")
            yield

    with pytest.raises(DataError, match=r"the workers have no softmax_cli: install softmax-tables \d"):
        list(engines._Checked(Elsewhere).run(abs, [1], 2))


def test_a_start_that_takes_longer_than_the_work_is_said(monkeypatch):
    for name, joins in (("ray", "RAY_ADDRESS"), ("dask", "DASK_SCHEDULER_ADDRESS")):
        monkeypatch.delenv(joins, raising=False)
        note = engines.start_note(name, 3_000_000)
        assert note.startswith(f"--engine {name} takes about ")
        assert note.endswith(" for these 3.0 MB: without --engine it is done sooner")
        assert engines.start_note(name, 3_000_000_000) is None
        monkeypatch.setenv(joins, "there:1")
        assert engines.start_note(name, 3_000_000) is None, "a cluster that runs already"
    assert engines.start_note("local", 0) is None


def test_an_unknown_engine_is_told_with_those_there_are():
    with pytest.raises(UsageError, match="'flink'; there are: dask, local, ray, spark"):
        engines.by_name("flink")


@pytest.mark.parametrize("name", engines.names())
def test_an_engine_is_a_small_file(name):
    """What grows beyond that is the business of the engine, or of the units."""
    assert len(Path(engines.__file__).with_name(f"{name}.py").read_text().splitlines()) <= 60


@pytest.mark.parametrize("name", [name for name in engines.names() if name != "local"])
def test_what_is_missing_is_named_as_pip_wants_it(name, monkeypatch):
    """Never the name of this program: on PyPI it belongs to another project."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UsageError) as told:
        engines.by_name(name)
    needs = importlib.import_module(f"softmax_cli.distributed.engines.{name}").NEEDS
    assert str(told.value) == f"--engine {name} needs {name.capitalize()}: pip install '{needs}'"
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert extras[name] == [needs]
