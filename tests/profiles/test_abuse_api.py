"""R40: those who were seen in an abuse are told by mail, each once, whatever is killed; and nobody else."""

import json

import pytest
from chassis.ids import new_handle, new_id
from chassis.mongo import transact
from contracts.consent.request import RequestEvent
from contracts.identity.account import AccountEvent
from contracts.identity.organisation import OrganisationEvent
from profiles.abuse import service
from profiles.budgets.model import Scope
from profiles.disclosure.model import Choice, Visibility
from profiles.lifecycle.model import Lifecycle, activate
from profiles.records import Record

PURPOSE = {"Purpose": "candidate-search"}
TOLD = {
    "identity": {"given_name": "Sanne"},
    "career": {"skills": [{"name": "SQL", "level": 4}]},
    "wishes": {"titles": ["Souschef"]},
}
SHOWN = Visibility(dict.fromkeys(("identity.given_name", "career.skills", "wishes.titles"), Choice.SHOWN))
REASON = {"reason": "de profielen staan te koop"}


class Scene:
    """An organisation that carries the bank away, and the people in it."""

    def __init__(self, world) -> None:
        self.world, self.org = world, new_id()
        self.thief, self.other = world.member(self.org), world.member(self.org)
        self.administrator, self.operator = world.member(self.org, "administrator"), world.candidate("operator")
        self.people = []

    async def begin(self, count: int = 8, recruiter: int = 3) -> "Scene":
        """Seed the bank and let everybody be known."""
        self.world.made.budgets.views.update({Scope.RECRUITER: recruiter, Scope.ORGANISATION: 1000})
        await self.name("Waterlinie Werk", self.org, self.thief, self.other)
        await self.world.hear(
            AccountEvent(
                account=self.operator.subject,
                state="confirmed",
                language="nl",
                roles=("operator",),
                confirmed_on=self.world.today,
            )
        )
        await self.world.fresh()
        await transact(self.world.made.mongo, lambda uow: self._seed(uow, count))
        return self

    async def name(self, name: str, org: str, *recruiters) -> None:
        members = [{"account": one.subject, "roles": ("recruiter",)} for one in recruiters]
        members.append({"account": self.administrator.subject, "roles": ("administrator",)})
        facts = {"organisation": org, "name": name, "state": "active", "bank_access": True, "members": members}
        await self.world.hear(OrganisationEvent.model_validate(facts))

    async def _seed(self, uow, count: int) -> None:
        self.people.clear()
        for _ in range(count):
            record = Record(new_id(), new_handle(), consent=True, account="confirmed", visibility=SHOWN)
            record.life = activate(Lifecycle(), today=self.world.today)
            await self.world.made.records.tell(record, TOLD)
            await self.world.made.records.keep(uow, record)
            self.people.append(record)

    async def look(self, who, *people) -> None:
        for one in people:
            await who.send("GET", f"/bank/profiles/{one.handle}", **PURPOSE)

    async def frozen(self, *, at: int = 4) -> str:
        """Let the thief go over the budget and return the freeze."""
        await self.look(self.thief, *self.people[:at])
        (freeze, *_) = (await self.administrator.get("/bank/freezes"))["items"]
        return freeze["id"]

    async def declare(self, freeze: str, who=None, body=REASON):
        return await (who or self.operator).send("POST", f"/bank/freezes/{freeze}/abuse", body)

    async def tell(self) -> int:
        """The job as the worker runs it."""
        (job,) = (one for one in self.world.worker.jobs.jobs if one.name == "tell-seen")
        return await job.run()

    async def mails(self) -> list[dict]:
        return [mail for mail in await self.world.events("mail-request") if mail["template"] == "bank-abuse"]

    async def told(self) -> list[str]:
        return sorted(mail["subject"] for mail in await self.mails())


@pytest.fixture
async def scene(world):
    return await Scene(world).begin()


def ids(people) -> list[str]:
    return sorted(one.subject for one in people)


async def test_r40_everybody_who_was_seen_in_an_abuse_is_told_once_and_nobody_else(scene):
    await scene.look(scene.other, scene.people[6])
    freeze = await scene.frozen()
    assert await scene.tell() == 0  # nobody has called it an abuse
    assert (await scene.declare(freeze)).status_code == 200
    assert await scene.tell() == 3
    assert await scene.tell() == 0
    assert await scene.told() == ids(scene.people[:3])
    assert {mail["cause"] for mail in await scene.mails()} == {
        f"profiles:bank-abuse:{freeze}:{one.subject}" for one in scene.people[:3]
    }


