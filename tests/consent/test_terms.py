"""R28: what proves a consent, and a request that was closed, goes five years after its end; over the real Kafka, by the jobs."""

from datetime import date, timedelta
from itertools import groupby

import pytest
from chassis.clock import years_later
from chassis.ids import new_id
from chassis.mongo import transact
from chassis.resources import connect
from consent.app import build_worker, use_cases
from consent.decisions import service as decisions
from consent.requests import service as requests
from consent.requests import store as request_store
from consent.requests.model import ErasureRequest, Phase
from contracts.consent.decision import DecisionEvent
from contracts.consent.request import RequestEvent
from contracts.identity.account import AccountEvent
from contracts.notifications.request_part import NotificationsRequestPartEvent
from testkit.deliveries import put, saying
from testkit.parts import fresh_name, kafka_settings
from testkit.probe import read_topic
from testkit.running import working
from testkit.waiting import eventually

PURPOSE = "candidate-search"
KEPT = ("presentations", "decisions", "decision_history", "requests")


@pytest.fixture
async def worker(consent, kafka):
    """The worker on the API's database, that looks for what is due all the time."""
    often = {"terms_every": timedelta(seconds=0.3), "erasure_settled": timedelta(seconds=0.3)}
    settings = consent.settings.model_copy(update={**kafka_settings(kafka), **often})
    made = connect(settings)
    async with working(build_worker(settings, made=made, group=fresh_name("consent"))) as running:
        yield running
    await made.close()


def years_pass(consent, years: int, days: int = 0) -> None:
    """Turn to the same day so many years later, and so many days."""
    consent.turn((years_later(consent.clock.today(), years) - consent.clock.today()).days + days)


async def of(consent, subject: str) -> dict[str, int]:
    """How many documents there are of a person, by collection."""
    return {name: len(await consent.mongo.find(name, {"subject": subject})) for name in KEPT}


async def jobs(consent) -> int:
    """Let both jobs run once."""
    years = consent.settings.proof_years
    return await decisions.remove_ended(consent.mongo, years) + await requests.remove_closed(consent.mongo, years)


async def told(worker, event: type, key: str) -> list[bytes | None]:
    """What the topic says of a key, in order; None is a tombstone. What came twice, as a relay may send it, is one."""
    said = [one.value for one in await read_topic(worker.kafka, event.topic.name) if one.key == key.encode()]
    return [value for value, _ in groupby(said)]


async def consented(person) -> None:
    assert (await person.decide(await person.shown())).status_code == 200


async def test_r28_what_proves_a_consent_goes_five_years_after_it_was_withdrawn_and_every_service_forgets_it(consent, worker):
    anna, bert = consent.person(), consent.person()
    for one in (anna, bert):
        await consented(one)
    await anna.withdraw()
    years_pass(consent, 5, days=-1)
    assert (await of(consent, anna.subject))["decision_history"] == 3
    consent.turn(1)
    key = f"{anna.subject}:{PURPOSE}:portal"

    async def forgotten() -> bool:
        return (await told(worker, DecisionEvent, key))[-1:] == [None]

    await eventually(forgotten, timeout=30)
    assert set((await of(consent, anna.subject)).values()) == {0}
    assert await of(consent, bert.subject) == {"presentations": 1, "decisions": 1, "decision_history": 2, "requests": 0}
    assert (await bert.states())[PURPOSE] == "consented"


async def test_r28_a_day_before_the_term_everything_is_there(consent):
    anna = consent.person()
    await consented(anna)
    await anna.withdraw()
    years_pass(consent, 5, days=-1)
    assert await jobs(consent) == 0
    consent.turn(1)
    assert await jobs(consent) == 5  # three lines, what was shown, where she stood


async def test_r28_who_consents_again_afterwards_is_heard_by_those_who_forgot_the_first_time(consent):
    """Followers pass over a sequence that is not higher than the one that they know."""
    anna = consent.person()
    await consented(anna)
    await anna.withdraw()
    years_pass(consent, 5)
    await jobs(consent)
    await consented(anna)
    assert [row["sequence"] for row in await consent.outbox(anna.subject)] == [1, 2, 3, 4, 5, 6]
    assert (await anna.states())[PURPOSE] == "consented"


async def test_r28_an_earlier_consent_goes_and_the_one_that_was_given_since_stays(consent):
    anna = consent.person()
    await consented(anna)
    await anna.withdraw()
    consent.turn(1)
    await consented(anna)
    years_pass(consent, 5)
    assert await jobs(consent) == 4
    assert await of(consent, anna.subject) == {"presentations": 1, "decisions": 1, "decision_history": 1, "requests": 0}
    assert (await anna.states())[PURPOSE] == "consented"
    assert not [row for row in await consent.outbox(anna.subject) if row["body"] is None]


async def test_r28_a_consent_that_goes_on_is_proved_for_as_long_as_it_does(consent):
    anna = consent.person()
    await consented(anna)
    years_pass(consent, 20)
    assert await jobs(consent) == 0


