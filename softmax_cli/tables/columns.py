"""Which columns of a table are what: scores, ids, truth. Decided once, before the first row is scored.

The only place that decides it: by what was typed, by what the file says, by names (`column_names`), by the values of
the first rows (`column_values`), in this order. What is open after that is refused, with the option that decides it.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, get_args

from softmax_cli.errors import DataError, UsageError, check_choice, listed
from softmax_cli.tables.batch import Batch
from softmax_cli.tables.column_names import (
    Kind,
    Role,
    class_names,
    id_rank,
    role_by_name,
    truth_rank,
)
from softmax_cli.tables.column_values import (
    FirstRows,
    figures_of_others,
    find_one_hot,
    in_class_order,
    is_nested_number,
    is_number,
    odd_columns,
)
from softmax_cli.tables.schema import Schema, is_fixed_size_list, is_map, is_struct
from softmax_cli.tables.score_columns import ScoreColumns, find_scores
from softmax_cli.tables.typed_names import find_name, repeated

PERCENT = "percent"
METADATA_KEY = b"softmax_cli"
"""Under this key the program's own files say, as JSON, what they hold, and its columns of numbers what they are."""
FIGURE = b"figure"
"""Marks a number that is computed beside the scores, and that a later run passes on."""
OWN_BEGINNINGS = ("logit_", "logprob_", "prob_")
OUTPUT_NAMES = ("prediction", "confidence")
CATBOOST = ("RawFormulaVal", "Probability:Class=")
"""How CatBoost's columns of scores begin; its ``Class`` beside them is what it predicts."""
GROUP_COLUMNS = ("query", "group", "session", "question", "user", "topic", "request")
"""Whose values are repeated in a table with a row for each candidate."""
LONG_COLUMNS = ("class", "label", "item", "classes", "labels", "items")
BOOLEANS = ("True", "False", "true", "false", "TRUE", "FALSE", "")
MOST_WARNINGS = 3
SHOWN_CLASSES = 6


class Selection(NamedTuple):
    """What the user typed about the columns; None: nothing."""

    scores: str | tuple[str, ...] | None = None
    """A pattern, a list, a range; or names one by one."""
    id: str | None = None
    label: str | None = None
    kind: str | None = None
    """A `Kind`, or ``percent``."""
    classes: tuple[str, ...] | None = None
    positive: str | None = None
    no_scores: tuple[tuple[str, str], ...] = ()
    """Options that name a column of another use, and the column."""
    may_lack: bool = False
    """Whether the id and the label that were typed may be missing: it is one of several tables."""
    belong_together: bool = False
    """Whether several rows make up an example, or a choice."""


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
    """The scores of a row are in one column: a list, a struct or a map."""
    kind_is_given: bool = True
    """Typed, or written into the file by this program."""
    percent: bool = False
    """The scores are probabilities in percent."""
    keys: tuple[str, ...] = ()
    """What a struct or a map calls the classes, in their order."""
    one_hot: tuple[str, ...] = ()
    """Columns of 0 and 1, one for each class in their order, that give the truth where no column names it."""
    truths: tuple[str, ...] = ()
    """Columns of which each could be the truth, where the names leave it open which."""
    passed_numbers: tuple[str, ...] = ()
    """Columns of numbers that were taken for nothing."""
    warnings: tuple[str, ...] = ()
    evidence: tuple[tuple[str, str], ...] = ()
    """What each role was decided by, for whoever wants to see it."""

    @property
    def is_binary(self) -> bool:
        """One score stands for two classes: z becomes [0, z]."""
        return not self.is_list and len(self.scores) == 1

    def explain(self) -> list[str]:
        """Name the columns of each role with what it was decided by, a line each."""
        why = dict(self.evidence)
        roles = {"scores": self.scores, "id": (self.id or "",), "truth": self.one_hot or (self.label or "",)}
        lines = [f"{role:<8} {listed(roles[role], 40)} ({reason})" for role, reason in why.items()]
        return lines + ([f"numbers  {listed(self.passed_numbers, 40)} (not taken)"] if self.passed_numbers else [])

    @property
    def kind_is_assumed(self) -> bool:
        """Rows that look like probabilities deserve a warning: nothing but names says that they are logits."""
        return self.kind == "logits" and not self.kind_is_given

    def summary(self) -> str:
        """What was taken for what, in a line."""
        shown = self.classes if len(self.classes) <= SHOWN_CLASSES else (self.classes[0], "...", self.classes[-1])
        roles = [f"{len(self.classes)} classes: {' '.join(shown)}"]
        roles += [f"id: {self.id}"] if self.id is not None else []
        roles += [f"truth: {self.label}"] if self.label is not None else []
        roles += [f"truth: one-hot {listed(self.one_hot, 3)}"] if self.one_hot and self.label is None else []
        roles += [f"passes: {listed(self.passed_numbers, 6)}"] if self.passed_numbers else []
        roles += [f"read as {PERCENT if self.percent else self.kind}"] if self.kind != "logits" else []
        return "; ".join(roles)


