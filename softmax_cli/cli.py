"""The program: one typer command for every file in commands/, and one place where failures become exit codes."""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Annotated, Any, NoReturn

import typer

from softmax_cli import commands
from softmax_cli.errors import ClosedPipeError, ExitCode, SoftmaxCliError, StoppedError, UsageError, nearest
from softmax_cli.options import completion
from softmax_cli.options.parser import PlainCommand, ProgramGroup, option_names, takes_groups
from softmax_cli.terminal.messages import print_message
from softmax_cli.version import __version__

PROGRAM = "softmax-cli"
EXAMPLES = (
    ("softmax-cli predict logits.csv", "the first rows and a summary; in a pipe, data"),
    ("softmax-cli evaluate logits.csv", "accuracy, log loss, calibration, with intervals"),
    ("softmax-cli help predict", "the same as softmax-cli predict --help"),
    ("softmax-cli help --man predict | man -l -", "a man page with every option"),
)
OUT_OF_MEMORY = "not enough memory for the rows under way; try a smaller --batch-rows (say 100), or --threads 1"
ELSEWHERE = """Every option can stand in a softmax-cli.toml beside the data, or in a variable
 such as SOFTMAX_CLI_TEMPERATURE. In Python: from softmax_cli import predict."""
"""The end of the help."""


def build_app(typed: Sequence[str], whole: bool = False) -> typer.Typer:
    """Return the command line: a folder of commands, one function each, named as its file.

    Where `typed` begins with a command, that one is loaded alone: the others would cost more than a small table takes
    to score. Where it does not, they are there for their help, and have options only in a `whole` one.
    """
    chosen = [name for name in typed[:1] if name in commands.names()]
    app = typer.Typer(
        name=PROGRAM,
        help="Tables of classifier scores in, probabilities that can be trusted out.",
        cls=type("Program", (ProgramGroup,), {"examples": EXAMPLES, "closing": ELSEWHERE}),
        context_settings={"help_option_names": ["-h", "--help"]},
        no_args_is_help=True,
        add_help_option=not chosen,  # the program's own; typer 0.29 loads pydantic to learn that nobody typed it
        add_completion=whole or not chosen,
        pretty_exceptions_enable=False,
    )
    app.callback()(_program)
    modules = {name: commands.load(name) for name in chosen or commands.names()}
    for name, module in sorted(modules.items(), key=lambda item: item[1].RANK):
        context = {"help_option_names": ["-h", "--help"], **getattr(module, "CONTEXT", {})}
        shown = type("Command", (PlainCommand,), {"first": module.FIRST, "examples": module.EXAMPLES})
        register = app.command(name, cls=shown, context_settings=context)
        function = getattr(module, name)
        register(takes_groups(function, completes=whole) if chosen or whole else _without_options(function))
    return app


def _without_options(command: Callable[..., None]) -> Callable[[], None]:
    def listed() -> None:
        raise UsageError(f"a command comes first: {PROGRAM} {command.__name__} ...")

    listed.__doc__ = command.__doc__
    return listed


def _print_version(context: typer.Context, wanted: bool) -> None:
    if not wanted:
        return
    if context.params["verbose"]:
        from softmax_cli.distributed import engines
        from softmax_cli.text import compiler
        from softmax_cli.version import versions

        print("\n".join(versions(compiler(), engines.distributions())))
    else:
        print(f"softmax-cli {__version__}")
    raise typer.Exit


def _program(
    version: Annotated[
        bool, typer.Option("--version", "-V", callback=_print_version, help="Print the version.")
    ] = False,
    verbose: Annotated[  # is_eager: known when the version is printed, in whatever order they were typed
        bool, typer.Option("--verbose", is_eager=True, help="With --version: also of Python, libraries and compiler.")
    ] = False,
) -> None:
    """Take what stands before a command."""
    if verbose:
        raise UsageError("--verbose goes with --version: softmax-cli --version --verbose")


def main() -> NoReturn:
    """Run the program and end with its exit code."""
    atexit.register(_ignore_stops)  # registered first, called last: Python gives signals their own meaning back
    _occupy_closed_streams()
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # read when numpy loads; our own workers use the cores
    stop = Stop()
    stop.listen()
    try:
        code = run(sys.argv[1:])
    except (Exception, StoppedError):  # or what a library makes of it that was just loading
        if stop.number is None:
            raise
    stop.is_over = True
    sys.exit(code if stop.number is None else 128 + stop.number)


STOPS = (signal.SIGINT, signal.SIGTERM)
PATIENCE = 2.0
"""Seconds for which a signal that follows on another is taken for the same wish: Ctrl-C twice, a scheduler's two."""


