"""The questions of the benchmark `growth` mean something: each finds exactly those of the crowd that it should."""

from testkit.bench.crowd import INDEXES, fill
from testkit.bench.ground import Ground
from testkit.bench.questions import QUESTIONS


async def test_every_question_has_as_many_results_whatever_the_size_of_the_crowd(kafka, mongo_url):
    ground, found = Ground(kafka, mongo_url), []
    for people in (100, 300):
        async with ground.database(*INDEXES) as mongo:
            await fill(ground, mongo, people)
            await mongo.ensure_indexes(*INDEXES)
            found.append({question.name: len(await question.ask(mongo)) for question in QUESTIONS})
    expected = {question.name: question.results for question in QUESTIONS}
    assert found == [expected, expected]
