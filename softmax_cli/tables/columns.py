"""Which columns of a table are what: scores, ids, truth. Decided once, before the first row is scored.

The only place that looks at column names; the rules are those that ``predict --help`` tells.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Literal, NamedTuple, get_args

import pyarrow as pa

from softmax_cli.errors import DataError, UsageError

Kind = Literal["logits", "prob", "logprob"]
METADATA_KEY = b"softmax_cli"
"""Under this key the program's own files say, as JSON, what they hold, and its columns of numbers what they are."""

PREFIXES: dict[str, Kind] = {"logit_": "logits", "logprob_": "logprob", "prob_": "prob"}
LIST_KINDS: dict[str, Kind] = {
    **dict.fromkeys(("prob", "probs", "probability", "probabilities"), "prob"),
    **dict.fromkeys(("logprob", "logprobs", "log_prob", "log_probs", "log_p"), "logprob"),
}
OUTPUT_NAMES = ("prediction", "confidence")


@dataclass(frozen=True, slots=True)
class Selection:
    """What the user said about the columns; None: not said."""

    scores: str | tuple[str, ...] | None = None
    """As typed (a pattern, a list, a range), or names one by one."""
    id: str | None = None
    label: str | None = None
    kind: Kind | None = None
    classes: tuple[str, ...] | None = None
    positive: str | None = None

    def __post_init__(self) -> None:
        if self.kind not in (None, *get_args(Kind)):
            raise UsageError(f"--input {self.kind}: choose one of {', '.join(get_args(Kind))}")


class Columns(NamedTuple):
    """The roles of the columns of one table."""

    scores: tuple[str, ...]
    """Score columns in file order; one name when the scores are a list column or the task is binary."""
    classes: tuple[str, ...]
    kind: Kind
    id: str | None = None
    label: str | None = None
    others: tuple[str, ...] = ()
    """Columns that pass through unchanged (id and truth among them), in file order."""
    is_list: bool = False
    kind_was_said: bool = True
    """False: the kind is the default, and rows that look like probabilities deserve a warning."""

    @property
    def is_binary(self) -> bool:
        """One score stands for two classes: z becomes [0, z]."""
        return not self.is_list and len(self.scores) == 1

    def summary(self) -> str:
        """What was taken for what, in a line."""
        shown = self.classes if len(self.classes) <= 3 else (self.classes[0], "...", self.classes[-1])
        roles = [f"{len(self.classes)} classes: {' '.join(shown)}"]
        roles += [f"id: {self.id}"] if self.id is not None else []
        roles += [f"truth: {self.label}"] if self.label is not None else []
        roles += [f"read as {self.kind}"] if self.kind != "logits" else []
        return "; ".join(roles)


def resolve(schema: pa.Schema, said: Selection, head: pa.RecordBatch) -> Columns:
    """Find the scores, the id and the truth among the columns of a table.

    Parameters
    ----------
    schema : pyarrow.Schema
        Columns of the table; those that look like numbers have a numeric type.
    said : Selection
        What the user said, which goes before every guess.
    head : pyarrow.RecordBatch
        The first rows: the width of a list column, and whether the truth spells class names with their prefix.

    Raises
    ------
    UsageError
        A name that was said is not there.
    DataError
        No column looks like a score, or names are not unique.
    """
    names = schema.names
    if doubled := repeated(names):
        raise DataError(f"two columns have the same name: {', '.join(map(repr, doubled))}; rename one of them")
    for flag, name in (("--id", said.id), ("--label", said.label)):
        if name is not None and name not in names:
            raise UsageError(f"{flag} {name!r}: no such column; there are: {', '.join(names)}")
    id_column = said.id if said.id is not None else next((n for i, n in enumerate(names) if is_id(n, i)), None)
    label = said.label if said.label is not None else next((n for n in names if n.lower() in TRUTH_NAMES), None)
    scores, prefix_kind, prefix = _score_columns(schema, said, {id_column, label})
    is_list = _is_list(schema.field(scores[0]).type)
    record = _own_record(schema)
    kind = said.kind or (record.get("kind") if record.get("scores") == scores else None) or prefix_kind
    classes = said.classes or _default_classes(schema, scores, prefix, head, label)
    taken = set(scores)
    columns = Columns(
        scores=tuple(scores),
        classes=_named(classes, said, is_list, len(scores)),
        kind=kind or "logits",
        id=None if id_column in taken else id_column,
        label=None if label in taken else label,
        others=tuple(n for n in names if n not in taken and not (prefix_kind and _is_output(n, schema))),
        is_list=is_list,
        kind_was_said=kind is not None,
    )
    if doubled := repeated(columns.classes):
        raise DataError(
            f"two classes have the same name: {', '.join(map(repr, doubled))}; name them with --classes FILE"
        )
    return columns


