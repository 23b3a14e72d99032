"""``python -m tests.benchmarks.calibration``: test log loss, ECE and seconds of every calibration method beside peers.

Fitted to the validation rows of real tables and of generated ones, measured on test rows that no method has seen.
Seconds are the least of up to five fits; set OMP_NUM_THREADS=1, so that all take one thread in their products.
scikit-learn, probmetrics, netcal, betacal, venn-abers and abstention take part where they are installed.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax, softmax

from softmax_cli.numeric.calibrators import by_name, names
from softmax_cli.numeric.calibrators._examples import Examples

Array = NDArray[Any]
Table = tuple[str, Array, Array, Array, Array]
"""Title; logits and labels to fit to; logits and labels to measure on."""
Predict = Callable[[Array], Array]
"""Logits to log-probabilities."""
DATA = Path(os.environ.get("SOFTMAX_CLI_DATA", Path(__file__).parents[3] / "shared" / "data"))
TIMES, LONG = 5, 2.0
"""A fit is repeated so often, or until it has taken so many seconds; the least time counts."""
LEAST = 1e-15
"""A probability below it counts as it: peers may give a truth 0."""


def generated(rows: int, classes: int = 100, seed: int = 0) -> tuple[Array, Array]:
    """Logits of an over-confident network whose classes differ in scale and are mixed up by fives."""
    structure = np.random.default_rng(7)
    factor = 1.5 * np.exp(0.15 * structure.normal(size=classes))
    bias = 0.3 * structure.normal(size=classes)
    random = np.random.default_rng(seed)
    labels = random.integers(0, classes, rows)
    u = 1.3 * random.normal(size=(rows, classes))
    u[np.arange(rows), labels] += 6
    group = np.arange(classes) // 5
    u += 1.5 * (group == group[labels][:, None])
    truth = (u + random.gumbel(size=u.shape)).argmax(axis=1)
    return factor * u + bias, truth


def tables() -> Iterator[Table]:
    """Every table there is: real ones where the folder of shared data is."""
    for name in ("cifar10_resnet50_brier", "cifar10_wideresnet2610_flsd53"):
        if (path := DATA / name / f"{name}.npz").exists():
            held = np.load(path)
            yield name, *(held[part] for part in ("val_logits", "val_labels", "test_logits", "test_labels"))
    if (path := DATA / "cifar10_wrn16_4_probs" / "cifar10_wrn16_4_probs.npz").exists():
        held = np.load(path)
        z = np.log(np.maximum(held["probs"].astype(float), 1e-40))
        yield path.stem, z[:5000], held["labels"][:5000], z[5000:], held["labels"][5000:]
    for path in sorted([*DATA.glob("digits/digits_*_logits.parquet"), *DATA.glob("magika_filetypes/*.parquet")]):
        yield path.stem, *_split(path)
    for rows in (5_000, 50_000):
        yield f"generated_{rows}x100", *generated(rows), *generated(20_000, seed=1)


def _split(path: Path) -> tuple[Array, Array, Array, Array]:
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    classes = [name for name in table.column_names if name not in ("id", "label", "split")]
    z = np.column_stack([table[name].to_numpy() for name in classes]).astype(float)
    labels = np.array([classes.index(name) for name in table["label"].to_pylist()])
    fitted = np.array([part.startswith(("val", "cal")) for part in table["split"].to_pylist()])
    return z[fitted], labels[fitted], z[~fitted], labels[~fitted]


def ours(method: str) -> Callable[[Array, Array], Predict]:
    """Fit one of our methods."""
    return lambda z, labels: by_name(method).fit(Examples.checked(z, labels)).log_p


def one_vs_rest(fit: Callable[[Array, Array], Callable[[Array], Array]]) -> Callable[[Array, Array], Predict]:
    """Make a peer for two classes serve many: each class against the rest, renormalised."""

    def fitted(z: Array, labels: Array) -> Predict:
        p = softmax(z, axis=1)
        curves = [fit(p[:, k], (labels == k).astype(int)) for k in range(p.shape[1])]

        def predict(z: Array) -> Array:
            p = softmax(z, axis=1)
            q = np.stack([np.asarray(curve(p[:, k])).ravel() for k, curve in enumerate(curves)], axis=1)
            return np.log(np.clip(q / np.maximum(q.sum(axis=1, keepdims=True), 1e-300), LEAST, 1))

        return predict

    return fitted


def peers() -> dict[str, dict[str, Callable[[Array, Array], Predict]]]:
    """Return the peers of each of our methods, by the library's name."""
    found: dict[str, dict[str, Callable[[Array, Array], Predict]]] = {}
    for add in (_scikit_learn, _probmetrics, _netcal, _betacal, _venn_abers, _abstention):
        try:
            library, fits = add()
        except ImportError as error:
            print(f"left out: {add.__name__[1:]} ({error})")
            continue
        for method, fit in fits.items():
            found.setdefault(method, {})[library] = fit
    return found


