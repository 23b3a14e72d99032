"""Delimited text, in and out: blocks of whole lines, the dialect of a file, its rows, and what is wrong with a row."""