def resolve(schema: Schema, typed: Selection, head: Batch) -> Columns:
    """Find the scores, the id and the truth among the columns of a table.

    Parameters
    ----------
    schema : Schema
        Columns of the table; those that look like numbers have a numeric type.
    typed : Selection
        What the user typed, which goes before every other evidence.
    head : Batch
        The first rows, read with no column taken for a score.

    Raises
    ------
    UsageError
        A name that was typed is not there, or there is no such kind of scores.
    DataError
        No column looks like a score, names are not unique, or it is open which columns are meant.
    """
    if doubled := repeated(schema.names):
        raise DataError(f"two columns have the same name: {', '.join(map(repr, doubled))}; rename one of them")
    table = _Known.of(schema, typed, FirstRows(head))
    used = [find_name(*pair, schema.names) for pair in typed.no_scores]
    table = table._replace(roles={**table.roles, **dict.fromkeys(used)})
    given = (table.typed_id, table.typed_label, *used, *_pandas_index(schema))
    scores = find_scores(schema, table.rows, typed.scores, table.roles, given, table.record)
    label, truths = _find_truth(table, scores)
    id_column, id_why = _find_id(table, scores, label)
    is_list = is_nested_number(schema.field(scores.names[0]).type)
    keys = _keys(table, scores.names[0]) if is_list else ()
    columns = Columns(
        scores=scores.names,
        classes=_named(_classes(table, typed, scores, keys, label), typed, is_list, len(scores.names)),
        kind=_kind(table, typed, scores) or "logits",
        id=id_column,
        label=label,
        others=_others(table, scores),
        is_list=is_list,
        kind_is_given=typed.kind is not None or table.is_own(scores.names),
        percent=typed.kind == PERCENT,
        keys=keys,
        truths=truths,
        warnings=_warnings(table, scores),
    )
    if doubled := repeated(columns.classes):
        raise DataError(
            f"two classes have the same name: {', '.join(map(repr, doubled))}; name them with --classes FILE"
        )
    if columns.is_binary and typed.positive is None and typed.classes is None and not typed.belong_together:
        _refuse_long(table, columns)
    one_hot = () if label is not None or columns.is_binary else _find_one_hot(table, columns)
    known = {id_column, label, *one_hot}
    evidence = {"scores": scores.why}
    evidence |= {"id": id_why} if id_column is not None else {}
    evidence |= {"truth": "typed" if label == table.typed_label else f"named {label}"} if label is not None else {}
    return columns._replace(
        one_hot=one_hot,
        passed_numbers=tuple(n for n in columns.others if n not in known and table.holds_numbers(n)),
        evidence=tuple((evidence | ({"truth": "columns of 0 and 1"} if one_hot else {})).items()),
    )


class _Known(NamedTuple):
    """What is known of a table before its scores are looked for."""

    schema: Schema
    rows: FirstRows
    roles: Mapping[str, Role | None]
    """What the file and the names say of each column."""
    record: Mapping[str, Any]
    """What a file of our own says about itself; empty for any other."""
    typed_id: str | None
    typed_label: str | None

    @classmethod
    def of(cls, schema: Schema, typed: Selection, rows: FirstRows) -> "_Known":
        if typed.kind is not None:
            check_choice("--input", typed.kind, (*get_args(Kind), PERCENT))
        names, index = schema.names, _pandas_index(schema)
        roles = {name: role_by_name(name, position, len(names)) for position, name in enumerate(names)}
        roles |= {name: roles[name] or "index" for name in index}
        if "Class" in roles and any(name.startswith(CATBOOST) for name in names):
            roles["Class"] = "prediction"
        return cls(
            schema,
            rows,
            roles,
            _metadata(schema, METADATA_KEY),
            _typed("--id", typed.id, names, typed.may_lack),
            _typed("--label", typed.label, names, typed.may_lack),
        )

    def is_own(self, scores: Sequence[str]) -> bool:
        """Whether a file of ours says that these are its scores."""
        return bool(scores) and [*self.record.get("scores", ())] == [*scores]

    def holds_numbers(self, name: str) -> bool:
        """Whether a column holds numbers, or lists of them."""
        kind = self.schema.field(name).type
        return is_number(kind) or is_nested_number(kind)


