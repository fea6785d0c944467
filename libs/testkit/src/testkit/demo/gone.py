"""The last steps of the story: who carries the bank away is frozen, and who deletes their account is gone everywhere."""

from typing import Any

from localstack.subscriber import Subscriber

from testkit.demo.story import Story, must, opened_by, the
from testkit.demo.telling import tell
from testkit.portal import PASSWORD, Actor, admitted, ok
from testkit.samples import Person
from testkit.waiting import eventually

FOLLOW = "/api/consent/v1/pages/requests/"
FREEZES = "profiles/v1/bank/freezes"
MOST = 200
"""More looks than a day allows: the freeze comes before."""


async def scraper_is_frozen(story: Story, first: Person) -> None:
    """A budget of views ends what looks like carrying the bank away (R40); the others go on."""
    operator, recruiter, candidate = the(story.operator), the(story.recruiter), story.candidates[first.key]
    handle = ok(await candidate.get("profiles/v1/me/profile/as-recruiter")).json()["handle"]
    email = story.accounts["scraper"] = story.address("haastig@waterlinie.example")
    scraper = await admitted(await story.portal.join_organisation(operator, story.organisation, email, role="recruiter"))
    got, refused = await _scrape(scraper, handle)
    allowed = ok(await recruiter.get("profiles/v1/bank/budget")).json()["views"]
    must(got <= allowed, "what got out is at most the budget")
    must(refused.status_code == 403, "whoever goes over it sees nothing")
    tell(f"a recruiter opened profiles without pause: {got} answers, then '{refused.json()['title']}'")
    mail = await story.portal.mailbox.wait(story.accounts["operator"])
    tell(f"the operator is told: '{mail.subject}'")
    frozen = ok(await operator.get(FREEZES)).json()["items"][0]
    seen = ok(await operator.get(f"{FREEZES}/{frozen['id']}/seen", params={"limit": "100"})).json()["items"]
    tell(f"who was seen can be listed: {len(seen)} looks on the first page")
    ok(await opened_by(recruiter, handle))
    tell("their colleague goes on working")


async def _scrape(scraper: Actor, handle: str) -> tuple[int, Any]:
    for got in range(MOST):
        answer = await opened_by(scraper, handle)
        if not answer.is_success:
            return got, answer
    raise AssertionError(f"{MOST} looks, and nobody stopped them")


async def account_is_deleted(story: Story, first: Person, system: Subscriber) -> None:
    """One request erases the person in every service; each confirms, systems outside forget, the person gets a certificate."""
    candidate, email = story.candidates[first.key], story.accounts.pop("candidate 1")
    handle = ok(await candidate.get("profiles/v1/me/profile/as-recruiter")).json()["handle"]
    await eventually(lambda: handle in system.held, timeout=30)
    tell(f"it holds {len(system.held)} handles, candidate 1 among them")
    ok(await candidate.post("identity/v1/me/account/erasure", {"password": PASSWORD}))
    link = (await story.portal.mailbox.wait(email, link=FOLLOW)).link(FOLLOW)
    tell("candidate 1 deleted the account, and follows it by a link, without an account")

    async def certificate() -> dict[str, Any] | None:
        path = f"consent/v1/requests/by-link/{link.rpartition('/')[2]}"
        found: dict[str, Any] = ok(await story.portal.visitor.get(path)).json()
        return found if found["phase"] == "closed" else None

    closed = await eventually(certificate, timeout=90)
    for part in closed["parts"]:
        told = ", ".join(f"{count} {kind}" for kind, count in part["counts"].items() if count) or "nothing left to erase"
        tell(f"{part['service']}: {told}; receipt {part['receipt'][:12]}…")
    for kept in closed["kept"]:
        tell(f"the law keeps until {kept['until']}: {kept['what']} ({kept['ground']})")
    last = await story.portal.mailbox.wait(email, subject="verwijderd")
    tell(f"the last mail: '{last.subject}'; old copies are dark from {closed['dark_on']}")
    must((await opened_by(the(story.recruiter), handle)).status_code == 404, "the profile is gone")
    await eventually(lambda: handle not in system.held, timeout=30)
    await eventually(lambda: _nothing_to_forget(story), timeout=30)
    tell(f"the organisation's system forgot the handle, and acknowledged it; it holds {len(system.held)}")
    refused = await story.portal.visitor.post("identity/v1/sessions", {"email": email, "password": PASSWORD})
    must(refused.status_code == 401, "nobody signs in with a deleted account")


async def _nothing_to_forget(story: Story) -> bool:
    asked = await the(story.follower).get(f"notifications/v1/organisations/{story.organisation}/forgets")
    return not ok(asked).json()["items"]
