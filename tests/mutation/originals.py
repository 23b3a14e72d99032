"""Whole files of every format, small, of many kinds: what the mutants are made from."""

from __future__ import annotations

import gzip
import io
import json
import math
import random
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

CLASSES = ("a", "b", "c", "d")
ROWS = 60
GOOD = "good.csv"
"""The table that damaged calibrations, weights and labels are used with."""
Originals = list[tuple[str, bytes]]
"""Ends of names, and contents."""


def _values() -> dict[str, list[object]]:
    drawn = random.Random(0)
    columns: dict[str, list[object]] = {
        "id": [f"r{row:03d}" for row in range(ROWS)],
        "k": [row * 7 % 11 for row in range(ROWS)],
    }
    columns |= {f"logit_{name}": [round(drawn.gauss(0, 3), 4) for _ in range(ROWS)] for name in CLASSES}
    scores = zip(*(columns[f"logit_{name}"] for name in CLASSES), strict=True)
    truths = [drawn.choices(CLASSES, [math.exp(score / 2) for score in row])[0] for row in scores]  # type: ignore[operator]
    return columns | {"label": list(truths)}


VALUES = _values()
NAMES = list(VALUES)
RECORDS = [dict(zip(NAMES, row, strict=True)) for row in zip(*VALUES.values(), strict=True)]
SCORES = np.array([VALUES[f"logit_{name}"] for name in CLASSES]).T


def delimited(delimiter: str = ",", end: str = "\n", quoted: bool = False) -> bytes:
    def cell(value: object) -> str:
        return f'"{value}"' if quoted and isinstance(value, str) else str(value)

    lines = [NAMES, *([cell(value) for value in record.values()] for record in RECORDS)]
    return "".join(delimiter.join(line) + end for line in lines).encode()


def _csv() -> Originals:
    notes = ["plain", "with, comma", "two\nlines", 'a ""quote""', ""]
    noted = ["id,logit_a,logit_b,note,label"] + [
        f'{record["id"]},{record["logit_a"]},{record["logit_b"]},"{notes[i % 5]}",{record["label"] if i % 2 else "a"}'
        for i, record in enumerate(RECORDS)
    ]
    return [
        (".csv", delimited()),
        (".csv", delimited(end="\r\n", quoted=True)),
        (".csv", "\n".join(noted).encode() + b"\n"),
        (".csv", delimited(";")),
        (".tsv", delimited("\t")),
        (".csv", "\ufeffid,é,日本\n".encode() + b"".join(f"{i},{i / 7},{-i / 3}\n".encode() for i in range(20))),
    ]


def _lists() -> list[dict[str, object]]:
    return [
        {
            "id": record["id"],
            "logits": scores.tolist(),
            "note": 'é "x"\n',
            "meta": {"n": [1, None]},
            "label": record["label"],
        }
        for record, scores in zip(RECORDS, SCORES, strict=True)
    ]


