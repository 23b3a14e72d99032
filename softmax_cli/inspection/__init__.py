"""What is in a table before anything is computed from it: findings, the report and its screen."""
