"""Consent ends in the same state whatever the way in which news of accounts, sessions and keys arrives."""

from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any

import pytest
from chassis.resources import connect
from consent import app
from consent.callers.service import may_decide
from consent.requests import store as requests
from consent.requests.model import Phase
from consent.settings import ConsentSettings
from contracts.identity.account import AccountEvent
from contracts.identity.request_part import IdentityRequestPartEvent
from contracts.identity.session import SAMPLES as SESSIONS
from contracts.identity.signing_key import SAMPLES as SIGNING_KEYS
from contracts.notifications.delivery import DeliveryEvent
from contracts.notifications.request_part import NotificationsRequestPartEvent
from contracts.profiles.request_part import ProfilesRequestPartEvent
from hypothesis import given
from hypothesis import strategies as st
from testkit.deliveries import arrive, few_examples, history, in_order, saying, schedules


def accounts(who: str, *states: str) -> list[AccountEvent]:
    same = {"account": who, "language": "nl", "roles": ("candidate",), "confirmed_on": date(2027, 3, 1)}
    return [AccountEvent.model_validate({**same, "state": state}) for state in states]


WORLD = [
    history(*accounts("anna", "confirmed")),
    history(*accounts("bram", "confirmed", "locked", "confirmed")),
    history(*accounts("cleo", "confirmed", "closed")),
    history(*accounts("dirk", "confirmed", "locked", "closed")),
    history(*accounts("eva", "confirmed"), then_gone=True),
    history(*accounts("finn", "confirmed", "closed"), then_gone=True),
    history(*accounts("gijs", "closed", "confirmed")),  # identity never does so; what came last counts all the same
    history(SESSIONS[0]),
    history(SESSIONS[0].model_copy(update={"session": "over"}), then_gone=True),
    history(SIGNING_KEYS[0], SIGNING_KEYS[0].model_copy(update={"not_after": SIGNING_KEYS[0].not_after.replace(year=2028)})),
    history(SIGNING_KEYS[0].model_copy(update={"kid": "withdrawn"}), then_gone=True),
]
PEOPLE = ("anna", "bram", "cleo", "dirk", "eva", "finn", "gijs")


@pytest.fixture
async def service(common: dict[str, Any], laboratory: Any) -> AsyncIterator[Any]:
    made = connect(ConsentSettings(**common, erasure_settled=timedelta(microseconds=1)))
    lab = laboratory(made.mongo, made.keyring)
    await lab.begin_again()
    await made.mongo.ensure_indexes(*app.INDEXES)
    lab.consumer, lab.mongo = app.build_worker(made.settings, made=made).consumer, made.mongo
    lab.erasure = app.use_cases(made).erasure
    yield lab
    await made.close()


@few_examples
@given(data=st.data())
async def test_whatever_the_way_in_which_everything_arrives_the_end_is_the_same(service: Any, data: st.DataObject) -> None:
    if service.expected is None:
        await arrive(service.consumer, in_order(WORLD))
        service.expected = await service.stored()
    await service.begin_again()
    await arrive(service.consumer, data.draw(schedules(WORLD)))
    service.check(await service.stored())


async def test_the_order_that_nobody_doubts_ends_where_it_should(service: Any) -> None:
    await arrive(service.consumer, in_order(WORLD))
    assert [who for who in PEOPLE if await may_decide(service.mongo, who)] == ["anna", "bram", "gijs"]
    stored = await service.stored()
    assert {name: list(stored[name]) for name in ("known_signing_keys", "ended_sessions")} == {
        "known_signing_keys": [SIGNING_KEYS[0].kid],
        "ended_sessions": [SESSIONS[0].session],
    }


async def test_an_account_that_is_confirmed_and_closed_in_one_batch_is_closed(service: Any) -> None:
    """As a consumer finds it that begins with a topic that is not compacted yet."""
    await arrive(service.consumer, [history(*accounts("anna", "confirmed", "closed"))])
    assert not await may_decide(service.mongo, "anna")


def confirmed(kind: Any, phase: str) -> Any:
    today = date(2027, 3, 1)
    return kind(request="wish", subject="hugo", done=phase, done_on=today, receipt="r", kept=())


CLOSING = saying(
    AccountEvent(account="hugo", state="closed", language="nl", roles=(), confirmed_on=date(2027, 3, 1), erasure="wish"), 2
)
LAST_WORD = saying(DeliveryEvent(cause="consent:erased:wish", asker="consent", outcome="accepted", on=date(2027, 3, 1)), 1)
ANSWERS = [
    saying(confirmed(ProfilesRequestPartEvent, "services"), 1),
    saying(confirmed(NotificationsRequestPartEvent, "services"), 1),
    saying(confirmed(NotificationsRequestPartEvent, "contact"), 2),
    saying(confirmed(IdentityRequestPartEvent, "identity"), 1),
    CLOSING,
]


@few_examples
@given(data=st.data())
async def test_r31_a_request_closes_in_whichever_order_its_answers_come(service: Any, data: st.DataObject) -> None:
    """As after a restored database, which reads the topics once more."""
    await service.begin_again()
    arriving = list(data.draw(st.permutations(ANSWERS)))
    arriving.insert(data.draw(st.integers(arriving.index(CLOSING) + 1, len(arriving))), LAST_WORD)
    await arrive(service.consumer, [[one] for one in arriving])
    await service.erasure.finish(service.mongo)
    found = await requests.request(service.mongo, "wish")
    assert found is not None
    assert (found.phase, found.waiting_for) == (Phase.CLOSED, [])
    assert await service.mongo.find(requests.EARLY, {}) == []
    await arrive(service.consumer, [arriving])  # all of it once more
    assert await requests.request(service.mongo, "wish") == found
