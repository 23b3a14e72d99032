"""Damaged files by the thousand: ``python -m tests.mutation`` runs the program on them and asks what became of each."""
