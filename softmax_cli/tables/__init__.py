"""Floor 1: Arrow record batches in, Arrow record batches out. No paths, no screen."""
