"""What the worker stores of keys and sessions reaches the API's copy within a poll."""

import asyncio
from base64 import urlsafe_b64encode
from datetime import timedelta

from chassis import known
from chassis.clock import Clock
from chassis.mongo import Mongo, transact
from chassis.uow import UnitOfWork
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from testkit.waiting import eventually

NOW = Clock().machine()


def key() -> str:
    return urlsafe_b64encode(Ed25519PrivateKey.generate().public_key().public_bytes_raw()).decode().rstrip("=")


async def learn(
    mongo: Mongo, *, kids: tuple[str, ...] = (), sessions: tuple[str, ...] = (), forget: tuple[str, ...] = ()
) -> None:
    async def work(uow: UnitOfWork) -> None:
        for kid in kids:
            known.store_signing_key(uow, kid=kid, x=key(), not_before=NOW, not_after=NOW + timedelta(days=30))
        for session in sessions:
            known.store_ended_session(uow, session=session, at=Clock().machine())
        for kid in forget:
            known.forget_signing_key(uow, kid)

    await transact(mongo, work)


async def test_a_copy_follows_what_is_stored(mongo: Mongo) -> None:
    await mongo.ensure_indexes(known.INDEXES)
    copy = known.Known(mongo, poll=timedelta(milliseconds=50))
    polling = asyncio.create_task(copy.run())
    try:
        await learn(mongo, kids=("k1",), sessions=("s1",))
        await eventually(lambda: copy.key("k1") and copy.has_ended("s1"))
        await learn(mongo, sessions=("s2",), forget=("k1",))
        await eventually(lambda: copy.key("k1") is None and copy.has_ended("s2"))
        assert copy.has_ended("s1")
        assert not copy.has_ended("s3")
    finally:
        polling.cancel()


async def test_a_replayed_event_changes_nothing(mongo: Mongo) -> None:
    for _ in range(2):
        await learn(mongo, kids=("k1",), sessions=("s1",))
    copy = known.Known(mongo)
    await copy.refresh()
    assert copy.key("k1") is not None
    assert len(await mongo.find(known.ENDED, {})) == 1


async def test_later_looks_read_only_what_is_new(mongo: Mongo) -> None:
    copy = known.Known(mongo)
    await learn(mongo, sessions=("s1",))
    await copy.refresh()
    await mongo.database[known.ENDED].insert_one({"_id": "old", "at": Clock().machine() - timedelta(hours=2)})
    await mongo.database[known.ENDED].insert_one({"_id": "late", "at": Clock().machine() - timedelta(seconds=30)})
    await copy.refresh()
    assert (copy.has_ended("old"), copy.has_ended("late")) == (False, True)
