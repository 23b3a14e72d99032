"""What each command does between its options and its display: one job, one file."""
