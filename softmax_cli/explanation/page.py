"""``explain --page``: one row on a page where scores, temperature and weights can be dragged."""

from __future__ import annotations

import math

import numpy as np

from softmax_cli.explanation.example import Example
from softmax_cli.numeric.explanation import Explanation
from softmax_cli.page import render

MOST_CLASSES = 12
"""More sliders than this are no longer seen together."""
CLIP = 5
"""Limit of the clipped and softly capped scores that the page compares; in logits."""


def explanation_page(example: Example, explanation: Explanation, command: str) -> bytes:
    """Make the page of one row."""
    shown = sorted(explanation.ranking[:MOST_CLASSES])
    names = [example.classes[i] for i in shown]
    logits = explanation.logits[shown]
    finite = logits[np.isfinite(logits)]
    return render(
        "explanation",
        {
            "classes": names,
            "logits": [z if math.isfinite(z) else "-inf" for z in logits.tolist()],
            "temperature": explanation.temperature,
            "weights": explanation.weights[shown].tolist(),
            "low": min(-10.0, math.floor(float(finite.min())) - 5.0),
            "high": max(10.0, math.ceil(float(finite.max())) + 5.0),
            "clip": CLIP,
            "truth": names.index(example.truth) if example.truth in names else shown.index(explanation.ranking[0]),
        },
        title="Softmax, step by step",
        where=example.where,
        truth=example.truth,
        shown=len(shown),
        left_out=len(example.classes) - len(shown),
        clip=CLIP,
        command=command,
    )
