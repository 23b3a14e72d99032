"""polars, lazily from file to file: its streaming engine never holds the table."""

from pathlib import Path

import polars as pl

NEEDS = ("polars",)
KINDS = ("csv-csv", "csv-parquet", "parquet-parquet")


def run(source: Path, target: Path, digits: int, whole: bool) -> None:
    logits = pl.scan_csv(source) if source.suffix == ".csv" else pl.scan_parquet(source)
    classes = [name for name in logits.collect_schema().names() if name not in ("id", "name")]
    if source.suffix == ".csv" and digits == 9:
        logits = pl.scan_csv(source, schema_overrides=dict.fromkeys(classes, pl.Float32))
    scored = (
        logits.with_columns(pl.max_horizontal(classes).alias("largest"))
        .with_columns((pl.col(name) - pl.col("largest")).exp() for name in classes)
        .with_columns(pl.sum_horizontal(classes).alias("total"))
        .with_columns(pl.col(name) / pl.col("total") for name in classes)
        .drop("largest", "total")
    )
    if whole:
        best = pl.concat_list(classes).list.arg_max()
        prediction = best.replace_strict(list(range(len(classes))), classes, return_dtype=pl.String)
        extra = [prediction.alias("prediction"), pl.max_horizontal(classes).alias("confidence")]
        scored = scored.select("id", "name", *extra, *classes)
    if target.suffix == ".csv":
        scored.sink_csv(target)
    else:
        scored.sink_parquet(target)
