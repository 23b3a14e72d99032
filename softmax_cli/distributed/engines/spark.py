"""Units as Spark tasks: on the cluster that spark-submit or Spark's own configuration names, else on this machine."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from subprocess import DEVNULL

from softmax_cli.distributed.engines import Result, Unit, quiet_start
from softmax_cli.errors import DataError

NEEDS = "pyspark>=4.3"
STARTS_IN = 7
JOINS = "PYSPARK_SUBMIT_ARGS"
ATTEMPTS = 4  # with local[N] alone, Spark gives up with the first worker that is lost
DEFAULT_MASTER = "local[*]"


def run(work: Callable[[Unit], Result], units: Sequence[Unit], workers: int) -> Iterator[tuple[int, Result]]:
    """See `Engine`. A unit is a job of its own, because Spark gives the results of a job all at the end."""
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    with quiet_start():
        from py4j.protocol import Py4JError
        from pyspark import SparkConf, SparkContext
        from pyspark.errors import PySparkException
        from pyspark.java_gateway import launch_gateway

    with ExitStack() as closing:
        try:
            with quiet_start():
                SparkContext._ensure_initialized(gateway=launch_gateway(None, {"stderr": DEVNULL}))
                conf = SparkConf().setAppName("softmax-cli").setIfMissing("spark.ui.enabled", "false")
                # What spark-submit or a file has set is in it by now.
                if conf.get("spark.master", DEFAULT_MASTER) == DEFAULT_MASTER:
                    conf.setMaster(f"local[{workers},{ATTEMPTS}]")
                context = SparkContext(conf=conf)
            closing.callback(context.stop)
            pool = ThreadPoolExecutor(context.defaultParallelism)
            closing.callback(pool.shutdown, wait=False, cancel_futures=True)
            tasks = context.parallelize(units, len(units)).map(work)
            positions = {pool.submit(context.runJob, tasks, list, [place]): place for place in range(len(units))}
            for done in as_completed(positions):
                yield positions[done], done.result()[0]
        except (Py4JError, PySparkException) as error:
            raise DataError(f"spark: {error} (it needs Java 17 or later: java -version)") from error