async def test_r40_the_mail_names_the_organisation_the_day_and_the_kind_of_details_and_no_recruiter(scene):
    await scene.thief.send("GET", "/bank/search?limit=20", **PURPOSE)
    freeze = await scene.frozen()
    await scene.declare(freeze)
    await scene.tell()
    facts = {mail["subject"]: mail["facts"] for mail in await scene.mails()}
    always = {"organisation": "Waterlinie Werk", "seen-on": scene.world.today.isoformat()}
    opened, listed = scene.people[0].subject, scene.people[6].subject
    assert facts[opened] == {**always, "seen-as": "profile", "groups": "career identity wishes"}
    assert facts[listed] == {**always, "seen-as": "card", "groups": "career wishes"}
    said = json.dumps(await scene.mails())
    assert not [text for text in (scene.thief.subject, "Sanne", "SQL", scene.people[0].handle) if text in said]
    assert all(mail["address"] == "account" for mail in await scene.mails())


async def test_r40_of_a_recruiter_of_two_organisations_each_is_told_for_which_they_were_seen(scene):
    elsewhere = new_id()
    double = scene.world.member(elsewhere, subject=scene.thief.subject)
    await scene.name("Andere@Werk", elsewhere, double)
    await scene.look(double, scene.people[0], scene.people[7])
    freeze = await scene.frozen()
    await scene.declare(freeze)
    await scene.tell()
    named = {mail["subject"]: mail["facts"]["organisation"] for mail in await scene.mails()}
    both, one = scene.people[0].subject, scene.people[7].subject
    assert (named[both], named[one]) == ("Andere(at)Werk, Waterlinie Werk", "Andere(at)Werk")


async def test_r40_of_a_frozen_organisation_all_are_told_whom_any_of_its_recruiters_saw(scene):
    scene.world.made.budgets.views.update({Scope.RECRUITER: 100, Scope.ORGANISATION: 3})
    stranger = scene.world.member(new_id())
    await scene.name("Elders", stranger._claims["org"], stranger)
    await scene.look(stranger, scene.people[7])
    await scene.look(scene.other, scene.people[5])
    freeze = await scene.frozen()
    await scene.declare(freeze)
    await scene.tell()
    assert await scene.told() == ids([*scene.people[:2], scene.people[5]])


async def test_r40_who_is_anonymous_is_told_and_who_is_erased_is_not(scene):
    anonymous, erased, _ = scene.people[:3]
    freeze = await scene.frozen()
    path, me = "/me/anonymity", scene.world.candidate()
    me.subject = anonymous.subject
    assert (await me.send("POST", path)).is_success
    event = {"request": new_id(), "subject": erased.subject, "kind": "erasure", "phase": "services"}
    days = {"opened_on": scene.world.today, "due_on": scene.world.today}
    await scene.world.hear(RequestEvent.model_validate({**event, **days}))
    await scene.declare(freeze)
    assert await scene.tell() == 2
    assert await scene.told() == ids([anonymous, scene.people[2]])


@pytest.mark.parametrize("mail", range(1, 7))
async def test_r40_killed_in_the_middle_the_next_worker_goes_on_and_tells_nobody_twice(world, monkeypatch, mail):
    """Killed before any of six mails; two of them are asked for in each transaction."""
    monkeypatch.setattr(service, "BATCH", 2)
    scene = await Scene(world).begin(recruiter=6)
    freeze = await scene.frozen(at=7)
    await scene.declare(freeze)
    asked, really = 0, type(world.made.sealer).request_mail

    async def until_killed(self, *args, **more):
        nonlocal asked
        asked += 1
        if asked == mail:
            raise KilledError
        return await really(self, *args, **more)

    with monkeypatch.context() as killing:
        killing.setattr(type(world.made.sealer), "request_mail", until_killed)
        with pytest.raises(KilledError):
            await scene.tell()
    before = len(await scene.mails())
    assert before == (mail - 1) // 2 * 2
    await world.made.mongo.database["outbox"].delete_many({})  # what was asked for has left meanwhile
    assert await scene.tell() == 6 - before
    assert len(await scene.mails()) == 6 - before
    (shown,) = (await scene.operator.get("/bank/freezes"))["items"]
    assert (shown["abuse"]["told"], shown["abuse"]["told_on"]) == (6, world.today.isoformat())
    assert "told_until" not in shown["abuse"]


