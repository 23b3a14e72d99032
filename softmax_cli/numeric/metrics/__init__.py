"""One metric, one file; every metric is a fold whose parts merge exactly.

A part is made of a block of rows by ``of(log_p, labels, ...)``; ``plus`` merges the parts of disjoint rows; the
figures are properties. Counts are integers and real sums are `ExactSum`, so a figure has the same bits whatever the
cut into blocks and the order of merging. `log_p` is always a float64 array (rows, classes) of log-probabilities and
`labels` an integer array (rows,) of columns. A figure of no rows at all is nan.
"""
