"""``python -m tests.fuzzing [--runs N]``: a coverage-guided fuzzer (libFuzzer, by Atheris) on the compiled text core.

The core is compiled once more, with AddressSanitizer and UndefinedBehaviorSanitizer, by the C compiler that comes with
PyPI's ziglang: ``pip install '.[fuzz]'`` is all it needs, on Linux. An input that breaks a law of `tests.fuzzing.laws`,
or touches memory that is not its own, ends the run; it is kept and its file is named.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import sysconfig
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).parents[2]
CORE = ROOT / "softmax_cli" / "text" / "_core.pyx"
UNDEFINED = (
    "signed-integer-overflow,shift-base,shift-exponent,integer-divide-by-zero,float-cast-overflow,alignment,bool"
)
SEEDS = (
    b'\0\0\0\0id,a,b\nx,1.5,-2e-3\n"y ""q""\n",NA,.5\n',
    b"\0\1\2\0x;1,5;12345678901234567890123\n\n;inf;-Infinity\r\n",
    b"\0\3\2\0  x  1.0   2.5 \r y  1e400 4.9e-324\n",
    b'\1\0\0\0{"id": "x", "a": 1.5, "z": [1, -2e-3]}\n{"id":null,"a":0,"z":[1,2]}\r\n',
    b'\1\0\0\0{"id" : 7.50 , "a" : -0.0 , "z" : [ 1E5 , 0.12345678901234567890 ] }\n{"id":true,"a":1,"z":[1,2]}',
    b"\2\0\x08\0" + bytes.fromhex("9a9999999999b93f000000000000f07f000000000000f87f00000000000010006666666666667640"),
    b"\2\1\x10\0" + bytes.fromhex("9a9999999999b93f000000000000f03f0100000000000000"),
    b"\2\0\0\x46" + bytes.fromhex("000000000000e03f0000d0cc12634145ffffffffffffef7f"),
    b'\3\0\2\7=1+1,x"y\n-5,@\tz',
    b"\3\1\1\3null\\\x01\x1f\xc3\xa9",
)
WORDS = (
    '"',
    '""',
    ",",
    "\\n",
    "\\r\\n",
    "nan",
    "inf",
    "-infinity",
    "<na>",
    "n/a",
    "null",
    "true",
    "e-308",
    "e+22",
    '"id":',
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzzing", description=__doc__)
    parser.add_argument("--runs", type=int, default=300_000, help="inputs that are tried (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the fuzzer's choices (%(default)s)")
    parser.add_argument("--corpus", type=Path, metavar="FOLDER", help="inputs to begin with; new ones are added")
    parser.add_argument("--keep", type=Path, default=Path(), metavar="FOLDER", help="where a failing input is kept (.)")
    parser.add_argument("inputs", nargs="*", type=Path, help="only try these files again")
    asked = parser.parse_args()
    missing = [name for name in ("atheris", "ziglang", "Cython") if find_spec(name) is None]
    if missing:
        sys.exit(f"missing: {', '.join(missing)}; pip install '.[fuzz]'")
    with tempfile.TemporaryDirectory() as scratch:
        core = build(Path(scratch))
        sys.exit(fuzz(core, Path(scratch), asked))


def build(scratch: Path) -> Path:
    """Compile the core so that it tells which branches it took, and stops at memory that is not its own."""
    source, parts, library = (scratch / f"_core.{ending}" for ending in ("c", "o", "so"))
    zig = (sys.executable, "-m", "ziglang", "cc", "-g")
    watched = ("-fsanitize-coverage=inline-8bit-counters,pc-table,trace-cmp", "-fno-omit-frame-pointer")
    # By -Xclang: told by themselves, zig drops the first and makes the second a bare trap.
    checks = ("-fno-sanitize=undefined", "-Xclang", f"-fsanitize=address,{UNDEFINED}")
    for command in (
        (sys.executable, "-m", "cython", "-3", CORE, "-o", source),
        (*zig, "-c", "-O1", "-fPIC", *watched, *checks, f"-I{sysconfig.get_path('include')}", source, "-o", parts),
        (*zig, "-shared", parts, "-o", library),
    ):
        subprocess.run(command, check=True)
    return library


def fuzz(core: Path, scratch: Path, asked: argparse.Namespace) -> int:
    """Run the fuzzer; print what it found, and return its exit code."""
    import atheris

    corpus = asked.corpus or scratch / "corpus"
    corpus.mkdir(exist_ok=True, parents=True)
    asked.keep.mkdir(exist_ok=True, parents=True)
    for place, seed in enumerate(SEEDS):
        (corpus / f"seed_{place}").write_bytes(seed)
    words = scratch / "words"
    words.write_text("".join('"{}"\n'.format(word.replace("\\", "\\x5c").replace('"', "\\x22")) for word in WORDS))
    limits = (f"-runs={asked.runs}", f"-seed={asked.seed}", "-max_len=400", "-timeout=10", "-rss_limit_mb=1500")
    files = (f"-artifact_prefix={asked.keep}/", f"-dict={words}", *(asked.inputs or [corpus]))
    environment = os.environ | {
        "LD_PRELOAD": str(Path(atheris.path()) / "asan_with_fuzzer.so"),
        "ASAN_OPTIONS": "detect_leaks=0:quarantine_size_mb=32:allocator_may_return_null=1",
        "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
        "PYTHONMALLOC": "malloc",
        "PYTHONPATH": str(ROOT),
    }
    begun = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzzing.laws", core, *limits, *files],
        cwd=Path.cwd(),
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    tried, covered = ([int(n) for n in re.findall(what, done.stdout)] or [0] for what in (r"\n#(\d+)", r" cov: (\d+)"))
    found = "a law was broken" if done.returncode else "no law broken, no byte touched that is not its own"
    if "KeyboardInterrupt: stopping." in done.stdout:  # Ctrl-C, before anything was found
        done.returncode, found = 0, "no law broken until it was stopped"
    if done.returncode:
        print(done.stdout[-6000:])
    print(f"{tried[-1]:,} inputs in {time.monotonic() - begun:.0f} s, {covered[-1]} branches: {found}")
    return done.returncode


if __name__ == "__main__":
    main()
