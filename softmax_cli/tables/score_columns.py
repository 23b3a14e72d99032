"""Which columns hold the scores: those typed, else given by the file, by names, by values; what is open is refused."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from softmax_cli.errors import DataError, UsageError, listed
from softmax_cli.numeric.softmax import sums_to
from softmax_cli.tables.column_names import (
    RANKS,
    VAGUE_RANK,
    Family,
    Kind,
    Role,
    families,
    is_feature_name,
    is_measure_name,
    named_alike,
    score_ending,
    score_name,
    sets_of_models,
    words,
)
from softmax_cli.tables.column_values import FirstRows, find_ids, find_one_hot, is_adorned, is_nested_number, is_number
from softmax_cli.tables.schema import Schema, is_map, is_null, is_string, is_struct
from softmax_cli.tables.typed_names import expand

_NAMED_ROLES: dict[Role, tuple[str, str]] = {
    "id": ("an id", "--id"),
    "truth": ("a truth", "--label"),
    "order": ("a split or a step", "--id"),
}
"""Roles whose columns hold whole numbers or text, with the option that names such a column."""
_SHOWN = 6


class ScoreColumns(NamedTuple):
    """Which columns hold the scores, and why."""

    names: tuple[str, ...]
    why: str
    kind: Kind | None = None
    """None: the names do not say it."""
    prefix: str = ""
    """What a pattern that was typed begins with."""
    not_scores: tuple[str, ...] = ()
    """Columns of numbers that are something else by what they hold."""
    by_elimination: bool = False
    """All numbers were taken that nothing else is known of."""


OF_A_CHOICE = ("prob", "log_prob", "logprob")
"""What ``sample`` and ``predict --group`` write of the choice that a row is: no scores of classes."""


def find_scores(
    schema: Schema,
    rows: FirstRows,
    typed: str | tuple[str, ...] | None,
    roles: Mapping[str, Role | None],
    given: Sequence[str | None],
    record: Mapping[str, Any],
) -> ScoreColumns:
    """Find the score columns of a table.

    Parameters
    ----------
    typed : str or tuple of str or None
        As `column_names.expand` takes it.
    roles : mapping
        What the file and the names say of every column.
    given : sequence of str or None
        Columns that were typed as the id or the truth.
    record : mapping
        What a file of this program says about itself.

    Raises
    ------
    UsageError
        A name that was typed is not there, or not one of numbers.
    DataError
        No column looks like a score, or it is open which are meant.
    """
    if typed is not None:
        names, prefix = expand(typed, schema.names)
        _check_numeric(schema, names)
        return ScoreColumns(tuple(names), "typed", _shared_kind(names), prefix)
    own = [*record.get("scores", ())]
    if own and set(own) <= set(schema.names) - {*given}:
        return ScoreColumns(tuple(name for name in schema.names if name in own), "the file says so")
    is_chosen = record.get("scores") == [] or {"action", *OF_A_CHOICE[:2]} <= {*schema.names}
    taken = {*given, *(OF_A_CHOICE if is_chosen else ())}
    free = [name for name in schema.names if name not in taken and roles[name] != "index"]
    search = _Search(schema, rows, roles, free)
    found = search.by_names() or search.lone() or search.by_elimination()
    search.refuse_listing(found.names)
    return found


class _Search(NamedTuple):
    """One table, and what is known of it."""

    schema: Schema
    rows: FirstRows
    roles: Mapping[str, Role | None]
    free: Sequence[str]
    """Columns that may hold scores."""

    @property
    def numbers(self) -> list[str]:
        return [name for name in self.free if is_number(self.schema.field(name).type)]

    @property
    def lists(self) -> list[str]:
        return [name for name in self.free if is_nested_number(self.schema.field(name).type)]

    def by_names(self) -> ScoreColumns | None:
        """Take columns that share how their names begin, or a list that is named like scores."""
        empty = [name for name in self.free if is_null(self.schema.field(name).type)]
        found = [*families([*self.numbers, *empty]), *map(_named_list, filter(_scores_word, self.lists))]
        if not found:
            return None
        chosen, *others = sorted(found, key=lambda family: family.rank)
        rival = next((other for other in others if _is_rival(chosen, other)), None)
        if rival is not None:
            raise DataError(
                f"{chosen.given_by} and {rival.given_by} could both be the scores; choose: "
                f"--logits {_pattern(chosen)} or --logits {_pattern(rival)}"
            )
        if chosen.rank == VAGUE_RANK:
            if not any(map(self.rows.has_fractions, chosen.names)):
                return None
            self._refuse_rivals(chosen)
        self._refuse_text(chosen.names)
        self._refuse_largest(chosen)
        members = {*chosen.names}
        return ScoreColumns(tuple(n for n in self.schema.names if n in members), chosen.given_by, chosen.kind)

    def _refuse_rivals(self, chosen: Family) -> None:
        """Refuse a family of vague names beside other columns of fractions: each could be the scores."""
        members = {*chosen.names}
        others = [n for n in self.numbers if n not in members and not self.roles[n] and not is_measure_name(n)]
        others = [name for name in others if self.rows.has_fractions(name)]
        if others:
            raise DataError(
                f"{chosen.given_by} could be the scores, and {listed(others, _SHOWN)} hold fractions too: choose "
                f"--logits {_pattern(chosen)} or --logits {_some(others)}"
            )

    def _refuse_text(self, chosen: Sequence[str]) -> None:
        """Refuse text under the name of a score: left out without a word, a class would be missing."""
        members = {*chosen}
        for name in named_alike((name for name in self.free if name not in members), chosen):
            cells = [cell for cell in self.rows.texts(name) if _may_be_number(cell)]
            if cells and not is_number(self.schema.field(name).type):
                raise DataError(
                    f"column {name!r} is named like a score and holds text, such as {cells[0]!r}; write plain numbers, "
                    f"or leave it out: --logits {_some(chosen)}"
                )

    def _refuse_largest(self, chosen: Family) -> None:
        """Refuse ``top_logit`` beside ``cat_logit`` and ``dog_logit`` where it is not the largest of them."""
        ending = score_ending(chosen.names[0])
        if ending is None or score_name(chosen.names[0]) is not None:
            return
        members = {*chosen.names}
        for name in (name for name in self.numbers if name not in members):
            if score_ending(name) == ending and not self._is_largest(name, chosen.names):
                raise DataError(
                    f"is {name!r} a class, as {chosen.names[0]!r} is? If so, --logits {_pattern(chosen)}; if not, "
                    f"--logits {_some(chosen.names)}"
                )

    def lone(self) -> ScoreColumns | None:
        """Take a single column that is named like a score, unless it may be one figure of several others."""
        named = {
            name: found[0]
            for name in self.numbers
            if (found := score_name(name)) and self.roles[name] in (None, "prediction")
        }
        named = {name: score for name, score in named.items() if score.is_plain or score.words[-1] == "score"}
        if not named:
            return None
        name = min(named, key=lambda name: RANKS[named[name].kind, named[name].is_plain])
        self._refuse_text((name,))
        others = [n for n in self.numbers if n not in named and not self.roles[n] and self.rows.has_fractions(n)]
        is_doubtful = not named[name].is_plain or len(self._in_texts(others)) > 1
        if len(others) > 1 and (is_doubtful or self._is_largest(name, others)):
            raise DataError(
                f"{name!r} is named like a score, and {listed(others, _SHOWN)} hold fractions too: which are the "
                f"scores? --logits {name} or --logits {_some(others)}"
            )
        return ScoreColumns((name,), f"named {name}", named[name].kind)

    def _in_texts(self, names: Sequence[str]) -> list[str]:
        """Columns whose names stand among the truths or the predictions of the first rows."""
        texts = [name for name, role in self.roles.items() if role in ("truth", "prediction")]
        held = {cell.strip() for name in texts if self.rows.is_text(name) for cell in self.rows.texts(name)}
        return [name for name in names if name.strip() in held]

    def _is_largest(self, name: str, others: Sequence[str]) -> bool:
        """Whether a column is the largest of some others in every row."""
        largest = np.max([self.rows.numbers(other) for other in others], axis=0)
        return bool(np.allclose(largest, self.rows.numbers(name), atol=1e-6))

    def by_elimination(self) -> ScoreColumns:
        """Take the numbers that nothing else is known of, or the only list of fractions."""
        unknown = [name for name in self.numbers if not self.roles[name]]
        if not unknown:
            return self._only_list()
        unknown = self._without_measures(unknown)
        self._refuse_adorned(unknown)
        self._refuse_misnamed(unknown)
        self._refuse_left_out(unknown)
        self._refuse_several_models(unknown)
        ids = find_ids(self.rows, unknown, self.schema.names[0])
        if ids.doubtful:
            name, classes = ids.doubtful[0], [name for name in unknown if name not in ids.sure]
            raise DataError(
                f"column {name!r} holds whole numbers that all differ, as ids do: if it is an id, --id {name}; if it "
                f"is a class, --logits {_some(classes)}"
            )
        left = [name for name in unknown if name not in ids.sure]
        marks = {*find_one_hot(self.rows, left, len(left) // 2)} if len(left) % 2 == 0 else set()
        names = tuple(name for name in left if name not in marks)
        kind = _shared_kind(names) if len(names) == 1 else None
        return ScoreColumns(names, "the other numbers", kind, "", (*ids.sure, *marks), True)

    def _only_list(self) -> ScoreColumns:
        lists = [name for name in self.lists if self.roles[name] != "truth"]
        fractions = [name for name in lists if self._holds_fractions(name)]
        if len(lists) == len(fractions) == 1:
            return ScoreColumns((fractions[0],), "the only list of numbers")
        if len(lists) > 1:
            ways = " or ".join(f"--logits {name}" for name in lists[:3])
            raise DataError(f"the columns {listed(lists)} all hold lists of numbers: which are the scores? {ways}")
        there = [f"{field.name} ({field.type})" for field in self.schema]
        raise DataError(
            "no column looks like a score (a number whose name is not that of an id, a truth or a prediction); "
            f"there are: {listed(there)}; name the class columns with --logits 'a,b,c' or a pattern"
        )

    def _holds_fractions(self, name: str) -> bool:
        kind = self.schema.field(name).type
        return is_struct(kind) or is_map(kind) or self.rows.list_has_fractions(name)

    def _without_measures(self, unknown: list[str]) -> list[str]:
        """Leave out columns that are named like measures or features of the example, beside others that are not.

        Raises
        ------
        DataError
            One has fractions as scores do, and the truths do not show that just the others are the classes.
        """
        classes = {*self._in_texts(unknown)}
        stems = {name: words(name)[0] for name in unknown if is_feature_name(name)}
        several = Counter(stems.values())
        features = {name for name, stem in stems.items() if several[stem] > 1} - classes
        measures = [name for name in unknown if is_measure_name(name) and name not in classes]
        rest = [name for name in unknown if name not in {*features, *measures}]
        if len(rest) < 2:
            return unknown
        doubtful = [name for name in measures if self.rows.has_fractions(name)]
        if doubtful and not classes.issuperset(rest):
            raise DataError(
                f"is {doubtful[0]!r} a class? It is named like a measure and holds fractions, as scores do: if so, "
                f"--logits {_some([name for name in unknown if name in {*rest, *doubtful}])}; if not, "
                f"--logits {_some(rest)}"
            )
        return rest

    def _refuse_several_models(self, unknown: Sequence[str]) -> None:
        """Refuse sets of columns for the same classes, as of several models."""
        patterns = sets_of_models(unknown)
        if patterns and not self._in_texts(unknown):
            ways = " or ".join(f"--logits '{pattern}'" for pattern in patterns[:4])
            raise DataError(f"the columns are sets for the same classes, as of several models; choose: {ways}")

    def _refuse_adorned(self, unknown: Sequence[str]) -> None:
        """Refuse to pass over text that is mostly numbers with something around them: ``2.5*``, ``$2.5``, ``[2.5]``."""
        for name in self.free:
            kind = self.schema.field(name).type
            if self.roles[name] or is_number(kind) or is_measure_name(name):
                continue
            cells = self.rows.texts(name)
            adorned = [cell for cell in cells if is_adorned(cell)]
            one = is_nested_number(kind) and self.rows.list_sizes(name) == {1}
            if one or (adorned and 2 * len(adorned) >= len(cells)):
                shown = f"text, such as {adorned[0]!r}" if adorned else "lists of one number"
                raise DataError(
                    f"is {name!r} a class? It holds {shown}: if so, write plain numbers; if not, "
                    f"--logits {_some(unknown)}"
                )

    def _refuse_misnamed(self, unknown: Sequence[str]) -> None:
        """Refuse columns that are named like ids or truths and hold fractions as the unknown columns do."""
        if not any(map(self.rows.has_fractions, unknown)):
            return
        odd = [name for name in self.numbers if self.roles[name] in _NAMED_ROLES and "time" not in name.lower()]
        odd = [name for name in odd if self.rows.has_fractions(name)]
        if odd:
            kind, flag = _NAMED_ROLES[self.roles[odd[0]] or "id"]
            everything = [name for name in self.numbers if name in {*unknown, *odd}]
            raise DataError(
                f"column {odd[0]!r} is named like {kind} and holds fractions, as scores do: if it is a class, "
                f"--logits {_some(everything)}; if not, {flag} {odd[0]} or --logits {_some(unknown)}"
            )

    def _refuse_left_out(self, unknown: Sequence[str]) -> None:
        """Refuse to leave out columns of fractions by their names that seem to be classes by their values.

        Classes may be called ``Normal_Weight``: several weights are no weights, and shares that only sum to 1 with a
        column belong to it.
        """
        named = [name for name in self.numbers if self.roles[name] and self.rows.has_fractions(name)]
        weights = [name for name in named if self.roles[name] == "weight"]
        values = self.rows.matrix([*unknown, *named])
        are_shares = self.rows.rows > 0 and bool(((values >= 0) & (values <= 1)).all())
        whole, part = (bool(sums_to(rows.T).all()) for rows in (values, values[: len(unknown)]))
        if named and ((are_shares and whole and not part) or len(weights) > 1):
            left_out = weights if len(weights) > 1 else named
            raise DataError(
                f"are {listed(left_out, _SHOWN)} classes too? They are named like something else; if so, --logits "
                f"{_some([name for name in self.numbers if name in {*unknown, *left_out}])}; if not, --logits "
                f"{_some(unknown)}"
            )

    def refuse_listing(self, names: Sequence[str]) -> None:
        """Refuse label_1, prob_1, label_2, prob_2 ..., which list the best classes only."""
        ranks = [name.removeprefix("prob_") for name in names if name.startswith("prob_")]
        labels = [f"label_{rank}" for rank in ranks]
        if (
            len(ranks) < len(names)
            or not all(rank.isdecimal() for rank in ranks)
            or not {*labels} <= {*self.schema.names}
        ):
            return
        if not find_one_hot(self.rows, labels, len(labels)):
            raise DataError(
                "label_1, prob_1, ... list the best classes only: the other probabilities are not in this file; "
                "write it again without --top-k"
            )


def _scores_word(name: str) -> bool:
    return score_name(name) is not None or score_ending(name) is not None


def _may_be_number(text: str) -> bool:
    """Whether a text has a digit, or no letter: ``98%`` and ``-``, but not ``fine``."""
    return any(map(str.isdigit, text)) or not any(map(str.isalpha, text))


def _named_list(name: str) -> Family:
    found = score_name(name)
    score = score_ending(name) if found is None else found[0]
    assert score is not None, "the list is named like scores"
    # Spark makes its probability of it; but of two classes it is the logit with either sign, of trees it is votes.
    rank = VAGUE_RANK if words(name) == ("raw", "prediction") else RANKS[score.kind, score.is_plain]
    return Family((name,), score.kind, rank, f"the list {name}")


def _is_rival(chosen: Family, other: Family) -> bool:
    """Whether another family may be meant as well: of the same rank, or of classes that a vague name does not have."""
    if other.rank == chosen.rank:
        return True
    both_flat = len(chosen.names) > 1 and len(other.names) > 1
    return chosen.rank == RANKS["logits", False] and both_flat and chosen.classes != other.classes


def _pattern(family: Family) -> str:
    return f"'{family.given_by}'" if "*" in family.given_by else _some(family.names)


def _some(names: Sequence[str]) -> str:
    """Write names as --logits takes them; many are cut short."""
    return f"'{','.join(names[:_SHOWN])}{',...' if len(names) > _SHOWN else ''}'"


def _shared_kind(names: Sequence[str]) -> Kind | None:
    found = {report[0].kind if (report := score_name(name)) else None for name in names}
    return found.pop() if len(found) == 1 else None


def _check_numeric(schema: Schema, names: Sequence[str]) -> None:
    lists = [name for name in names if is_nested_number(schema.field(name).type)]
    if lists and len(names) > 1:
        raise UsageError(f"--logits: {lists[0]!r} is a list column; name it alone")
    for field in (schema.field(name) for name in names):
        kind = field.type
        may_be_number = is_number(kind) or is_string(kind) or is_null(kind)
        if not (may_be_number or is_nested_number(kind)):
            raise UsageError(f"--logits: column {field.name!r} holds {kind}, not numbers")
