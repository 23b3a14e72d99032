"""What the name of a column says: score, id, truth, prediction, weight; class names."""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import chain
from typing import Literal, NamedTuple

Kind = Literal["logits", "prob", "logprob"]
Role = Literal["id", "index", "truth", "prediction", "weight", "order"]
"""What a column is that holds no scores; an ``index`` comes from pandas or R, an ``order`` is a split, step or time."""

SEPARATORS = "_.:-/ =([|"


class ScoreName(NamedTuple):
    """How names begin that hold scores."""

    words: tuple[str, ...]
    kind: Kind
    is_plain: bool
    """False: a word that columns of other things begin with too, such as ``raw``."""


_LOG_PROB = ("logprob", "logprobs", "log_prob", "log_probs", "log_proba", "log_probability", "log_probabilities")
_PROB = ("prob", "probs", "proba", "probas", "probability", "probabilities")
_SCORE_WORDS: tuple[tuple[Kind, bool, tuple[str, ...]], ...] = (
    ("logprob", True, (*_LOG_PROB, "log_p", "logp", "log_softmax")),
    ("logits", True, ("logit", "logits", "raw_formula_val")),
    ("prob", True, (*_PROB, "softmax")),
    ("logits", False, ("raw_score", "raw_scores", "score", "scores", "raw", "output", "outputs", "z")),
    ("prob", False, ("p",)),
)
_OWNERS = ("y", "pred", "predict", "predicted", "prediction", "scored", "class")
"""Words that may stand before: ``pred_proba``, ``y_score``."""
SCORE_NAMES = tuple(
    ScoreName((*owner, *spelled.split("_")), kind, is_plain)
    for kind, is_plain, spellings in _SCORE_WORDS
    for spelled in spellings
    for owner in ((), *((word,) for word in _OWNERS))
    if not (owner and len(spelled) == 1)
)
_BY_WORDS = {name.words: name for name in SCORE_NAMES}
_LONGEST = max(map(len, _BY_WORDS))
_FIRST_WORDS = {words[0] for words in _BY_WORDS}
_LAST_WORDS = {words[-1] for words in _BY_WORDS if len(words[-1]) > 1}


def _words(names: str, between: str = " ") -> frozenset[str]:
    return frozenset(names.split(between))


_IDS = {"id", "ids", "uuid", "guid", "idx"}
_ID_NAMES = _words("index,row,row number,rownum,key,name,path,file,filename,file name,file path", ",")
_IDS_IN_ONE_WORD = {
    f"{what}id"
    for what in _words(
        "image img sample user item doc document row query example record object file case patient subject customer "
        "passenger video frame photo post text question u q p"
    )
}
_INDEX = r"(?i)unnamed:[ _]?\d+(\.\d+)*(_level_\d+)?|level_\d+|__index_level_\d+__|\.\.\.\d+"
"""What pandas calls an index, and readr a column without a name."""
_LIKE_AN_INDEX = ("unnamed:", "level_", "__index_", "...")
"""How those begin: to compile the pattern takes longer than to read a small table."""
_TRUTHS = (
    "y true,ytrue,truth,ground truth,groundtruth,gt,actual,obs,observed,true label,true labels,true class,label true,"
    "actual label,actual class,gt label,gold,gold label,gold labels",
    "label,labels,label id,label ids,labelid,y test,y val,class label,target label,target class",
    "target,targets",
    "class",
    "y",
)
"""The surest first: what is called y_true is the truth also beside a column called label."""
_TRUTH_RANK = {name: rank for rank, names in enumerate(_TRUTHS) for name in names.split(",")}
_PREDICTED = _words("pred preds predict predicted prediction predictions predicts yhat ypred ypreds")
_PREDICTIONS = {"y hat", "response", "confidence", "entropy", "margin", "argmax"}
_PREDICTIONS |= {"first confidence", "second confidence"}  # of the rows that `compare` writes
_ORDERS = {"split", "fold", "kfold", "epoch", "step", "rank", "global step", "timestamp", "datetime"}
_MEASURES = _words(
    "age sex gender price amount income salary lat lon lng latitude longitude altitude width height area size length "
    "duration latency runtime elapsed speed distance loss nll perplexity ppl temperature energy logsumexp lse norm "
    "count counts num seed year month day hour minute zipcode bmi tokens temp humidity pressure fare balance cost "
    "costs profit revenue rating importance propensity freq frequency confidence std variance"
)
_UNITS = _words("ms sec secs seconds minutes hours days px usd eur km kg cm mm")
_FEATURES = _words(
    "emb embed embedding embeddings feat feature features f x pc pca umap tsne dim latent hidden h v vec component"
)

