"""How frequent the classes are where a model is used: by EM from probabilities, or from whom the model confuses."""
