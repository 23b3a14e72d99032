"""Rows of text from columns of cells: what the delimited formats and JSON lines have in common."""
