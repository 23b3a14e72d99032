"""Logits to probabilities: the steps in their order, the transform of a batch, the run, its screen."""
