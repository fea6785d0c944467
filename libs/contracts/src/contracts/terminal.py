"""How the commands of this package write: contracts import nothing of ours, so not even the chassis's way."""

import sys


def say(text: str = "") -> None:
    """Write one line to standard output."""
    sys.stdout.write(f"{text}\n")
