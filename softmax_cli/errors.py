"""What can go wrong for a user, the exit code that a shell sees for it, and words that messages share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
    """A failure that is reported in one message: what was found, where, what was wanted, what to type next."""

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


def listed(names: Sequence[str], most: int = 10) -> str:
    """Name things one after the other, the first `most` of them: ``cat, dog and 8 more``."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return (", ".join(names[:most]) or "none") + more


def counted(number: int, what: str) -> str:
    """Put a count before its noun: ``1 row``, ``2,000 rows``, ``3 classes``."""
    plural = f"{what}es" if what.endswith("s") else f"{what}s"
    return f"{number:,} {what if number == 1 else plural}"


def nearest(typed: str, names: Iterable[str], most: int = 3, likeness: float = 0.6) -> list[str]:
    """Return the names that a misspelled or shortened one may have meant, the nearest first.

    Parameters
    ----------
    likeness : float
        How much of the two spellings has to agree, 0 to 1; see `difflib.get_close_matches`.
    """
    import difflib

    by_spelling = {name.strip().lower(): name for name in reversed(list(names))}
    key = typed.strip().lower()
    begun = [spelling for spelling in by_spelling if key[2:] and key[0] != "-" and spelling.startswith(key)]
    alike = difflib.get_close_matches(key, by_spelling, n=most, cutoff=likeness)
    found = [*dict.fromkeys((*begun, *alike) if len(begun) == 1 else alike)]
    return [by_spelling[spelling] for spelling in found[:most]]


def did_you_mean(typed: str, names: Sequence[str]) -> str:
    """Offer the nearest names; where none is near, say which there are."""
    near = nearest(typed, names)
    return f"did you mean {' or '.join(map(repr, near))}?" if near else f"there are: {listed(names)}"


def check_choice(flag: str, typed: str, choices: Iterable[str]) -> None:
    """Refuse a word that is none of those to choose from."""
    known = list(choices)
    if typed not in known:
        near = [f"did you mean {word}? " for word in nearest(typed, known, 1)]
        raise UsageError(f"{flag} {typed}: {''.join(near)}choose one of {', '.join(known)}")


LONGEST_REASON = 200


def first_line(error: Exception) -> str:
    """What a library says in the first line of an error, without the full stop."""
    lines = str(error).strip().splitlines()
    return lines[0][:LONGEST_REASON].rstrip(".") if lines else type(error).__name__