async def test_r40_a_worker_that_slept_while_another_told_some_tells_only_the_rest(world, monkeypatch):
    """Whom to tell was read before it slept; who has been told since stands in the freeze."""
    monkeypatch.setattr(service, "BATCH", 2)
    scene = await Scene(world).begin(recruiter=6)
    await scene.declare(await scene.frozen(at=7))
    really, slept = service.views.exposures, False

    async def asleep(keyring, people):
        nonlocal slept
        found = await really(keyring, people)
        if not slept:
            slept = True
            await _tell_two(scene, monkeypatch)
        return found

    monkeypatch.setattr(service.views, "exposures", asleep)
    assert await scene.tell() == 4
    assert len(set(await scene.told())) == 4


async def _tell_two(scene, monkeypatch):
    """Another worker tells the first two and is killed at the third."""
    asked, really = 0, type(scene.world.made.sealer).request_mail

    async def until_killed(self, *args, **more):
        nonlocal asked
        asked += 1
        if asked == 3:
            raise KilledError
        return await really(self, *args, **more)

    with monkeypatch.context() as killing:
        killing.setattr(type(scene.world.made.sealer), "request_mail", until_killed)
        with pytest.raises(KilledError):
            await scene.tell()
    assert len(await scene.mails()) == 2
    await scene.world.made.mongo.database["outbox"].delete_many({})  # they have left


class KilledError(Exception):
    """Stands for the end of the process."""


async def test_r40_only_an_operator_declares_an_abuse_with_a_reason_once_and_it_is_logged(scene, capsys):
    freeze = await scene.frozen()
    wrong = (scene.thief, scene.administrator, scene.world.candidate(), scene.world.candidate("privacy-officer"))
    assert [(await scene.declare(freeze, one)).status_code for one in wrong] == [403] * 4
    for body in ({}, {"reason": "kort"}, {"reason": "           "}, {"reason": "te koop onder 111222333"}):
        assert (await scene.declare(freeze, body=body)).status_code == 422
    assert (await scene.declare("unknown")).status_code == 404
    first, again = await scene.declare(freeze), await scene.declare(freeze)
    assert (first.status_code, again.status_code) == (200, 409)
    assert first.json()["abuse"]["by"] == scene.operator.subject
    assert again.json()["type"] == "urn:kandidatenbank:problem:abuse-declared"
    line = next(line for line in capsys.readouterr().out.splitlines() if "bank_abuse_declared" in line)
    assert freeze in line
    assert "te koop" not in line
    (seen,) = (await scene.administrator.get("/bank/freezes"))["items"]
    assert seen["abuse"]["reason"] == REASON["reason"]


async def test_r40_an_abuse_may_be_declared_after_the_freeze_was_lifted_and_does_not_lift_it(scene):
    freeze = await scene.frozen()
    await scene.declare(freeze)
    answer = await scene.thief.send("GET", f"/bank/profiles/{scene.people[0].handle}", **PURPOSE)
    assert answer.status_code == 403
    lifted = await scene.administrator.send("POST", f"/bank/freezes/{freeze}/lifting", REASON)
    assert lifted.status_code == 200
    assert await scene.tell() == 3


async def test_r40_who_read_which_handles_were_seen_is_logged_with_none_of_them(scene, capsys):
    freeze = await scene.frozen()
    capsys.readouterr()
    for watcher in (scene.administrator, scene.operator):
        await watcher.get(f"/bank/freezes/{freeze}/seen")
    lines = [line for line in capsys.readouterr().out.splitlines() if "bank_freeze_seen" in line]
    watchers = (scene.administrator.subject, scene.operator.subject)
    assert all(watcher in line for watcher, line in zip(watchers, lines, strict=True))
    assert all(freeze in line for line in lines)
    assert not [one for one in scene.people for line in lines if one.handle in line or one.subject in line]
