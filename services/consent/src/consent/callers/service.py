"""What other slices may ask about a caller."""

from chassis.uow import Reads

from consent.callers import store


async def may_decide(reads: Reads, account: str) -> bool:
    """Tell whether decisions of this account are taken."""
    return not await store.is_closed(reads, account)
