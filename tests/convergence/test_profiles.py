"""Profiles ends in the same state whatever the way in which news of accounts, consent, organisations and mails arrives."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from chassis.mongo import transact
from contracts.consent.decision import DecisionEvent
from contracts.consent.request import RequestEvent
from contracts.identity.account import AccountEvent
from contracts.identity.organisation import OrganisationEvent
from contracts.identity.session import SessionEvent
from contracts.identity.signing_key import SAMPLES as SIGNING_KEYS
from contracts.notifications.delivery import DeliveryEvent
from contracts.notifications.sealing_key import SAMPLES as SEALING_KEYS
from contracts.profiles.profile import ProfileEvent
from hypothesis import given
from hypothesis import strategies as st
from profiles import app
from profiles.disclosure.model import Choice
from profiles.lifecycle.handlers import hold_account
from profiles.lifecycle.model import Step
from profiles.profile.model import Profile
from profiles.settings import ProfilesSettings
from testkit.deliveries import arrive, decoded, few_examples, history, in_order, schedules

DAY = datetime(2027, 3, 1, tzinfo=UTC)
CANDIDATES = ("anna", "bram", "cleo", "dirk", "eva", "finn", "hana", "ilse", "lena")
ASKED = ("hana", "ilse")
"""Their year is over, and the mail that asks is on its way."""
TOLD = Profile.model_validate(
    {
        "identity": {"given_name": "Sanne", "family_name": "Voorbeeld", "place": "Utrecht"},
        "wishes": {"titles": ["Souschef"], "place": "Amersfoort"},
    }
)
SHOWN = {"identity.place": Choice("shown"), "wishes.titles": Choice("shown")}


def account(
    who: str, state: str = "confirmed", *, language: str = "nl", role: str | None = "candidate", erasure: str | None = None
) -> AccountEvent:
    roles = () if role is None or state == "closed" else (role,)
    return AccountEvent(account=who, state=state, language=language, roles=roles, confirmed_on=DAY.date(), erasure=erasure)


def asked(who: str, phase: str) -> RequestEvent:
    due = DAY.date() + timedelta(days=31)
    return RequestEvent(request="wish", subject=who, kind="erasure", phase=phase, opened_on=DAY.date(), due_on=due)


def decision(who: str, state: str, purpose: str = "candidate-search", controller: str = "portal") -> DecisionEvent:
    values = {"subject": who, "purpose": purpose, "controller": controller, "state": state, "language": "nl"}
    return DecisionEvent.model_validate({**values, "statement_version": "2026-01", "decided_on": DAY.date()})


def organisation(
    name: str, *, state: str = "active", bank: bool = True, members: tuple[str, ...] = ("rosa",)
) -> OrganisationEvent:
    listed = [{"account": one, "roles": ("recruiter",)} for one in members]
    return OrganisationEvent(organisation=name, name=name, state=state, bank_access=bank, members=listed)


def ended(session: str) -> SessionEvent:
    return SessionEvent(session=session, account="anna", ended_at=DAY, reason="signed-out")


def delivery(cause: str, outcome: str, *, asker: str = "profiles", days: int = 0) -> DeliveryEvent:
    return DeliveryEvent(cause=cause, asker=asker, outcome=outcome, on=DAY.date() + timedelta(days=days))


def decided(who: str, *states: str, **more: Any) -> list[DecisionEvent]:
    return [decision(who, state, **more) for state in states]


WORLD = [
    history(account("anna"), account("anna", language="en")),
    history(*decided("anna", "shown", "consented", "withdrawn", "consented")),
    history(*decided("anna", "consented", "withdrawn", purpose="job-alert")),
    history(*decided("anna", "consented", "withdrawn", controller="other-organisation")),
    history(account("bram")),
    history(*decided("bram", "shown", "consented", "withdrawn")),
    history(account("cleo"), account("cleo", "locked"), account("cleo")),
    history(*decided("cleo", "acknowledged", "consented")),
    history(account("dirk"), account("dirk", language="en"), account("dirk", "closed")),
    history(*decided("dirk", "consented")),
    history(account("eva"), then_gone=True),
    history(*decided("eva", "consented"), then_gone=True),
    history(account("finn"), account("finn", "locked")),
    history(*decided("finn", "consented")),
    # Gijs and Joke never told anything; recruiter Rosa has no profile and never had one.
    history(account("gijs", language="en"), account("gijs", "closed")),
    history(*decided("gijs", "consented")),
    history(account("joke", language="en"), account("joke", "closed"), then_gone=True),
    history(*decided("joke", "consented"), then_gone=True),
    history(account("rosa", role=None), account("rosa", "locked", role=None), account("rosa", role=None)),
    history(account("hana")),
    history(*decided("hana", "consented")),
    history(delivery("profiles:ask:hana:1", "accepted", days=1), delivery("profiles:ask:hana:1", "bounced", days=3)),
    history(*decided("ilse", "consented")),
    # Lena is erased: the rest of her news may come before that, with it, or long after.
    history(account("lena"), account("lena", "closed", erasure="wish"), then_gone=True),
    history(*decided("lena", "consented"), then_gone=True),
    history(asked("lena", "services"), asked("lena", "identity"), asked("lena", "closed")),
    history(delivery("profiles:ask:lena:1", "accepted")),
    history(delivery("profiles:ask:ilse:1", "accepted", days=2)),
    history(delivery("profiles:ask:nobody:1", "accepted")),
    history(delivery("identity:confirm:anna:1", "accepted", asker="identity")),
    history(organisation("a"), organisation("a", members=("rosa", "rob")), organisation("a", bank=False)),
    history(organisation("b"), organisation("b", state="suspended"), organisation("b", members=())),
    history(organisation("c"), then_gone=True),
    history(ended("s1")),
    history(ended("s2"), then_gone=True),
    history(SIGNING_KEYS[0]),
    history(SIGNING_KEYS[0].model_copy(update={"kid": "withdrawn"}), then_gone=True),
    history(SEALING_KEYS[0]),
    history(SEALING_KEYS[0].model_copy(update={"key_id": "destroyed"}), then_gone=True),
]


@dataclass(repr=False)
class Service:
    """Profiles without a broker, and its databases."""

    made: app.Parts
    consumer: Any
    lab: Any

    async def tell(self, subject: str) -> None:
        """Let somebody tell and show something."""
        check = lambda _: None  # noqa: E731 - whichever version it is
        await self._do(lambda uow: self.made.profiles.replace(uow, subject=subject, profile=TOLD, check=check))
        await self._do(lambda uow: self.made.disclosures.choose(uow, subject=subject, fields=SHOWN, check=check))

    async def activate(self, subject: str) -> None:
        await self._do(lambda uow: self.made.lifecycles.activate(uow, subject=subject, declared_16=True))

    async def ask(self, subject: str) -> None:
        await self._do(lambda uow: self.made.lifecycles.take(uow, subject=subject, step=Step.ASK, cycle=1))

    async def end(self) -> dict[str, Any]:
        """Return where it stands, and what it told. A handle is made by chance; the bank must know the same one.

        Of whoever was erased nothing is left but a tombstone.
        """
        await self.made.erasure.finish(self.made.mongo)
        stored, told = await self.lab.stored(), await self.lab.told(ProfileEvent.topic.name)
        profiles, bank = stored["profiles"], stored.get("bank", {})
        assert all(entry.pop("handle") == profiles[who]["handle"] for who, entry in bank.items())
        for who in [who for who, row in profiles.items() if _says_nothing(row)]:
            del profiles[who], told[who]
        assert [who for who, event in told.items() if event is None] == list(stored["erasures"])
        assert all(event.pop("handle") == profiles[who].pop("handle") for who, event in told.items() if event)
        return {"stored": stored, "keys": await self.lab.keys(), "told": told}

    async def _do(self, work: Any) -> Any:
        return await transact(self.made.mongo, work)


def _says_nothing(row: dict[str, Any]) -> bool:
    """An empty draft that blocks and shows nothing may as well not be there."""
    return row["content_version"] == 0 and row["consent"] is None and row["account"] in (None, "confirmed")


@pytest.fixture
async def service(common: dict[str, Any], turn: Callable[[int], None], laboratory: Any) -> AsyncIterator[Service]:
    made = app.parts(ProfilesSettings(**common))
    lab = laboratory(made.mongo, made.keyring)
    one = Service(made, app.build_worker(made.resources.settings, made=made).consumer, lab)
    await lab.begin_again()
    await made.mongo.ensure_indexes(*app.INDEXES)
    for who in ASKED:
        await one.tell(who)
        await one.activate(who)
    turn(367)
    for who in ASKED:
        await one.ask(who)
    for who in [who for who in CANDIDATES if who not in ASKED]:
        await one.tell(who)
        await one.activate(who)
    await lab.remember()
    yield one
    await made.close()


@few_examples
@given(data=st.data())
async def test_whatever_the_way_in_which_everything_arrives_the_end_is_the_same(service: Service, data: st.DataObject) -> None:
    if service.lab.expected is None:
        await arrive(service.consumer, in_order(WORLD))
        service.lab.expected = await service.end()
    await service.lab.begin_again()
    await arrive(service.consumer, data.draw(schedules(WORLD)))
    service.lab.check(await service.end())


async def test_the_order_that_nobody_doubts_ends_where_it_should(service: Service) -> None:
    await arrive(service.consumer, in_order(WORLD))
    end = await service.end()
    assert sorted(end["stored"]["bank"]) == ["anna", "cleo", "hana", "ilse"]
    assert {who for who, event in end["told"].items() if event and event["in_bank"]} == {"anna", "cleo", "hana", "ilse"}
    assert end["told"]["lena"] is None
    assert not {"lena", "lena:identifying"} & {
        *end["stored"]["profiles"],
        *(name for name, state in end["keys"].items() if state == "held"),
    }
    life = end["stored"]["profiles"]["hana"]["lifecycle"]
    assert (life["proof"], life["proven_on"]) == ("failed", "2027-03-04")
    assert {name: sorted(end["stored"][name]) for name in ("organisations", "known_signing_keys", "ended_sessions")} == {
        "organisations": ["a", "b"],
        "known_signing_keys": [SIGNING_KEYS[0].kid],
        "ended_sessions": ["s1"],
    }
    assert "dead_letters" not in end["stored"]


@pytest.mark.parametrize("gone", [False, True])
async def test_who_closed_before_anybody_here_heard_of_them_stays_out_of_the_bank(service: Service, gone: bool) -> None:
    """After compaction the closing is all that is left of an account, and it names no role any more."""
    closed = history(account("kees"), account("kees", "closed"), then_gone=gone)[-1:]
    await arrive(service.consumer, [closed, history(*decided("kees", "consented"))])
    await service.tell("kees")
    await service.activate("kees")
    assert await service.made.mongo.find_one("bank", {"_id": "kees"}) is None


async def test_whose_account_could_not_be_read_before_anybody_here_heard_of_them_stays_out_too(service: Service) -> None:
    """A parked key may say that the account is closed."""
    [said] = history(account("lars"))
    await transact(service.made.mongo, lambda uow: hold_account(service.made.records)(decoded(service.consumer, said), uow))
    await arrive(service.consumer, [history(*decided("lars", "consented"))])
    await service.tell("lars")
    await service.activate("lars")
    assert await service.made.mongo.find_one("bank", {"_id": "lars"}) is None
