"""The ends of a run: what was named as input becomes one table, what is computed becomes files."""
