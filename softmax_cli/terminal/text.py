"""Make text from a file safe to show: a name is data, and must neither steer the terminal nor push a table apart."""

from __future__ import annotations

_UNSEEN = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
"""Unicode categories that steer (controls, bidirectional marks, line ends) or whose width nobody knows."""
_UNSEEN_LETTERS = (
    (0x034F, 0x034F),
    (0x115F, 0x1160),
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x3164, 0x3164),
    (0xFE00, 0xFE0F),
    (0xFFA0, 0xFFA0),
    (0xE0100, 0xE01EF),
)
"""Letters and marks by category that draw nothing (Unicode: Default_Ignorable_Code_Point)."""


def visible(text: str, encoding: str = "utf-8") -> str:
    r"""Spell out what cannot be seen or cannot be shown, as ``\n``, ``\x1b`` or ``\u202e``.

    Parameters
    ----------
    text : str
        Anything, from anywhere.
    encoding : str
        What the stream can show; a character outside of it is spelled out as well.

    Returns
    -------
    str
        One line of printable characters. A backslash stays a single one (paths are common names), so this is for
        reading and not a code to be undone.
    """
    if text.isascii() and text.isprintable():
        return text
    spelled = "".join(_spelled(char) if _is_unseen(char) else char for char in text)
    return spelled.encode(encoding, "backslashreplace").decode(encoding)


def _is_unseen(char: str) -> bool:
    import unicodedata  # most names are ASCII

    if unicodedata.category(char) in _UNSEEN:
        return True
    return any(low <= ord(char) <= high for low, high in _UNSEEN_LETTERS)


def _spelled(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")


def width(text: str) -> int:
    """Terminal cells that visible text takes: 2 for a Chinese character, 0 for a combining accent."""
    return len(text) if text.isascii() else sum(map(_char_width, text))


def _char_width(char: str) -> int:
    from rich.cells import get_character_cell_size

    return get_character_cell_size(char)


def shorten(text: str, cells: int, ellipsis: str = "…") -> str:
    """Cut the middle out of visible text that is too wide: names differ at their ends (``img_0001.png``).

    Parameters
    ----------
    text : str
        As `visible` gives it.
    cells : int
        The width that there is, in terminal cells, 0 or more.
    ellipsis : str
        Stands where the text was cut.

    Returns
    -------
    str
        At most `cells` wide.
    """
    if width(text) <= cells:
        return text
    room = cells - width(ellipsis)
    if room < 0:
        return _start(text, cells)
    tail = _start(text[::-1], room // 2)[::-1]
    while tail and width(tail[0]) == 0:
        tail = tail[1:]  # an accent whose letter was cut off would sit on the ellipsis
    return _start(text, room - width(tail)) + ellipsis + tail


def _start(text: str, cells: int) -> str:
    taken = 0
    for index, char in enumerate(text):
        taken += width(char)
        if taken > cells:
            return text[:index]
    return text


def probability(p: float, decimals: int = 3) -> str:
    """Round a probability, but neither to a 0 nor to a 1 that it is not: ``0.998``, ``<.001``, ``>.999``.

    Every result is ``decimals + 2`` wide, so that a column of them lines up.
    """
    rounded = f"{p:.{decimals}f}"
    if p > 0 and float(rounded) == 0:
        return f"<.{'1':>0{decimals}}"
    if p < 1 and float(rounded) == 1:
        return f">.{'9' * decimals}"
    return rounded


def percent(part: int, whole: int) -> str:
    """Spell a share in percent, to a tenth: ``12.5 %``, ``<0.1 %``, ``>99.9 %``; `whole` is at least 1."""
    rounded = f"{100 * part / whole:.1f}"
    if part > 0 and rounded == "0.0":
        return "<0.1 %"
    if part < whole and rounded == "100.0":
        return ">99.9 %"
    return f"{rounded} %"
