"""``python -m tests.benchmarks [--small] [--big] [--json FILE]``: see ``--help``.

This process imports the standard library only and leaves tables to children: on Linux the peak memory of a child is
never less than what its parent held when it was started.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.contenders import our_program, peer_names, peers
from tests.benchmarks.jobs import Job, jobs, startup_jobs
from tests.benchmarks.report import print_job, print_legend, write_json
from tests.benchmarks.timing import Measured, take_turns


def main() -> None:
    said = parse()
    said.folder.mkdir(parents=True, exist_ok=True)
    ours = our_program()
    present, missing = peers(said.peers.split(","))
    print_legend(missing)
    results = []
    for job in [*jobs(small=said.small, big=said.big), *startup_jobs()]:
        if said.only in job.title:
            measured = run(job, ours, present, said)
            print_job(job, measured)
            results.append((job, measured))
    if said.json:
        write_json(said.json, results, missing)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--small", action="store_true", help="tables of a few hundred rows: does it run at all?")
    parser.add_argument("--big", action="store_true", help="tables of 1.4 and 2.2 GB as well: is memory flat?")
    parser.add_argument("--rounds", type=int, default=5, help="turns that each program gets (5)")
    parser.add_argument("--only", default="", metavar="WORDS", help="only jobs whose title holds these words")
    parser.add_argument("--peers", default=",".join(peer_names()), metavar="NAMES", help="which peers (%(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure to FILE")
    cache = Path(tempfile.gettempdir()) / "softmax-cli-benchmarks"
    parser.add_argument("--folder", type=Path, default=cache, help=f"where tables are kept between runs ({cache})")
    return parser.parse_args()


def run(job: Job, ours: Path, present: list[str], said: argparse.Namespace) -> dict[str, Measured]:
    """Prepare the input, let the programs take turns, and check that they wrote the same numbers."""
    print(f"... {job.title}", file=sys.stderr)
    source = job.prepare(said.folder)
    contenders = job.contenders(source, said.folder, ours, present)
    try:
        return take_turns(contenders, said.rounds, job.rtol)
    finally:
        for contender in contenders:
            contender.target.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
