"""The benchmarks of the messaging reach what they wrap: a relay that changed its form would be measured as nothing."""

import pytest
from chassis import outbox
from testkit.bench import consuming, relaying
from testkit.bench.ground import Ground


@pytest.fixture
def ground(kafka, mongo_url):
    return Ground(kafka, mongo_url)


async def test_a_full_outbox_is_emptied_with_and_without_kafka(ground, monkeypatch):
    monkeypatch.setattr(relaying, "ROWS", 400)
    async with ground.stream() as stream, ground.database(outbox.INDEXES) as mongo:
        for made in (relaying._relay(mongo, stream, ground), relaying.without_kafka(relaying._relay(mongo, stream, ground))):
            assert await relaying._drained(mongo, made) > 0
            assert await mongo.find_one(outbox.COLLECTION, {}) is None


async def test_every_event_is_consumed_in_batches_and_one_by_one(ground):
    async with ground.stream() as stream:
        await consuming._fill(ground, stream, 60)
        for one_by_one in (False, True):
            assert await consuming._rate(ground, stream, consuming.keep_latest, 60, one_by_one=one_by_one) > 0
