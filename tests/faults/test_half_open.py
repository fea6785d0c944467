"""A network that swallows everything keeps nobody waiting for ever."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from functools import partial
from urllib.parse import urlsplit

from chassis.clock import Clock
from chassis.mongo import BusyError, Mongo, transact
from testkit.faults.proxy import Proxy, Rule
from testkit.waiting import eventually


async def test_who_waits_for_a_half_open_database_is_told_in_time(mongo_url, mongo_database):
    there = urlsplit(mongo_url)
    proxy = Proxy(lambda *_: "me")
    server = await proxy.listen("mongod", 0, partial(asyncio.open_connection, there.hostname, there.port))
    port = server.sockets[0].getsockname()[1]
    url = mongo_url.replace(f":{there.port}/", f":{port}/").replace("replicaSet=rs0", "directConnection=true")
    mongo = Mongo(url, database=mongo_database, clock=Clock(), patience=timedelta(seconds=1))

    async def work(uow):
        uow.replace("things", {"_id": 1}, upsert=True)

    await mongo.ensure_indexes({"things": []})
    await transact(mongo, work)
    with proxy.ruled(Rule("half-open")):
        begun = asyncio.get_running_loop().time()
        with suppress(BusyError):
            await transact(mongo, work)
        assert asyncio.get_running_loop().time() - begun < 6
    await mongo.close()
    for line in set(proxy.lines):
        line.cut()
    await eventually(lambda: not proxy.lines)
    server.close()
