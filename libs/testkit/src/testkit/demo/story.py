"""The story of a profile's year: its first nine steps, each through the gateway, each checked, with kills while it goes on."""

import asyncio
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial
from typing import Any

from chassis.clock import Clock
from chassis.ids import new_handle
from localstack.layout import services
from localstack.services import clock_file

from testkit.demo.kills import killed
from testkit.demo.telling import tell
from testkit.portal import PASSWORD, SEARCHING, Actor, Portal, activate, consent, fill_in, in_bank, lifecycle, ok, show
from testkit.samples import Person, organisation, saved_search, vacancies
from testkit.stack import Stack
from testkit.waiting import eventually

IDENTIFYING = ("identity.given_name", "identity.family_name", "contact.telephone", "career.experience", "career.summary")
CAREER = ("career.headline", "career.education", "career.skills", "career.languages")
WISHES = ("wishes.titles", "wishes.place", "wishes.radius_km", "wishes.hours_from", "wishes.hours_to")


class BrokenPromiseError(AssertionError):
    """The system did not keep what the story says."""


def must(holds: bool, promise: str) -> None:
    """End the story when a promise is broken."""
    if not holds:
        raise BrokenPromiseError(promise)


@dataclass
class Story:
    """Who takes part in this telling. Addresses get a mark, so that the story can be told again on the same stack."""

    stack: Stack
    portal: Portal
    mark: str = field(default_factory=lambda: new_handle()[:6])
    accounts: dict[str, str] = field(default_factory=dict)
    organisation: str = ""
    operator: Actor | None = None
    recruiter: Actor | None = None
    system: Actor | None = None
    follower: Actor | None = None
    candidates: dict[str, Actor] = field(default_factory=dict)
    handles: dict[str, str] = field(default_factory=dict)

    def address(self, email: str) -> str:
        """Return an address that only this telling uses."""
        name, _, domain = email.partition("@")
        return f"{name}.{self.mark}@{domain}"

    @property
    def today(self) -> date:
        """Return the domain's date."""
        return Clock(clock_file(self.stack.instance)).today()

    async def turn(self, **by: int) -> None:
        """Turn the clock."""
        moment = await asyncio.to_thread(self.stack.turn, timedelta(**by))
        tell(f"the clock is turned: it is {moment:%d %B %Y}")


async def organisation_joins(story: Story) -> None:
    """The first operator comes from the command line, everything else through the gateway."""
    facts = organisation()
    story.accounts["operator"] = story.address(facts["operator"])
    await asyncio.to_thread(_create_operator, story)
    operator = story.operator = await story.portal.sign_in(story.accounts["operator"])
    address = facts["address"]
    body = {
        "name": facts["name"],
        "street": f"{address['street']} {address['number']}",
        "postal_code": address["postal_code"],
        "place": address["place"],
        "data_use": {"nl": facts["data_use"], "en": "We look for people for our vacancies and assess applications."},
        "privacy_contact": facts["privacy_contact"],
        "bank_access": True,
    }
    made = ok(await operator.post("identity/v1/organisations", body)).json()
    story.organisation = made["id"]
    tell(f"the operator made {facts['name']} with access to the bank")
    story.accounts["recruiter"] = story.address(facts["recruiter"])
    story.recruiter = await story.portal.join_organisation(
        operator, story.organisation, story.accounts["recruiter"], role="recruiter"
    )
    tell("the recruiter accepted the invitation from the mail")
    wanted = {"name": "Vacaturesysteem", "scopes": ["vacancies:write"]}
    client = ok(await operator.post(f"identity/v1/organisations/{story.organisation}/clients", wanted)).json()
    story.system = await story.portal.system(client["id"], client["secret"], scope="vacancies:write")
    tell("its system signed in with client credentials")


def _create_operator(story: Story) -> None:
    command = [sys.executable, "-m", "identity", "create-operator", "--email", story.accounts["operator"]]
    environment = story.stack.process_environment("identity")
    subprocess.run(command, input=f"{PASSWORD}\n", text=True, env=environment, check=True, capture_output=True)  # noqa: S603 - our own interpreter
    tell("the first operator was made on the command line")


