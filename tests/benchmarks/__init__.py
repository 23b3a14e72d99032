"""How fast the installed program is beside what a user would otherwise write: ``python -m tests.benchmarks``.

Not collected by pytest: a machine's load is no property of the code, so nothing here is asserted but that all programs
write the same numbers.
"""
