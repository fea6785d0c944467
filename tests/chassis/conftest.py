"""Fixtures of the chassis tests."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from chassis.clock import Clock
from chassis.mongo import Mongo


@pytest.fixture
async def mongo(mongo_url: str, mongo_database: str) -> AsyncIterator[Mongo]:
    """A database of this test's own."""
    made = Mongo(mongo_url, database=mongo_database, clock=Clock(), patience=timedelta(seconds=10))
    yield made
    await made.close()
