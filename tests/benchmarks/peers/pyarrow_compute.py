"""pyarrow alone: its readers, its compute functions column by column, its writers."""

from functools import reduce
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

NEEDS = ("pyarrow",)
KINDS = ("csv-csv", "csv-parquet", "parquet-parquet")


def run(source: Path, target: Path, digits: int, whole: bool) -> None:
    table = pa.csv.read_csv(source) if source.suffix == ".csv" else pa.parquet.read_table(source)
    classes = [name for name in table.column_names if name not in ("id", "name")]
    kind = pa.float32() if digits == 9 else pa.float64()
    logits = [table[name].cast(kind) for name in classes]
    largest = pc.max_element_wise(*logits)
    exponentials = [pc.exp(pc.subtract(column, largest)) for column in logits]
    total = reduce(pc.add, exponentials)
    probabilities = [pc.divide(column, total) for column in exponentials]
    extra = {}
    if whole:
        best = pc.max_element_wise(*probabilities)
        is_best = pc.make_struct(*(pc.equal(column, best) for column in probabilities), field_names=classes)
        extra = {"prediction": pc.case_when(is_best, *classes), "confidence": best}
    kept = {"id": table["id"], "name": table["name"]} | extra
    scored = pa.table(kept | dict(zip(classes, probabilities, strict=True)))
    if target.suffix == ".csv":
        pa.csv.write_csv(scored, target)
    else:
        pa.parquet.write_table(scored, target)
