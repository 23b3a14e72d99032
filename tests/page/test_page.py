"""Pages: whole in one file, closed to the outside, readable, and safe whatever a table holds."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

import pytest

import softmax_cli.page
from softmax_cli.errors import UsageError
from softmax_cli.page import check_page, render

STYLE = (Path(softmax_cli.page.__file__).parent / "style.css").read_text("utf-8")
NASTY = "<script>alert(1)</script>&\"'"


def filled(**values: object) -> str:
    pytest.importorskip("jinja2")
    given = {"title": "t", "heading": "h", "command": "c", "charts": [], "tables": [], "tiles": [], "steps": []}
    return render("report", {"charts": []}, **given | values).decode()


def test_text_from_a_table_stays_text():
    table = {"id": "x", "title": NASTY, "text": "", "columns": [(NASTY, False)], "rows": [[NASTY]]}
    page = filled(heading=NASTY, tables=[table], verdict=[NASTY])
    assert page.count("alert(1)") == 5
    assert "<script>alert" not in page


def test_data_for_the_script_cannot_end_it():
    pytest.importorskip("jinja2")
    page = render("report", {"charts": [], "name": "</script><b>"}, title="", heading="").decode()
    assert "</script><b>" not in page
    assert "\\u003c/script>\\u003cb>" in page


def test_the_policy_admits_this_style_and_this_script_and_nothing_else():
    page = filled()
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1].replace("&#39;", "'")
    for tag in ("style", "script"):
        text = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)[-1]
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy


def test_a_page_names_no_other_place():
    assert re.findall(r"(?:https?:)?//(?!www\.w3\.org/2000/svg)[a-z]+\.", filled()) == []


def luminance(color: str) -> float:
    """Relative luminance, as WCAG 2.2 defines it."""
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("ground", ["ground", "panel"])
@pytest.mark.parametrize("text", ["text", "faint", "first", "second", "good", "bad"])
def test_contrast_is_enough_to_read(theme, ground, text):
    """4.5 : 1, for text of any size (WCAG 2.2, 1.4.3)."""
    colors = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", STYLE.split(":root {")[theme + 1].partition("}")[0]))
    low, high = sorted(luminance(colors[name]) for name in (ground, text))
    assert (high + 0.05) / (low + 0.05) >= 4.5


def test_a_page_has_the_name_of_one():
    pytest.importorskip("jinja2")
    check_page("a.html", "--report")
    with pytest.raises(UsageError, match=r"--report a\.pdf: the name has to end in \.html"):
        check_page("a.pdf", "--report")


def test_without_jinja2_the_library_itself_is_named(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"--page needs Jinja2: pip install 'jinja2>=3\.1'"):
        check_page("a.html", "--page")
