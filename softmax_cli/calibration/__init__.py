"""Calibrations fitted to labelled rows, kept as JSON files, reported."""
