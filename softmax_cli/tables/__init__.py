"""A table while it is read: blocks of rows, the roles of their columns, the truths. No paths, no screen."""
