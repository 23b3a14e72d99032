"""``python -m softmax_cli``."""

from softmax_cli.cli import main

main()
