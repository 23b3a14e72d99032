"""Class weights and priors: how they are written, what they add to logits, how a prior is estimated."""
