"""Work beyond one process: a job cut into units, and the engines that run them."""
