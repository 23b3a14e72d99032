"""What the name of an array says: the kind of its scores, and which arrays belong to it."""

from __future__ import annotations

import re

KINDS = {"logprob": "logprob", "prob": "prob", "logit": "logits"}
"""Kind of scores by what the name of their array holds; the first that fits."""
SCORES = re.compile(
    r"(log_?prob(s|abilities)?|prob(s|a|abilities)?|logits?|scores?|preds?|predictions?)$", re.IGNORECASE
)
LABELS = ("labels", "label", "targets", "target", "truth", "y_true", "y")
IDS = ("ids", "id", "index", "names", "name")
COLUMNS = {"label": LABELS, "id": IDS}


def kind_of(array: str) -> str | None:
    """Kind of scores that the name of an array tells: ``val_probs`` holds probabilities; None: it tells none."""
    plain = array.lower().replace("_", "")
    return next((kind for word, kind in KINDS.items() if word in plain), None)


def companions(array: str) -> dict[str, tuple[str, ...]]:
    """Names that the labels and the ids of `array` go by: ``val_labels`` and more for ``val_logits``."""
    start = SCORES.sub("", array)
    prefix = start if start != array else f"{array}_"
    return {column: tuple(prefix + word for word in words) for column, words in COLUMNS.items()}
