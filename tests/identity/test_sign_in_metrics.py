"""What is counted of sign-ins, refreshes and tokens of systems: by outcome, from closed lists."""

from chassis.metrics import REGISTRY
from localstack.figures import Page
from prometheus_client import generate_latest

EMAIL = "joris@voorbeeld.example"


def counted(name: str) -> dict[str, float]:
    found = Page.read(generate_latest(REGISTRY).decode()).all(f"{name}_total")
    return {outcome: count for (outcome,), count in found.items()}


def since(before: dict[str, float], name: str) -> dict[str, float]:
    return {outcome: count - before[outcome] for outcome, count in counted(name).items() if count != before[outcome]}


async def test_sign_ins_are_counted_by_outcome(identity) -> None:
    await identity.candidate(EMAIL)
    before = counted("sign_ins")
    assert (await identity.sign_in(EMAIL)).status_code == 201
    assert (await identity.sign_in(EMAIL, role="recruiter")).status_code == 403
    assert (await identity.sign_in("niemand@voorbeeld.example")).status_code == 401
    statuses = [(await identity.sign_in(EMAIL, "een ander wachtwoord")).status_code for _ in range(12)]
    assert statuses[-1] == 429
    assert since(before, "sign_ins") == {
        "signed-in": 1,
        "acting": 1,
        "credentials": 1 + statuses.count(401),
        "throttled": statuses.count(429),
    }


async def test_refreshes_are_counted_by_outcome(identity) -> None:
    person = await identity.candidate(EMAIL)
    before = counted("refreshes")
    for token, status in ((person.answer["refresh_token"], 200), ("nonsense", 401)):
        assert (await identity.post("/sessions/refresh", {"refresh_token": token})).status_code == status
    assert since(before, "refreshes") == {"renewed": 1, "refused": 1}


async def test_tokens_of_systems_are_counted_by_the_standards_codes(identity) -> None:
    operator = await identity.operator()
    organisation = await identity.organisation(operator)
    body = {"name": "Vacaturesysteem", "scopes": ["vacancies:write"]}
    client = (await operator.call("POST", f"/organisations/{organisation}/clients", json=body)).json()
    before = counted("client_tokens")
    form = {"grant_type": "client_credentials", "client_id": client["id"], "client_secret": client["secret"]}
    for changes in ({}, {"client_secret": "geraden"}, {"grant_type": "password"}, {"scope": "all"}):
        await identity.client.post("/api/identity/v1/oauth/token", data=form | changes)
    assert since(before, "client_tokens") == {"granted": 1, "invalid_client": 1, "unsupported_grant_type": 1, "invalid_scope": 1}
