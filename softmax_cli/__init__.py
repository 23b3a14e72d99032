"""Probabilities that can be trusted, from tables of classifier scores.

    from softmax_cli import predict, evaluate, calibrate, weights, inspect, explain, sample, ensemble, compare

These run the commands of their names on data frames, Arrow tables, arrays and files; `softmax` and `log_softmax` take
arrays, `transform` makes what scores the Arrow batches of a pipeline.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from softmax_cli.version import __version__

if TYPE_CHECKING:
    from softmax_cli.api import (
        calibrate,
        compare,
        ensemble,
        evaluate,
        explain,
        for_ray,
        for_spark,
        inspect,
        predict,
        sample,
        transform,
        weights,
    )
    from softmax_cli.numeric.softmax import log_softmax, softmax


__all__ = [
    "__version__",
    "calibrate",
    "compare",
    "ensemble",
    "evaluate",
    "explain",
    "for_ray",
    "for_spark",
    "inspect",
    "log_softmax",
    "predict",
    "sample",
    "softmax",
    "transform",
    "weights",
]

_ARRAYS = ("softmax", "log_softmax")
_HOMES = {
    name: "softmax_cli.numeric.softmax" if name in _ARRAYS else "softmax_cli.api"
    for name in __all__
    if name != "__version__"
}


def __getattr__(name: str) -> Any:
    """Load a public function on first use: the command line's ``--help`` needs no numpy, a pipe no pandas."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """List what there is, also what is not loaded yet."""
    return sorted(__all__)
