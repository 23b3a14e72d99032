"""What is done with whole distributions: draws, pools, comparisons, groups of rows, doubt and decisions."""
