"""An object that is written in parts and appears when all of them have arrived."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from softmax_cli.errors import UsageError
from softmax_cli.remote import RemoteWriter
from softmax_cli.remote.objectstore.failures import telling

if TYPE_CHECKING:
    from obstore import WritableFile
    from obstore.store import ObjectStore

PART_BYTES = 16 << 20
"""A store takes 10,000 parts: up to 160 GB in one object."""
CONNECTIONS = 3


class Upload(RemoteWriter):
    """A file that is written from front to back.

    What fits into one part is put down in one request, which the store refuses where the key has been taken. More goes
    as a multipart upload; nothing is visible before `publish`, and whether the key is free is asked just before.
    """

    def __init__(self, store: ObjectStore, key: str, url: str, force: bool) -> None:
        self._store, self._key, self._url, self._force = store, key, url, force
        self._first: bytearray | None = bytearray()
        self._parts: WritableFile | None = None

    def writable(self) -> bool:
        """Yes."""
        return True

    def write(self, data: Any) -> int:
        """Take all of a bytes-like object."""
        import obstore

        view = memoryview(data).cast("B")
        if self._first is not None and len(self._first) + len(view) <= PART_BYTES:
            self._first += view
            return len(view)
        with telling(self._url):
            if self._parts is None:
                self._parts = obstore.open_writer(
                    self._store, self._key, buffer_size=PART_BYTES, max_concurrency=CONNECTIONS
                )
            if self._first is not None:
                self._parts.write(self._first)
                self._first = None
            self._parts.write(view)
        return len(view)

    def publish(self) -> None:
        """Make the object visible.

        Raises
        ------
        UsageError
            The key has been taken meanwhile, and it is not to be written over.
        """
        import obstore
        from obstore.exceptions import AlreadyExistsError

        with telling(self._url):
            if self._parts is None:
                try:
                    obstore.put(
                        self._store,
                        self._key,
                        bytes(self._first or b""),
                        mode="overwrite" if self._force else "create",
                        use_multipart=False,
                    )
                except AlreadyExistsError:
                    raise self._taken() from None
                return
            if not self._force and self._is_there():
                raise self._taken()
            self._parts.close()

    def drop(self, error: BaseException) -> None:
        """Abort what has been uploaded: forgotten parts would be paid for."""
        parts, self._parts, self._first = self._parts, None, None
        if parts is not None and not parts.closed():
            with suppress(Exception):  # the store may be what failed
                parts.__exit__(type(error), error, error.__traceback__)

    def _is_there(self) -> bool:
        import obstore

        try:
            obstore.head(self._store, self._key)
        except FileNotFoundError:
            return False
        return True

    def _taken(self) -> UsageError:
        return UsageError(f"{self._url} was written by another run meanwhile; this run's output was dropped")
