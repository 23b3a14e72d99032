"""Text tables at the speed of compiled code: lines to numbers and spans, numbers and spans to lines.

`parsing` cuts a file into blocks of whole rows and every block into a matrix of scores and *spans*: where a cell that
merely passes through begins and ends in the block. Such a cell is never decoded; `formatting` copies it to where it
goes. What is wrong with a row comes out of the same pass.

Every number is read as Python's ``float`` reads it and written as Python's ``format`` writes it. The work is done in
`softmax_cli.text._core`, without the interpreter's lock, so that threads do not wait for each other.
"""


def compiler() -> str:
    """Name the compiler of the compiled half as it named itself when it was built: ``gcc 12.2.0``."""
    from softmax_cli.text import _core

    return _core.COMPILER
