"""What a table of logits is like, as parts that add up: each is made of some rows, `plus` adds the rows that follow.

They add up exactly, wherever the rows were cut and in whatever grouping: counts, extremes, bins, first places and sums.
The size of a part depends on the number of classes, never on the number of rows.
"""
