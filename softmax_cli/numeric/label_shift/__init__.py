"""How frequent the classes are where a model is used: from probabilities by EM, or from a confusion matrix."""
