"""What a user of Ray Data would write: ``python ray_map_batches.py FROM TO``."""

import sys

import numpy as np
import pyarrow as pa
import ray
from scipy.special import softmax


def score(table: pa.Table) -> pa.Table:
    names = [name for name in table.column_names if name.startswith("logit_")]
    p = softmax(np.column_stack([table[name].to_numpy() for name in names]), axis=1)
    classes = np.array([name.removeprefix("logit_") for name in names])
    columns = {"id": table["id"], "prediction": classes[p.argmax(axis=1)], "confidence": p.max(axis=1)}
    return pa.table(columns | {f"prob_{name}": p[:, i] for i, name in enumerate(classes)})


ray.init("local", num_cpus=2, include_dashboard=False, log_to_driver=False)
ray.data.read_parquet(sys.argv[1]).map_batches(score, batch_format="pyarrow").write_parquet(sys.argv[2])
