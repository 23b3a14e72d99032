"""JSON rows, one object each: what the formats ``jsonl`` and ``json`` have in common."""
