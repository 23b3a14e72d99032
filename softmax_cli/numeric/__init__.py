"""Floor 0: NumPy arrays in, NumPy arrays out. Knows no file, no Arrow, no screen; raises ValueError only."""
