"""Several tables of scores of the same rows: joined, read in parts, pooled."""
