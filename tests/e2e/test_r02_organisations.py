"""R2: everybody can read who takes part, what they do with the data, and whom to ask."""

from testkit.cast import Cast, Organisation
from testkit.portal import Actor, Portal, ok
from testkit.refusals import expect_refused
from testkit.waiting import eventually

PATH = "identity/v1/organisations"


async def listed(portal: Portal) -> dict[str, dict[str, object]]:
    found: list[dict[str, object]] = []
    after: str | None = None
    while True:
        page = ok(await portal.visitor.get(PATH, params={"limit": 100, **({"after": after} if after else {})})).json()
        found += page["items"]
        after = page.get("next")
        if not after:
            return {str(one["id"]): one for one in found}


async def test_r02_a_visitor_reads_who_takes_part(portal: Portal, organisation: Organisation, outsider: Organisation) -> None:
    found = await listed(portal)
    for one in (organisation, outsider):
        facts = found[one.id]
        assert facts["name"] == one.name
        assert facts["place"] == "Utrecht"
        assert facts["data_use"] == {
            "nl": "Wij zoeken mensen voor onze vacatures.",
            "en": "We look for people for our vacancies.",
        }
        assert facts["privacy_contact"] == "privacy@organisatie.example"
        assert ok(await portal.visitor.get(f"{PATH}/{one.id}")).json() == facts


async def test_r02_the_list_names_no_member_and_no_access(cast: Cast, portal: Portal, organisation: Organisation) -> None:
    facts = (await listed(portal))[organisation.id]
    assert not {"members", "bank_access", "state"} & set(facts)
    assert cast.mark not in str(facts)


async def test_r02_who_is_not_there_gets_404(portal: Portal) -> None:
    expect_refused(await portal.visitor.get(f"{PATH}/0190aaaa-0000-7000-8000-000000000000"), 404, "not-found")


async def test_r02_a_page_marker_that_we_did_not_make_is_refused(portal: Portal) -> None:
    expect_refused(await portal.visitor.get(PATH, params={"after": "verzonnen"}), 422)


async def test_r02_an_organisation_is_made_once_per_idempotency_key(
    portal: Portal, operator: Actor, organisation: Organisation
) -> None:
    facts = (await listed(portal))[organisation.id]
    body = {name: value for name, value in facts.items() if name != "id"} | {"name": "Eenmaal Andermaal"}
    first, second = [await operator.post(PATH, body, headers={"Idempotency-Key": "een-keer"}) for _ in range(2)]
    assert ok(first).json() == ok(second).json()
    expect_refused(await operator.post(PATH, body | {"place": "Zeist"}, headers={"Idempotency-Key": "een-keer"}), 422)


async def test_r02_a_suspended_organisation_is_not_listed_and_its_people_are_signed_out(
    cast: Cast, portal: Portal, operator: Actor
) -> None:
    made = await cast.organisation(operator, "Tijdelijk Werk", bank=True)
    details = f"{PATH}/{made.id}/details"
    ok(await operator.get(details))
    headers = {"If-Match": operator.etags[details]}
    ok(await operator.call("PATCH", f"{PATH}/{made.id}", json={"state": "suspended"}, headers=headers))
    assert made.id not in await listed(portal)
    expect_refused(await portal.visitor.get(f"{PATH}/{made.id}"), 404)
    await eventually(lambda: _is_signed_out(made), timeout=5)
    stale = await operator.call("PATCH", f"{PATH}/{made.id}", json={"state": "active"}, headers=headers)
    expect_refused(stale, 412, "stale")
    assert made.id not in await listed(portal)


async def _is_signed_out(organisation: Organisation) -> bool:
    return (await organisation.recruiter.get("identity/v1/me/account")).status_code == 401