async def test_r28_what_was_shown_and_led_to_nothing_goes_too(consent):
    anna = consent.person()
    await consented(anna)
    await anna.shown()
    years_pass(consent, 5)
    assert await jobs(consent) == 1
    assert (await of(consent, anna.subject))["presentations"] == 1


async def test_r28_more_than_a_run_removes_at_once_goes_in_several(consent, monkeypatch):
    monkeypatch.setattr(decisions, "BATCH", 2)
    people = [consent.person() for _ in range(3)]
    for one in people:
        for _ in range(2):
            await consented(one)
            await one.withdraw()
    years_pass(consent, 5)
    runs = [gone for gone in [await jobs(consent) for _ in range(12)] if gone]
    assert len(runs) > 3
    assert sum(runs) == 3 * (5 + 2 + 1)
    assert [set((await of(consent, one.subject)).values()) for one in people] == [{0}] * 3
    gone = [(await consent.outbox(one.subject))[-1] for one in people]
    assert [row["body"] for row in gone] == [None] * 3


async def test_r28_of_somebody_erased_the_proof_goes_five_years_later_and_the_id_stays_among_the_erased(consent, worker):
    anna, request = consent.person(), new_id()
    await consented(anna)
    event = {"account": anna.subject, "state": "closed", "language": "nl", "roles": ("candidate",), "erasure": request}
    await put(worker.kafka, saying(AccountEvent.model_validate({**event, "confirmed_on": date(2027, 1, 1)}), 2))

    async def erased() -> bool:
        row = await consent.mongo.find_one("erasures", {"_id": anna.subject})
        return row is not None and row["begun"] is None

    await eventually(erased, timeout=30)
    years_pass(consent, 5)

    async def gone() -> bool:
        left = await of(consent, anna.subject)
        return left == {"presentations": 0, "decisions": 0, "decision_history": 0, "requests": 1}

    await eventually(gone, timeout=30)
    assert await consent.mongo.find_one("erasures", {"_id": anna.subject}) is not None
    assert await consent.mongo.find("forgotten_decisions", {}) == []
    assert (await told(worker, DecisionEvent, f"{anna.subject}:{PURPOSE}:portal"))[-1] is None


def closed(on: date) -> ErasureRequest:
    return ErasureRequest(new_id(), new_id(), on, on, new_id(), "nl", phase=Phase.CLOSED, closed_on=on)


async def keep(consent, *found: ErasureRequest) -> None:
    async def work(uow) -> None:
        for one in found:
            request_store.add(uow, one)

    await transact(consent.mongo, work)


async def test_r28_a_request_goes_five_years_after_it_was_closed_and_nobody_opens_it_again(consent, worker):
    today = consent.clock.today()
    old, young = closed(today), closed(today + timedelta(days=1))
    still = ErasureRequest(new_id(), new_id(), today, today, new_id(), "nl")
    await keep(consent, old, young, still)
    years_pass(consent, 5)

    async def forgotten() -> bool:
        return await told(worker, RequestEvent, old.id) == [None]

    await eventually(forgotten, timeout=30)
    kept = await consent.mongo.find("requests", {"_id": {"$in": [old.id, young.id, still.id]}})
    assert {row["_id"] for row in kept} == {young.id, still.id}
    operator = consent.person("operator")
    shown = (await operator.get("/requests", params={"closed": "true"})).json()["items"]
    assert old.id not in {one["id"] for one in shown}
    event = {"account": old.subject, "state": "closed", "language": "nl", "roles": ("candidate",), "erasure": old.id}
    await put(worker.kafka, saying(AccountEvent.model_validate({**event, "confirmed_on": today}), 7))
    part = {"request": old.id, "subject": old.subject, "done": "services", "done_on": today, "receipt": "r"}
    await put(worker.kafka, saying(NotificationsRequestPartEvent.model_validate(part), 7))

    async def heard() -> bool:
        rows = await consent.mongo.find("inbox", {"_id": {"$regex": f"({old.id}|{old.subject})$"}})
        return len(rows) == 2

    await eventually(heard, timeout=30)
    assert await consent.mongo.find_one("requests", {"_id": old.id}) is None
    assert await consent.mongo.find("early_request_parts", {"request": old.id}) == []
    assert await told(worker, RequestEvent, old.id) == [None]


async def test_r28_the_certificate_names_the_term_that_the_jobs_keep(consent):
    """Or the setting would promise one thing and the certificate another."""
    told = {"proof_years": 7, "erasure_settled": timedelta()}
    made = use_cases(connect(consent.settings.model_copy(update=told)))
    subject, request = new_id(), new_id()

    async def work(uow) -> None:
        await made.requests.open(uow, request=request, subject=subject, language="nl")
        await made.erasure.begin(uow, request=request, subject=subject, phase=Phase.SERVICES)

    await transact(consent.mongo, work)
    assert await made.erasure.finish(consent.mongo) == 1
    found = await request_store.request(consent.mongo, request)
    assert {kept.until for kept in found.parts["consent"].kept} == {years_later(consent.clock.today(), 7)}
    await made.made.close()
