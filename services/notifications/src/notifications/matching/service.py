"""The port to the index of saved searches, so that another way to find them changes nothing else."""

from collections.abc import Callable, Iterable
from typing import Protocol

from notifications.matching.index.arrays import Array
from notifications.matching.model import Offered, Wanted


class Index(Protocol):
    """All searches of one share. Ids are the 16 bytes of a UUID. `load` and `merge` may run in another thread than the rest."""

    @property
    def recent(self) -> int:
        """How many searches were put since the last merge, which makes looking slower."""
        ...

    @property
    def stale(self) -> bool:
        """Whether something of removed searches is left, which no vacancy finds."""
        ...

    def put(self, id_: bytes, wanted: Wanted, /) -> None:
        """Add a search, or change what it asks."""
        ...

    def remove(self, id_: bytes, /) -> None:
        """Let a search match no more; one that is not there is gone already."""
        ...

    def load(self, searches: Iterable[tuple[bytes, Wanted]], /) -> None:
        """Add many searches, newer than what was put before. What is put or removed meanwhile is newer still and stays."""
        ...

    def merge(self, *, whole: bool = False) -> None:
        """Take what was put into the large part of the index; after a whole merge nothing of a removed search is left."""
        ...

    def match(self, offered: Offered, /) -> Array:
        """Return the ids of all searches that a vacancy fits, each once, in no order."""
        ...


MakeIndex = Callable[[], Index]
