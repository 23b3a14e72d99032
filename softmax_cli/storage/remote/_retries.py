"""Remote reads that are tried again: how often, for how long, and after which failures."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from http import HTTPStatus
from http.client import HTTPException
from typing import Any, TypeVar
from urllib.error import HTTPError, URLError

from softmax_cli.errors import DataError
from softmax_cli.storage.remote import bare_name

STORE_OPTIONS: dict[str, Any] = {
    "retry_config": {"max_retries": 4, "retry_timeout": timedelta(seconds=20)},
    # A whole part may take two minutes, but a server that says nothing for ten seconds is given up.
    "client_options": {"connect_timeout": "4s", "read_timeout": "10s", "timeout": "120s", "allow_http": True},
}
"""How object stores are asked. A dead server is reported within half a minute; obstore by itself goes on for three."""
WAITS = (0.2, 0.5, 1.0)
"""Seconds before a web server is asked again."""
BUSY = (408, 429, 500, 502, 503, 504)
"""Answers that may be another one a moment later."""
EMPTY = HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE
"""The answer to who asks for the first byte of an empty file."""

Answer = TypeVar("Answer")


def with_retries(url: str, work: Callable[[], Answer], waits: Sequence[float] = WAITS) -> Answer:
    """Do something over the network, and once more where the server was busy or the line broke.

    Raises
    ------
    HTTPError
        There is no such file.
    DataError
        It did not work.
    """
    try:
        return work()
    except HTTPError as error:
        error.close()  # it holds the connection
        if error.code in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE, EMPTY):
            raise
        if error.code not in BUSY or not waits:
            raise DataError(f"{bare_name(url)}: the server answers {error.code} {error.reason}") from error
    except (HTTPException, OSError) as error:
        if not waits:
            reason = error.reason if isinstance(error, URLError) else error
            raise DataError(f"{bare_name(url)}: no answer, or not all of it: {reason}; see to the address") from error
    time.sleep(waits[0])
    return with_retries(url, work, waits[1:])
