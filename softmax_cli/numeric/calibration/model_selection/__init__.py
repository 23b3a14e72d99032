"""Which calibration to trust, judged on rows that it was not fitted to."""