def _typed(flag: str, name: str | None, names: Sequence[str], may_lack: bool) -> str | None:
    """Return the column that was typed; None: there is none, or it may be missing and is."""
    return None if name is None or (may_lack and name not in names) else find_name(flag, name, names)


def _metadata(schema: Schema, key: bytes) -> dict[str, Any]:
    written = (schema.metadata or {}).get(key)
    if written is None:
        return {}
    import json  # text holds no metadata, and a small table of text waits for nothing

    try:
        record = json.loads(written)
    except ValueError:
        return {}
    return record if isinstance(record, dict) else {}


def _pandas_index(schema: Schema) -> list[str]:
    """The columns that pandas wrote for the index of a frame; of a range there is none."""
    written = _metadata(schema, b"pandas").get("index_columns", ())
    return [name for name in written if isinstance(name, str) and name in schema.names]


def _find_truth(table: _Known, scores: ScoreColumns) -> tuple[str | None, tuple[str, ...]]:
    """Return the truth; where names leave it open which column it is, none, and all of those."""
    if table.typed_label is not None:
        return (None if table.typed_label in scores.names else table.typed_label), ()
    named = [name for name in table.schema.names if table.roles[name] == "truth"]
    named = [name for name in named if name not in scores.names and name != table.typed_id]
    named.sort(key=lambda name: truth_rank(name) or 0)
    ranks = [truth_rank(name) for name in named]
    if not named or ranks.count(0) == 1 or all(_agree(table.rows, named[0], other) for other in named[1:]):
        return (named[0] if named else None), ()
    return None, tuple(named)


def _agree(rows: FirstRows, one: str, other: str) -> bool:
    """Whether each value of one column goes with one value of the other."""
    pairs = set(zip(rows.texts(one), rows.texts(other), strict=False))
    return len(pairs) == len({first for first, _ in pairs}) == len({second for _, second in pairs})


def _find_id(table: _Known, scores: ScoreColumns, label: str | None) -> tuple[str | None, str]:
    """Return the id and what it was decided by; of the levels of an index none is an id."""
    if table.typed_id is not None:
        return (None if table.typed_id in scores.names else table.typed_id), "typed"
    names, taken = table.schema.names, {*scores.names, label}
    ranks = {name: id_rank(name, at, len(names)) for at, name in enumerate(names) if name not in taken}
    free = list(ranks)
    levels = [name for name in free if table.roles[name] == "index"]
    ranks |= {name: 2 for name in levels if ranks[name] is None}
    has_levels = len(levels) > 1 and any(map(table.rows.is_repeated, levels))
    known = [name for name in free if ranks[name] is not None and not (has_levels and name in levels)]
    if known:
        name = min(known, key=lambda name: ranks[name] or 0)
        return name, "an index" if name in levels else f"named {name}"
    ids = [name for name in scores.not_scores if not table.rows.is_repeated(name)]
    is_clear = len(ids) == 1 or ids[:1] == [names[0]]  # of several, only where ids mostly stand
    return (ids[0], "whole numbers that all differ") if is_clear else (None, "")


def _keys(table: _Known, name: str) -> tuple[str, ...]:
    """The keys of a struct or a map; none of a list."""
    kind = table.schema.field(name).type
    if is_struct(kind):
        return tuple(kind.field(i).name for i in range(kind.num_fields))
    return table.rows.keys(name) if is_map(kind) else ()


def _classes(
    table: _Known, typed: Selection, scores: ScoreColumns, keys: tuple[str, ...], label: str | None
) -> tuple[str, ...]:
    """The names of the classes: typed, by the file, the keys of a struct, the names of columns, positions in a list."""
    known = tuple(map(str, table.record.get("classes", ())))
    kind = table.schema.field(scores.names[0]).type
    if typed.classes is not None:
        return typed.classes
    if keys:
        return tuple(key.strip() for key in keys)
    if not is_nested_number(kind):
        is_known = table.is_own(scores.names) and len(known) == len(scores.names)
        truths = table.rows.texts(label) if label is not None else ()
        return known if is_known else class_names(scores.names, truths, scores.prefix)
    size = kind.list_size if is_fixed_size_list(kind) else table.rows.list_length(scores.names[0])
    if size == 0:
        raise DataError(f"column {scores.names[0]!r} holds empty lists: there is no class to score")
    if size is None:
        raise DataError(
            f"column {scores.names[0]!r}: no row shows how many classes there are; name them with --classes FILE"
        )
    return known if len(known) == size else tuple(str(index) for index in range(size))