def _score_columns(schema: pa.Schema, said: Selection, taken: set[str | None]) -> tuple[list[str], Kind | None, str]:
    """Return the score columns, the kind that their names tell, and the prefix that is not part of a class name."""
    if said.scores is not None:
        names, prefix = expand(said.scores, schema.names)
        _check_numeric(schema, names)
        return names, _kind_by_name(names), prefix
    free = [name for name in schema.names if name not in taken]
    lists = [name for name in free if _is_list(schema.field(name).type)]
    if lists:
        return lists[:1], LIST_KINDS.get(lists[0].lower()), ""
    for prefix, kind in PREFIXES.items():
        names = [name for name in free if name.startswith(prefix) and len(name) > len(prefix)]
        if names:
            _refuse_listing(names, prefix, schema)
            return names, kind, prefix
    names = [
        name
        for position, name in enumerate(schema.names)
        if name not in taken and _is_number(schema.field(name).type) and not looks_like_metadata(name, position)
    ]
    if not names:
        raise DataError(_no_scores(schema))
    return names, None, ""


def _no_scores(schema: pa.Schema) -> str:
    there = ", ".join(f"{field.name} ({field.type})" for field in schema)
    return (
        "no column looks like a score (a number whose name is not that of an id or a truth); "
        f"there are: {there}; name the class columns with --logits 'a,b,c' or a pattern"
    )


def _refuse_listing(names: Sequence[str], prefix: str, schema: pa.Schema) -> None:
    ranks = [name.removeprefix(prefix) for name in names]
    there = set(schema.names)
    if prefix == "prob_" and all(rank.isdecimal() and f"label_{rank}" in there for rank in ranks):
        raise DataError(
            "label_1, prob_1, ... list the best classes only: the other probabilities are not in this file; "
            "write it again without --top-k"
        )


def _check_numeric(schema: pa.Schema, names: Sequence[str]) -> None:
    lists = [name for name in names if _is_list(schema.field(name).type)]
    if lists and len(names) > 1:
        raise UsageError(f"--logits: {lists[0]!r} is a list column; name it alone")
    binary_text = [n for n in names if not (_is_list(schema.field(n).type) or _may_be_number(schema.field(n).type))]
    if binary_text:
        field = schema.field(binary_text[0])
        raise UsageError(f"--logits: column {field.name!r} holds {field.type}, not numbers")


def _default_classes(
    schema: pa.Schema, scores: Sequence[str], prefix: str, head: pa.RecordBatch, label: str | None
) -> tuple[str, ...]:
    field = schema.field(scores[0])
    if not _is_list(field.type):
        truths = head.column(label).slice(0, 1000).cast(pa.string()).to_pylist() if label in head.schema.names else []
        return class_names(scores, prefix, truths)
    record = _own_record(schema)
    size = field.type.list_size if pa.types.is_fixed_size_list(field.type) else _first_length(head, field.name)
    known = record.get("classes", [])
    return tuple(known) if len(known) == size else tuple(str(index) for index in range(size))


def _first_length(head: pa.RecordBatch, name: str) -> int:
    lengths = [len(row) for row in head.column(name).slice(0, 100).to_pylist() if row is not None]
    if not lengths:
        raise DataError(f"column {name!r}: no row to tell how many classes there are; name them with --classes FILE")
    return lengths[0]


def _named(names: tuple[str, ...], said: Selection, is_list: bool, columns: int) -> tuple[str, ...]:
    if not is_list and columns == 1 and len(names) == 1:
        positive = said.positive if said.positive is not None else names[0]
        return (f"not {positive}", positive)
    if said.positive is not None:
        raise UsageError(f"--positive names the class of a single score column; there are {len(names)} columns")
    if not is_list and len(names) != (2 if columns == 1 else columns):
        raise UsageError(f"--classes: {len(names)} names for {columns} score columns")
    return names


def _own_record(schema: pa.Schema) -> dict[str, Any]:
    """What a file of our own says about itself; empty for any other."""
    try:
        record = json.loads((schema.metadata or {}).get(METADATA_KEY, b"{}"))
    except ValueError:
        return {}
    return record if isinstance(record, dict) else {}


def _kind_by_name(names: Sequence[str]) -> Kind | None:
    if len(names) == 1 and names[0].lower() in LIST_KINDS:
        return LIST_KINDS[names[0].lower()]
    return next((kind for prefix, kind in PREFIXES.items() if all(name.startswith(prefix) for name in names)), None)


def _is_output(name: str, schema: pa.Schema) -> bool:
    """A column that this program wrote beside the scores and writes anew."""
    marked = METADATA_KEY in (schema.field(name).metadata or {})
    return marked or name in OUTPUT_NAMES or any(name.startswith(prefix) for prefix in PREFIXES)


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def _may_be_number(kind: pa.DataType) -> bool:
    """Text formats type a column by its first rows; when the user names it as a score, it is read as one."""
    return _is_number(kind) or pa.types.is_string(kind) or pa.types.is_null(kind)


def _is_list(kind: pa.DataType) -> bool:
    lists = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    return any(test(kind) for test in lists) and _is_number(kind.value_type)


__all__ = ["ID_NAMES", "METADATA_KEY", "Columns", "Kind", "Selection", "resolve"]


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