def _scikit_learn() -> tuple[str, dict[str, Any]]:
    from sklearn.isotonic import IsotonicRegression
    from sklearn.linear_model import LogisticRegression

    def isotonic(p: Array, truth: Array) -> Callable[[Array], Array]:
        return IsotonicRegression(out_of_bounds="clip").fit(p, truth).predict

    def platt(p: Array, truth: Array) -> Callable[[Array], Array]:
        def odds(p: Array) -> Array:
            p = np.clip(p, LEAST, 1 - LEAST)
            return np.log(p / (1 - p))[:, None]

        model = LogisticRegression(C=np.inf).fit(odds(p), truth)
        return lambda p: model.predict_proba(odds(p))[:, 1]

    return "scikit-learn", {"isotonic": one_vs_rest(isotonic), "platt": one_vs_rest(platt)}


def _probmetrics() -> tuple[str, dict[str, Any]]:
    import torch
    from probmetrics import calibrators

    torch.set_num_threads(1)

    def of(make: Callable[[], Any]) -> Callable[[Array, Array], Predict]:
        def fit(z: Array, labels: Array) -> Predict:
            calibrator = make()
            calibrator.fit(softmax(z, axis=1), labels)
            return lambda z: np.log(np.clip(calibrator.predict_proba(softmax(z, axis=1)), LEAST, 1))

        return fit

    def of_each(make: Callable[[], Any]) -> Callable[[Array, Array], Predict]:
        def fit(p: Array, truth: Array) -> Callable[[Array], Array]:
            calibrator = make()
            calibrator.fit(np.stack([1 - p, p], axis=1), truth)
            return lambda p: calibrator.predict_proba(np.stack([1 - p, p], axis=1))[:, 1]

        return one_vs_rest(fit)

    def of_confidence(make: Callable[[], Any]) -> Callable[[Array, Array], Predict]:
        def fit(z: Array, labels: Array) -> Predict:
            p = softmax(z, axis=1)
            calibrator, top = make(), p.max(axis=1)
            calibrator.fit(np.stack([1 - top, top], axis=1), (p.argmax(axis=1) == labels).astype(int))

            def predict(z: Array) -> Array:
                p = softmax(z, axis=1)
                each, best = np.arange(len(p)), p.argmax(axis=1)
                top = p[each, best]
                after = np.clip(calibrator.predict_proba(np.stack([1 - top, top], axis=1))[:, 1], LEAST, 1 - LEAST)
                p[each, best] = 0
                p *= ((1 - after) / np.maximum(p.sum(axis=1), LEAST))[:, None]
                p[each, best] = after
                return np.log(np.maximum(p, LEAST))

            return predict

        return fit

    return "probmetrics", {
        "temperature": of(lambda: calibrators.get_calibrator("temp-scaling")),
        "vector": of(calibrators.VectorScalingCalibrator),
        "svs": of(lambda: calibrators.get_calibrator("svs")),
        "matrix": of(calibrators.MatrixScalingCalibrator),
        "sms": of(lambda: calibrators.get_calibrator("sms")),
        "ensemble-temperature": of(lambda: calibrators.ETSCalibrator(loss="ce")),
        "platt": of_each(lambda: calibrators.get_calibrator("affine-scaling")),
        "quadratic": of_each(lambda: calibrators.get_calibrator("quadratic-scaling")),
        "centred-isotonic": of_each(lambda: calibrators.get_calibrator("cir")),
        "spline": of_confidence(calibrators.CDFSplineCalibrator),
        "scaling-binning": of_confidence(calibrators.BinaryPlattBinnerCalibrator),
        "venn-abers": of(lambda: calibrators.get_calibrator("ivap-ovr")),
    }


