"""What a user of Spark would write: ``python spark_map_in_arrow.py FROM TO``."""

import sys
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from pyspark.sql import SparkSession
from scipy.special import softmax


def score(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        names = [name for name in batch.schema.names if name.startswith("logit_")]
        p = softmax(np.column_stack([batch[name].to_numpy() for name in names]), axis=1)
        classes = np.array([name.removeprefix("logit_") for name in names])
        columns = {"id": batch["id"], "prediction": classes[p.argmax(axis=1)], "confidence": p.max(axis=1)}
        yield pa.RecordBatch.from_pydict(columns | {f"prob_{name}": p[:, i] for i, name in enumerate(classes)})


spark = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
logits = spark.read.parquet(sys.argv[1])
classes = [name.removeprefix("logit_") for name in logits.columns if name.startswith("logit_")]
schema = "id long, prediction string, confidence float, " + ", ".join(f"prob_{name} float" for name in classes)
logits.mapInArrow(score, schema).write.parquet(sys.argv[2])
