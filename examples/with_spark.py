"""Probabilities in a Spark pipeline: the same transform as ``softmax-cli predict``, on batches that Spark reads.

pip install 'pyspark>=4.3' && python examples/with_spark.py
"""

from pathlib import Path

from pyspark.sql import SparkSession
from pyspark.sql.functions import avg, count
from pyspark.sql.pandas.types import from_arrow_schema

from softmax_cli import for_spark, transform

spark = SparkSession.builder.master("local[2]").getOrCreate()
logits = spark.read.parquet(str(Path(__file__).with_name("digits.parquet")))

# A row tells the columns, and the transform those of the result, which Spark wants to know beforehand.
sample = logits.limit(1).toArrow()
t = transform(sample, temperature=1.5)
schema = from_arrow_schema(t.schema(sample.schema))

probabilities = logits.mapInArrow(for_spark(t), schema)
mean, rows = probabilities.agg(avg("confidence"), count("confidence")).first()
print(f"mean confidence {mean:.6f} of {rows} rows")
spark.stop()
