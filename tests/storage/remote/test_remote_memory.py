"""A remote file of a gigabyte takes the memory that a small one takes."""

import subprocess
import sys

import pytest

PEAK = """
import os, subprocess, sys
child = subprocess.Popen(sys.argv[1:])
_, status, usage = os.wait4(child.pid, 0)
print(usage.ru_maxrss)
sys.exit(os.waitstatus_to_exitcode(status))
"""
"""Run from a small process: a child's peak counts the process that it was forked from."""


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("scheme", ["http", "s3"])
def test_a_gigabyte_streams_in_flat_memory(program, program_env, serve, scheme):
    if scheme == "s3":
        pytest.importorskip("obstore")
    address = serve("endless.py")
    root = address if scheme == "http" else "s3:/"
    keys = {"AWS_ENDPOINT_URL": address, "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
    peaks = []
    for megabytes in (100, 1000):
        arguments = ["predict", f"{root}/bucket/{megabytes}.csv", "--only-predictions", "-q", "-o", "/dev/null"]
        command = [sys.executable, "-c", PEAK, str(program), *arguments, "--format", "csv"]
        done = subprocess.run(command, env=program_env | keys, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        peaks.append(int(done.stdout))
    assert peaks[1] < 1.25 * peaks[0]
    assert peaks[1] < 500_000
