"""What the benchmark `growth` asks: each question finds exactly those of the crowd that it should, by an index."""

from contextlib import asynccontextmanager

from testkit.bench.crowd import INDEXES, fill
from testkit.bench.ground import Ground
from testkit.bench.questions import QUESTIONS

EXPECTED = {question.name: question.results for question in QUESTIONS}


@asynccontextmanager
async def crowd(kafka, mongo_url, people):
    ground = Ground(kafka, mongo_url)
    async with ground.database() as mongo:
        await fill(ground, mongo, people)
        await mongo.ensure_indexes(*INDEXES)
        yield mongo


class Explaining:
    """Reads, and notes how many documents the database looked at."""

    def __init__(self, mongo):
        self.mongo, self.clock, self.looked_at = mongo, mongo.clock, 0

    async def find_one(self, collection, where):
        found = await self.find(collection, where, limit=1)
        return found[0] if found else None

    async def find(self, collection, where, *, sort=None, limit=0):
        asked = {"find": collection, "filter": where, "sort": dict(sort or ()), "limit": limit}
        plan = await self.mongo.database.command("explain", asked, verbosity="executionStats")
        self.looked_at += plan["executionStats"]["totalDocsExamined"]
        return await self.mongo.find(collection, where, sort=sort, limit=limit)


async def test_every_question_has_as_many_results_in_a_small_crowd(kafka, mongo_url):
    async with crowd(kafka, mongo_url, 100) as mongo:
        found = {question.name: len(await question.ask(mongo)) for question in QUESTIONS}
    assert found == EXPECTED


async def test_no_question_looks_at_the_whole_crowd(kafka, mongo_url):
    async with crowd(kafka, mongo_url, 2000) as mongo:
        found, looked_at = {}, {}
        for question in QUESTIONS:
            explaining = Explaining(mongo)
            found[question.name] = len(await question.ask(explaining))
            looked_at[question.name] = explaining.looked_at
    assert found == EXPECTED
    assert {name: count for name, count in looked_at.items() if count > 2 * EXPECTED[name]} == {}
