"""What can be typed, in small frozen groups that commands share, one file and one panel of the help each.

A group's methods turn what was typed into what lower floors take; nothing below this floor sees a flag.

These modules do without ``from __future__ import annotations``: typer needs the annotations of a hundred options, and
to compile them from text takes longer than to score ten rows.
"""
