"""Who keeps remote files: one module for each kind of store, found by its schemes."""
