"""The program: one typer command for every file in commands/, and one place where failures become exit codes."""

from __future__ import annotations

import gc
import importlib
import os
import pkgutil
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import Annotated, NoReturn

import typer

from softmax_cli import commands
from softmax_cli.errors import ClosedPipeError, ExitCode, SoftmaxCliError, StoppedError
from softmax_cli.options.parser import PlainCommand, takes_groups
from softmax_cli.terminal.messages import print_message
from softmax_cli.version import __version__

OUT_OF_MEMORY = "not enough memory for the rows under way; try a smaller --batch-rows (say 100), or --threads 1"


COLLECTED_FROM = 500_000
"""Objects under way before Python looks for cycles that nothing refers to (it would begin at 700).

Loading modules makes a hundred thousand objects and no such cycles, yet the looks at them take a quarter of the time
of a small table. A stream of blocks makes none either: its memory is flat without a collector.
"""


def build_app(typed: Sequence[str]) -> typer.Typer:
    """Return the command line: a folder of commands, one function each, named as its file.

    Where `typed` begins with a command, that one is loaded alone: the others and their options would cost more than a
    small table takes to score.
    """
    names = [module.name for module in pkgutil.iter_modules(commands.__path__)]
    chosen = [name for name in typed[:1] if name in names]
    app = typer.Typer(
        name="softmax-cli",
        help="Tables of classifier scores in, probabilities that can be trusted out.",
        no_args_is_help=True,
        add_help_option=not chosen,  # the program's own; typer 0.29 loads pydantic to learn that nobody typed it
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    app.callback()(_program)
    for name in chosen or names:
        command = importlib.import_module(f"{commands.__name__}.{name}")
        context = getattr(command, "CONTEXT", None)
        app.command(name, cls=PlainCommand, context_settings=context)(takes_groups(getattr(command, name)))
    return app


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"softmax-cli {__version__}")
        raise typer.Exit


def _program(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version.")
    ] = False,
) -> None:
    """Take what stands before a command."""


def main() -> NoReturn:
    """Run the program and end with its exit code."""
    _occupy_closed_streams()
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # read when numpy loads; our own workers use the cores
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    gc.set_threshold(COLLECTED_FROM)
    code = run(sys.argv[1:])
    gc.freeze()  # what is left goes with the process; the last look of the collector would change nothing
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code; whoever calls may go on, and run another."""
    try:
        build_app(arguments)(list(arguments), prog_name="softmax-cli")
    except SoftmaxCliError as error:
        print_message(f"error: {error}")
        return error.code
    except MemoryError:
        print_message(f"error: {OUT_OF_MEMORY}")
        return ExitCode.DATA
    except ClosedPipeError:
        _drop_output()
        return ExitCode.DONE
    except OSError as error:  # of the machine, and not foreseen where it happened: a full disk under printed text
        _drop_output()
        print_message(f"error: {error.filename or 'standard output'}: {error.strerror or error}")
        return ExitCode.DATA
    except StoppedError as stopped:
        return 128 + int(stopped.args[0])
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else ExitCode.DONE
    return ExitCode.DONE


def _occupy_closed_streams() -> None:
    """Put something in the place of standard streams that were closed (``>&-``): the next file would take it.

    What takes the place of the output cannot be written to, so that data for it is not lost without a word.
    """
    for number, name, mode, flags in ((1, "stdout", "w", os.O_RDONLY), (2, "stderr", "w", os.O_WRONLY)):
        if getattr(sys, name) is None:
            os.dup2(os.open(os.devnull, flags), number)
            setattr(sys, name, os.fdopen(number, mode))


def _drop_output() -> None:
    """Let go of text that nobody takes; Python would try to write it once more on its way out, and complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    raise StoppedError(number)
