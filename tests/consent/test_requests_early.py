"""R31: news of a request may come before the request itself, as after an older dump and a replay: it ends all the same."""

from functools import partial
from itertools import permutations

import pytest
from chassis.ids import new_id
from chassis.mongo import transact
from chassis.resources import connect
from consent.app import use_cases
from consent.requests.model import ASKED, Kept, Part, Phase, Word

LAST = "consent:erased"


@pytest.mark.parametrize("order", list(permutations(["word", "parts", "open"])))
async def test_r31_a_request_ends_whichever_of_its_news_comes_first(consent, order):
    made, request, subject = use_cases(connect(consent.settings)), new_id(), new_id()
    told, today = made.requests, consent.clock.today()

    def part(phase: Phase) -> Part:
        return Part(phase, today, {}, "receipt", (Kept("consent-records", "gdpr-7-1", today),))

    async def one(what: str, uow) -> None:
        match what:
            case "word":
                await told.delivered(uow, f"{LAST}:{request}", Word.GIVEN_UP)
            case "open":
                await told.open(uow, request=request, subject=subject, language="nl")
            case "parts":
                for phase, services in ASKED.items():
                    for service in services:
                        await told.confirm(uow, request, service, part(phase))

    for what in order:
        await transact(consent.mongo, partial(one, what))
    row = await consent.mongo.find_one("requests", {"_id": request})
    assert row["phase"] == Phase.CLOSED
    assert await consent.mongo.find("early_request_parts", {"request": request}) == []
    await made.made.close()
