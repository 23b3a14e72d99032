"""Whether a remote file may be written: asked before anything is read."""

from __future__ import annotations

from collections.abc import Sequence

from softmax_cli.errors import UsageError
from softmax_cli.remote import bare_name, store_of


def check_remote_target(url: str, inputs: Sequence[str], force: bool) -> None:
    """Refuse a target that is an input, is a folder, is in no bucket, exists, or is kept where nothing can be written.

    Raises
    ------
    UsageError
        With what to type instead.
    DataError
        The store cannot be asked, or refuses.
    """
    store = store_of(url)
    name = bare_name(url)
    if url.endswith("/") or url.count("/") < 3:
        raise UsageError(f"{name} is a folder; name a file in it, such as {name.rstrip('/')}/probs.csv")
    if url in inputs:
        raise UsageError(f"{name} is the input: the output needs another name")
    store.check(url, force)
