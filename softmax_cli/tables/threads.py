"""One reader, several workers, one writer: the order of the input is kept, and memory holds a few blocks at most."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Future

    from softmax_cli.tables.table import Block, Decoded, Table


Item = TypeVar("Item")
Result = TypeVar("Result")


class Listeners(NamedTuple):
    """Who hears, in order and from one thread, what happens on the way."""

    progress: Callable[[int, int], None]
    """Gets the rows and the bytes of input that were done."""
    rejected: Callable[[Sequence[Any]], None] = lambda rejects: None
    """Gets bad rows, as `Reject`."""


NOBODY = Listeners(lambda rows, size: None)


def available_threads() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def ordered_map(
    work: Callable[[Item], Result],
    items: Iterable[Item],
    threads: int,
    pauses: Callable[[Item], bool] = lambda item: False,
) -> Iterator[Result]:
    """Apply `work` to every item on several threads and yield the results in the order of the items.

    At most ``threads + 2`` items are under way, so a slow consumer holds up the reading instead of filling the memory.
    An error comes up where its item stands: all results before it are yielded first. A single item needs no pool.

    Parameters
    ----------
    pauses : callable
        After which items the next one may be long in coming: all results are yielded before it is waited for.
    """
    items = iter(items)
    first: list[Item] = []
    for item in items:
        if not first and pauses(item):
            yield work(item)
            continue
        first.append(item)
        if len(first) == 2:
            break
    if len(first) < 2:
        yield from map(work, first)
        return
    from concurrent.futures import ThreadPoolExecutor

    pool = ThreadPoolExecutor(threads, thread_name_prefix="worker")
    under_way: deque[Future[Result]] = deque()
    try:
        for item in chain(first, items):
            under_way.append(pool.submit(work, item))
            while under_way and (len(under_way) >= threads + 2 or pauses(item)):
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def map_blocks(
    table: "Table",
    scores: Sequence[str],
    work: "Callable[[Decoded], tuple[Result, Sequence[Any]]]",
    threads: int,
    listeners: Listeners,
) -> Iterator[Result]:
    """Decode every block of a table and apply `work` to it, on several threads; yield the results in the order of rows.

    Parameters
    ----------
    scores : sequence of str
        Columns to be read as numbers.
    work : callable
        Takes a decoded block, and returns the result and the bad rows for `listeners`.
    """

    def decode_and_work(block: "Block") -> tuple[int, int, tuple[Result, Sequence[Any]]]:
        decoded = table.decode(block, scores)
        return decoded.batch.num_rows, block.size, work(decoded)

    for rows, size, (result, rejects) in ordered_map(
        decode_and_work, table.blocks, threads, lambda block: block.pauses
    ):
        if rejects:
            listeners.rejected(rejects)
        yield result
        listeners.progress(rows, size)


def decoded_blocks(table: "Table", scores: Sequence[str], threads: int) -> "Iterator[Block]":
    """Decode the blocks of a table on several threads: each as it was, with `Decoded` for its data, in order."""
    return ordered_map(
        lambda block: block._replace(data=table.decode(block, scores)),
        table.blocks,
        threads,
        lambda block: block.pauses,
    )


def number_rows(table: "Table", scores: Sequence[str], threads: int, first_row: int = 0) -> "Table":
    """The same table with every block decoded, and its `first_row` counted, before anybody asks for it.

    What depends on the number of a row needs this: a block of text says how many rows it has once it is decoded.

    Parameters
    ----------
    scores : sequence of str
        Columns to be read as numbers, whatever is asked for later.
    first_row : int
        Number of the first row of this table in a larger one.
    """
    from softmax_cli.tables.table import decoded_before

    def numbered() -> "Iterator[Block]":
        row = first_row
        for block in decoded_blocks(table, scores, threads):
            yield block._replace(data=block.data._replace(first_row=row))
            row += block.data.batch.num_rows

    return table._replace(blocks=numbered(), decode=decoded_before)


def read_ahead(items: Iterator[Item], most: int = 2) -> Iterator[Item]:
    """Fetch items on a thread of its own, up to `most` ahead of who takes them, so that reading and writing overlap.

    For sources that answer soon: a thread that waits for a pipe could not be stopped by a signal.
    """
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1, thread_name_prefix="reader") as pool:
        fetched = deque(pool.submit(next, items, None) for _ in range(most))
        while (item := fetched.popleft().result()) is not None:
            fetched.append(pool.submit(next, items, None))
            yield item


def keep_freed_memory() -> None:
    """Let the C library use the memory of one block again for the next, in a process that is ours alone.

    glibc maps every large buffer anew, and the kernel clears its pages: a fifth of the time of a stream of text. And it
    keeps a heap for each thread, where what one thread has freed is of no use to another: over a long stream, memory
    grew by a sixth. So does the allocator that Arrow brings along, by a third: Arrow takes memory from glibc too, if it
    is not loaded yet. Other C libraries have no such switches.
    """
    import ctypes

    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    if set_option is not None:
        set_option(_MMAP_THRESHOLD, _KEPT_BYTES)
        set_option(_TRIM_THRESHOLD, 2 * _KEPT_BYTES)
        set_option(_ARENA_MAX, 1)
        os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")


_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
"""M_TRIM_THRESHOLD, M_MMAP_THRESHOLD and M_ARENA_MAX of glibc's <malloc.h>."""
_KEPT_BYTES = 1 << 23
"""Larger buffers go back at once: evaluation has many of them, and they would add up to twice its memory."""
