"""What can be typed, in small frozen groups that commands share; `build` and `open` turn them into what lower floors
take.

A group is one file and one panel of the help. Nothing below this floor sees a flag.
"""
