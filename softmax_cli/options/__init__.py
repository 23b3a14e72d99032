"""What can be typed, in small frozen groups that commands share, one file and one panel of the help each.

A group's methods turn what was typed into what lower floors take; nothing below this floor sees a flag.
"""
