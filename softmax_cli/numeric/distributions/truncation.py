"""Cutting the unlikely classes off a distribution: top-k, then top-p, then min-p."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.softmax import Matrix, exp_normalize_
from softmax_cli.numeric.topk import top_k as best


def truncate_(a: Matrix, *, top_k: int | None = None, top_p: float | None = None, min_p: float | None = None) -> Matrix:
    """Mask classes, on the log scale and in place; each cut sees the distribution that the one before has renormalised.

    The order and the renormalisation are those of the logits processors of Hugging Face transformers. (min-p compares
    with the most probable class, and no renormalisation changes that.) A class that ties with the last one kept goes
    or stays by its column: the earlier stays.

    Parameters
    ----------
    a : array, shape (rows, classes)
        Adjusted logits; rows of nan stay as they are.
    top_k : int, optional
        Keep so many of the best classes.
    top_p : float, optional
        Keep the smallest set of best classes whose probability reaches `top_p`, the one that crosses it included;
        Holtzman et al. (2020), "The curious case of neural text degeneration".
    min_p : float, optional
        Keep classes with p >= min_p * max p, ties included; Nguyen et al. (2024), "Turning up the heat: min-p
        sampling".

    Returns
    -------
    array
        `a` itself, with ``-inf`` where a class was cut; the best class of a row always stays.

    Raises
    ------
    ValueError
        A bound is out of range.
    """
    if top_k is not None and top_k < 1:
        raise ValueError(f"top_k {top_k}: at least one class has to stay")
    if top_p is not None and not 0 < top_p <= 1:
        raise ValueError(f"top_p {top_p}: expected a probability above 0 and up to 1")
    if min_p is not None and not 0 <= min_p <= 1:
        raise ValueError(f"min_p {min_p}: expected a share from 0 to 1")
    if a.size == 0:
        return a
    if top_k is not None and top_k < a.shape[1]:
        _keep(a, best(a, top_k))
    if top_p is not None and top_p < 1:
        _cut_top_p(a, top_p)
    if min_p:
        a[_shifted(a) < np.log(min_p)] = -np.inf
    return a


def _cut_top_p(a: Matrix, top_p: float) -> None:
    order = best(a, a.shape[1])
    falling = np.take_along_axis(a, order, axis=1)
    reached = np.cumsum(exp_normalize_(_shifted(falling)), axis=1, dtype=np.float64) >= top_p
    falling[:, 1:][reached[:, :-1]] = -np.inf
    np.put_along_axis(a, order, falling, axis=1)


def _keep(a: Matrix, columns: NDArray[np.int32]) -> None:
    masked = np.ones(a.shape, np.bool_)
    np.put_along_axis(masked, columns, False, axis=1)
    masked[np.isnan(a[:, 0])] = False
    a[masked] = -np.inf


def _shifted(a: Matrix) -> Matrix:
    shifted: Matrix = a - a.max(axis=1)[:, None]
    return shifted
