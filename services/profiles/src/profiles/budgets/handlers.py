"""Events about accounts, as far as they say who the operators are: they are told of a freeze."""

from chassis.inbox import Handler, Incoming
from chassis.uow import UnitOfWork
from contracts.identity.account import AccountEvent

from profiles.budgets import store


def noting_operators(handler: Handler) -> Handler:
    """Return the handler of accounts that also keeps who is an operator now."""

    async def handle(incoming: Incoming[AccountEvent], uow: UnitOfWork) -> None:
        account = incoming.event
        if account is not None and account.state == "confirmed" and "operator" in account.roles:
            store.keep_operator(uow, account.account)
        else:
            store.forget_operator(uow, incoming.key)
        await handler(incoming, uow)

    return handle
