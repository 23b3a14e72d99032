"""NumPy arrays in files as tables: a matrix, with labels and ids from arrays beside it. Nothing is ever unpickled."""