def _jsonl() -> Originals:
    return [
        (".jsonl", "".join(json.dumps(record) + "\n" for record in RECORDS).encode()),
        (".jsonl", "".join(json.dumps(record, separators=(",", ":")) + "\r\n" for record in _lists()).encode()),
        (".jsonl", "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in _lists()).encode()),
    ]


def _json() -> Originals:
    return [
        (".json", json.dumps(RECORDS).encode()),
        (".json", json.dumps(_lists(), indent=1, ensure_ascii=False).encode()),
        (".json", json.dumps(VALUES).encode()),
        (".json", json.dumps({"columns": NAMES, "data": [list(record.values()) for record in RECORDS]}).encode()),
    ]


def table(of: str = "columns") -> pa.Table:
    if of == "columns":
        return pa.table({**VALUES, "label": pa.array(VALUES["label"]).dictionary_encode()})
    lists = {
        "fixed": pa.FixedSizeListArray.from_arrays(pa.array(SCORES.ravel(), pa.float32()), len(CLASSES)),
        "list": pa.array(SCORES.tolist()),
    }[of]
    nested = pa.array(
        [{"x": [i], "when": i} for i in range(ROWS)],
        pa.struct([("x", pa.list_(pa.int32())), ("when", pa.timestamp("us", "UTC"))]),
    )
    return pa.table({"id": VALUES["id"], "logits": lists, "meta": nested, "label": VALUES["label"]})


def _parquet() -> Originals:
    files = []
    for of, options in (
        ("columns", {}),
        ("columns", {"compression": "none", "data_page_version": "2.0", "use_dictionary": False}),
        ("columns", {"compression": "zstd", "row_group_size": 15, "data_page_size": 200}),
        ("fixed", {"compression": "gzip", "store_schema": False}),
        ("list", {"compression": "lz4", "data_page_version": "2.0"}),
        ("list", {"compression": "none", "column_encoding": {"id": "DELTA_BYTE_ARRAY"}, "use_dictionary": ["label"]}),
    ):
        file = io.BytesIO()
        pq.write_table(table(of), file, write_page_checksum=True, **options)
        files.append((".parquet", file.getvalue()))
    return files


def _ipc(make: Callable[..., pa.ipc.RecordBatchStreamWriter], suffix: str) -> Originals:
    files = []
    for of, compression in (("columns", None), ("fixed", None), ("list", "zstd"), ("columns", "lz4"), ("list", None)):
        file = io.BytesIO()
        whole = table(of)
        with make(file, whole.schema, options=pa.ipc.IpcWriteOptions(compression=compression)) as writer:
            writer.write_table(whole, max_chunksize=25)
        files.append((suffix, file.getvalue()))
    return files


def _npy() -> Originals:
    files = []
    for array in (
        SCORES,
        SCORES.astype(np.float32),
        np.asfortranarray(SCORES),
        SCORES.astype(np.float16),
        (SCORES * 9).astype(np.int16),
    ):
        file = io.BytesIO()
        np.save(file, array)
        files.append((".npy", file.getvalue()))
    return files


def _npz() -> Originals:
    files = []
    for save in (np.savez, np.savez_compressed):
        file = io.BytesIO()
        save(
            file,
            val_logits=SCORES,
            val_labels=np.array([CLASSES.index(str(name)) for name in VALUES["label"]]),
            val_ids=np.array(VALUES["id"]),
        )
        files.append((".npz", file.getvalue()))
    return files


def _compressed() -> Originals:
    import bz2
    import lzma

    plain, zstd, lz4 = delimited(), pa.Codec("zstd"), pa.Codec("lz4")
    return [
        (".csv.gz", gzip.compress(plain, mtime=0)),
        (".csv.bz2", bz2.compress(plain)),
        (".csv.xz", lzma.compress(plain)),
        (".csv.zst", zstd.compress(plain, asbytes=True)),
        (".csv.lz4", lz4.compress(plain, asbytes=True)),
    ]


def _weights() -> Originals:
    weights = dict(zip(CLASSES, (1, 2.5, 0.25, 10), strict=True))
    return [
        (".csv", "".join(["class,weight\n", *(f"{name},{weight}\n" for name, weight in weights.items())]).encode()),
        (".json", json.dumps(weights, indent=1).encode()),
    ]


def _labels() -> Originals:
    return [(".csv", "".join(["id,label\n", *(f"{record['id']},{record['label']}\n" for record in RECORDS)]).encode())]


ORIGINALS: dict[str, Callable[[], Originals]] = {
    "csv": _csv,
    "jsonl": _jsonl,
    "json": _json,
    "parquet": _parquet,
    "arrow": lambda: _ipc(pa.ipc.new_file, ".arrow"),
    "arrows": lambda: _ipc(pa.ipc.new_stream, ".arrows"),
    "npy": _npy,
    "npz": _npz,
    "compressed": _compressed,
    "weights": _weights,
    "labels": _labels,
}
"""Made from `VALUES`; calibrations, which the program itself writes, come to these."""
