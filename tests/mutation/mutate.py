"""Damage: flipped bits, cuts, repeats, and what a disk, a transfer, an editor or an attacker might leave."""

from __future__ import annotations

import random

BYTES = (0, 1, 0x7F, 0x80, 0xFF, 0xFE, 0x0A, 0x22, 0x2C)
NUMBERS = (2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**40, 1 << 24, 0, 1)
TOKENS = (
    *(b'"', b'""', b",", b";", b"\t", b"\n", b"\r", b"\r\n", b"\0", b"\xff", b"\xef\xbb\xbf", b"'", b"\\", b" "),
    *(b"\\ud800", b"\\u0000", b"{", b"}", b"[", b"]", b":", b"null", b"true", b"[" * 2000, b'{"a":' * 500),
    *(b"nan", b"NaN", b"-inf", b"Infinity", b"1e400", b"1e-400", b"-0", b"0x10", b"1_000", b"1,5", b"e", b"-", b"+"),
    *(b"9" * 400, b"9" * 30, b"...", b"#", b"=1+1", b"\x1b[31m", "\u202e".encode(), b"\xc3", b"\xed\xa0\x80"),
    b"sep=;\n",
)


def mutate(data: bytes, drawn: random.Random, is_text: bool) -> bytes:
    """Damage a file in one to three places, never into what it was."""
    changed = bytearray(data)
    while changed == data:
        for _ in range(drawn.choice((1, 1, 1, 2, 3))):
            drawn.choice(TEXT if is_text and drawn.random() < 0.7 else ANY)(changed, drawn)
    return bytes(changed)


def _place(data: bytearray, drawn: random.Random) -> int:
    """Return a place; headers and footers, which steer all else, more often than chance would."""
    size = len(data)
    if size > 400 and drawn.random() < 0.4:
        return drawn.choice((drawn.randrange(300), size - 1 - drawn.randrange(300)))
    return drawn.randrange(size) if size else 0


def _flip(data: bytearray, drawn: random.Random) -> None:
    if data:
        data[_place(data, drawn)] ^= 1 << drawn.randrange(8)


def _set(data: bytearray, drawn: random.Random) -> None:
    if data:
        data[_place(data, drawn)] = drawn.choice((*BYTES, drawn.randrange(256)))


def _cut(data: bytearray, drawn: random.Random) -> None:
    del data[_place(data, drawn) :]


def _delete(data: bytearray, drawn: random.Random) -> None:
    start = _place(data, drawn)
    del data[start : start + drawn.choice((1, 2, 8, 60, 500))]


def _repeat(data: bytearray, drawn: random.Random) -> None:
    start = _place(data, drawn)
    piece = data[start : start + drawn.choice((1, 4, 8, 60, 500))]
    data[start:start] = piece * drawn.choice((1, 1, 3))


def _move(data: bytearray, drawn: random.Random) -> None:
    start, size = _place(data, drawn), drawn.choice((4, 8, 60))
    piece = data[start : start + size]
    del data[start : start + size]
    to = _place(data, drawn)
    data[to:to] = piece


def _blank(data: bytearray, drawn: random.Random) -> None:
    """Zero a sector, as a disk does."""
    start = _place(data, drawn)
    end = min(len(data), start + drawn.choice((4, 16, 512)))
    data[start:end] = bytes(end - start)


def _number(data: bytearray, drawn: random.Random) -> None:
    """Write a number that is too large into what may be a size."""
    width = drawn.choice((4, 8))
    start = _place(data, drawn) // width * width
    number = (drawn.choice(NUMBERS) + drawn.choice((0, 0, -1, 1))) % (1 << 8 * width)
    data[start : start + width] = number.to_bytes(width, drawn.choice(("little", "little", "big")))


def _varint(data: bytearray, drawn: random.Random) -> None:
    """The same in the variable width of Thrift and Protobuf."""
    start = _place(data, drawn)
    number, coded = drawn.choice(NUMBERS), bytearray()
    while number > 127:
        coded.append(number & 127 | 128)
        number >>= 7
    coded.append(number)
    data[start : start + drawn.choice((1, len(coded)))] = coded


def _junk(data: bytearray, drawn: random.Random) -> None:
    start = _place(data, drawn)
    data[start:start] = drawn.randbytes(drawn.choice((1, 3, 8, 100)))


def _append(data: bytearray, drawn: random.Random) -> None:
    data += drawn.choice((b"\n", b"\0", drawn.randbytes(20), bytes(data[:200])))


def _token(data: bytearray, drawn: random.Random) -> None:
    start = _place(data, drawn)
    data[start : start + drawn.choice((0, 0, 1, 3))] = drawn.choice(TOKENS)


def _swap_lines(data: bytearray, drawn: random.Random) -> None:
    lines = bytes(data).split(b"\n")
    if len(lines) > 2:
        one, other = drawn.randrange(len(lines)), drawn.randrange(len(lines))
        lines[one], lines[other] = lines[other], lines[one]
        data[:] = b"\n".join(lines)


def _lose_line_end(data: bytearray, drawn: random.Random) -> None:
    ends = [place for place, byte in enumerate(data) if byte == 10]
    if ends:
        del data[drawn.choice(ends)]


def _other_ends(data: bytearray, drawn: random.Random) -> None:
    data[:] = data.replace(b"\n", drawn.choice((b"\r\n", b"\r", b"\n\n", b"\n\r")))


ANY = (_flip, _flip, _set, _set, _cut, _delete, _repeat, _move, _blank, _number, _varint, _junk, _append)
TEXT = (_token, _token, _token, _token, _flip, _set, _delete, _swap_lines, _lose_line_end, _repeat, _other_ends)
