"""Web servers, for reading: by ranges where the server gives them, else from front to back."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import partial
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse
from typing import Any, BinaryIO, NoReturn, cast
from urllib.error import HTTPError
from urllib.parse import quote, urlsplit
from urllib.request import Request, urlopen

from softmax_cli.errors import DataError, UsageError
from softmax_cli.storage.remote import Held, bare_name
from softmax_cli.storage.remote._ranges import RangedFile
from softmax_cli.storage.remote._retries import EMPTY, with_retries
from softmax_cli.version import __version__

SCHEMES = ("http", "https")
LISTS = False

TIMEOUT_SECONDS = 15
AS_TYPED = "%/:=&?~#+!$,;'@()*[]"
"""Characters that an address may hold as they are; a space or a letter that is not ASCII is encoded."""


def look(url: str) -> Held:
    """Ask for the first byte: the answer gives the size, the version, and whether ranges are given.

    Raises
    ------
    FileNotFoundError
        404 or 410.
    UsageError
        The address holds a password, which would go to wherever the server redirects.
    DataError
        The server refuses, fails, or cannot be reached.
    """
    if "@" in urlsplit(url).netloc:
        raise UsageError(
            f"{bare_name(url)}: an address with a name or a password is not asked; download the file first"
        )
    try:
        answer = with_retries(url, lambda: _ask(url, {"Range": "bytes=0-0"}))
    except HTTPError as error:
        if error.code == EMPTY:
            return Held(url, 0)
        raise FileNotFoundError(f"{error.code} {error.reason}") from None
    with answer:
        whole = answer.headers.get("Content-Range", "").rpartition("/")[2]
        if answer.status == HTTPStatus.PARTIAL_CONTENT and whole.isdecimal():
            return Held(url, int(whole), _version(answer))
        return Held(url, _length(answer), _version(answer), ranges=False)


def open(held: Held) -> BinaryIO:
    """Open a file."""
    if held.ranges:
        return cast(BinaryIO, RangedFile(partial(_fetch, held), held.size or 0, bare_name(held.url)))
    body = _Body(with_retries(held.url, lambda: _ask(held.url, {})), bare_name(held.url))
    try:
        _check_version(held, body.answer)
    except DataError:
        body.close()
        raise
    return cast(BinaryIO, body)


def entries(folder: str) -> tuple[list[str], list[str]]:
    """Refuse: a web server does not list its files."""
    raise UsageError(f"{bare_name(folder)}: a web server does not list its files; name each of them")


def check(url: str, force: bool) -> NoReturn:
    """Refuse."""
    raise UsageError(f"{bare_name(url)}: a web server is only read from; write to a file, or to s3://, gs:// or az://")


def write(url: str, force: bool) -> NoReturn:
    """Refuse."""
    check(url, force)


def remove(urls: Sequence[str]) -> NoReturn:
    """Refuse."""
    check(urls[0], True)


class _Body(io.RawIOBase):
    """The body of an answer, which has to be as long as its header says."""

    def __init__(self, answer: HTTPResponse, name: str) -> None:
        self.answer, self._name = answer, name
        self._left = _length(answer)

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read some more.

        Raises
        ------
        DataError
            The connection ended early.
        """
        try:
            got = self.answer.readinto(buffer)
        except (HTTPException, OSError) as error:
            raise DataError(f"{self._name}: the connection broke off: {error}; try again") from error
        if self._left is not None:
            self._left -= got
            if not got and self._left > 0 and len(memoryview(buffer)):
                raise DataError(f"{self._name}: the connection ended {self._left:,} bytes early; try again")
        return got

    def close(self) -> None:
        """Hang up."""
        self.answer.close()
        super().close()


def _ask(url: str, headers: dict[str, str]) -> HTTPResponse:
    wanted = {"Accept-Encoding": "identity", "User-Agent": f"softmax-cli/{__version__}", **headers}
    return cast(HTTPResponse, urlopen(Request(quote(url, AS_TYPED), headers=wanted), timeout=TIMEOUT_SECONDS))


def _fetch(held: Held, start: int, stop: int) -> bytes:
    return with_retries(held.url, lambda: _part(held, start, stop))


def _part(held: Held, start: int, stop: int) -> bytes:
    with _ask(held.url, {"Range": f"bytes={start}-{stop - 1}"}) as answer:
        _check_version(held, answer)
        if answer.status != HTTPStatus.PARTIAL_CONTENT:
            raise DataError(f"{bare_name(held.url)}: the server gives parts of the file at one time and not at another")
        data = answer.read(stop - start)
    if len(data) < stop - start:
        raise HTTPException("it ended early")
    return data


def _check_version(held: Held, answer: HTTPResponse) -> None:
    if _version(answer) != held.version:
        raise DataError(f"{bare_name(held.url)}: it was written anew while it was read; run again")


def _version(answer: HTTPResponse) -> str | None:
    return answer.headers.get("ETag") or answer.headers.get("Last-Modified")


def _length(answer: HTTPResponse) -> int | None:
    length = answer.headers.get("Content-Length", "")
    return int(length) if length.isdecimal() else None
