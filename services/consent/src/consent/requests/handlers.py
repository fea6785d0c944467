"""What opens requests and moves them on: a closed account, the services' confirmations, the end of a mail."""

from chassis.erasure import Erasure
from chassis.inbox import Handler, Incoming
from chassis.uow import UnitOfWork
from contracts.identity.account import AccountEvent
from contracts.notifications.delivery import DeliveryEvent
from contracts.shapes.request_part import RequestPartEvent

from consent.requests.model import OWN, Kept, Part, Phase, Word
from consent.requests.service import Requests


def on_account(note_caller: Handler, requests: Requests, erasure: Erasure) -> Handler:
    """Return the handler of accounts: `note_caller` keeps who may decide; who asked to be erased gets a request."""

    async def handle(incoming: Incoming[AccountEvent], uow: UnitOfWork) -> None:
        await note_caller(incoming, uow)
        account = incoming.event
        if account is None or account.erasure is None:
            return
        await requests.open(uow, request=account.erasure, subject=account.account, language=account.language)
        await erasure.begin(uow, request=account.erasure, subject=account.account, phase=Phase.SERVICES)

    return handle


def on_request_part(requests: Requests) -> Handler:
    """Return the handler of what a service confirms; which service, its topic says."""

    async def handle(incoming: Incoming[RequestPartEvent], uow: UnitOfWork) -> None:
        said, service = incoming.event, incoming.topic.partition(".")[0]
        if said is None:
            requests.forget_part(uow, incoming.key, service)
            return
        kept = tuple(Kept(one.what, one.ground, one.until) for one in said.kept)
        part = Part(Phase(said.done), said.done_on, dict(said.counts), said.receipt, kept)
        await requests.confirm(uow, said.request, service, part)

    return handle


def on_delivery(requests: Requests) -> Handler:
    """Return the handler of what became of mails."""

    async def handle(incoming: Incoming[DeliveryEvent], uow: UnitOfWork) -> None:
        said = incoming.event
        if said is not None and said.asker == OWN:
            await requests.delivered(uow, said.cause, Word(said.outcome))

    return handle
