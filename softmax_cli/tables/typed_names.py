"""Names of columns as users type them: one, a list, a range or a pattern."""

from collections import Counter
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from softmax_cli.errors import UsageError, did_you_mean


def repeated(names: Iterable[str]) -> list[str]:
    """Names that stand more than once."""
    return [name for name, count in Counter(names).items() if count > 1]


def find_name(flag: str, typed: str, names: Sequence[str]) -> str:
    """Return the column that was typed; blanks around a name do not count.

    Raises
    ------
    UsageError
        There is none of that name; with the nearest ones.
    """
    if typed in names:
        return typed
    found = [name for name in names if name.strip() == typed.strip()]
    if len(found) != 1:
        raise UsageError(f"{flag} {typed!r}: no such column; {did_you_mean(typed, names)}")
    return found[0]


def expand(typed: str | tuple[str, ...], names: Sequence[str]) -> tuple[list[str], str]:
    """Resolve ``logit_*``, ``a,b,c`` or ``a:b`` to column names in file order, and the fixed beginning of a pattern.

    A column of exactly the name that was typed goes before every reading as a pattern.

    Raises
    ------
    UsageError
        A part matches no column.
    """
    if typed in names:
        return [str(typed)], ""
    chosen: set[str] = set()
    for part in [part.strip() for part in typed.split(",")] if isinstance(typed, str) else typed:
        found = _part(part, names)
        chosen.update(found or [find_name("--logits", part, names)])
    pattern = typed if isinstance(typed, str) and "," not in typed else ""
    fixed = pattern[: min((pattern.index(mark) for mark in "*?[" if mark in pattern), default=0)]
    return [name for name in names if name in chosen], fixed


def _part(part: str, names: Sequence[str]) -> list[str]:
    if part in names:
        return [part]
    first, colon, last = (end.strip() for end in part.partition(":"))
    trimmed = [name.strip() for name in names]
    if colon and first in trimmed and last in trimmed:
        low, high = trimmed.index(first), trimmed.index(last)
        if low > high:
            raise UsageError(f"--logits {part!r}: {first!r} stands after {last!r}; write {last}:{first}")
        return list(names[low : high + 1])
    return [name for name in names if fnmatchcase(name, part)]
