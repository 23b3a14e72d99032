"""How adjusted logits become probabilities, by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.exponents import adjust_
from softmax_cli.numeric.sigmoid import log_sigmoid_, scale_, sigmoid_
from softmax_cli.numeric.softmax import exp_normalize_, log_normalize_
from softmax_cli.numeric.sparse import entmax15_, log_, sparsemax_

Kernel = Callable[[NDArray[Any]], NDArray[Any]]


class Activation(NamedTuple):
    """Kernels on matrices of shape (rows, classes), all in place."""

    name: str
    adjust_: Callable[[NDArray[Any], float, NDArray[np.float64] | None], NDArray[Any]]
    """Logits, temperature and bias to exponents; nan throughout a row that cannot be scored."""
    probabilities_: Kernel
    log_probabilities_: Kernel
    sums_to_one: bool = True


def _sparsemax_log_(a: NDArray[Any]) -> NDArray[Any]:
    return log_(sparsemax_(a))


def _entmax15_log_(a: NDArray[Any]) -> NDArray[Any]:
    return log_(entmax15_(a))


ACTIVATIONS: dict[str, Activation] = {
    activation.name: activation
    for activation in (
        Activation("softmax", adjust_, exp_normalize_, log_normalize_),
        Activation("sigmoid", scale_, sigmoid_, log_sigmoid_, sums_to_one=False),
        Activation("sparsemax", adjust_, sparsemax_, _sparsemax_log_),
        Activation("entmax15", adjust_, entmax15_, _entmax15_log_),
    )
}
