"""The version, where every floor can read it; for the report of a bug also those of Python and the libraries."""

from __future__ import annotations

from collections.abc import Iterator

__version__ = "0.1.0"

NEEDED = ("numpy", "pandas", "pyarrow", "rich", "scipy", "typer")
OPTIONAL = {
    "matplotlib": "--plot",
    "jinja2": "--report, explain --page",
    "obstore": "s3://, gs://, az://",
    "fsspec": "other schemes",
}
"""Distributions that the program can do without, and what needs them; those of the engines are theirs to name."""


def versions(compiler: str, engines: dict[str, str]) -> Iterator[str]:
    """Name, a line each, what a report of a bug has to say; no library is loaded for it.

    Parameters
    ----------
    compiler : str
        What built the compiled text core.
    engines : dict of str to str
        More optional distributions, and what needs them.
    """
    import platform
    from importlib.metadata import PackageNotFoundError, version

    rows = {
        "Python": f"{platform.python_version()} ({platform.python_implementation()})",
        "platform": platform.platform(),
        "text core": f"compiled by {compiler}",
    }
    for name, purpose in (dict.fromkeys(NEEDED, "") | OPTIONAL | engines).items():
        use = f"for {purpose}" if purpose else ""
        try:
            rows[name] = f"{version(name)} ({use})" if use else version(name)
        except PackageNotFoundError:
            rows[name] = f"not installed (pip install {name}{', ' if use else ''}{use})"
    yield f"softmax-cli {__version__}"
    for name, found in rows.items():
        yield f"{name:<12} {found}"
