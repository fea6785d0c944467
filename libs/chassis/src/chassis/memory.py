"""Memory of a process that runs for long: what would be looked at or held for nothing."""

import ctypes
import gc
from contextlib import suppress


def settle() -> None:
    """Take all that there is now, modules above all, for permanent: the collector need not look at it again and again."""
    gc.collect()
    gc.freeze()


def give_back() -> None:
    """Give memory that is free to the system, after something large was built. glibc would keep it; others have no such call."""
    with suppress(AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
