"""Change streams: what is written once one is open is heard, however late anybody asks for the first change."""

import asyncio

import pytest
from chassis.mongo import transact
from chassis.uow import UnitOfWork

WRITTEN = [{"$match": {"operationType": "insert"}}]


async def insert(mongo, name: str) -> None:
    async def work(uow: UnitOfWork) -> None:
        uow.insert("things", {"_id": name})

    await transact(mongo, work)


@pytest.mark.parametrize("everywhere", [True, False])
async def test_a_stream_begins_when_it_is_opened_and_not_when_its_first_change_is_asked_for(mongo, everywhere):
    await insert(mongo, "before")
    assert await mongo.find("things", {"_id": "before"})
    async with mongo.watch_all(WRITTEN) if everywhere else mongo.watch("things", WRITTEN) as changes:
        await insert(mongo, "meanwhile")
        async with asyncio.timeout(20):
            heard = {(await anext(changes))["documentKey"]["_id"]}
            while "meanwhile" not in heard:
                heard.add((await anext(changes))["documentKey"]["_id"])
    assert heard <= {"before", "meanwhile"}