async def candidates_register(story: Story, *persons: Person) -> None:
    """No account before the button; a known address is told to its owner only."""
    portal = story.portal
    for role, person in zip(("candidate 1", "candidate 2"), persons, strict=True):
        email = story.accounts[role] = story.address(person.email)
        first = await portal.register(email, language=person.language)
        link = (await portal.mailbox.wait(email, link="/pages/confirm/")).link("/pages/confirm/")
        for _ in range(2):
            ok(await portal.http.head(link))
            ok(await portal.http.get(link))
        refused = await portal.visitor.post("identity/v1/sessions", {"email": email, "password": PASSWORD})
        must(refused.status_code == 401, "there is no account before the button is pressed")
        ok(await portal.http.post(link))
        story.candidates[person.key] = await portal.sign_in(email)
        again = await portal.register(email, language=person.language)
        must((again.status_code, again.json()) == (first.status_code, first.json()), "a known address gets the same answer")
        known = await portal.mailbox.wait(email)
        must(not known.has_link("/pages/confirm/"), "the owner of a known address is told, without a link to confirm")
        tell(f"{person.profile['identity']['given_name']}: looked at the link four times, pressed once, and has an account")


async def first_consents(story: Story, first: Person) -> None:
    """What was shown is kept, with version, language and day."""
    candidate = story.candidates[first.key]
    statement = ok(await candidate.get("consent/v1/statements/current")).json()
    decision = await consent(candidate)
    then = ok(await candidate.get("consent/v1/decisions", params={"on": story.today.isoformat()})).json()["items"][0]
    must(then["version"] == statement["version"] == decision["version"], "consent is about the statement in force")
    tell(f"kept: '{then['purpose']}' {then['state']} on {then['decided_on']}, statement {then['version']} in {then['language']}")


async def candidates_activate(story: Story, first: Person, second: Person) -> None:
    """Everything starts hidden; activation waits for consent and completes by itself."""
    for person in (first, second):
        candidate = story.candidates[person.key]
        await fill_in(candidate, person.profile)
        hidden = ok(await candidate.get("profiles/v1/me/profile/as-recruiter")).json()
        must(not _leaves(hidden["profile"]), "everything is hidden at the start")
        await show(candidate, *IDENTIFYING, *CAREER, *WISHES, **{"identity.place": "shown"})
        seen = ok(await candidate.get("profiles/v1/me/profile/as-recruiter")).json()["profile"]
        shown_name = seen["identity"]["given_name"] == person.profile["identity"]["given_name"]
        must(shown_name and "birth_date" not in seen["identity"], "a recruiter sees what was chosen and nothing else")
    waiting = await activate(story.candidates[second.key])
    must(waiting["waiting_for"] == ["consent"], "activation says that it waits for consent")
    tell("candidate 2 activated before consenting: waiting_for ['consent']")
    await consent(story.candidates[second.key])
    await in_bank(story.candidates[second.key])
    tell("consented, and the activation completed by itself")
    ok(await story.candidates[second.key].post("consent/v1/decisions/candidate-search/withdrawal"))
    await in_bank(story.candidates[second.key], expected=False)
    tell("withdrew the consent: out of the bank by itself; consented again: back in")
    await consent(story.candidates[second.key])
    await activate(story.candidates[first.key])
    for person in (first, second):
        found = await in_bank(story.candidates[person.key])
        tell(f"{person.profile['identity']['given_name']} is in the bank until {found['visible_until']}")


def _leaves(document: Any) -> list[Any]:
    if isinstance(document, dict):
        return [leaf for part in document.values() for leaf in _leaves(part)]
    if isinstance(document, list):
        return [leaf for part in document for leaf in _leaves(part)]
    return [] if document in (None, False) else [document]


async def recruiter_looks(story: Story, first: Person, second: Person) -> None:
    """Only visible fields come back, the purpose is stated, the view is logged and told."""
    recruiter = the(story.recruiter)
    criteria: dict[str, Any] = {
        "place": first.profile["identity"]["place"],
        "radius_km": 25,
        "skills": first.profile["career"]["skills"][0]["name"],
        "hours": first.profile["wishes"]["hours_to"],
        "level": first.profile["career"]["education"][0]["level"],
        "words": first.profile["career"]["headline"].split()[0],
    }
    refused = await recruiter.get("profiles/v1/bank/search", params=criteria)
    must(refused.status_code == 403, "a search without a purpose is refused")
    for person in (first, second):
        preview = ok(await story.candidates[person.key].get("profiles/v1/me/profile/as-recruiter")).json()
        story.handles[person.key] = preview["handle"]
    found = await eventually(lambda: _search(recruiter, criteria, story.handles[first.key]), timeout=15)
    tell(f"search by place, skill, level, hours and words found {len(found)}, candidate 1 among them")
    opened = ok(await opened_by(recruiter, story.handles[first.key])).json()
    profile = opened["profile"]
    must(profile["identity"]["given_name"] == first.profile["identity"]["given_name"], "a visible name is shown")
    must("birth_date" not in profile.get("identity", {}), "a hidden field is not")
    views = ok(await story.candidates[first.key].get("profiles/v1/me/views")).json()["items"]
    seen = next(view for view in views if view["kind"] == "view")
    tell(f"opened one; candidate 1 sees: {seen['organisation']} for {seen['purpose']} at {seen['at'][:19]}")


