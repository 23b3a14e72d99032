"""Which neighbouring columns are written in one go."""

from __future__ import annotations

from itertools import groupby

import pyarrow as pa

from softmax_cli.formats._text.numbers import computed_kind


def is_number(field: pa.Field) -> bool:
    """Whether a column holds one computed number per row."""
    return computed_kind(field) is not None and pa.types.is_floating(field.type)


def runs(schema: pa.Schema) -> list[list[int]]:
    """Positions of all columns in order: computed columns of one kind together, every other column alone."""

    def family(i: int) -> object:
        return computed_kind(schema.field(i)) if is_number(schema.field(i)) else i

    return [list(members) for _, members in groupby(range(len(schema)), family)]
