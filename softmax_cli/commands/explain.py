"""``softmax-cli explain``: what a softmax does to one row, with its numbers."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from softmax_cli.options.explanation import ExplanationOptions, SubjectOptions

if TYPE_CHECKING:
    from softmax_cli.topics import Topic

CONTEXT = {"ignore_unknown_options": True}
"""A negative score, -1, would be taken for an option."""


def explain(subject: SubjectOptions, how: ExplanationOptions) -> None:
    """Show what a softmax does, step by step, with real numbers.

    The numbers are scores that you type (explain 2.0 1.0 0.1, explain cat=2
    dog=-1 -T 2), one row of a table (explain logits.csv --row 17), or those of
    a worked topic (explain imbalance).
    """
    if subject.topic is not None:
        from softmax_cli.topics import read_topic

        _tell_topic(read_topic(subject.topic), how)
        return
    from softmax_cli.runs.explaining import to_json

    example = subject.example()
    explanation = how.explain(example)
    if how.json:
        _print_json(to_json(example, explanation))
        return
    from softmax_cli.display.console import make_console
    from softmax_cli.display.explanation import show_explanation

    show_explanation(make_console(sys.stdout, how.colors), example, explanation)


def _tell_topic(topic: Topic, how: ExplanationOptions) -> None:
    if how.json:
        _print_json(topic.to_json())
        return
    from softmax_cli.display.console import make_console
    from softmax_cli.display.topic import show_topic

    show_topic(make_console(sys.stdout, how.colors), topic)


def _print_json(told: dict[str, object]) -> None:
    import json

    from softmax_cli.sinks import standard_output

    with standard_output() as out:
        out.write(json.dumps(told, indent=1, ensure_ascii=False, allow_nan=False).encode() + b"\n")
