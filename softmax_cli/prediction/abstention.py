"""Which rows of a batch get no prediction, because the model is not sure enough of it."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from softmax_cli.prediction.scorer import Scored


class Abstention(NamedTuple):
    """The least confidence that a prediction is given with, and what stands in its place below that."""

    threshold: NDArray[np.float64]
    """For each predicted class, shape (classes,)."""
    label: str = ""

    def withholds(self, scored: Scored) -> NDArray[np.bool_]:
        """Whether the confidence of a row is below the threshold of its prediction, shape (rows,)."""
        return np.asarray(scored.confidence < self.threshold[scored.prediction])
