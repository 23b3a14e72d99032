"""Delimited text, in and out: blocks of whole lines, the dialect of a file, its rows, and what is wrong with a row."""

import csv

# One limit for the process, where the standard library would refuse a cell of more than 128 kB.
csv.field_size_limit(1 << 28)
