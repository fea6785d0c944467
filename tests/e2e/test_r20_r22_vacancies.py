"""R20, R22: organisations publish vacancies; whose saved search fits is mailed once, and stops it with one click."""

from copy import deepcopy
from typing import Any

import httpx
import pytest
from testkit.cast import Candidate, Cast, Organisation
from testkit.mailbox import Mail
from testkit.portal import Actor, Portal, ok
from testkit.refusals import expect_refused
from testkit.samples import saved_search, vacancies
from testkit.waiting import eventually

VACANCIES, SEARCHES = "profiles/v1/vacancies", "notifications/v1/searches"

NOWHERE = {"@type": "Place", "address": {"addressLocality": "Nergens{mark}"}}


def posting(cast: Cast, *, fits: bool = True, **changes: Any) -> dict[str, Any]:
    made = deepcopy(next(one for one in vacancies(cast.today) if one.matches_search is fits).posting)
    return {name: value for name, value in (made | changes).items() if value is not None}


async def publish(actor: Actor, body: dict[str, Any], **headers: str) -> httpx.Response:
    return await actor.post(VACANCIES, body, headers={name.replace("_", "-"): value for name, value in headers.items()})


async def own(actor: Actor) -> list[dict[str, Any]]:
    return list(ok(await actor.get(VACANCIES, params={"limit": 100})).json()["items"])


async def save(candidate: Candidate, criteria: dict[str, Any] | None = None) -> str:
    return str(ok(await candidate.actor.post(SEARCHES, {"criteria": criteria or saved_search()})).json()["id"])


async def alerts(portal: Portal, candidate: Candidate) -> list[Mail]:
    return [mail for mail in await portal.mailbox.all(candidate.email) if mail.has_link("/pages/unsubscribe/")]


async def test_r20_a_system_and_a_recruiter_publish_change_and_close(cast: Cast, organisation: Organisation) -> None:
    for actor in (organisation.system, organisation.recruiter):
        made = ok(await publish(actor, posting(cast))).json()["id"]
        path = f"{VACANCIES}/{made}"
        shown = ok(await actor.get(path))
        assert (shown.json()["state"], shown.json()["organisation"]) == ("open", organisation.id)
        stale = {"If-Match": shown.headers["etag"]}
        ok(await actor.put(path, posting(cast, title="Data-analist die veranderde")))
        expect_refused(await actor.call("PUT", path, json=posting(cast), headers=stale), 412, "stale")
        expect_refused(await actor.call("PUT", path, json=posting(cast)), 428, "if-match-required")
        for _ in range(2):
            assert ok(await actor.post(f"{path}/closure")).json()["state"] == "closed"
        expect_refused(await actor.put(path, posting(cast)), 409, "vacancy-closed")
        assert ok(await actor.get(path)).json()["title"] == "Data-analist die veranderde"


async def test_r20_a_vacancy_of_another_organisation_does_not_exist(
    cast: Cast, organisation: Organisation, outsider: Organisation
) -> None:
    path = f"{VACANCIES}/{ok(await publish(organisation.system, posting(cast))).json()['id']}"
    before = ok(await organisation.system.get(path)).json()
    for actor in (outsider.system, outsider.recruiter):
        expect_refused(await actor.get(path), 404, "not-found")
        expect_refused(await actor.call("PUT", path, json=posting(cast), headers={"If-Match": '"1"'}), 404, "not-found")
        expect_refused(await actor.post(f"{path}/closure"), 404, "not-found")
        assert before["id"] not in [one["id"] for one in await own(actor)]
    assert ok(await organisation.system.get(path)).json() == before


