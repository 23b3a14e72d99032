"""scikit-learn's temperature scaling of logits that are there already."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator

NEEDS = ("sklearn", "pandas")
KINDS = ("calibrate",)


class Logits(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier whose features are its logits."""

    def fit(self, z, labels):  # type: ignore[no-untyped-def]
        self.classes_ = np.arange(z.shape[1])
        return self

    def predict(self, z):  # type: ignore[no-untyped-def]
        return z.argmax(axis=1)

    def decision_function(self, z):  # type: ignore[no-untyped-def]
        return z


def run(source: Path, target: Path, digits: int, whole: bool) -> None:
    frame = pd.read_parquet(source)
    classes = [name for name in frame.columns if name not in ("id", "name", "label")]
    z = frame[classes].to_numpy(np.float64)
    labels = frame["label"].map({name: number for number, name in enumerate(classes)}).to_numpy()
    model = CalibratedClassifierCV(FrozenEstimator(Logits().fit(z, labels)), method="temperature").fit(z, labels)
    calibrator = model.calibrated_classifiers_[0].calibrators[0]
    target.write_text(json.dumps({"temperature": 1 / float(calibrator.beta_)}))
