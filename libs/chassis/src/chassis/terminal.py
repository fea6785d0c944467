"""The one way in which commands talk to the person who typed them; processes log instead."""

import sys


def say(text: str = "") -> None:
    """Write a line to standard output at once, so that it keeps its place between the lines of child processes."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
