"""A remote file as a seekable one: parts of it are asked for ahead of the reader, in flat memory.

Parquet is read at as many places as it has columns, by turns. Where a read goes on from the end of a part, the next
ones are asked for ahead of it and grow: a long read soon asks for large parts, and a short look costs little. A part is
dropped once all of it has been read.
"""

from __future__ import annotations

import io
import os
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from softmax_cli.errors import DataError

Fetch = Callable[[int, int], Any]
"""Gets the bytes from a position up to another."""

LEAST_BYTES, MOST_BYTES = 512 << 10, 8 << 20
"""Size of the first part at a new place, and of the largest."""
AHEAD = 2
"""Parts that are asked for beyond the one that is read."""
BUDGET_BYTES = 64 << 20
"""Over all parts; the one that has waited longest is dropped, read or not."""
MOST_SECONDS = 4.0
"""No part is so large that a slow line needs longer for it: a part that fails is asked for again as a whole."""
CONNECTIONS = 4
ENDS_REMEMBERED = 4096


@dataclass(slots=True)
class _Part:
    """A range that was asked for."""

    start: int
    stop: int
    data: Future[Any]
    goes_on: bool
    """Whether it was asked for because the one before it was read."""
    served: int = 0


class RangedFile(io.RawIOBase):
    """A file of known size, any part of which can be fetched.

    Parameters
    ----------
    fetch : callable
        Gets the bytes of a range; called from several threads. What it raises is raised by the read that needs them.
    size : int
        Bytes in all.
    name : str
        What messages call it.
    """

    def __init__(self, fetch: Fetch, size: int, name: str) -> None:
        self._fetch, self._size, self._name, self._position = fetch, size, name, 0
        self._parts: dict[int, _Part] = {}  # by where they start; the one used last stands last
        self._ends: dict[int, int] = {}  # where parts ended that were read, and how long they were
        self._pool = ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="remote")
        self._most = MOST_BYTES

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go elsewhere; nothing is fetched before a read."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise OSError(f"position {base + offset}, before the first byte")
        self._position = base + offset
        return self._position

    def readinto(self, buffer: Any) -> int:
        """Fill `buffer`; less only at the end of the file."""
        view = memoryview(buffer).cast("B")
        wanted = max(0, min(len(view), self._size - self._position))
        done = 0
        while done < wanted:
            part = self._part_at(self._position, wanted - done)
            data = memoryview(part.data.result()).cast("B")[self._position - part.start :][: wanted - done]
            view[done : done + len(data)] = data
            done += len(data)
            self._position += len(data)
            part.served += len(data)
            if part.served >= part.stop - part.start:
                self._parts.pop(part.start, None)
        return done

    def close(self) -> None:
        """Drop what is under way."""
        if not self.closed:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._parts.clear()
        super().close()

    def _part_at(self, position: int, wanted: int) -> _Part:
        """Return the part that holds a position, and see to it that what comes next is on its way."""
        part = next((part for part in self._parts.values() if part.start <= position < part.stop), None)
        if part is None:
            goes_on = position in self._ends
            share = BUDGET_BYTES // (4 * (len(self._parts) + 1))
            width = 2 * self._ends[position] if goes_on else min(LEAST_BYTES, share)
            part = self._ask(position, max(width, wanted), goes_on)
        self._parts[part.start] = self._parts.pop(part.start)
        if not part.served:
            self._remember(part)
            if part.goes_on:
                self._ask_ahead(part)
        self._keep_within_budget()
        return part

    def _ask_ahead(self, part: _Part) -> None:
        width, position = part.stop - part.start, part.stop
        for _ in range(AHEAD):
            following = self._parts.get(position)
            if following is None:
                if position >= self._size or any(one.start < position < one.stop for one in self._parts.values()):
                    return
                following = self._ask(position, 2 * width, goes_on=True)
            width, position = following.stop - following.start, following.stop

    def _ask(self, start: int, width: int, goes_on: bool) -> _Part:
        share = max(LEAST_BYTES // 8, BUDGET_BYTES // ((AHEAD + 1) * (len(self._parts) + 1)))
        next_start = min((begin for begin in self._parts if begin > start), default=self._size)
        stop = min(start + min(width, self._most, share), next_start)
        part = self._parts[start] = _Part(start, stop, self._pool.submit(self._timed, start, stop), goes_on)
        return part

    def _timed(self, start: int, stop: int) -> Any:
        began = time.monotonic()
        data = self._fetch(start, stop)
        if (got := len(memoryview(data).cast("B"))) != stop - start:
            raise DataError(f"{self._name}: {got:,} bytes came where {stop - start:,} were expected; try again")
        rate = (stop - start) / max(1e-6, time.monotonic() - began)
        self._most = int(min(MOST_BYTES, max(LEAST_BYTES, rate * MOST_SECONDS)))
        return data

    def _remember(self, part: _Part) -> None:
        self._ends[part.stop] = part.stop - part.start
        if len(self._ends) > ENDS_REMEMBERED:
            del self._ends[next(iter(self._ends))]

    def _keep_within_budget(self) -> None:
        held = sum(part.stop - part.start for part in self._parts.values())
        while held > BUDGET_BYTES and len(self._parts) > 1:
            oldest = self._parts.pop(next(iter(self._parts)))
            oldest.data.cancel()
            held -= oldest.stop - oldest.start
