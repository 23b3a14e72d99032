from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

_Buffer = bytes | bytearray | memoryview
_Faults = list[tuple[int, int, int, int, int, int]]

COMPILER: str

def powers_of_five() -> Iterator[int]: ...
def count_rows(data: _Buffer) -> int: ...
def row_end(data: _Buffer, delimiter: int) -> tuple[int, int]: ...
def parse(
    data: _Buffer,
    delimiter: int,
    point: int,
    runs: bool,
    roles: NDArray[np.int32],
    scores: NDArray[np.float64],
    spans: NDArray[np.int32],
    starts: NDArray[np.int32],
) -> tuple[int, _Faults]: ...
def parse_objects(
    data: _Buffer,
    keys: bytes,
    key_ends: NDArray[np.int32],
    roles: NDArray[np.int32],
    sizes: NDArray[np.int32],
    scores: NDArray[np.float64],
    spans: NDArray[np.int32],
    starts: NDArray[np.int32],
) -> tuple[int, _Faults]: ...
def join_fields(data: _Buffer, spans: NDArray[np.int32], fields: bool) -> tuple[bytearray, bytearray]: ...
def format_numbers(values: NDArray[np.float64], kind: int, digits: int) -> list[str]: ...

class Lines:
    def __init__(self, json: bool, delimiter: int, formulas: bool) -> None: ...
    def add_text(
        self, before: bytes, data: _Buffer, spans: NDArray[np.int32], kind: int, after: bytes, missing: bytes
    ) -> None: ...
    def add_numbers(
        self,
        before: bytes,
        keys: bytes,
        key_ends: NDArray[np.int32],
        values: NDArray[np.float64],
        kind: int,
        digits: int,
        missing: bytes,
        finite: bool,
        closing: bytes,
        present: NDArray[np.uint8] | None,
        absent: bytes,
        after: bytes,
    ) -> None: ...
    def write(self, rows: int, end: bytes, empty: bytes, ends: NDArray[np.int32] | None) -> bytearray: ...