async def test_r20_only_an_organisations_people_and_systems_publish(
    cast: Cast, portal: Portal, operator: Actor, candidate: Candidate
) -> None:
    for actor in (candidate.actor, operator):
        expect_refused(await publish(actor, posting(cast)), 403, "forbidden")
        expect_refused(await actor.get(VACANCIES), 403, "forbidden")
    expect_refused(await publish(portal.visitor, posting(cast)), 401, "unauthorized")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"title": None}, "title"),
        ({"title": ""}, "title"),
        ({"title": "Analist <b>{mark}</b>"}, "title"),
        ({"description": "<script>alert('{mark}')</script>"}, "description"),
        ({"description": "<img src=x onerror={mark}>"}, "description"),
        ({"description": None}, "description"),
        ({"hiringOrganization": {"@type": "Organization", "name": "Iemand {mark}"}}, "hiringOrganization.name"),
        ({"validThrough": "2027-02-30"}, "validThrough"),
        ({"validThrough": "2001-01-01", "datePosted": None}, "validThrough"),
        (
            {"jobLocation": {"@type": "Place", "address": {"addressLocality": "Nergens{mark}"}}},
            "jobLocation.address.addressLocality",
        ),
        ({"jobLocation": None}, "jobLocation"),
        ({"workHours": "veel {mark}"}, "workHours"),
        ({"employmentType": ["{mark}"]}, "employmentType"),
        ({"@type": "Person"}, "@type"),
        ({"url": "javascript:{mark}"}, "url"),
    ],
)
async def test_r20_a_posting_that_breaks_a_rule_is_refused_and_nothing_is_published(
    cast: Cast, organisation: Organisation, change: dict[str, Any], field: str
) -> None:
    before = await own(organisation.system)
    document = expect_refused(await publish(organisation.system, _marked(posting(cast, **change), cast.mark)), 422, "invalid")
    assert [error["field"] for error in document["errors"]] == [field]
    assert cast.mark not in str(document)
    assert await own(organisation.system) == before


async def test_r20_published_twice_under_one_key_is_published_once(cast: Cast, organisation: Organisation) -> None:
    key = cast.mark
    answers = [ok(await publish(organisation.system, posting(cast), Idempotency_Key=key)) for _ in range(3)]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len({(answer.status_code, answer.headers["etag"]) for answer in answers}) == 1
    other = await publish(organisation.system, posting(cast, title="Iets anders"), Idempotency_Key=key)
    expect_refused(other, 422, "idempotency-key-reused")
    ids = [one["id"] for one in await own(organisation.system)]
    assert ids.count(answers[0].json()["id"]) == 1
    assert "Iets anders" not in [one["title"] for one in await own(organisation.system)]


async def test_r22_who_searches_for_it_is_mailed_once_and_nobody_else(
    cast: Cast, portal: Portal, organisation: Organisation
) -> None:
    fits, elsewhere, none = [await cast.candidate() for _ in range(3)]
    await save(fits)
    await save(elsewhere, saved_search() | {"place": "Maastricht", "radius_km": 5})
    title = f"Data-analist voor proef {cast.made}"
    made = ok(await publish(organisation.system, posting(cast, title=title))).json()["id"]
    ok(await publish(organisation.system, posting(cast, fits=False)))
    mail = await portal.mailbox.wait(fits.email, link="/pages/unsubscribe/")
    assert title in mail.text
    ok(await organisation.system.put(f"{VACANCIES}/{made}", posting(cast, title=f"{title} (m/v)")))
    later = f"Data-analist voor later {cast.made}"
    ok(await publish(organisation.system, posting(cast, title=later)))
    assert later in (await portal.mailbox.wait(fits.email, link="/pages/unsubscribe/")).text
    assert [title in one.text for one in await alerts(portal, fits)] == [True, False]
    assert await alerts(portal, elsewhere) == await alerts(portal, none) == []


