"""The unit of work and its transaction on real MongoDB: all or nothing, retried, guarded by the sequence."""

import asyncio
from datetime import timedelta

import pytest
from chassis.clock import Clock
from chassis.mongo import TRANSIENT, BusyError, Mongo, transact
from chassis.outbox import MAX_BYTES, EventTooLargeError
from chassis.uow import StaleWriteError
from pymongo.errors import OperationFailure, PyMongoError
from testkit.counters import fresh_stream, raise_counter


async def test_state_and_event_come_together_or_not_at_all(mongo):
    stream = fresh_stream()

    async def fails_late(uow):
        uow.insert("counters", {"_id": "c", "sequence": 1})
        uow.emit(stream.event(counter="c", value=1), sequence=1)
        await uow.flush()
        raise RuntimeError("after the writes")

    with pytest.raises(RuntimeError):
        await transact(mongo, fails_late)
    assert (await mongo.find("counters", {}), await mongo.find("outbox", {})) == ([], [])
    await raise_counter(mongo, stream, "c")
    assert [len(await mongo.find(name, {})) for name in ("counters", "outbox")] == [1, 1]


async def test_concurrent_changes_give_each_sequence_once(mongo):
    stream = fresh_stream()
    await raise_counter(mongo, stream, "c")
    sequences = await asyncio.gather(*(raise_counter(mongo, stream, "c") for _ in range(20)))
    assert sorted(sequences) == list(range(2, 22))
    rows = await mongo.find("outbox", {}, sort=[("sequence", 1)])
    assert [row["sequence"] for row in rows] == list(range(1, 22))


async def test_a_read_sees_what_was_written_before_it(mongo):
    async def work(uow):
        uow.insert("things", {"_id": 1, "sequence": 1, "name": "a"})
        first = await uow.find_one("things", {"_id": 1})
        first["name"] = "b"
        uow.save("things", first)
        return await uow.find_one("things", {"name": "b"})

    assert (await transact(mongo, work))["sequence"] == 2


async def test_of_several_whole_writes_to_one_document_the_last_one_stays(mongo):
    async def work(uow):
        document = {"_id": 1, "sequence": 1, "value": 0}
        uow.insert("things", document)
        for value in range(1, 4):
            document["value"] = value
            uow.save("things", document)

    await transact(mongo, work)
    assert await mongo.find("things", {}) == [{"_id": 1, "sequence": 4, "value": 3}]


@pytest.mark.parametrize("where", [{"_id": 1}, {"sequence": 1}, {"_id": {"$in": [1]}}])
async def test_writes_and_removals_of_one_document_keep_their_order(mongo, where):
    """Withdrawn, given again, withdrawn in one batch is withdrawn: the removal in the middle is not the last word."""

    async def ends_with_a_write(uow):
        uow.replace("things", {"_id": 1, "sequence": 1}, upsert=True)
        uow.delete("things", where)
        uow.replace("things", {"_id": 1, "sequence": 2}, upsert=True)
        uow.replace("things", {"_id": 1, "sequence": 3}, upsert=True)

    async def ends_with_a_removal(uow):
        uow.delete("things", {"sequence": 3})
        uow.replace("things", {"_id": 1, "sequence": 1}, upsert=True)
        uow.delete("things", where)

    await transact(mongo, ends_with_a_write)
    assert await mongo.find("things", {}) == [{"_id": 1, "sequence": 3}]
    await transact(mongo, ends_with_a_removal)
    assert await mongo.find("things", {}) == []


async def test_a_saved_document_may_be_changed_by_operators_and_saved_again(mongo):
    async def work(uow):
        document = {"_id": 1, "sequence": 1}
        uow.insert("things", document)
        uow.save("things", document)
        uow.update("things", {"_id": 1}, {"$set": {"seen": True}})
        uow.save("things", document | {"value": 1})

    await transact(mongo, work)
    assert await mongo.find("things", {}) == [{"_id": 1, "sequence": 3, "value": 1}]


async def test_a_write_against_another_sequence_than_was_read_is_refused(mongo):
    await mongo.database["things"].insert_one({"_id": 1, "sequence": 5})

    async def stale(uow):
        uow.save("things", {"_id": 1, "sequence": 4})

    with pytest.raises(StaleWriteError):
        await transact(mongo, stale)
    assert await mongo.find("things", {}) == [{"_id": 1, "sequence": 5}]


async def test_an_effect_is_there_once_however_often_its_cause_is_offered(mongo):
    async def offer(uow):
        uow.offer("mails", {"_id": "cause", "state": "due"})

    for _ in range(3):
        await transact(mongo, offer)
    await mongo.database["mails"].update_one({"_id": "cause"}, {"$set": {"state": "sent"}})
    await asyncio.gather(*(transact(mongo, offer) for _ in range(5)))
    assert await mongo.find("mails", {}) == [{"_id": "cause", "state": "sent"}]


async def test_an_event_too_large_for_its_topic_is_refused_with_its_change(mongo):
    stream = fresh_stream()

    async def work(uow):
        uow.insert("counters", {"_id": "c", "sequence": 1})
        uow.emit(stream.event(counter="c" * MAX_BYTES, value=1), sequence=1)

    with pytest.raises(EventTooLargeError):
        await transact(mongo, work)
    assert await mongo.find("counters", {}) == []


async def test_a_transient_error_runs_the_work_again(mongo):
    tries = []

    async def work(uow):
        tries.append(1)
        uow.insert("things", {"_id": len(tries), "sequence": 1})
        await uow.flush()
        if len(tries) < 3:
            raise _transient()

    await transact(mongo, work)
    assert [row["_id"] for row in await mongo.find("things", {})] == [3]


def _transient():
    return OperationFailure("conflict", 112, {"errorLabels": [TRANSIENT]})


async def test_when_patience_is_over_the_caller_is_told_that_the_database_is_busy(mongo_url, mongo_database):
    hasty = Mongo(mongo_url, database=mongo_database, clock=Clock(), patience=timedelta(seconds=0.2))

    async def never(uow):
        raise _transient()

    with pytest.raises(BusyError):
        await transact(hasty, never)
    await hasty.close()


async def test_an_unknown_commit_result_repeats_the_commit_and_not_the_work(mongo):
    commit, tries, runs = mongo.commit, [], []

    async def lost_answer(session):
        await commit(session)
        tries.append(1)
        if len(tries) == 1:
            raise OperationFailure("lost", 91, {"errorLabels": ["UnknownTransactionCommitResult"]})

    mongo.commit = lost_answer

    async def work(uow):
        runs.append(1)
        uow.update("things", {"_id": 1}, {"$inc": {"count": 1}}, upsert=True)

    await transact(mongo, work)
    assert (await mongo.find("things", {}), len(runs), len(tries)) == ([{"_id": 1, "count": 1}], 1, 2)


async def test_other_errors_are_not_retried(mongo):
    await mongo.database["things"].insert_one({"_id": 1})
    runs = []

    async def duplicate(uow):
        runs.append(1)
        uow.insert("things", {"_id": 1})

    with pytest.raises(PyMongoError):
        await transact(mongo, duplicate)
    assert len(runs) == 1