_LETTERS_OR_DIGITS = re.compile(r"[^\W\d_]+|\d+")
_CHANGES_OF_CASE = r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])"
_REMEMBERED = 1 << 18
"""A name is looked at several times, and a table of a hundred thousand classes has as many."""


@lru_cache(_REMEMBERED)
def words(name: str) -> tuple[str, ...]:
    """Take a name apart at separators, digits and changes of case: ``RawFormulaVal:Class=0`` has five words."""
    if name.islower() or name.isupper():
        return tuple(_LETTERS_OR_DIGITS.findall(name.lower()))
    return tuple(_LETTERS_OR_DIGITS.findall(re.sub(_CHANGES_OF_CASE, " ", name).lower()))


def score_name(name: str) -> tuple[ScoreName, tuple[str, ...]] | None:
    """Return how a name of scores begins, and the words of the class that follow; None where it is no such name."""
    if name.startswith(".pred_"):  # tidymodels, beside its .pred_class
        following = words(name)[1:]
        return None if following == ("class",) else (ScoreName((".pred",), "prob", True), following)
    parts = words(name)
    if name.startswith("confidence("):  # RapidMiner
        return ScoreName(("confidence",), "prob", True), parts[1:]
    if not parts or parts[0] not in _FIRST_WORDS:
        return None
    sizes = range(min(_LONGEST, len(parts)), 0, -1)
    return next(((found, parts[size:]) for size in sizes if (found := _BY_WORDS.get(parts[:size]))), None)


def score_ending(name: str) -> ScoreName | None:
    """Return how a name ends where scores are named by their end: ``cat_prob``; None where it does not."""
    parts = words(name)
    if len(parts) < 2 or parts[-1] not in _LAST_WORDS:
        return None
    sizes = range(min(_LONGEST, len(parts) - 1), 0, -1)
    return next((found for size in sizes if (found := _BY_WORDS.get(parts[-size:]))), None)


def role_by_name(name: str, position: int, columns: int) -> Role | None:
    """Say what a column is that is named like anything but a score; None where its name says nothing.

    Parameters
    ----------
    position, columns : int
        Where it stands among how many: a column without a name is an index at either end of a table only.
    """
    trimmed = name.strip()
    if trimmed.lower().startswith(_LIKE_AN_INDEX) and re.fullmatch(_INDEX, trimmed):
        return "index"
    if not trimmed and position in (0, columns - 1):
        return "index"
    parts = words(name)
    plain = " ".join(parts)
    if plain in _TRUTH_RANK:
        return "truth"
    if is_prediction_name(parts):
        return "prediction"
    ending = parts[:-1] if len(parts) > 1 and parts[-1].isdigit() else parts
    if plain in _ID_NAMES or (ending and (ending[-1] in _IDS or ending[-1] in _IDS_IN_ONE_WORD)):
        return "id"
    if len(parts) == 2 and parts[0] in ("id", "uuid", "guid"):  # id_code
        return "id"
    if parts and parts[-1] == "index" and len(parts) == 2 and parts[0] in ("sample", "row", "example", "image", "item"):
        return "id"
    if parts and parts[-1] in ("weight", "weights"):
        return "weight"
    if plain in _ORDERS or (parts and (parts[0].startswith("time") or parts[-1] in ("split", "fold", "epoch"))):
        return "order"
    return None


def is_measure_name(name: str) -> bool:
    """Whether a name is one that tables have for a measure of the example, not for a class: ``price``, ``num_tokens``.

    Classes may be called so too; only what else is known can decide.
    """
    parts = words(name)
    if not 1 <= len(parts) <= 3:
        return False
    ends = (parts[0], parts[-1]) if len(parts) < 3 else parts[-1:]
    return (len(parts) > 1 and parts[-1] in _UNITS) or not _MEASURES.isdisjoint(ends)


def is_feature_name(name: str) -> bool:
    """Whether a name is that of one of many features of an example: ``emb_0``, ``pc1``."""
    *stem, number = words(name) or ("",)
    return len(stem) == 1 and number.isdigit() and stem[0] in _FEATURES


def is_prediction_name(words_of_name: tuple[str, ...]) -> bool:
    """Whether words name what a model has predicted, or a figure made of its scores."""
    if not words_of_name:
        return False
    if (
        words_of_name[0] in _PREDICTED
        or words_of_name[-1] in _PREDICTED
        or words_of_name[:2] in (("y", "pred"), ("y", "preds"))
    ):
        return True
    is_figure = len(words_of_name) > 1 and (words_of_name[1].isdigit() or (words_of_name[1],) in _BY_WORDS)
    extreme = words_of_name[0] in ("max", "top") and is_figure
    return extreme or " ".join(words_of_name) in _PREDICTIONS


