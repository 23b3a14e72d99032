"""What several calibration methods are fitted with: checked examples, threaded passes, objectives and the optimiser."""
