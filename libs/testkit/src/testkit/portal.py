"""Acts through the gateway as the people and systems of the portal do: tests and the demo tell their stories with it."""

from dataclasses import dataclass, field
from typing import Any

import httpx

from testkit.mailbox import Mailbox
from testkit.samples import Person
from testkit.waiting import eventually

PASSWORD = "een lange zin die niemand raadt"  # noqa: S105 - the password of people who do not exist
SEARCHING = {"Purpose": "candidate-search"}


class RefusedError(AssertionError):
    """A step that should have worked did not; shows the problem document."""

    def __init__(self, answer: httpx.Response) -> None:
        super().__init__(f"{answer.request.method} {answer.request.url.path}: {answer.status_code} {answer.text[:500]}")


def ok(answer: httpx.Response) -> httpx.Response:
    """Return the answer when it is a success."""
    if not answer.is_success:
        raise RefusedError(answer)
    return answer


@dataclass
class Actor:
    """Somebody who is signed in (or, without a token, a visitor)."""

    http: httpx.AsyncClient
    token: str | None = None
    subject: str = ""
    refresh_token: str = ""
    etags: dict[str, str] = field(default_factory=dict)

    async def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send a request under `/api/`, and remember the ETag of what came back."""
        headers = {**({"Authorization": f"Bearer {self.token}"} if self.token else {}), **options.pop("headers", {})}
        answer = await self.http.request(method, f"/api/{path}", headers=headers, **options)
        if "etag" in answer.headers:
            self.etags[path] = answer.headers["etag"]
        return answer

    async def get(self, path: str, **options: Any) -> httpx.Response:
        """Read."""
        return await self.call("GET", path, **options)

    async def post(self, path: str, json: Any = None, **options: Any) -> httpx.Response:
        """Act or create."""
        return await self.call("POST", path, json=json, **options)

    async def put(self, path: str, json: Any, **options: Any) -> httpx.Response:
        """Replace what was read before, by its ETag."""
        await self.get(path)
        headers = {"If-Match": self.etags.get(path, "*"), **options.pop("headers", {})}
        return await self.call("PUT", path, json=json, headers=headers, **options)

    async def delete(self, path: str) -> httpx.Response:
        """Remove or undo."""
        return await self.call("DELETE", path)


class Portal:
    """The gateway and the mail catcher behind it."""

    def __init__(self, gateway: str, mails: str) -> None:
        self.http = httpx.AsyncClient(base_url=gateway, trust_env=False, timeout=30)
        self.mailbox = Mailbox(mails)
        self.visitor = Actor(self.http)

    async def __aenter__(self) -> "Portal":
        """Open."""
        return self

    async def __aexit__(self, *error: object) -> None:
        """Close the connections."""
        await self.http.aclose()
        await self.mailbox.close()

    async def register(self, email: str, *, language: str = "nl") -> httpx.Response:
        """Ask for an account; nothing exists before the address is confirmed."""
        body = {"email": email, "password": PASSWORD, "language": language}
        return ok(await self.visitor.post("identity/v1/registrations", body))

    async def press(self, link: str, **form: str) -> httpx.Response:
        """Open a page from a mail and press its button."""
        ok(await self.http.get(link))
        return ok(await self.http.post(link, data=form))

    async def sign_in(self, email: str, *, organisation: str | None = None, role: str | None = None) -> Actor:
        """Sign in, waiting until what was just confirmed is there."""
        body = {"email": email, "password": PASSWORD}
        body |= {name: value for name, value in (("organisation", organisation), ("role", role)) if value}
        session = ok(await self.visitor.post("identity/v1/sessions", body)).json()
        actor = Actor(self.http, session["access_token"], refresh_token=session["refresh_token"])
        actor.subject = ok(await actor.get("identity/v1/me/account")).json()["id"]
        return actor

    async def join(self, person: Person, email: str) -> Actor:
        """Register, confirm from the mail and sign in."""
        await self.register(email, language=person.language)
        mail = await self.mailbox.wait(email, link="/pages/confirm/")
        await self.press(mail.link("/pages/confirm/"))
        return await self.sign_in(email)

    async def join_organisation(self, inviter: Actor, organisation: str, email: str, *, role: str) -> Actor:
        """Invite somebody, let them accept from the mail, and sign them in for the organisation."""
        body = {"email": email, "roles": [role]}
        ok(await inviter.post(f"identity/v1/organisations/{organisation}/members", body))
        mail = await self.mailbox.wait(email, link="/pages/invitation/")
        await self.press(mail.link("/pages/invitation/"), password=PASSWORD)
        return await self.sign_in(email, organisation=organisation, role=role)

    async def system(self, client_id: str, secret: str, *, scope: str) -> Actor:
        """Sign an organisation's system in (RFC 6749, client credentials)."""
        form = {"grant_type": "client_credentials", "scope": scope}
        answer = ok(await self.http.post("/api/identity/v1/oauth/token", data=form, auth=(client_id, secret)))
        return Actor(self.http, answer.json()["access_token"])


async def consent(candidate: Actor, purpose: str = "candidate-search") -> dict[str, Any]:
    """Be shown the statement in force and consent to a purpose."""
    shown = ok(await candidate.post("consent/v1/presentations", {"purposes": [purpose]})).json()
    body = {"presentation": shown["id"], "purpose": purpose, "decision": "consented"}
    decision: dict[str, Any] = ok(await candidate.post("consent/v1/decisions", body)).json()
    return decision


async def admitted(recruiter: Actor) -> Actor:
    """Wait until the bank has heard that this recruiter may look."""

    async def heard() -> bool:
        answer = await recruiter.get("profiles/v1/bank/budget")
        return answer.status_code != httpx.codes.FORBIDDEN and ok(answer).is_success

    await eventually(heard, timeout=30)
    return recruiter


async def fill_in(candidate: Actor, profile: dict[str, Any]) -> None:
    """Tell everything."""
    await eventually(lambda: _put_profile(candidate, profile), timeout=20)


async def _put_profile(candidate: Actor, profile: dict[str, Any]) -> bool:
    answer = await candidate.put("profiles/v1/me/profile", profile)
    if answer.status_code in {403, 404, 409}:  # the account's event is on its way
        return False
    return ok(answer).is_success


async def show(candidate: Actor, *paths: str, **choices: str) -> None:
    """Choose what recruiters see."""
    fields = dict.fromkeys(paths, "shown") | choices
    ok(await candidate.put("profiles/v1/me/visibility", {"fields": fields}))


async def activate(candidate: Actor) -> dict[str, Any]:
    """Activate the profile; the answer says what it waits for."""
    answer: dict[str, Any] = ok(await candidate.post("profiles/v1/me/activation", {"sixteen_or_older": True})).json()
    return answer


async def lifecycle(candidate: Actor) -> dict[str, Any]:
    """Where in its year the profile is."""
    answer: dict[str, Any] = ok(await candidate.get("profiles/v1/me/lifecycle")).json()
    return answer


async def in_bank(candidate: Actor, expected: bool = True) -> dict[str, Any]:
    """Wait until the profile is (or is no longer) in the bank."""

    async def settled() -> dict[str, Any] | None:
        found = await lifecycle(candidate)
        return found if found["in_bank"] is expected else None

    return await eventually(settled, timeout=30)
