"""duckdb: one COPY from file to file."""

from pathlib import Path

import duckdb

NEEDS = ("duckdb",)
KINDS = ("csv-csv", "csv-parquet", "parquet-parquet")


def run(source: Path, target: Path, digits: int, whole: bool) -> None:
    table = f"read_{source.suffix[1:]}('{source}')"
    columns = duckdb.sql(f"SELECT * FROM {table} LIMIT 1").columns
    classes = [name for name in columns if name not in ("id", "name")]
    kind = "FLOAT" if digits == 9 else "DOUBLE"
    logits = ", ".join(f"{name}::{kind} AS {name}" for name in classes)
    exponentials = ", ".join(f"exp({name} - largest)::{kind} AS {name}" for name in classes)
    probabilities = ", ".join(f"({name} / total)::{kind} AS {name}" for name in classes)
    names = ", ".join(f"'{name}'" for name in classes)
    best = f"greatest({', '.join(classes)})"
    prediction = f"[{names}][list_position([{', '.join(classes)}], {best})] AS prediction"
    decision = f"{prediction}, ({best} / total)::{kind} AS confidence, " if whole else ""
    duckdb.sql("SET max_expression_depth TO 10000")  # the sum over 1,000 classes is one expression
    duckdb.sql(f"""
        COPY (
            WITH logits AS (SELECT id, name, {logits} FROM {table}),
            shifts AS (SELECT *, greatest({", ".join(classes)}) AS largest FROM logits),
            shifted AS (SELECT id, name, {exponentials} FROM shifts),
            totals AS (SELECT *, {" + ".join(classes)} AS total FROM shifted)
            SELECT id, name, {decision}{probabilities} FROM totals
        ) TO '{target}' (FORMAT {target.suffix[1:]})
    """)
