"""Erasing a person from a service: at once, again until nothing is left, and again when an old dump brings them back."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from chassis import erasure as erasures
from chassis import keyring as keyrings
from chassis.erasure import Erased, Erasure, Step, is_erased, on_request
from chassis.ids import new_id
from chassis.inbox import Subscription, decode
from chassis.keyfolder import KeyFolder
from chassis.keyring import KeyDestroyedError, Keyring, SubjectErasedError
from chassis.mongo import Mongo, transact
from chassis.uow import UnitOfWork
from contracts.consent.request import RequestEvent
from contracts.profiles.request_part import ProfilesRequestPartEvent
from testkit.clocks import TurnedClock
from testkit.deliveries import tombstone

THINGS = "things"
SETTLED = timedelta(seconds=30)


class Service:
    """A service that keeps things of people, and letters that go only with the last step."""

    def __init__(self, mongo: Mongo, keyring: Keyring, clock: TurnedClock) -> None:
        self.mongo, self.keyring, self.clock = mongo, keyring, clock
        self.told: list[tuple[Erased, int]] = []
        self.steps = (Step("services", self._forget("thing"), ends=False), Step("contact", self._forget("letter")))
        self.erasure = Erasure(keyring, self.steps, self._tell, SETTLED, ProfilesRequestPartEvent.topic)

    async def keeps(self, subject: str, kind: str = "thing") -> str:
        """Keep something of somebody, as a change does that was on its way."""
        name = new_id()

        async def work(uow: UnitOfWork) -> None:
            uow.insert(THINGS, {"_id": name, "subject": subject, "kind": kind})

        await transact(self.mongo, work)
        return name

    async def asked(self, subject: str, phase: str = "services", request: str = "request") -> None:
        """Hear of a request."""

        async def work(uow: UnitOfWork) -> None:
            await self.erasure.begin(uow, request=request, subject=subject, phase=phase)

        await transact(self.mongo, work)

    async def left(self, subject: str) -> list[dict[str, Any]]:
        """Return what is kept of somebody."""
        return await self.mongo.find(THINGS, {"subject": subject})

    async def settle(self) -> None:
        """Let the time pass after which no change is on its way any more."""
        self.clock.ahead += SETTLED
        await self.erasure.finish(self.mongo)

    def _forget(self, kind: str) -> erasures.Forget:
        async def forget(uow: UnitOfWork, subject: str) -> dict[str, int]:
            found = await uow.find(THINGS, {"subject": subject, "kind": kind})
            for one in found:
                uow.delete(THINGS, {"_id": one["_id"]})
            return {kind: len(found)}

        return forget

    async def _tell(self, uow: UnitOfWork, erased: Erased, sequence: int) -> None:
        self.told.append((erased, sequence))


@pytest.fixture
async def service(mongo_url: str, mongo_database: str, tmp_path: Path) -> AsyncIterator[Service]:
    clock = TurnedClock()
    mongo = Mongo(mongo_url, database=mongo_database, clock=clock, patience=timedelta(seconds=10))
    keys = Mongo(mongo_url, database=f"{mongo_database}_keyring", clock=clock, patience=timedelta(seconds=10))
    await mongo.ensure_indexes(erasures.INDEXES, {THINGS: []})
    await keys.ensure_indexes(keyrings.INDEXES)
    yield Service(mongo, Keyring(keys, KeyFolder(tmp_path)), clock)
    await keys.client.drop_database(keys.database.name)
    await keys.close()
    await mongo.close()


async def test_everything_goes_at_once_and_nobody_elses(service: Service):
    await service.keeps("an")
    other = await service.keeps("jan")
    await service.asked("an")
    assert await service.left("an") == []
    assert [one["_id"] for one in await service.left("jan")] == [other]
    assert await is_erased(service.mongo, "an")
    assert not await is_erased(service.mongo, "jan")
    assert service.told == []  # not before it was looked at again


async def test_what_was_on_its_way_goes_too_and_is_counted_before_the_step_is_confirmed(service: Service):
    await service.keeps("an")
    await service.asked("an")
    await service.erasure.finish(service.mongo)
    await service.keeps("an")
    await service.keeps("an")
    await service.settle()
    assert await service.left("an") == []
    (erased, sequence), *more = service.told
    assert more == []
    assert (erased.request, erased.subject, erased.step, dict(erased.counts)) == ("request", "an", "services", {"thing": 3})
    assert len(erased.receipt) == 64
    assert await service.erasure.finish(service.mongo) == 0
    await service.asked("an")  # a second copy of the request: confirmed again, under a higher sequence
    (again, later) = service.told[-1]
    assert again.receipt == erased.receipt
    assert later > sequence


async def test_a_receipt_stands_for_what_it_confirms(service: Service):
    await service.asked("an")
    await service.asked("jan")
    await service.settle()
    (an, _), (jan, _) = service.told
    assert an.receipt != jan.receipt


async def test_with_the_requests_term_what_was_confirmed_is_forgotten_and_nobody_comes_back(service: Service):
    gone = [tombstone(RequestEvent, request, 5).record() for request in ("request", "other")]
    heard = [decode(one, {(one.topic, RequestEvent.topic.event_type): Subscription(RequestEvent, _nothing)}) for one in gone]
    await service.asked("an")
    await service.settle()

    async def work(uow: UnitOfWork) -> None:
        for one in [*heard, *heard]:
            await on_request(service.erasure)(one, uow)

    await transact(service.mongo, work)
    rows = await service.mongo.find("outbox", {})
    confirmed = service.told[-1][1]
    assert [(row["key"], row["body"], row["topic"]) for row in rows] == [("request", None, "profiles.request-part.v1")]
    assert rows[0]["sequence"] > confirmed
    assert await is_erased(service.mongo, "an")


async def _nothing(_incoming: object, _uow: UnitOfWork) -> None:
    """Stands for a handler that is not asked."""


async def test_keys_are_kept_until_the_last_step_and_then_never_made_again(service: Service):
    await service.keyring.key("an", "contact")
    await service.keeps("an", "letter")
    await service.asked("an")
    await service.settle()
    assert len(await service.left("an")) == 1
    await service.keyring.existing("an", "contact")
    await service.asked("an", phase="identity")
    assert len(await service.left("an")) == 1
    await service.asked("an", phase="contact")
    assert await service.left("an") == []
    await service.erasure.finish(service.mongo)
    with pytest.raises(KeyDestroyedError):
        await service.keyring.existing("an", "contact")
    with pytest.raises(SubjectErasedError):
        await service.keyring.key("an", "anything")
    await service.settle()
    assert [erased.step for erased, _ in service.told][-1] == "contact"


async def test_a_request_whose_earlier_phase_was_never_heard_does_that_too(service: Service):
    await service.keeps("an")
    await service.keeps("an", "letter")
    await service.asked("an", phase="closed")
    assert await service.left("an") == []
    await service.settle()
    assert [erased.step for erased, _ in service.told] == ["contact"]


async def test_an_older_dump_of_the_database_brings_nobody_back(service: Service):
    kept = await service.keeps("jan")
    await service.keeps("an")
    dump = await service.mongo.find(THINGS, {})
    await service.asked("an", phase="contact")
    await service.settle()
    for collection in (THINGS, erasures.COLLECTION):
        await service.mongo.database[collection].delete_many({})
    await service.mongo.database[THINGS].insert_many(dump)
    assert await service.erasure.catch_up(service.mongo) == 1
    assert await service.left("an") == []
    assert [one["_id"] for one in await service.left("jan")] == [kept]
    assert await is_erased(service.mongo, "an")
    assert await service.erasure.catch_up(service.mongo) == 0


async def test_a_dump_from_the_middle_of_an_erasure_is_finished(service: Service):
    await service.keeps("an")
    await service.asked("an", phase="contact")
    row = await service.mongo.find_one(erasures.COLLECTION, {"_id": "an"})
    await service.settle()
    confirmed = len(service.told)
    await service.mongo.database[erasures.COLLECTION].replace_one({"_id": "an"}, row)
    await service.keeps("an")
    assert await service.erasure.catch_up(service.mongo) == 0
    await service.settle()
    assert await service.left("an") == []
    assert len(service.told) == confirmed + 1


class KilledError(Exception):
    """The process ends here."""


@pytest.mark.parametrize("step", ["before the keys", "after the keys", "while it looks again", "while it confirms"])
async def test_killed_at_any_step_it_goes_on_and_confirms_once(service: Service, step: str):
    await service.keeps("an")
    await service.keyring.key("an", "contact")
    await service.asked("an", phase="contact")
    await service.keeps("an")
    service.clock.ahead += SETTLED
    erase, tell, forget = service.keyring.erase, service._tell, service._forget("thing")

    async def erases(subject: str) -> None:
        if step == "after the keys":
            await erase(subject)
        raise KilledError

    async def forgets(uow: UnitOfWork, subject: str) -> dict[str, int]:
        await forget(uow, subject)
        raise KilledError

    async def tells(uow: UnitOfWork, erased: Erased, sequence: int) -> None:
        raise KilledError

    first, last = service.steps
    dying = Erasure(
        Dying(service.keyring, erases) if "keys" in step else service.keyring,  # type: ignore[arg-type]  # the wrapper is the point
        (first, Step(last.name, forgets)) if "looks" in step else service.steps,
        tells if "confirms" in step else tell,
        SETTLED,
    )
    with pytest.raises(KilledError):
        await dying.finish(service.mongo)
    assert service.told == []
    assert await service.erasure.finish(service.mongo) == 1
    assert await service.left("an") == []
    assert [(erased.step, dict(erased.counts)) for erased, _ in service.told] == [("contact", {"letter": 0, "thing": 1})]
    with pytest.raises(SubjectErasedError):
        await service.keyring.existing("an", "contact")


class Dying:
    """A keyring in a process that dies when it erases."""

    def __init__(self, keyring: Keyring, erase: Any) -> None:
        self.mongo, self.erase = keyring.mongo, erase
