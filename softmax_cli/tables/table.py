"""The shape of a table that is being read: its columns now, its rows block by block.

Reading is split in two so that the costly half can run on every core: `Table.blocks` cuts the input in order and does
little else, `Table.decode` turns one block into rows and may be called from several threads at once.

What is only carried from one module to the next is a named tuple, here and elsewhere on the way of a small table: a
frozen dataclass compiles six functions when it is imported, which takes five times as long.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from softmax_cli.tables.batch import Batch
from softmax_cli.tables.schema import Schema

if TYPE_CHECKING:
    from softmax_cli.tables.filter import Seen


class Block(NamedTuple):
    """A run of consecutive rows, cut from the input and not yet decoded.

    `data` is for the format that cut it: bytes of whole lines, or a record batch.
    `first_line` is the physical line (from 1) that a text block begins on; `first_row` the number of rows before a
    binary one.
    """

    data: Any
    first_line: int = 0
    first_row: int = 0
    size: int = 0
    """Bytes of input that this block stands for (for the progress bar)."""
    pauses: bool = False
    """Whether the input has paused behind it, so that somebody may be waiting for what is known so far."""


class Fault(NamedTuple):
    """Why one row cannot be scored."""

    row: int
    """Index within the decoded batch."""
    column: str | None
    problem: str
    """Reads on from the place: ``'abc' is not a number``."""


class Place(NamedTuple):
    """Where a decoded row stood in its source."""

    where: str
    """``logits.csv:3`` for text (physical line, from 1), ``logits.parquet: row 3`` for binary (row, from 1)."""
    found: str
    """The raw text of the cell that was asked for (``null`` for a missing value in a binary format)."""
    record: str
    """The whole row: the raw line(s) for text, one JSON object for binary."""


class Decoded(NamedTuple):
    """One block as rows.

    Rows that did not fit the table (ragged, text among the numbers) are in the batch all the same, with nan or null
    where a score could not be read, and are named in `faults`: nothing is dropped here.
    """

    batch: Batch
    place: Callable[[int, str | None], Place]
    """Finds a row of the batch, and one cell of it, in the source again. Slow; for messages and rejects."""
    faults: tuple[Fault, ...] = ()
    first_row: int = 0
    """Number of the first row in the whole table, from 0, where the rows are numbered; see `pool.number_rows`."""


class Table(NamedTuple):
    """An opened input. `blocks` can be run through once; `decode(block, scores)` is pure and thread-safe.

    `scores` names the columns to be read as numbers. A text format leaves every other column as it stands in the file
    (as strings, so that ``007`` stays ``007``); a binary format has its types already. `schema` is what `decode`
    gives when every column that looks like numbers is a score.
    """

    name: str
    schema: Schema
    blocks: Iterator[Block]
    decode: Callable[[Block, Sequence[str]], Decoded]
    size: int | None = None
    """Bytes of input in all, where known."""
    notes: tuple[str, ...] = ()
    """What the user should know about how the input was read (``no header: ...``)."""
    seen: "Seen | None" = None
    """What the condition on the rows has met so far; None: there is none."""


def decoded_before(block: Block, scores: Sequence[str]) -> Decoded:
    """How a table decodes whose blocks are `Decoded` when they come: its `decode`."""
    decoded: Decoded = block.data
    return decoded


def with_head(table: Table, scores: Sequence[str], rows: int) -> tuple[list[Decoded], Table]:
    """Decode the first blocks, until they have so many rows or there are no more; they stay in the table, to be read.

    Parameters
    ----------
    scores : sequence of str
        Columns to be read as numbers.
    """
    blocks: list[Block] = []
    head: list[Decoded] = []
    while sum(decoded.batch.num_rows for decoded in head) < rows and (block := next(table.blocks, None)):
        blocks.append(block)
        head.append(table.decode(block, scores))
    return head, table._replace(blocks=chain(blocks, table.blocks))


class ReadOptions(NamedTuple):
    """What a user may say about how an input is laid out; None: find out."""

    delimiter: str | None = None
    header: bool | None = None
    decimal: str = "."
    array: str | None = None
    """Which array of an .npz archive holds the scores."""
    single_values: bool = False
    """Whether an array of one value a row is a table too: a column of labels."""
    batch_rows: int | None = None
    small_blocks: bool = False
    """Whether blocks of a binary format are smaller than usual: what is made of each takes several times as much."""
    row_groups: range | None = None
    """Which row groups of a Parquet file to read; None: all."""


class WriteOptions(NamedTuple):
    """How numbers and cells are put down in text formats, and compressed in binary ones."""

    digits: int = 9
    decimals: int | None = None
    delimiter: str = ","
    escape_formulas: bool = False
