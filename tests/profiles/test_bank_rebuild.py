"""The projection `bank` can be lost: it is made anew from the profiles, and nobody comes back who left meanwhile."""

from dataclasses import replace

import pytest
from profiles.bank.service import rebuild
from testkit.samples import people

PATHS = ("identity.place", "career.headline", "career.skills", "career.education", "wishes.place", "wishes.hours_to")


@pytest.fixture
async def candidates(world):
    """All sample people, in the bank."""
    made = []
    for person in people():
        candidate = world.candidate()
        await candidate.tell(person.profile)
        await candidate.show(**dict.fromkeys(PATHS, "shown"))
        await world.consent(candidate.subject)
        assert (await candidate.activate()).json()["in_bank"] is True
        made.append(candidate)
    return made


async def entries(world):
    return await world.made.mongo.find("bank", {}, sort=[("_id", 1)])


async def rebuilt(world, kept=None):
    told = []
    await rebuild(world.made.mongo, kept or world.made.records, tell=told.append)
    return told


async def test_r19_a_dropped_projection_is_made_anew_exactly_as_it_was(world, candidates):
    await candidates[0].send("POST", "/me/anonymity")
    await world.consent(candidates[1].subject, "withdrawn")
    before = await entries(world)
    assert len(before) == len(candidates) - 1
    await world.made.mongo.database["bank"].delete_many({})
    told = await rebuilt(world)
    assert await entries(world) == before
    assert told[0] == f"{len(candidates)} profiles looked at"
    await rebuilt(world)
    assert await entries(world) == before


async def test_r19_entries_that_should_not_be_there_go(world, candidates):
    """Who left, who was erased, and what an older form left in an entry."""
    before = await entries(world)
    bank = world.made.mongo.database["bank"]
    await world.consent(candidates[0].subject, "withdrawn")
    await bank.insert_one(before[0] | {"_id": candidates[0].subject})
    await bank.insert_one({"_id": "nobody", "handle": "h"})
    await bank.update_one({"_id": candidates[1].subject}, {"$set": {"old": 1}})
    await rebuilt(world)
    assert await entries(world) == [entry for entry in before if entry["_id"] != candidates[0].subject]


async def test_r19_who_leaves_while_the_bank_is_rebuilt_is_not_put_back(world, candidates):
    """The withdrawal is committed after the rebuild has read the profile and before it has written the entry."""
    leaver = candidates[0].subject
    await world.made.mongo.database["bank"].delete_many({})
    left = []

    async def project(uow, *, subject, handle, seen):
        if subject == leaver and not left:
            left.append(subject)
            await world.consent(leaver, "withdrawn")
        await world.made.records.project(uow, subject=subject, handle=handle, seen=seen)

    await rebuilt(world, replace(world.made.records, project=project))
    assert left
    assert leaver not in [entry["_id"] for entry in await entries(world)]
    assert len(await entries(world)) == len(candidates) - 1
