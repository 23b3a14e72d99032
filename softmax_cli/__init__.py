"""Probabilities that can be trusted, from tables of classifier scores.

    from softmax_cli import softmax, log_softmax, predict, transform

`softmax` and `log_softmax` take arrays, `predict` takes a pandas data frame, `transform` makes what scores the Arrow
batches of a pipeline; all are the same core that the command line runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from softmax_cli.version import __version__

if TYPE_CHECKING:
    from softmax_cli.api import for_ray, for_spark, predict, transform
    from softmax_cli.numeric.softmax import log_softmax, softmax


__all__ = ["__version__", "for_ray", "for_spark", "log_softmax", "predict", "softmax", "transform"]

_HOMES = {
    "for_ray": "softmax_cli.api",
    "for_spark": "softmax_cli.api",
    "log_softmax": "softmax_cli.numeric.softmax",
    "predict": "softmax_cli.api",
    "softmax": "softmax_cli.numeric.softmax",
    "transform": "softmax_cli.api",
}


def __getattr__(name: str) -> Any:
    """Load a public function on first use: the command line's ``--help`` needs no numpy, a pipe no pandas."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
