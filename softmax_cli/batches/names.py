"""Column names: patterns that users type, names that ids and truths go by, and class names within column names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from fnmatch import fnmatchcase

from softmax_cli.errors import UsageError

ID_NAMES = ("id", "index", "idx", "row", "key", "uuid", "name", "path", "file", "filename")
TRUTH_NAMES = ("label", "target", "truth", "class", "y", "y_true")
SPLIT_NAMES = ("split", "fold")
UNNAMED = ("", "Unnamed: 0", "__index_level_0__")
"""What pandas calls an index that it wrote as a column."""
SEPARATORS = "_.:-/ "


def is_id(name: str, position: int) -> bool:
    """Whether a column is named like an id (an unnamed column counts when it is the first)."""
    return name.lower() in ID_NAMES or name.lower().endswith("_id") or (position == 0 and name in UNNAMED)


def looks_like_metadata(name: str, position: int) -> bool:
    """Whether a numeric column is named like something other than a score."""
    return is_id(name, position) or name.lower() in TRUTH_NAMES or name.lower() in SPLIT_NAMES


def repeated(names: Sequence[str]) -> list[str]:
    """Names that stand more than once."""
    return [name for name, count in Counter(names).items() if count > 1]


def expand(said: str | tuple[str, ...], names: Sequence[str]) -> tuple[list[str], str]:
    """Resolve ``logit_*``, ``a,b,c`` or ``a:b`` to column names in file order, and the fixed beginning of a pattern.

    A column of exactly the name that was typed goes before every reading as a pattern.

    Raises
    ------
    UsageError
        A part matches no column.
    """
    if said in names:
        return [str(said)], ""
    chosen: set[str] = set()
    for part in [part.strip() for part in said.split(",")] if isinstance(said, str) else said:
        found = _part(part, names)
        if not found:
            raise UsageError(f"--logits {part!r}: no such column; there are: {', '.join(names)}")
        chosen.update(found)
    fixed = (
        said[: min((said.index(mark) for mark in "*?[" if mark in said), default=0)] if isinstance(said, str) else ""
    )
    return [name for name in names if name in chosen], "" if "," in said else fixed


def _part(part: str, names: Sequence[str]) -> list[str]:
    if part in names:
        return [part]
    first, colon, last = part.partition(":")
    if colon and first in names and last in names:
        low, high = names.index(first), names.index(last)
        if low > high:
            raise UsageError(f"--logits {part!r}: {first!r} stands after {last!r}; write {last}:{first}")
        return list(names[low : high + 1])
    return [name for name in names if fnmatchcase(name, part)]


def class_names(columns: Sequence[str], prefix: str, truths: Sequence[str | None]) -> tuple[str, ...]:
    """Class names: column names less a prefix that all share, unless the truth spells the prefix too.

    A prefix ends in a separator (``digit_0`` but not ``c0``). Where the truth column reads ``digit_0``, that is the
    class's name, and dropping the prefix would only part the two.
    """
    if not prefix and len(columns) > 1:
        prefix = _shared_prefix(columns)
    if prefix and not set(columns).isdisjoint(truths):
        return tuple(columns)
    short = tuple(name.removeprefix(prefix) for name in columns)
    return short if all(short) else tuple(columns)


def _shared_prefix(names: Sequence[str]) -> str:
    """Return the longest beginning of all names that ends in a separator."""
    low, high = min(names), max(names)
    size = next((i for i, (a, b) in enumerate(zip(low, high, strict=False)) if a != b), min(len(low), len(high)))
    end = max((low.rfind(mark, 0, size) for mark in SEPARATORS), default=-1) + 1
    return low[:end]