def truth_rank(name: str) -> int | None:
    """How surely a name is that of the truth: 0 for ``y_true``, more for ``y``; None where it is none."""
    return _TRUTH_RANK.get(" ".join(words(name)))


def id_rank(name: str, position: int, columns: int) -> int | None:
    """How surely a name is that of an id: 0 for ``user_id``, 1 for ``name``, 2 for an index; None where it is none."""
    role = role_by_name(name, position, columns)
    if role == "id":
        return 1 if " ".join(words(name)) in _ID_NAMES else 0
    return 2 if role == "index" else None


class Family(NamedTuple):
    """Columns that share how their names begin, and so are scores of one kind."""

    names: tuple[str, ...]
    kind: Kind | None
    """None: the names do not say it."""
    rank: int
    """Families of a lower rank are taken before those of a higher: logits before the probabilities made of them."""
    given_by: str
    """What they share, for messages: ``logit_*``."""

    @property
    def classes(self) -> frozenset[str]:
        """What the names call the classes."""
        return frozenset(class_names(self.names, ()))


RANKS: dict[tuple[Kind, bool], int] = {
    ("logits", True): 0,
    ("logits", False): 1,
    ("logprob", True): 2,
    ("prob", True): 3,
    ("prob", False): 3,
}
NUMBERED_RANK = 1
_NO_CLASS = {*_IDS, "index", "path", "file", "name"}
VAGUE_RANK = 4
"""Of names that begin with a word for many things, ``pred_cat`` and ``class_cat``."""
_VAGUE = {"class", "cls", "pred", "predicted", "prediction"}
_MORE_THAN_A_CLASS = {*_NO_CLASS, *_VAGUE, *_PREDICTIONS}
_MORE_THAN_A_CLASS |= {"label", "score", "prob", "conf", "time", "count"}
_BEFORE_NUMBERS = {"", "class", "class_", "cls", "cls_", "c"}


def families(names: Sequence[str]) -> list[Family]:
    """Find the families among the names of columns, in the order of their ranks.

    A name of scores whose class would be ``id`` is left out where its beginning is used for other things too: a
    ``p_id`` beside ``p_cat`` and ``p_dog``.
    """
    by_beginning: dict[ScoreName, list[str]] = {}
    for name in names:
        found = score_name(name)
        if found is None or not found[1]:
            continue
        if found[0].is_plain or not (len(found[1]) == 1 and found[1][0] in _NO_CLASS):
            by_beginning.setdefault(found[0], []).append(name)
    lines = [
        Family(tuple(members), score.kind, RANKS[score.kind, score.is_plain], f"{_beginning(members)}*")
        for score, members in by_beginning.items()
        if len(members) > 1
    ]
    lines += _numbered(names)
    return sorted(lines or _by_ending(names) or _by_vague_word(names), key=lambda family: family.rank)


def _beginning(names: Sequence[str]) -> str:
    low, high = min(names), max(names)
    return low[: next((i for i, (a, b) in enumerate(zip(low, high, strict=False)) if a != b), len(low))]


def _numbered(names: Sequence[str]) -> list[Family]:
    """Find names that are exactly 0 .. K-1 or 1 .. K, alone or behind ``class_``."""
    by_stem: dict[str, list[tuple[int, str]]] = {}
    for name in names:
        plain = name.strip()
        stem = plain.rstrip("0123456789")
        number = plain[len(stem) :]
        if number and stem.lower() in _BEFORE_NUMBERS and number == str(int(number)):
            by_stem.setdefault(stem, []).append((int(number), name))
    return [
        Family(tuple(name for _, name in members), None, NUMBERED_RANK, f"{stem}{members[0][0]}, {stem}{members[1][0]}")
        for stem, members in by_stem.items()
        if len(members) > 1 and {number for number, _ in members} in (_count(0, members), _count(1, members))
    ]


def _count(start: int, members: Sequence[object]) -> set[int]:
    return set(range(start, start + len(members)))


def _by_ending(names: Sequence[str]) -> list[Family]:
    by_ending: dict[ScoreName, list[str]] = {}
    for name in names:
        score = score_ending(name) if role_by_name(name, 1, 3) is None else None
        if score is not None and score.is_plain:
            by_ending.setdefault(score, []).append(name)
    return [
        Family(tuple(members), score.kind, RANKS[score.kind, score.is_plain], f"*{members[0][-len(score.words[-1]) :]}")
        for score, members in by_ending.items()
        if len(members) > 1
    ]


