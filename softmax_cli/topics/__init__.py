"""Short worked topics for ``explain``: a topic is one file here, and computes what it says from real rows."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass

from softmax_cli.errors import UsageError


@dataclass(frozen=True, slots=True)
class Figures:
    """A small table."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str | float | int, ...], ...]
    """The first cell of a row names it; probabilities and losses are floats, counts integers."""


@dataclass(frozen=True, slots=True)
class Topic:
    """Text and tables in turn."""

    title: str
    parts: tuple[str | Figures, ...]
    commands: tuple[str, ...]
    """What to type next."""

    def to_json(self) -> dict[str, object]:
        """Return plain values."""
        parts = [
            part if isinstance(part, str) else [dict(zip(part.headings, row, strict=True)) for row in part.rows]
            for part in self.parts
        ]
        return {"title": self.title, "parts": parts, "commands": list(self.commands)}


def topic_names() -> list[str]:
    """Return the topics that there are."""
    return [module.name for module in pkgutil.iter_modules(__path__)]


def read_topic(name: str) -> Topic:
    """Work a topic out.

    Raises
    ------
    UsageError
        There is no such topic.
    """
    if name not in topic_names():
        raise UsageError(
            f"{name}: neither a file nor a topic (there are {', '.join(topic_names())}); "
            "scores are typed as 2.0 1.0 0.1"
        )
    topic: Topic = importlib.import_module(f"{__name__}.{name}").topic()
    return topic