@pytest.mark.parametrize("one_click", [True, False])
async def test_r22_one_click_stops_the_mails_and_looking_does_not(
    cast: Cast, portal: Portal, organisation: Organisation, one_click: bool
) -> None:
    made = await cast.candidate()
    search = await save(made)
    ok(await publish(organisation.system, posting(cast, title=f"Data-analist {cast.made}")))
    mail = await portal.mailbox.wait(made.email, link="/pages/unsubscribe/")
    source = await portal.mailbox.source(mail)
    assert source["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = str(source["List-Unsubscribe"]).strip("<>") if one_click else mail.link("/pages/unsubscribe/")
    for method in ("GET", "HEAD") * 2:
        ok(await portal.http.request(method, link))
    assert ok(await made.actor.get(f"{SEARCHES}/{search}")).json()["active"]
    for _ in range(2):
        ok(await portal.http.post(link, data={"List-Unsubscribe": "One-Click"} if one_click else {}))
    assert not ok(await made.actor.get(f"{SEARCHES}/{search}")).json()["active"]
    witness = await cast.candidate()
    await save(witness)
    ok(await publish(organisation.system, posting(cast, title=f"Data-analist {cast.made}")))
    await portal.mailbox.wait(witness.email, link="/pages/unsubscribe/")
    assert len(await alerts(portal, made)) == 1


async def test_r22_a_changed_unsubscribe_link_stops_nothing(cast: Cast, portal: Portal) -> None:
    made = await cast.candidate()
    search = await save(made)
    for token in (search, f"{search}.", f"{search}.AAAA", "x"):
        for method in ("GET", "POST"):
            answer = await portal.http.request(method, f"/api/notifications/v1/pages/unsubscribe/{token}")
            assert answer.status_code == 404
    assert ok(await made.actor.get(f"{SEARCHES}/{search}")).json()["active"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"criteria": {"place": "Nergenshuizen{mark}"}}, "criteria.place"),
        ({"criteria": {}}, "criteria"),
        ({"criteria": {"skills": ["SQL"], "radius_km": 10}}, "criteria.radius_km"),
        ({"criteria": {"hours_from": 36, "hours_to": 20}}, "criteria.hours_to"),
        ({"criteria": {"skills": ["SQL"], "iets_anders": "{mark}"}}, "criteria.iets_anders"),
        ({"criteria": {"level": "professor{mark}"}}, "criteria.level.0"),
        ({"criteria": {"skills": ["SQL"]}, "frequency": "soms{mark}"}, "frequency"),
        ({}, "criteria"),
    ],
)
async def test_r22_a_search_that_makes_no_sense_is_refused(
    cast: Cast, candidate: Candidate, body: dict[str, Any], field: str
) -> None:
    before = ok(await candidate.actor.get(SEARCHES)).json()
    document = expect_refused(await candidate.actor.post(SEARCHES, _marked(body, cast.mark)), 422, "invalid")
    assert [error["field"] for error in document["errors"]] == [field]
    assert cast.mark not in str(document)
    assert ok(await candidate.actor.get(SEARCHES)).json() == before


async def test_r22_a_search_is_its_owners_only_and_saved_once_per_key(cast: Cast, candidate: Candidate) -> None:
    made = await cast.candidate()
    body, headers = {"criteria": saved_search()}, {"Idempotency-Key": cast.mark}
    first, second = [ok(await made.actor.post(SEARCHES, body, headers=headers)).json()["id"] for _ in range(2)]
    assert first == second
    path = f"{SEARCHES}/{first}"
    shown = ok(await made.actor.get(path))
    match = {"If-Match": shown.headers["etag"]}
    expect_refused(await candidate.actor.get(path), 404, "no-such-search")
    expect_refused(await candidate.actor.call("DELETE", path, headers=match), 404, "no-such-search")
    expect_refused(await made.actor.call("DELETE", path, headers={"If-Match": '"99"'}), 412, "stale")
    expect_refused(await made.actor.delete(path), 428, "if-match-required")
    assert ok(await made.actor.get(path)).json() == shown.json()
    ok(await made.actor.call("DELETE", path, headers=match))
    await eventually(lambda: _is_gone(made, path), timeout=5)


async def _is_gone(made: Candidate, path: str) -> bool:
    return (await made.actor.get(path)).status_code == 404


def _marked(sent: Any, mark: str) -> Any:
    if isinstance(sent, dict):
        return {name: _marked(value, mark) for name, value in sent.items()}
    if isinstance(sent, list):
        return [_marked(one, mark) for one in sent]
    return sent.replace("{mark}", mark) if isinstance(sent, str) else sent
