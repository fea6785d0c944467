"""Notifications ends in the same state, and mails the same people, whatever the way in which events arrive.

Mails are sent after everything has arrived: what is mailed meanwhile was right when it went.
"""

from base64 import b64decode, b64encode
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from chassis.destruction import destroy_due
from chassis.mongo import transact
from chassis.resources import connect
from chassis.sealing import PRIVATE, turn_sealing_keys
from contracts.consent.decision import DecisionEvent
from contracts.identity.account import AccountEvent
from contracts.identity.contact import ContactEvent
from contracts.identity.mail_request import IdentityMailRequestEvent
from contracts.identity.organisation import SAMPLES as ORGANISATIONS
from contracts.identity.session import SAMPLES as SESSIONS
from contracts.identity.signing_key import SAMPLES as SIGNING_KEYS
from contracts.kinds import Sealed
from contracts.notifications.delivery import DeliveryEvent
from contracts.notifications.reseal import NotificationsResealEvent
from contracts.notifications.sealing_key import NotificationsSealingKeyEvent
from contracts.profiles.mail_request import ProfilesMailRequestEvent
from contracts.profiles.vacancy import SAMPLES as VACANCIES
from contracts.profiles.vacancy import VacancyEvent
from contracts.shapes.mail_request import MailRequestEvent
from hypothesis import given
from hypothesis import strategies as st
from nacl.public import PublicKey, SealedBox
from notifications import app
from notifications.contacts.service import Contact
from notifications.criteria import Criteria
from notifications.searches.model import Rhythm
from notifications.sending.model import Answer
from notifications.settings import NotificationsSettings
from notifications.smtp import Reply
from pydantic_core import to_json
from testkit.deliveries import Delivery, History, arrive, few_examples, history, in_order, schedules
from testkit.fanning import fan_out

DAY = date(2027, 3, 1)
PUBLISHED = date(2100, 1, 1)
"""News to every search, whenever it was saved."""
ORGANISATION = ORGANISATIONS[0]
SEARCHES = {"anna": "houtbouw", "bram": "houtbouw", "cleo": "staalbouw", "dirk": "houtbouw", "eva": "houtbouw"}


class Counter:
    """A mail server that takes everything."""

    def __init__(self) -> None:
        self.taken: list[str] = []

    async def connect(self) -> None:
        """Answer at once."""

    async def send(self, envelope: Any, *, before_data: Any) -> Reply:
        """Take it."""
        await before_data()
        self.taken.append(envelope.recipient)
        return Reply(Answer.ACCEPTED, 250)

    async def close(self) -> None:
        """Nothing is open."""


def account(who: str, state: str = "confirmed") -> AccountEvent:
    return AccountEvent(account=who, state=state, language="nl", roles=("candidate",), confirmed_on=DAY)


def decided(who: str, *states: str, purpose: str = "job-alert", controller: str = "portal") -> list[DecisionEvent]:
    same = {"subject": who, "purpose": purpose, "controller": controller, "statement_version": "2026-01", "language": "nl"}
    return [DecisionEvent.model_validate({**same, "state": state, "decided_on": DAY}) for state in states]


def vacancy(name: str, title: str, state: str = "open", **changes: Any) -> VacancyEvent:
    fresh = {"vacancy": name, "title": title, "state": state, "description": "", "skills": (), "valid_through": None}
    return VACANCIES[0].model_copy(update={**fresh, "published_on": PUBLISHED, **changes})