def _by_vague_word(names: Sequence[str]) -> list[Family]:
    by_word: dict[str, list[str]] = {}
    for name in names:
        word, *of_class = words(name) or ("",)
        if word in _VAGUE and of_class and _MORE_THAN_A_CLASS.isdisjoint(of_class):
            by_word.setdefault(word, []).append(name)
    members = [members for members in by_word.values() if len(members) > 1]
    return [Family(tuple(one), None, VAGUE_RANK, f"{_beginning(one)}*") for one in members]


def named_alike(names: Iterable[str], chosen: Sequence[str]) -> list[str]:
    """Those of `names` that begin or end as the names of the scores do; where these are numbers, those that are too."""
    kind, shared = _named_kind(chosen[0]), _beginning(chosen).rstrip("0123456789")
    if kind is not None:
        return [name for name in names if _named_kind(name) == kind]
    return [name for name in names if (name.startswith(shared) if shared else name.strip().isdigit())]


def _named_kind(name: str) -> ScoreName | None:
    """What a name of the score of a class begins or ends with; None where it is no such name."""
    found = score_name(name)
    return found[0] if found is not None and found[1] else score_ending(name)


def class_names(columns: Sequence[str], truths: Iterable[str], prefix: str = "") -> tuple[str, ...]:
    """Class names: column names less a beginning that all share, unless the truths spell it too.

    The beginning ends in a separator (``digit_0`` but not ``c0``): of scores the word that names them
    (``logit_``, ``RawFormulaVal:Class=``), of other columns the longest. Where the truths read ``digit_0``, that is the
    name of the class. `prefix` is what a pattern that was typed begins with; it goes before what is found.
    """
    names = [name.strip() for name in columns]
    shared = _beginning(names) if len(names) > 1 else names[0]
    ends = [end for end in range(len(shared), 0, -1) if shared[end - 1] in SEPARATORS and end < len(names[0])]
    score_ends = [_score_end(name) for name in names]
    if prefix and prefix[-1] in SEPARATORS and shared.startswith(prefix):
        ends = [len(prefix)]
    elif len(set(score_ends)) == 1 and score_ends[0]:
        ends = [score_ends[0], *ends]
    elif len(names) == 1:
        ends = []
    choices = [choice for end in [*ends, 0] if all(choice := _cut(names, end))]
    known = {truth.strip() for truth in truths}
    as_truths = chain(choices, map(_without_ending, choices)) if known else ()
    return next((one for one in as_truths if not known.isdisjoint(one)), choices[0] if choices else tuple(names))


def _score_end(name: str) -> int:
    """Where the class begins in a name of scores; 0 where no separator stands before it."""
    found = score_name(name)
    if found is None or not found[1]:
        return 0
    spelled = r"[\W_]*".join(map(re.escape, found[0].words))
    beginning = re.match(rf"(?i)[\W_]*{spelled}[\W_]+(for[\W_]+)?((class|cls)[\W_]+)?", name)
    return 0 if beginning is None else beginning.end()


def _cut(names: Sequence[str], start: int) -> tuple[str, ...]:
    """Leave out what names begin with, and what they end with where that closes what is open or names the scores."""
    cut = [name[start:].strip() for name in names]
    for opening, closing in ("()", "[]", '""', "''"):  # ('logit', 'cat') is a column of two levels, of pandas
        if opening in names[0][:start] and all(name.endswith(closing) for name in cut):
            cut = [name[:-1].strip() for name in cut]
    return _without_ending(cut) if not start else tuple(cut)


def _without_ending(names: Sequence[str]) -> tuple[str, ...]:
    ending = score_ending(names[0])
    if len(names) > 1 and ending is not None and {score_ending(name) for name in names} == {ending}:
        spelled = r"[\W_]*".join(map(re.escape, ending.words))
        return tuple(re.sub(rf"(?i)[\W_]+{spelled}[\W_]*$", "", name) for name in names)
    return tuple(names)


def sets_of_models(names: Sequence[str]) -> list[str]:
    """Patterns of the sets that columns are in, as of several models: ``m1_cat, m1_dog, m2_cat, m2_dog``.

    Mostly there are fewer models than classes; where there are as many, the patterns of both.
    """
    patterns: list[str] = []
    for form, model, label, pattern in _BY_MODEL:
        sets: dict[str, set[str]] = {}
        for name in names:
            if (match := re.fullmatch(form, name)) is None:
                return []  # a separator cuts a name in both orders, or in neither
            sets.setdefault(pattern.format(match[model], match[2]), set()).add(match[label])
        if len({frozenset(one) for one in sets.values()}) == 1 and 1 < len(sets) <= len(next(iter(sets.values()))):
            patterns += sets
    return patterns


_BY_MODEL = ((r"(.+?)([_.:/ -])(.+)", 1, 3, "{}{}*"), (r"(.+)([_.:/ -])(.+?)", 3, 1, "*{1}{0}"))
