"""The page of every engine, as it stands, on a cluster of this machine that loses a worker in the middle."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

ROOT = Path(__file__).parents[3]
KILLING = Path(__file__).with_name("killing")
PAGES = {"ray": ("ray", 6379), "dask": ("distributed", 8786), "spark": ("pyspark", 7077)}
pytestmark = [pytest.mark.engine, pytest.mark.timeout(300)]


def commands(name: str) -> dict[str, str]:
    """What the page runs, by who runs it."""
    text = (ROOT / "examples" / f"{name}.md").read_text("utf-8")
    return dict(re.findall(rf"<!-- cluster: {name} (\w+) -->\n```sh\n(.*?)\n```", text, re.DOTALL))


def unused_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture
def serve(tmp_path) -> Iterator[Callable[..., None]]:
    """Run a command in the background, in a session of its own that ends with the test."""
    started = []

    def start(command: str, env: dict[str, str], log: str) -> None:
        with (tmp_path / log).open("wb") as out:
            process = subprocess.Popen(
                ["bash", "-c", command], env=env, cwd=tmp_path, stdout=out, stderr=out, start_new_session=True
            )
        started.append(process)

    yield start
    for number in (signal.SIGTERM, signal.SIGKILL):
        for process in started:
            try:
                os.killpg(process.pid, number)
            except ProcessLookupError:
                continue
        time.sleep(1)
    for process in started:
        process.wait(timeout=30)


def wait_for(port: int, log: Path) -> None:
    deadline = time.monotonic() + 100
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.2)


@pytest.mark.parametrize("name", PAGES)
def test_a_cluster_that_loses_a_worker_writes_the_bytes_of_one_process(name, serve, softmax_cli, program_env, tmp_path):
    library, port = PAGES[name]
    if importlib.util.find_spec(library) is None or (name == "spark" and shutil.which("java") is None):
        pytest.skip(f"{library} is not installed")
    (tmp_path / "logits").mkdir()
    for number in range(3):
        z = np.random.default_rng(number).normal(size=(3, 50))
        columns = {"id": np.arange(50) + 50 * number} | {f"logit_{c}": z[i] for i, c in enumerate("abc")}
        pq.write_table(pa.table(columns), tmp_path / "logits" / f"{number}.parquet")
    assert softmax_cli("predict", "logits/*.parquet", "-o", "here/").code == 0
    free, mark = str(unused_port()), tmp_path / "killed"
    env = program_env | {
        "PYTHONPATH": os.pathsep.join([str(KILLING), str(ROOT)]),
        "KILL_ONCE": str(mark),
    }
    run = {
        part: text.replace("10.0.0.1", "127.0.0.1").replace(str(port), free) for part, text in commands(name).items()
    }
    before = run.get("token", "") + "\n"
    serve(before + run["head"], env, "head.log")
    wait_for(int(free), tmp_path / "head.log")
    if "worker" in run:
        serve(run["worker"], env, "worker.log")
    done = subprocess.run(
        ["bash", "-c", before + run["job"]],
        env=env,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert mark.exists(), "a worker was killed"
    expected = {path.name: path.read_bytes() for path in (tmp_path / "here").glob("part-*")}
    assert {path.name: path.read_bytes() for path in (tmp_path / "probs").glob("part-*")} == expected
    assert len(expected) == 3
    assert (tmp_path / "probs" / "_SUCCESS").exists()