@dataclass(repr=False)
class Service:
    """Notifications without a broker, and its databases."""

    made: Any
    parts: app.Parts
    consumer: Any
    lab: Any
    world: Any = None
    taken: list[str] = field(default_factory=list)

    async def save(self, who: str, word: str) -> None:
        """Let somebody save a search."""
        criteria = Criteria(words=word)
        await transact(
            self.made.mongo, lambda uow: self.parts.searches.add(uow, subject=who, criteria=criteria, rhythm=Rhythm("immediate"))
        )

    async def seal(self, *, dark: bool = False, **details: str) -> Sealed:
        """Seal as others do; dark: to a key that is gone."""
        [row] = await self.made.keyring.mongo.find(PRIVATE, {})
        box = SealedBox(PublicKey(b64decode(row["public_key"]))).encrypt(to_json(details))
        return Sealed(key_id="gone" if dark else row["key_id"], box=b64encode(box).decode())

    async def contact(self, who: str, *, dark: bool = False, name: str = "", language: str = "nl") -> ContactEvent:
        sealed = await self.seal(dark=dark, address=f"{name or who}@x.example")
        return ContactEvent(account=who, sealed=sealed, language=language)

    async def ask(self, kind: type[MailRequestEvent], who: str, what: str, template: str, **more: Any) -> Any:
        """A mail that somebody asks for."""
        facts = (
            {"visible-until": "2027-03-01", "period-days": "28"} if template == "renewal-asked" else {"ended-on": "2027-03-01"}
        )
        cause = f"{kind.topic.owner}:{what}:{who}:1"
        same = {"cause": cause, "subject": who, "template": template, "language": "nl", "facts": facts, "address": "account"}
        return kind.model_validate(same | more)

    async def send(self) -> None:
        """Send everything that can be sent; what waits for a contact is left."""
        await fan_out(self.made.mongo, self.parts.fanout)
        mailer = Counter()
        sender = app.make_sender(self.parts, mailer)
        while await sender.round():
            pass
        self.taken = sorted(mailer.taken)

    async def end(self) -> dict[str, Any]:
        """Let everything go that is to go, and return where it stands and what it told."""
        await self.send()
        await destroy_due(self.made.mongo, self.made.keyring)
        stored = await self.lab.stored()
        for who, row in stored["contacts"].items():
            row["address"] = await self.parts.contacts.of(self.made.mongo, who) if row["address"] else None
        dropped = {
            cause for cause, mail in stored["mails"].items() if (mail["asker"], mail["state"]) == ("notifications", "given-up")
        }
        deliveries = await self.lab.told(DeliveryEvent.topic.name)
        for cause in dropped:  # an alert that nobody got: whether it was ever thought of depends on the way
            del stored["mails"][cause], deliveries[cause]
        told = stored.get("news", {})
        stored["news"] = {name: row | {"due": None} for name, row in told.items() if row["mail"] not in dropped}
        return {"stored": stored, "keys": await self.lab.keys(), "deliveries": deliveries, "taken": self.taken}


async def world(service: Service) -> list[History]:
    """Return what everybody says. Searches were saved before: Cleo looks for steel, the others for wood."""
    dark = [await service.contact("cleo", dark=True), await service.contact("cleo")]
    renewal = await service.ask(
        ProfilesMailRequestEvent, "anna", "ask", "renewal-asked", sealed=await service.seal(secret="s3cret")
    )
    return [
        history(account("anna")),
        history(await service.contact("anna", name="old"), await service.contact("anna", language="en")),
        history(*decided("anna", "withdrawn", "consented", "withdrawn", "consented")),
        history(account("bram"), account("bram", "locked"), account("bram")),
        history(await service.contact("bram")),
        history(*decided("bram", "withdrawn", "consented", "withdrawn")),
        history(*decided("bram", "consented", purpose="newsletter")),
        history(account("cleo")),
        history(*dark),
        history(account("dirk"), account("dirk", "closed")),
        history(await service.contact("dirk"), await service.contact("dirk", name="new")),
        history(account("eva"), account("eva", "closed"), then_gone=True),
        history(await service.contact("eva"), then_gone=True),
        history(*decided("eva", "withdrawn")),
        history(account("finn")),  # whose contact has not come yet
        history(await service.contact("gijs", dark=True)),
        history(renewal),
        history(
            await service.ask(ProfilesMailRequestEvent, "dirk", "ask", "renewal-asked", sealed=await service.seal(secret="x"))
        ),
        history(
            await service.ask(ProfilesMailRequestEvent, "cleo", "ask", "renewal-asked", sealed=await service.seal(dark=True))
        ),
        history(await service.ask(IdentityMailRequestEvent, "anna", "session-stolen", "session-stolen")),
        history(await service.ask(IdentityMailRequestEvent, "finn", "session-stolen", "session-stolen")),
        history(vacancy("v-wood", "Houtbouw"), vacancy("v-wood", "Timmerman houtbouw")),
        history(vacancy("v-closed", "Houtbouw"), vacancy("v-closed", "Houtbouw", "closed")),
        history(vacancy("v-gone", "Houtbouw"), then_gone=True),
        history(vacancy("v-turned", "Houtbouw"), vacancy("v-turned", "Staalbouw")),
        history(vacancy("v-again", "Houtbouw"), vacancy("v-again", "Houtbouw", "closed"), vacancy("v-again", "Houtbouw")),
        history(ORGANISATION, ORGANISATION.model_copy(update={"name": "De Steiger"})),
        history(ORGANISATION.model_copy(update={"organisation": "gone"}), then_gone=True),
        history(SESSIONS[0], then_gone=True),
        history(SESSIONS[0].model_copy(update={"session": "s2"})),
        history(SIGNING_KEYS[0]),
        history(SIGNING_KEYS[0].model_copy(update={"kid": "withdrawn"}), then_gone=True),
    ]


