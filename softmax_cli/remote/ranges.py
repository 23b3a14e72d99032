"""A remote file as a seekable one: parts of it are asked for ahead of the reader, in flat memory.

Parquet is read at as many places as it has columns, by turns. Each such place is a `_Lane` with a read-ahead of its
own: it grows while the reader moves on from there, so that a long read soon asks for large parts and a short look costs
little.
"""

from __future__ import annotations

import io
import os
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from softmax_cli.errors import DataError

Fetch = Callable[[int, int], Any]
"""Gets the bytes from a position up to another."""

LEAST_BYTES, MOST_BYTES = 256 << 10, 8 << 20
"""Size of the first part that a lane asks for, and of the largest."""
LANE_PARTS = 3
"""Parts of a lane that are there or on their way, once the reader has moved on in it."""
BUDGET_BYTES = 64 << 20
"""Over all lanes; the one that has waited longest is dropped."""
MOST_SECONDS = 4.0
"""No part is so large that a slow line needs longer for it: a part that fails is asked for again as a whole."""
CONNECTIONS = 4


@dataclass(slots=True)
class _Part:
    start: int
    stop: int
    data: Future[Any]


@dataclass(slots=True)
class _Lane:
    """A place that is being read from, and what was asked for beyond it."""

    end: int
    width: int
    parts: deque[_Part] = field(default_factory=deque)

    @property
    def size(self) -> int:
        return sum(part.stop - part.start for part in self.parts)

    def covers(self, position: int) -> bool:
        return bool(self.parts) and self.parts[0].start <= position < self.end


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
        self._lanes: deque[_Lane] = deque()  # the one used last stands last
        self._pool = ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="remote")
        self._most = MOST_BYTES

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def tell(self) -> int:
        """Return the position in bytes."""
        return self._position

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
        return done

    def close(self) -> None:
        """Drop what is under way."""
        if not self.closed:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._lanes.clear()
        super().close()

    def _part_at(self, position: int, wanted: int) -> _Part:
        lane = next((lane for lane in self._lanes if lane.covers(position)), None)
        if lane is None:
            # The end of a lane is where its reader comes next: it goes on from there, with more at a time.
            lane = next((lane for lane in self._lanes if lane.end == position), None)
            if lane is None:
                share = BUDGET_BYTES // (4 * (len(self._lanes) + 1))
                lane = _Lane(position, min(self._most, max(wanted, min(LEAST_BYTES, share))))
                self._lanes.append(lane)
                self._ask(lane)
        self._lanes.remove(lane)
        self._lanes.append(lane)
        moved = False
        while lane.parts and lane.parts[0].stop <= position:
            lane.parts.popleft()
            moved = True
        if moved or not lane.parts:
            share = BUDGET_BYTES // (LANE_PARTS * len(self._lanes))
            while len(lane.parts) < LANE_PARTS and lane.end < self._size:
                lane.width = max(min(2 * lane.width, self._most, share), min(wanted, self._most))
                self._ask(lane)
            self._keep_within_budget()
        return lane.parts[0]

    def _ask(self, lane: _Lane) -> None:
        start, stop = lane.end, min(lane.end + lane.width, self._size)
        lane.parts.append(_Part(start, stop, self._pool.submit(self._timed, start, stop)))
        lane.end = stop

    def _timed(self, start: int, stop: int) -> Any:
        began = time.monotonic()
        data = self._fetch(start, stop)
        if (got := len(memoryview(data).cast("B"))) != stop - start:
            raise DataError(f"{self._name}: {got:,} bytes came where {stop - start:,} were expected; try again")
        rate = (stop - start) / max(1e-6, time.monotonic() - began)
        self._most = int(min(MOST_BYTES, max(LEAST_BYTES, rate * MOST_SECONDS)))
        return data

    def _keep_within_budget(self) -> None:
        while len(self._lanes) > 1 and sum(lane.size for lane in self._lanes) > BUDGET_BYTES:
            for part in self._lanes.popleft().parts:
                part.data.cancel()
