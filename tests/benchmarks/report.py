"""The table on the screen and the figures in a file."""

from __future__ import annotations

import json
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median

from tests.benchmarks.contenders import OURS
from tests.benchmarks.jobs import Job
from tests.benchmarks.timing import Measured

LIBRARIES = ("softmax-tables", "numpy", "pyarrow", "pandas", "scipy", "polars", "duckdb", "torch", "torchmetrics")


def print_legend(missing: dict[str, str]) -> None:
    print("Whole processes, medians of paired turns. ours/theirs below 1: softmax-cli is faster.")
    print("Peers write id, name and the probabilities; softmax-cli also writes prediction and confidence (not to npy),")
    print("as peers do where the job says so.")
    print(f"{os.cpu_count()} cores, Python {platform.python_version()}, {platform.machine()}")
    for peer, needs in missing.items():
        print(f"left out: {peer} ({needs} is not installed)")


def print_job(job: Job, measured: dict[str, Measured]) -> None:
    print(f"\n{job.title}")
    print(f"  {'program':34} {'seconds':>8} {'ours/theirs':>12} {'peak MB':>8}")
    for name, figures in measured.items():
        ratio = "" if name == OURS else f"{measured[OURS].ratio(figures):.2f}"
        peak = median(figures.peak_bytes) / 1e6
        print(f"  {name:34} {median(figures.seconds):8.3f} {ratio:>12} {peak:8.0f}", flush=True)


def write_json(path: Path, results: list[tuple[Job, dict[str, Measured]]], missing: dict[str, str]) -> None:
    """Write every turn of every program, with the versions and the machine that they belong to."""
    jobs = [
        {
            "job": job.title,
            "program": name,
            "seconds": figures.seconds,
            "peak_bytes": figures.peak_bytes,
            "median_seconds": median(figures.seconds),
            "ours_over_theirs": measured[OURS].ratio(figures),
        }
        for job, measured in results
        for name, figures in measured.items()
    ]
    machine = {"cores": os.cpu_count(), "python": platform.python_version(), "platform": platform.platform()}
    held = {"machine": machine, "versions": installed_versions(), "left_out": missing, "results": jobs}
    path.write_text(json.dumps(held, indent=1) + "\n")


def installed_versions() -> dict[str, str]:
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