async def _search(recruiter: Actor, criteria: dict[str, Any], handle: str) -> list[str]:
    answer = ok(await recruiter.get("profiles/v1/bank/search", params=criteria, headers=SEARCHING)).json()
    found = [item["handle"] for item in answer["items"]]
    return found if handle in found else []


async def opened_by(recruiter: Actor, handle: str) -> Any:
    """Return the answer to a recruiter who opens a profile."""
    return await recruiter.get(f"profiles/v1/bank/profiles/{handle}", headers=SEARCHING)


async def vacancies_are_mailed(story: Story, first: Person, second: Person) -> None:
    """Who has a matching search, and nobody else, gets one mail, whose one-click stop works."""
    system, candidate, email = the(story.system), story.candidates[first.key], story.accounts["candidate 1"]
    ok(await candidate.post("notifications/v1/searches", {"criteria": saved_search()}))
    postings = vacancies(story.today)
    matching, other = next(v for v in postings if v.matches_search), next(v for v in postings if not v.matches_search)
    async with killed(story.stack, profiles="before-delete", notifications="before-offsets"):
        for vacancy in (matching, other):
            ok(await system.post("profiles/v1/vacancies", vacancy.posting))
    mail = await story.portal.mailbox.wait(email, link="/pages/unsubscribe/")
    must(matching.posting["title"] in mail.text and other.posting["title"] not in mail.text, "only what matches is mailed")
    tell(f"'{mail.subject}' reached candidate 1 and nobody else")
    source = await story.portal.mailbox.source(mail)
    must(source["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click", "the mail has a one-click unsubscribe (RFC 8058)")
    stop = str(source["List-Unsubscribe"]).strip("<>")
    ok(await story.portal.http.get(stop))
    ok(await story.portal.http.post(stop, data={"List-Unsubscribe": "One-Click"}))
    searches = ok(await candidate.get("notifications/v1/searches")).json()["items"]
    must(all(not search["active"] for search in searches), "one click stops the mails")
    tell("looked at the stop link: nothing changed; the one-click POST stopped the mails")


async def a_year_passes(story: Story, first: Person, second: Person) -> None:
    """Asked, reminded; one renews by the button, the other expires and comes back."""
    mailbox, emails = story.portal.mailbox, (story.accounts["candidate 1"], story.accounts["candidate 2"])
    async with killed(story.stack, profiles="mid-sweep"):
        await story.turn(days=367)
    asked = [await mailbox.wait(email, link="/pages/renew/", timeout=45) for email in emails]
    tell(f"both were asked, once each: '{asked[0].subject}'")
    await eventually(lambda: _is_asked(story, first, second), timeout=30)
    link = asked[0].link("/pages/renew/")
    for _ in range(3):
        ok(await story.portal.http.head(link))
        ok(await story.portal.http.get(link))
    must((await lifecycle(story.candidates[first.key]))["state"] == "asked", "looking at the link changes nothing")
    ok(await story.portal.http.post(link))
    renewed = await lifecycle(story.candidates[first.key])
    must(renewed["state"] == "active", "the button renews")
    tell(f"candidate 1 looked six times, pressed once, and is in the bank until {renewed['visible_until']}")
    for days in (14, 11):
        await story.turn(days=days)
        reminder = await mailbox.wait(emails[1], link="/pages/renew/")
        tell(f"candidate 2 is reminded: '{reminder.subject}'")
        await eventually(lambda: _reminded(story, second), timeout=20)
    await story.turn(days=4)
    gone = await in_bank(story.candidates[second.key], expected=False)
    told = await mailbox.wait(emails[1])
    must(gone["reason"] == "expired", "without a click the profile expires at the end of the period")
    tell(f"candidate 2 is gone from the bank ({gone['reason']}) and told so: '{told.subject}'")
    refused = await opened_by(the(story.recruiter), story.handles[second.key])
    must(refused.status_code in {401, 404}, "an expired profile cannot be opened")
    ok(await story.candidates[second.key].post("profiles/v1/me/reactivation"))
    back = await in_bank(story.candidates[second.key])
    tell(f"and reactivated: in the bank until {back['visible_until']}")


def the(actor: Actor | None) -> Actor:
    """Return somebody whom an earlier step brought in."""
    if actor is None:
        raise BrokenPromiseError("nobody brought them in")
    return actor


async def _is_asked(story: Story, *persons: Person) -> bool:
    """Tell whether the mail server's word has arrived: only then the period runs."""
    found = [await lifecycle(story.candidates[person.key]) for person in persons]
    return all(life["state"] == "asked" and life["answer_before"] for life in found)


async def _reminded(story: Story, person: Person) -> bool:
    return bool((await lifecycle(story.candidates[person.key]))["answer_before"])


async def candidates_anonymise(story: Story, first: Person, second: Person) -> None:
    """At once nothing points to the person, and the old handle leads nowhere; undone for one, for good for the other."""
    recruiter, candidate = the(story.recruiter), story.candidates[first.key]
    async with killed(story.stack, identity="before-delete", consent="before-offsets"):
        spare = await story.portal.sign_in(story.accounts["candidate 1"])
        ok(await spare.delete("identity/v1/sessions/current"))
        await _goes_anonymous(story, candidate, recruiter, first)
    ok(await candidate.delete("profiles/v1/me/anonymity"))
    handle = ok(await candidate.get("profiles/v1/me/profile/as-recruiter")).json()["handle"]
    seen = ok(await opened_by(recruiter, handle)).json()["profile"]
    must(seen["identity"]["given_name"] == first.profile["identity"]["given_name"], "undone: the name is back")
    tell("undone: the recruiter sees the name again")
    other = story.candidates[second.key]
    await _goes_anonymous(story, other, recruiter, second)
    ok(await other.post("profiles/v1/me/anonymity/permanent", {"confirm": "permanent"}))
    kept = str(ok(await other.get("profiles/v1/me/profile")).json())
    must(
        not [trace for trace in second.traces() if trace in kept],
        "for good: the details no longer exist, for the candidate neither",
    )
    refused = await other.delete("profiles/v1/me/anonymity")
    must(refused.status_code == 409, "what is permanent cannot be undone")
    tell("candidate 2 made it permanent: the details no longer exist, and it cannot be undone")


async def _goes_anonymous(story: Story, candidate: Actor, recruiter: Actor, person: Person) -> None:
    old = ok(await candidate.get("profiles/v1/me/profile/as-recruiter")).json()["handle"]
    handle = ok(await candidate.post("profiles/v1/me/anonymity")).json()["handle"]
    must((await opened_by(recruiter, old)).status_code == 404, "the old handle leads nowhere")
    answer = ok(await opened_by(recruiter, handle)).text
    career = person.profile["career"]
    written = [career["headline"], career["summary"]]
    for job in career["experience"]:
        written += [job["employer"], job.get("description", job["employer"])]
    pointing = [*person.traces(), *written]
    must(not [trace for trace in pointing if trace in answer], "nothing that points to the person is shown")
    tell(
        f"{person.key.split('-')[0]} is anonymous at once: no name, contact, employer or free text; the old handle leads nowhere"
    )


async def _all_sent(stack: Stack, service: str) -> bool:
    return await asyncio.to_thread(stack.unsent, service) == 0


async def nothing_twice(story: Story, first: Person, second: Person) -> None:
    """Every worker is back and has caught up; count the mails: each cause reached each person once."""
    for service in services():
        await eventually(partial(asyncio.to_thread, story.stack.ready, f"{service}-worker"), timeout=60)
        await eventually(partial(_all_sent, story.stack, service), timeout=30)
    tell("every worker is back, every outbox is empty")
    expected = {
        "candidate 1": {"/pages/confirm/": 1, "/pages/unsubscribe/": 1, "/pages/renew/": 1},
        "candidate 2": {"/pages/confirm/": 1, "/pages/unsubscribe/": 0, "/pages/renew/": 3},
    }
    for role, links in expected.items():
        mails = await story.portal.mailbox.all(story.accounts[role])
        for part, times in links.items():
            found = sum(mail.has_link(part) for mail in mails)
            must(found == times, f"{role} has {found} mails with {part}, not {times}")
        tell(f"{role}: {len(mails)} mails, each once")
