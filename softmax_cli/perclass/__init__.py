"""What users say per class: names, weights, priors, labels, typed or in a file."""
