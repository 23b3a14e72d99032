"""What an object store answers, in one message that says what to type next."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from softmax_cli.errors import DataError, SoftmaxCliError, UsageError
from softmax_cli.remote.objectstore.accounts import variables

_NO_BUCKET = re.compile(r"NoSuchBucket|ContainerNotFound|bucket does not exist", re.IGNORECASE)
_NO_CREDENTIALS = re.compile(r"/latest/|token request|computeMetadata|Missing AccessKeyId|Account must", re.IGNORECASE)
_ELSEWHERE = re.compile(r"PermanentRedirect|redirect without LOCATION|AuthorizationHeaderMalformed", re.IGNORECASE)
_REFUSED = re.compile(r"status code: 40[13]")
_UNREACHABLE = re.compile(r"error sending request|timed out")


@contextmanager
def telling(url: str) -> Iterator[None]:
    """Turn what obstore raises into DataError or UsageError.

    Raises
    ------
    FileNotFoundError
        There is no such object, and nothing is said of the bucket.
    UsageError
        There is no such bucket, or the key cannot be one.
    DataError
        Everything else.
    """
    from obstore.exceptions import BaseError, PreconditionError

    try:
        yield
    except PreconditionError as error:
        raise DataError(f"{url}: it was written anew while it was read; run again") from error
    except (BaseError, OSError, ValueError) as error:
        told = str(error).partition("\n\nDebug source")[0]
        if isinstance(error, FileNotFoundError) and not _NO_BUCKET.search(told):
            raise
        raise _failure(url, told) from error


def _failure(url: str, told: str) -> SoftmaxCliError:
    read = f"these are read from the environment: {variables(url)}"
    if _NO_BUCKET.search(told):
        return UsageError(f"{'/'.join(url.split('/')[:3])}: there is no such bucket ({_answer(told)})")
    if told.startswith("Could not parse path"):
        return UsageError(f"{url}: such a key cannot be named here ({told})")
    if _NO_CREDENTIALS.search(told):
        return DataError(f"{url}: no credentials were found; {read}")
    if _ELSEWHERE.search(told):
        return DataError(f"{url}: the bucket is in another region ({_answer(told)}); set AWS_REGION to its own")
    if _REFUSED.search(told):
        return DataError(f"{url}: the store refuses access ({_answer(told)}); {read}")
    if _UNREACHABLE.search(told):
        address = re.search(r"https?://[^/\s]+", told)
        return DataError(f"{url}: {address[0] if address else 'the store'} does not answer; {read}")
    return DataError(f"{url}: {_answer(told)}; {read}")


def _answer(told: str) -> str:
    """Return what the store says itself; else the status of its answer; else what obstore says."""
    code, message = (
        re.search(r"<Code>(.*?)</Code>", told),
        re.search(r"<Message>\s*(.*?)\s*</Message>", told, re.DOTALL),
    )
    if words := [found[1] for found in (code, message) if found]:
        return ": ".join(words).splitlines()[0]
    status = re.search(r"status code: (\d{3}[A-Za-z ]*)", told)
    return status[1].strip() if status else told.splitlines()[0]
