"""Making unsubscribe links and acting on them."""

from dataclasses import dataclass

from chassis.uow import UnitOfWork

from notifications.searches import service as searches
from notifications.unsubscribe.model import search_of, token_for

PATH = "/api/notifications/v1/pages/unsubscribe/"


@dataclass(frozen=True)
class Unsubscribing:
    """Links that end a search's mails; nothing is stored for them, and they never expire."""

    hash_key: bytes
    public_url: str

    def link(self, search: str) -> str:
        """Return the address that a mail about this search carries."""
        return f"{self.public_url.rstrip('/')}{PATH}{token_for(search, key=self.hash_key)}"

    def is_ours(self, token: str) -> bool:
        """Tell whether we made this token."""
        return search_of(token, key=self.hash_key) is not None

    async def unsubscribe(self, uow: UnitOfWork, token: str) -> bool:
        """End the search's mails; again, or when the search is gone, it changes nothing. False: not a token of ours."""
        search = search_of(token, key=self.hash_key)
        if search is not None:
            await searches.stop(uow, search)
        return search is not None