class Stop:
    """Answers SIGINT and SIGTERM: the first raises `StoppedError`, so that what was begun is cleaned up."""

    number: int | None = None
    """Which signal came first."""
    is_over = False
    """Whether the run has ended, with nothing left to clean up."""
    _since = 0.0

    def listen(self) -> None:
        """Take the signals, also where Python would print that an exception cannot be raised, and forget it."""
        for number in STOPS:
            signal.signal(number, self)
        shown, report = sys.excepthook, sys.unraisablehook
        sys.excepthook = lambda kind, error, trace: None if kind is StoppedError else shown(kind, error, trace)
        sys.unraisablehook = lambda lost: self._again() if lost.exc_type is StoppedError else report(lost)

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Take a signal; one that comes when the clean-up has had its time, or is over, ends the process at once."""
        if self.number is None and not self.is_over:
            self.number, self._since = number, time.monotonic()
            raise StoppedError(number)
        if self.is_over or time.monotonic() - self._since > PATIENCE:
            os._exit(128 + (number if self.number is None else self.number))

    def _again(self) -> None:
        """Send the signal once more, a moment later: it came in a destructor, where what is raised is lost."""
        assert self.number is not None
        number, self.number = self.number, None
        threading.Timer(0.01, os.kill, (os.getpid(), number)).start()


def _ignore_stops() -> None:
    for number in STOPS:
        signal.signal(number, signal.SIG_IGN)


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code; whoever calls may go on, and run another."""
    try:
        if completion.VARIABLE in os.environ:
            return completion.answer(_complete)
        if arguments[:1] == ["help"] and "--man" in arguments:
            return _print_man_page([name for name in arguments[1:] if name != "--man"])
        arguments = arguments[1:] if arguments[:1] == ["--"] else arguments
        typed = [*arguments[1:2], "--help"] if arguments[:1] == ["help"] else [*arguments]
        leaving = build_app(typed)(typed, prog_name=PROGRAM, standalone_mode=False)
        return leaving if isinstance(leaving, int) else ExitCode.DONE
    except SoftmaxCliError as error:
        _print_error(f"{error}", arguments)
        return error.code
    except MemoryError:
        _print_error(OUT_OF_MEMORY, arguments)
        return ExitCode.DATA
    except (ClosedPipeError, BrokenPipeError):  # the second from text that is printed at once: a manual, a help
        _drop_output()
        return ExitCode.DONE
    except OSError as error:  # of the machine, and not foreseen where it happened: a full disk under printed text
        _drop_output()
        _print_error(f"{error.filename or 'standard output'}: {error.strerror or error}", arguments)
        return ExitCode.DATA
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else ExitCode.DONE
    except Exception as error:
        if not _is_usage_error(error):
            raise
        return _explain_usage(error, arguments)


def _print_error(message: str, arguments: Sequence[str]) -> None:
    print_message(f"error: {message}", colored="--color never" not in " ".join(arguments).replace("=", " "))


def _print_man_page(names: list[str]) -> int:
    from softmax_cli.options.man_pages import man_page

    if len(names) > 1:
        raise UsageError(f"help --man writes one page at a time: softmax-cli help --man {names[0]}")
    print(man_page(typer.main.get_command(build_app([], whole=True)), names[0] if names else None), end="")
    return ExitCode.DONE


def _complete(words: list[str]) -> None:
    build_app(words, whole=True)([], prog_name=PROGRAM, standalone_mode=False)


def _explain_usage(error: Any, arguments: Sequence[str]) -> int:
    if type(error).__name__ == "NoArgsIsHelpError":  # typer has the whole help in it
        error.show()
    else:
        command = next((name for name in arguments[:1] if name in commands.names()), None)
        _print_error(_usage_message(error, command, arguments), arguments)
    return ExitCode.USAGE


def _is_usage_error(error: BaseException) -> bool:
    """Whether typer or its parser raised it about what was typed (their classes moved between versions)."""
    return hasattr(error, "format_message") and hasattr(error, "exit_code")


def _usage_message(error: Any, command: str | None, typed: Sequence[str]) -> str:
    """Say in one line what is wrong with what was typed, and what to type.

    Parameters
    ----------
    error : ClickException
        As typer raised it.
    command : str or None
        The command that was typed; None where there is none of that name.
    typed : sequence of str
        The whole line.
    """
    option = getattr(error, "option_name", None) if type(error).__name__ == "NoSuchOption" else None
    unknown = option or (typed[0] if command is None and typed else "")
    from softmax_cli.options.other_tools import ANSWERS

    if unknown in ANSWERS:
        return f"{unknown}: {ANSWERS[unknown]}"
    help_text = f"softmax-cli {command} --help" if command else "softmax-cli --help"
    if command is None and (meant := _meant_command(typed)) is not None:
        return f"a command comes first: {PROGRAM} {meant} {' '.join(typed)}"
    if option is None or command is None:
        return f"{error.format_message().rstrip('.')}; see {help_text}"
    others = [name for name in _commands_with(option) if name != command]
    if others:
        *most, last = others
        named = f"{', '.join(most)} and {last} have" if most else f"{last} has"
        return f"{option} is no option of {command}; {named} it"
    there = [name for one in error.ctx.command.params for name in one.opts if name.startswith("--")]
    near = nearest(option, there, likeness=0.75) or [name for name in there if option[2:] in name.split("-")]
    if near:
        return f"{option}: no such option; did you mean {' or '.join(near)}?"
    return f"{option}: no such option; {help_text}-all lists them"


def _commands_with(option: str) -> list[str]:
    return [name for name in commands.names() if option in option_names(getattr(commands.load(name), name))]


def _meant_command(typed: Sequence[str]) -> str | None:
    """Return the command that a line without one seems to be for, by its first word or by an option that begins it."""
    modules = sorted(((name, commands.load(name)) for name in commands.names()), key=lambda one: one[1].RANK)

    def taking(words: Sequence[str]) -> list[str]:
        return [name for name, module in modules for word in words if hasattr(module, "takes") and module.takes(word)]

    known = _commands_with(typed[0]) if typed else []
    having = [name for name, _ in modules if name in known]
    meant = taking(typed[:1]) or [name for name in taking(typed[-1:]) if name in having] or having
    return meant[0] if meant else None


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
