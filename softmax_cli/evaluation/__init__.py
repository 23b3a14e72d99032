"""A labelled table measured: metrics, intervals, gates, the report and its screen."""
