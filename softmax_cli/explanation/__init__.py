"""Softmax shown step by step: one row worked through, and short topics."""
