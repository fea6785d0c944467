"""Identity ends in the same state, and tells the same, whatever the way in which notifications' keys and questions arrive."""

import json
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from chassis.mongo import transact
from contracts.identity.contact import ContactEvent
from contracts.notifications.reseal import NotificationsResealEvent
from contracts.notifications.sealing_key import NotificationsSealingKeyEvent
from hypothesis import given
from hypothesis import strategies as st
from identity import app
from identity.accounts.model import Account, AccountRole, AccountState, Language
from identity.accounts.service import open_account
from identity.settings import IdentitySettings
from nacl.public import PrivateKey, SealedBox
from testkit.deliveries import History, arrive, few_examples, history, in_order, schedules

PEOPLE = ("anna", "bram", "cleo")


@dataclass(repr=False)
class Service:
    """Identity without a broker, and notifications' private keys."""

    made: app.Parts
    consumer: Any
    lab: Any
    keys: dict[str, PrivateKey] = field(default_factory=dict)

    async def add(self, who: str) -> None:
        """Open an account; there is no sealing key yet, so its contact waits."""
        address = f"{who}@x.example"
        account = Account(
            id=who,
            sequence=1,
            state=AccountState.CONFIRMED,
            language=Language.NL,
            roles=(AccountRole.CANDIDATE,),
            confirmed_on=self.made.clock.today(),
            address_hash=self.made.addresses.hash(address),
            address=await self.made.addresses.seal(who, address),
            password="-",
        )
        await transact(self.made.mongo, lambda uow: open_account(uow, account, address=address, post=self.made.post))

    def sealing_key(self, name: str, *, age: int = 0) -> NotificationsSealingKeyEvent:
        """A key in its first week, or an older one."""
        private, first = self.keys.setdefault(name, PrivateKey.generate()), self.made.clock.today() - timedelta(days=age)
        return NotificationsSealingKeyEvent(
            key_id=name,
            public_key=b64encode(bytes(private.public_key)).decode(),
            first_day=first,
            used_until=first + timedelta(days=6),
            destroyed_on=first + timedelta(days=14),
        )

    def wanted(self, who: str) -> NotificationsResealEvent:
        """Notifications asks for somebody's address again."""
        return NotificationsResealEvent(subject=who, reason="dark", asked_on=self.made.clock.today())

    async def end(self) -> dict[str, Any]:
        """Let the worker send what waited for a key, and return where it stands and what its last words say, opened."""
        [release] = [job for job in app.jobs_of(self.made) if job.name == "release-waiting"]
        await release.run()
        contacts = {}
        for who, event in (await self.lab.told(ContactEvent.topic.name)).items():
            opened = SealedBox(self.keys[event["sealed"]["key_id"]]).decrypt(b64decode(event["sealed"]["box"]))
            contacts[who] = (event["language"], json.loads(opened))
        return {"stored": await self.lab.stored(), "keys": await self.lab.keys(), "contacts": contacts}


def world(service: Service) -> list[History]:
    """Return all that notifications says."""
    week, next_key, old = (service.sealing_key(name, age=age) for name, age in (("week", 2), ("next", 0), ("old", 30)))
    return [
        history(week),
        history(next_key),
        history(old, then_gone=True),
        history(service.sealing_key("older", age=20)),
        history(service.wanted("anna"), service.wanted("anna"), service.wanted("anna")),
        history(service.wanted("bram")),
        history(service.wanted("stranger")),
    ]


@pytest.fixture
async def service(common: dict[str, Any], laboratory: Any) -> AsyncIterator[Service]:
    made = app.parts(IdentitySettings(**common))
    lab = laboratory(made.mongo, made.keyring)
    one = Service(made, app.build_worker(made.resources.settings, made=made).consumer, lab)
    await lab.begin_again()
    await made.mongo.ensure_indexes(*app.INDEXES)
    for who in PEOPLE:
        await one.add(who)
    await lab.remember()
    yield one
    await made.close()


@few_examples
@given(data=st.data())
async def test_whatever_the_way_in_which_everything_arrives_the_end_is_the_same(service: Service, data: st.DataObject) -> None:
    if service.lab.expected is None:
        await arrive(service.consumer, in_order(world(service)))
        service.lab.expected = await service.end()
    await service.lab.begin_again()
    await arrive(service.consumer, data.draw(schedules(world(service))))
    service.lab.check(await service.end())


async def test_the_order_that_nobody_doubts_ends_where_it_should(service: Service) -> None:
    await arrive(service.consumer, in_order(world(service)))
    end = await service.end()
    assert end["contacts"] == {who: ("nl", {"address": f"{who}@x.example"}) for who in PEOPLE}
    assert sorted(end["stored"]["known_sealing_keys"]) == ["next", "older", "week"]
    assert "waiting_events" not in end["stored"]


async def test_an_answer_that_waits_for_a_key_takes_the_place_of_the_earlier_one(service: Service) -> None:
    """The question may overtake the key: of one person there is one waiting word, the newest, and it leaves once."""
    await arrive(service.consumer, [history(service.wanted("anna"), service.wanted("anna"))])
    await arrive(service.consumer, [history(service.sealing_key("week"))])
    await service.end()
    rows = await service.made.mongo.find("outbox", {"topic": ContactEvent.topic.name, "key": "anna"})
    assert [row["sequence"] for row in rows] == [3]
