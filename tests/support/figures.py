"""What a fault cost, said by the test that saw it: pytest shows it with `-s` or `-rP`, and `make soak` does."""

import sys


def figure(text: str) -> None:
    """One line."""
    sys.stdout.write(f"figure: {text}\n")
