"""Binary tables: what the formats that are read through Arrow have in common."""
