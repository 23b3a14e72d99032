"""Options from elsewhere than the command line: ``SOFTMAX_CLI_*`` variables and a file beside the data.

What is typed goes before a variable, and a variable before the file. The file is ``softmax-cli.toml``, or the table
``[tool.softmax-cli]`` of a ``pyproject.toml``, in the folder of the first input, else in the folder one is in. Its keys
are names of options; those in a table named like a command hold for that command alone.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from softmax_cli.errors import UsageError, nearest

PREFIX = "SOFTMAX_CLI_"
FILE_NAME = "softmax-cli.toml"
TABLE = "softmax-cli"
"""Under ``[tool]`` of a ``pyproject.toml``."""
TYPED_ONLY = frozenset(
    {"output", "force", "rejects", "resume", "engine", "page", "plot", "report", "help", "dry-run", "version"}
    | {"per-class", "confusion", "bins-out", "rows-out", "flips-out"}
)
"""A file that came with the data must not choose what is written, or where work is done."""


class Setting(NamedTuple):
    """One option that was not typed."""

    option: str
    """``top-k``."""
    value: str | bool
    origin: str
    """The name of the variable or of the file."""

    @property
    def argument(self) -> list[str]:
        """What could have been typed instead."""
        if isinstance(self.value, bool):
            return [f"--{self.option}"] if self.value else []
        return [f"--{self.option}={self.value}"]


def settings_for(
    command: str, options: Sequence[str], typed: Sequence[str], paths: Sequence[str], environ: Mapping[str, str]
) -> list[Setting]:
    """Find the settings that hold for a command.

    Parameters
    ----------
    options : sequence of str
        The command's options by their long names, without dashes in front.
    typed : sequence of str
        Those of them that were typed, and so are left alone.
    paths : sequence of str
        The inputs.

    Raises
    ------
    UsageError
        A key of the file is no option, or one that has to be typed.
    """
    found: dict[str, list[Setting]] = {}
    for setting in (*_from_file(command, options, paths), *_from_variables(options, environ)):
        if found.get(setting.option, [setting])[0].origin != setting.origin:
            found[setting.option] = []
        found.setdefault(setting.option, []).append(setting)
    return [setting for option, held in found.items() if option not in typed for setting in held]


def _from_variables(options: Sequence[str], environ: Mapping[str, str]) -> Iterator[Setting]:
    for name, value in environ.items():
        option = name.removeprefix(PREFIX).lower().replace("_", "-")
        if name.startswith(PREFIX) and option in options and option not in TYPED_ONLY:
            plain: str | bool = {"true": True, "false": False}.get(value.lower(), value)
            yield Setting(option, plain, name)


def _from_file(command: str, options: Sequence[str], paths: Sequence[str]) -> Iterator[Setting]:
    path, table = _nearest(paths)
    shared = {key: value for key, value in table.items() if not isinstance(value, dict)}
    own = table.get(command, {})
    for key, value in {**shared, **own}.items():
        option = key.replace("_", "-")
        if option in TYPED_ONLY:
            raise UsageError(f"{path}: {key!r} has to be typed: --{option}")
        if option not in options:
            if key in own:
                near = nearest(option, options, 1)
                raise UsageError(
                    f"{path}: {command} has no option {key!r}" + (f"; did you mean {near[0]!r}?" if near else "")
                )
            continue  # of another command
        for one in value if isinstance(value, list) else [value]:
            yield Setting(option, one if isinstance(one, bool) else str(one), str(path))


def _nearest(paths: Sequence[str]) -> tuple[Path, Mapping[str, Any]]:
    folders = [os.path.dirname(path) or "." for path in paths[:1] if "://" not in path] + ["."]
    for folder in dict.fromkeys(folders):
        own, project = Path(folder, FILE_NAME), Path(folder, "pyproject.toml")
        if own.is_file():
            return own, _read(own)
        # Most projects have nothing to say to us, and parsing takes longer than to look.
        has_name = project.is_file() and TABLE.encode() in project.read_bytes()
        if has_name and (table := _read(project).get("tool", {}).get(TABLE)):
            return project, table
    return Path(FILE_NAME), {}


def _read(path: Path) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: not TOML: {error}") from None