def _named(names: tuple[str, ...], typed: Selection, is_list: bool, columns: int) -> tuple[str, ...]:
    if not is_list and columns == 1 and len(names) == 1:
        positive = typed.positive if typed.positive is not None else names[0]
        return (f"not {positive}", positive)
    if typed.positive is not None:
        raise UsageError(f"--positive names the class of a single score column; there are {len(names)} columns")
    if not is_list and len(names) != (2 if columns == 1 else columns):
        raise UsageError(f"--classes: {len(names)} names for {columns} score columns")
    return names


def _kind(table: _Known, typed: Selection, scores: ScoreColumns) -> Kind | None:
    """What the scores are: typed, by the file, by names; None where nothing says it."""
    if typed.kind is not None:
        return "prob" if typed.kind == PERCENT else typed.kind  # type: ignore[return-value]  # one of KINDS
    return (table.record.get("kind") if table.is_own(scores.names) else None) or scores.kind


def _others(table: _Known, scores: ScoreColumns) -> tuple[str, ...]:
    """The columns that pass through: neither scores nor written beside them by this program, which writes them anew."""
    begun = any(all(name.startswith(beginning) for name in scores.names) for beginning in OWN_BEGINNINGS)
    left_out = {*scores.names}
    for name, field in zip(table.schema.names, table.schema, strict=True):
        mark = (field.metadata or {}).get(METADATA_KEY, FIGURE)
        is_marked = mark != FIGURE and (begun or bool(table.record))
        if is_marked or (begun and (name in OUTPUT_NAMES or name.startswith(OWN_BEGINNINGS))):
            left_out.add(name)
    return tuple(name for name in table.schema.names if name not in left_out)


def _find_one_hot(table: _Known, columns: Columns) -> tuple[str, ...]:
    """Columns of 0 and 1 that give the truth, in the order of the classes."""
    roles = {name: table.roles[name] for name in columns.others if name != columns.id}
    free = [name for name, role in roles.items() if role in (None, "truth")]
    return in_class_order(find_one_hot(table.rows, free, len(columns.classes)), columns.classes)


def _warnings(table: _Known, scores: ScoreColumns) -> tuple[str, ...]:
    """Name score columns that may be no classes, where all numbers were taken that nothing was known of."""
    if scores.by_elimination:
        odd = odd_columns(table.rows, scores.names)
    else:
        odd = figures_of_others(table.rows, scores.names) if len(scores.names) > 2 else {}
    return tuple(
        f"is {name!r} a class? It {problem}; if not, name the class columns with --logits"
        for name, problem in list(odd.items())[:MOST_WARNINGS]
    )


def _refuse_long(table: _Known, columns: Columns) -> None:
    """Refuse a single score column in a table that has a row for each class.

    Raises
    ------
    DataError
        Ids repeat, or a column of text is named like a class.
    """
    score, rows = columns.scores[0], table.rows
    beside = [n for n in columns.others if n.strip().lower() in LONG_COLUMNS and n != table.typed_label]
    beside = [n for n in beside if rows.is_text(n) and not {*rows.texts(n)} <= {*columns.classes, *BOOLEANS}]
    groups = [n for n in columns.others if n == columns.id or n.strip().lower() in GROUP_COLUMNS]
    repeated_ids = next((n for n in groups if n != table.typed_label and rows.is_repeated(n)), None)
    if repeated_ids is None and not beside:
        return
    why = f"ids repeat in {repeated_ids!r}" if repeated_ids is not None else f"{beside[0]!r} holds names"
    key = repeated_ids or columns.id or "ID"
    ways = [f"where a row is one class of an example, --long {key},{beside[0]},{score}"] if beside else []
    ways += [f"where rows are candidates of one query, --group {key}"] if repeated_ids is not None else []
    found = sorted({cell.strip() for cell in rows.texts(beside[0])}) if beside else []
    named = f"--classes '{found[0]},{found[1]}'" if len(found) == 2 else "--positive NAME"
    raise DataError(
        f"{score!r} is the only score column, and {why}: {'; '.join(ways)}; where a row is an example of its own, "
        f"{named} says what the score is for"
    )
