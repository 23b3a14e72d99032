"""What can go wrong for a user, and the exit code that a shell sees for it."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """The contract with shells and pipelines."""

    DONE = 0
    DATA = 1
    USAGE = 2
    GATE = 3
    INTERRUPTED = 130
    TERMINATED = 143


class SoftmaxCliError(Exception):
    """A failure that is told in one message: what was found, where, what was wanted, what to type next."""

    code = ExitCode.DATA


class DataError(SoftmaxCliError):
    """The input or the machine is at fault: a bad row, a cut file, a full disk."""

    code = ExitCode.DATA


class UsageError(SoftmaxCliError):
    """What was typed cannot be carried out, and nothing was started."""

    code = ExitCode.USAGE


class ClosedPipeError(Exception):
    """The reader of our output has seen enough (``| head``); that is success."""


class StoppedError(BaseException):
    """A signal asked the program to end; not an `Exception`, so that nothing but `main` takes it for an error."""


class GateError(SoftmaxCliError):
    """A figure is not good enough; everything else was done."""

    code = ExitCode.GATE
