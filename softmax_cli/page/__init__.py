"""Pages: one HTML file each, which needs no network; Jinja2 fills the templates of this folder.

Every page carries a content security policy that lets nothing in from outside: its style and its script stand in the
file and are admitted by their hashes. Text from a table is escaped by Jinja2, and data for the script travel as JSON in
which no ``<`` stands.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import json
from pathlib import Path
from typing import Any

from softmax_cli.errors import UsageError
from softmax_cli.version import __version__

FOLDER = Path(__file__).parent


def check_page(path: str, flag: str) -> None:
    """Refuse, before anything is computed, a page that cannot be made.

    Raises
    ------
    UsageError
        The name is not that of a page, or Jinja2 is not installed.
    """
    if importlib.util.find_spec("jinja2") is None:
        raise UsageError(f"{flag} needs Jinja2: pip install 'jinja2>=3.1'")
    if Path(path).suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"{flag} {path}: the name has to end in .html")


def render(template: str, data: Any, **values: Any) -> bytes:
    """Fill a template.

    Parameters
    ----------
    template : str
        Name of the ``.html`` file in this folder, and of the ``.js`` file beside it.
    data : JSON value
        What the script of the page reads. Numbers that JSON does not have have to be strings.
    values
        What the template reads.
    """
    import jinja2

    environment = jinja2.Environment(
        autoescape=True, loader=jinja2.FileSystemLoader(FOLDER), trim_blocks=True, lstrip_blocks=True
    )
    style = (FOLDER / "style.css").read_text("utf-8")
    script = (FOLDER / "charts.js").read_text("utf-8") + (FOLDER / f"{template}.js").read_text("utf-8")
    page: str = environment.get_template(f"{template}.html").render(
        style=style,
        script=script,
        policy=f"default-src 'none'; img-src data:; style-src {_hash_of(style)}; script-src {_hash_of(script)}",
        data=json.dumps(data, ensure_ascii=True, allow_nan=False).replace("<", "\\u003c"),
        version=__version__,
        **values,
    )
    return page.encode("utf-8", "backslashreplace")


def _hash_of(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