@pytest.fixture
async def service(common: dict[str, Any], clock_file: Path, laboratory: Any) -> AsyncIterator[Service]:
    made = connect(NotificationsSettings(**common))
    parts = app.use_cases(made)
    one = Service(made, parts, app.build_worker(made.settings, made=made).consumer, laboratory(made.mongo, made.keyring))
    await one.lab.begin_again()
    await made.mongo.ensure_indexes(*app.INDEXES)

    async def lagging() -> bool:
        return False

    await turn_sealing_keys(made.mongo, made.keyring, NotificationsSealingKeyEvent, lagging)
    for who, word in SEARCHES.items():
        await one.save(who, word)
    await one.lab.remember()
    yield one
    await made.close()


@few_examples
@given(data=st.data())
async def test_whatever_the_way_in_which_everything_arrives_the_end_is_the_same(service: Service, data: st.DataObject) -> None:
    if service.lab.expected is None:
        service.world = await world(service)
        await arrive(service.consumer, in_order(service.world))
        service.lab.expected = await service.end()
    await service.lab.begin_again()
    await arrive(service.consumer, data.draw(schedules(service.world)))
    service.lab.check(await service.end())


async def test_the_order_that_nobody_doubts_ends_where_it_should(service: Service) -> None:
    await arrive(service.consumer, in_order(await world(service)))
    end = await service.end()
    told = {cause: mail["state"] for cause, mail in end["stored"]["mails"].items()}
    searches = {row["subject"]: name for name, row in end["stored"]["searches"].items()}
    assert sorted(searches) == ["anna", "bram", "cleo"]
    alerts = {
        (who, name): told.get(f"notifications:alert:{searches[who]}:{name}")
        for who in searches
        for name in ("v-wood", "v-again", "v-turned")
    }
    assert {pair for pair, state in alerts.items() if state == "accepted"} == {
        ("anna", "v-wood"),
        ("anna", "v-again"),
        ("cleo", "v-turned"),
    }
    assert told["identity:session-stolen:finn:1"] == "queued"
    assert end["taken"] == ["anna@x.example"] * 4 + ["cleo@x.example"]
    assert end["stored"]["contacts"]["anna"]["address"] == Contact("anna@x.example", "en")
    assert {name: state for name, state in end["keys"].items() if state == "destroyed"}.keys() == {
        "dirk:contact",
        "dirk:searches",
        "eva:contact",
        "eva:searches",
    }
    assert sorted(await service.lab.told(NotificationsResealEvent.topic.name)) == ["cleo", "gijs"]
    assert "dead_letters" not in end["stored"]


async def test_a_contact_whose_key_is_gone_is_asked_for_again_once_whatever_comes_twice(service: Service) -> None:
    """The answer has a higher sequence and opens; the dark one, when it comes again, changes nothing."""
    dark, light = history(await service.contact("hana", dark=True), await service.contact("hana"))
    await arrive(service.consumer, [[dark], [dark, dark]])
    asked = await service.made.mongo.find("outbox", {"topic": NotificationsResealEvent.topic.name})
    assert [(row["key"], row["sequence"]) for row in asked] == [("hana", 1)]
    await arrive(service.consumer, [[light], [dark]])
    assert await service.parts.contacts.of(service.made.mongo, "hana") == Contact("hana@x.example", "nl")


async def test_a_mail_whose_address_comes_last_goes_all_the_same(service: Service) -> None:
    request = await service.ask(IdentityMailRequestEvent, "finn", "session-stolen", "session-stolen")
    await arrive(service.consumer, [history(request)])
    await service.send()
    assert service.taken == []
    await arrive(service.consumer, [history(await service.contact("finn"))])
    await service.send()
    assert service.taken == ["finn@x.example"]


@pytest.mark.parametrize("place", range(4))
async def test_who_agreed_again_is_told_of_a_vacancy_wherever_it_comes_between(service: Service, place: int) -> None:
    said = [[one] for one in history(*decided("anna", "consented", "withdrawn", "consented"))]
    said.insert(place, history(vacancy("v", "Houtbouw")))
    await arrive(service.consumer, [history(account("anna")), history(await service.contact("anna")), *said])
    await service.send()
    assert service.taken == ["anna@x.example"]


@pytest.mark.parametrize("late", [False, True])
async def test_who_withdrew_while_a_batch_said_yes_in_between_is_not_mailed(service: Service, late: bool) -> None:
    """Withdrawn, given again, withdrawn: one batch may hold all three, and the last one counts."""
    said: list[Delivery] = history(*decided("anna", "withdrawn", "consented", "withdrawn"))
    wood = history(vacancy("v", "Houtbouw"))
    await arrive(service.consumer, [history(account("anna")), history(await service.contact("anna"))])
    await arrive(service.consumer, [wood, said] if late else [said, wood])
    await service.send()
    assert service.taken == []
