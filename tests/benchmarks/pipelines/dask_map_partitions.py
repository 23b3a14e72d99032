"""What a user of Dask would write: ``python dask_map_partitions.py FROM TO``."""

import sys

import dask.dataframe as dd
import pandas as pd
from dask.distributed import Client
from scipy.special import softmax


def score(frame: pd.DataFrame) -> pd.DataFrame:
    logits = frame.filter(like="logit_")
    p = pd.DataFrame(softmax(logits.to_numpy(), axis=1), frame.index, logits.columns.str.removeprefix("logit_"))
    columns = {"id": frame["id"], "prediction": p.idxmax(axis=1), "confidence": p.max(axis=1)}
    return pd.concat([pd.DataFrame(columns), p.add_prefix("prob_")], axis=1)


if __name__ == "__main__":
    client = Client(n_workers=2, threads_per_worker=1, dashboard_address=None)
    logits = dd.read_parquet(sys.argv[1])
    logits.map_partitions(score, meta=score(logits.head(1)).head(0)).to_parquet(sys.argv[2])
