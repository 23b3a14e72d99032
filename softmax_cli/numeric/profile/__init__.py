"""What a table of logits is like, as parts that add up: each is made of some rows, `plus` adds the rows that follow.

Counts, extremes, bins and first places add up exactly, wherever the rows were cut; float sums up to their last bits.
The size of a part depends on the number of classes, never on the number of rows.
"""
