"""Two or more tables of the same rows, each compared with the first."""
