"""Memory of a process that runs for long: what would be looked at or held for nothing."""

import ctypes
import gc
from contextlib import suppress

YOUNG, MIDDLE, OLD = 50_000, 20, 100
"""Objects, and rounds, after which Python looks for cycles. Its own 700 took half of the time in which much is read."""


def settle() -> None:
    """Let the collector look seldom, and never again at what there is now: modules above all."""
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, OLD)


def give_back() -> None:
    """Give memory that is free to the system, after something large was built. glibc would keep it; others have no such call."""
    with suppress(AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
