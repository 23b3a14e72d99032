"""Probabilities in a Ray Data pipeline: the same transform as ``softmax-cli predict``, on batches that Ray reads.

pip install 'ray>=2.60' && python examples/with_ray.py
"""

import os
from pathlib import Path

import ray

from softmax_cli import for_ray, transform

# A bare init would join whatever cluster this machine remembers, also one that is gone.
ray.init(os.environ.get("RAY_ADDRESS", "local"))
logits = ray.data.read_parquet(str(Path(__file__).with_name("digits.parquet")))

# A row tells the columns; what Ray calls a pyarrow batch is a table.
t = transform(logits.take_batch(1, batch_format="pyarrow"), temperature=1.5)

probabilities = logits.map_batches(for_ray(t), batch_format="pyarrow")
print(f"mean confidence {probabilities.mean('confidence'):.6f} of {probabilities.count()} rows")