def _abstention() -> tuple[str, dict[str, Any]]:
    from abstention.calibration import TempScaling, VectorScaling

    def of(make: Callable[[], Any]) -> Callable[[Array, Array], Predict]:
        def fit(z: Array, labels: Array) -> Predict:
            calibrate = make()(z, np.eye(z.shape[1])[labels])
            return lambda z: np.log(np.clip(calibrate(z), LEAST, 1))

        return fit

    return "abstention", {
        "bcts": of(lambda: TempScaling(bias_positions="all")),
        "vector": of(VectorScaling),
    }


def _netcal() -> tuple[str, dict[str, Any]]:
    from netcal.binning import HistogramBinning
    from netcal.scaling import TemperatureScaling

    def of(kind: Any) -> Callable[[Array, Array], Predict]:
        def fit(z: Array, labels: Array) -> Predict:
            calibrator = kind()
            calibrator.fit(softmax(z, axis=1), labels)
            return lambda z: np.log(np.clip(calibrator.transform(softmax(z, axis=1)), LEAST, 1))

        return fit

    return "netcal", {"temperature": of(TemperatureScaling), "histogram": of(lambda: HistogramBinning(bins=15))}


def _betacal() -> tuple[str, dict[str, Any]]:
    from betacal import BetaCalibration

    return "betacal", {"beta": one_vs_rest(lambda p, truth: BetaCalibration().fit(p[:, None], truth).predict)}


def _venn_abers() -> tuple[str, dict[str, Any]]:
    from venn_abers import VennAbers

    def fit(p: Array, truth: Array) -> Callable[[Array], Array]:
        model = VennAbers().fit(np.stack([1 - p, p], axis=1), truth)
        return lambda p: model.predict_proba(np.stack([1 - p, p], axis=1))[0][:, 1]

    return "venn-abers", {"venn-abers": one_vs_rest(fit)}


def ece(log_p: Array, labels: Array, bins: int = 15) -> float:
    """Top-label ECE, bins of equal width."""
    confidence, correct = np.exp(log_p.max(axis=1)), log_p.argmax(axis=1) == labels
    place = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    gaps = np.bincount(place, weights=correct - confidence, minlength=bins)
    return float(np.abs(gaps).sum() / len(labels))


def measured(fit: Callable[[Array, Array], Predict], table: Table) -> str:
    """Fit, and return log loss, ECE and seconds as cells of a Markdown table."""
    _, z, labels, test, truths = table
    taken: list[float] = []
    try:
        with redirect_stdout(sys.stderr):
            while len(taken) < TIMES and sum(taken) < LONG:
                start = time.perf_counter()
                predict = fit(z, labels)
                taken.append(time.perf_counter() - start)
            log_p = predict(test)
    except (ValueError, RuntimeError, ArithmeticError, IndexError) as error:
        return f"refused: {str(error)[:50]} | |"
    return f"{-log_p[np.arange(len(truths)), truths].mean():.4f} | {ece(log_p, truths):.4f} | {min(taken):.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.calibration", description=__doc__)
    parser.add_argument("--tables", default="", metavar="WORD", help="only tables whose name holds this word")
    parser.add_argument("--methods", default=",".join(names()), metavar="NAMES", help="which methods (%(default)s)")
    typed = parser.parse_args()
    warnings.simplefilter("ignore")
    others = peers()
    for table in tables():
        if typed.tables not in table[0]:
            continue
        rows, classes = table[1].shape
        print(f"\n{table[0]}: {rows:,} rows to fit to, {len(table[3]):,} to measure, {classes} classes")
        print("| method | by | log loss | ECE | s |\n| --- | --- | --- | --- | --- |")
        print(f"| none | | {measured(lambda z, labels: lambda z: log_softmax(z, axis=1), table)} |")
        for method in typed.methods.split(","):
            print(f"| {method} | softmax-cli | {measured(ours(method), table)} |", flush=True)
            for library, fit in others.get(method, {}).items():
                print(f"| {method} | {library} | {measured(fit, table)} |", flush=True)


if __name__ == "__main__":
    main()
