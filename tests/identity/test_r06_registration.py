"""R6: an account exists only after its address was confirmed from a mail, and nobody learns which addresses have one."""

import asyncio
from datetime import timedelta

import pytest

PASSWORD = "pas fiets brug"
EMAIL = "fatima@voorbeeld.example"


async def accounts(identity) -> list[dict]:
    return await identity.mongo.find("accounts", {})


async def test_registering_makes_no_account_and_mails_a_link(identity) -> None:
    answer = await identity.register(EMAIL)
    assert (answer.status_code, answer.json()) == (202, {"status": "accepted"})
    assert await accounts(identity) == []
    [mail] = await identity.mails()
    assert (mail.template, mail.address) == ("confirm-address", EMAIL)
    assert mail.facts["valid-until"] == (identity.clock.today() + timedelta(days=2)).isoformat()
    assert (await identity.sign_in(EMAIL)).status_code == 401


async def test_nothing_readable_is_stored_of_a_registration(identity) -> None:
    await identity.register(EMAIL)
    secret = (await identity.mails())[0].secret
    for collection in ("registrations", "outbox", "waiting_events"):
        text = str(await identity.mongo.find(collection, {}))
        assert "fatima" not in text
        assert secret not in text
        assert PASSWORD not in text


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_scanner_that_follows_the_link_changes_nothing(identity, method) -> None:
    await identity.register(EMAIL)
    link = await identity.link(EMAIL)
    for _ in range(3):
        answer = await identity.client.request(method, f"/api/identity/v1{link}")
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store"
    assert await accounts(identity) == []
    shown = await identity.get(link)
    assert "<form" in shown.text
    assert "<script" not in shown.text


async def test_the_button_makes_the_account_once_and_tells_everybody(identity) -> None:
    await identity.register(EMAIL, language="en")
    link = await identity.link(EMAIL)
    first = await identity.post(link)
    again = await identity.post(link)
    assert (first.status_code, again.status_code) == (200, 200)
    assert "al bevestigd" in again.text
    [account] = await accounts(identity)
    [event] = await identity.events("identity.account.v1")
    assert event == {
        "account": account["_id"],
        "state": "confirmed",
        "language": "en",
        "roles": ["candidate"],
        "confirmed_on": identity.clock.today().isoformat(),
        "erasure": None,
    }
    [contact] = await identity.events("identity.contact.v1")
    assert identity.open(contact["sealed"]) == {"address": EMAIL}
    person = await identity.signed_in(EMAIL)
    assert person.claims["role"] == "candidate"


async def test_confirming_twice_at_once_makes_one_account(identity) -> None:
    await identity.register(EMAIL)
    link = await identity.link(EMAIL)
    answers = await asyncio.gather(*(identity.post(link) for _ in range(6)))
    assert [answer.status_code for answer in answers] == [200] * 6
    assert sum("is gemaakt" in answer.text for answer in answers) == 1
    assert len(await accounts(identity)) == 1
    assert len(await identity.events("identity.account.v1")) == 1


async def test_two_registrations_of_one_address_that_race_end_in_one_account_with_the_confirmed_password(identity) -> None:
    await asyncio.gather(identity.register(EMAIL, "eerste wachtwoord"), identity.register(EMAIL, "tweede wachtwoord"))
    mails = await identity.mails("confirm-address")
    assert len(mails) == 2
    answers = await asyncio.gather(*(identity.post(f"/pages/confirm/{mail.secret}") for mail in mails))
    assert sorted("is gemaakt" in answer.text for answer in answers) == [False, True]
    [account] = await accounts(identity)
    fitting = [word for word in ("eerste wachtwoord", "tweede wachtwoord") if (await identity.sign_in(EMAIL, word)).is_success]
    assert len(fitting) == 1
    used = next(mail for mail, answer in zip(mails, answers, strict=True) if "is gemaakt" in answer.text)
    assert used.subject == account["_id"]


async def test_registering_again_before_confirming_leaves_the_first_link_working(identity) -> None:
    """Otherwise a stranger could break somebody's link, or get them to confirm the stranger's password."""
    await identity.register(EMAIL, "eigen wachtwoord")
    own = await identity.link(EMAIL)
    await identity.register(EMAIL, "van een vreemde")
    assert (await identity.post(own)).status_code == 200
    assert (await identity.sign_in(EMAIL, "eigen wachtwoord")).status_code == 201
    assert (await identity.sign_in(EMAIL, "van een vreemde")).status_code == 401
    assert "al bevestigd" in (await identity.get(await identity.link(EMAIL))).text


async def test_a_link_that_comes_after_another_way_to_an_account_changes_nothing(identity) -> None:
    """Somebody registers, is invited by an organisation and accepts that first: the account stands, with its own password."""
    await identity.register(EMAIL, "van de registratie")
    link = await identity.link(EMAIL)
    operator = await identity.operator()
    page = await identity.invited(operator, await identity.organisation(operator), "recruiter", email=EMAIL)
    await identity.client.post(f"/api/identity/v1{page}", data={"password": "van de uitnodiging"})
    before = await accounts(identity)
    late = await identity.post(link)
    assert (late.status_code, "al bevestigd" in late.text) == (200, True)
    assert await accounts(identity) == before
    assert (await identity.sign_in(EMAIL, "van de registratie")).status_code == 401
    left = (await identity.mongo.find("registrations", {}))[0]
    assert (left["state"], left["address"], left["password"]) == ("superseded", b"", "")
    await identity.run_job("destroy-keys")
    key = await identity.keyring_mongo.find_one("data_keys", {"_id": f"{left['account']}:identifying"})
    assert key is not None
    assert "wrapped" not in key


@pytest.mark.parametrize("written", [EMAIL, "FATIMA@Voorbeeld.EXAMPLE"])
async def test_a_known_address_answers_the_same_and_mails_its_owner_once_a_day(identity, written) -> None:
    await identity.candidate(EMAIL)
    before = await identity.mongo.find("registrations", {})
    answers = [await identity.register(written) for _ in range(3)]
    assert {(answer.status_code, answer.text) for answer in answers} == {(202, '{"status":"accepted"}')}
    [mail] = await identity.mails("address-known")
    assert mail.details == {}
    assert mail.cause.endswith(identity.clock.today().isoformat())
    assert await identity.mongo.find("registrations", {}) == before
    identity.turn(days=1)
    await identity.register(written)
    assert len(await identity.mails("address-known")) == 2


async def test_an_address_cannot_be_flooded_with_links(identity) -> None:
    for _ in range(identity.settings.mails_per_day + 3):
        assert (await identity.register(EMAIL)).status_code == 202
    assert len(await identity.mails()) == identity.settings.mails_per_day
    identity.turn(hours=25)
    await identity.register(EMAIL)
    assert len(await identity.mails()) == identity.settings.mails_per_day + 1


async def test_an_address_cannot_be_flooded_by_many_requests_at_once(identity) -> None:
    answers = await asyncio.gather(*(identity.register(EMAIL) for _ in range(identity.settings.mails_per_day * 3)))
    assert {answer.status_code for answer in answers} == {202}
    assert len(await identity.mails()) == identity.settings.mails_per_day


async def test_many_requests_at_once_do_not_tell_that_an_address_is_known(identity) -> None:
    await identity.candidate(EMAIL)
    answers = await asyncio.gather(*(identity.register(EMAIL) for _ in range(12)))
    assert {(answer.status_code, answer.text) for answer in answers} == {(202, '{"status":"accepted"}')}
    assert len(await identity.mails("address-known")) == 1


async def test_a_link_works_until_its_term_and_an_expired_one_looks_like_an_unknown_one(identity) -> None:
    await identity.register(EMAIL)
    link = await identity.link(EMAIL)
    identity.turn(hours=47, minutes=59)
    assert (await identity.get(link)).status_code == 200
    identity.turn(minutes=2)
    expired, unknown = await identity.post(link), await identity.post("/pages/confirm/van-niemand")
    assert expired.status_code == unknown.status_code == 404
    assert expired.text == unknown.text
    assert await accounts(identity) == []


async def test_what_nobody_confirmed_is_erased_with_its_key_after_a_week(identity) -> None:
    await identity.register(EMAIL)
    row = (await identity.mongo.find("registrations", {}))[0]
    identity.turn(days=6, hours=23)
    assert await identity.run_job("unconfirmed") == 0
    identity.turn(hours=2)
    assert await identity.run_job("unconfirmed") == 1
    await identity.run_job("destroy-keys")
    assert await identity.mongo.find("registrations", {}) == []
    key = await identity.keyring_mongo.find_one("data_keys", {"_id": f"{row['account']}:identifying"})
    assert key is not None
    assert "wrapped" not in key


async def test_the_erasing_job_leaves_the_key_of_who_did_confirm(identity) -> None:
    person = await identity.candidate(EMAIL)
    identity.turn(days=8)
    assert await identity.run_job("unconfirmed") == 1
    await identity.run_job("destroy-keys")
    key = await identity.keyring_mongo.find_one("data_keys", {"_id": f"{person.account}:identifying"})
    assert key is not None
    assert "wrapped" in key


@pytest.mark.parametrize(
    ("body", "field", "rule"),
    [
        ({"email": EMAIL}, "password", "required"),
        ({"password": PASSWORD}, "email", "required"),
        ({"email": "geen adres", "password": PASSWORD}, "email", None),
        ({"email": "a@b", "password": PASSWORD}, "email", None),
        ({"email": "a@x.example,b@y.example", "password": PASSWORD}, "email", None),
        ({"email": f"{'a' * 250}@x.example", "password": PASSWORD}, "email", None),
        ({"email": "a@-x-.example", "password": PASSWORD}, "email", None),
        ({"email": "a(1)@x.example", "password": PASSWORD}, "email", None),
        ({"email": "a:b@x.example", "password": PASSWORD}, "email", None),
        ({"email": "a\\b@x.example", "password": PASSWORD}, "email", None),
        ({"email": "a\x00b@x.example", "password": PASSWORD}, "email", None),
        ({"email": "a\u200bb@x.example", "password": PASSWORD}, "email", None),
        ({"email": EMAIL, "password": "kort"}, "password", "too-short"),
        ({"email": EMAIL, "password": "Fatima@Voorbeeld.example"}, "password", "is-address"),
        ({"email": EMAIL, "password": "wachtwoord123"}, "password", "too-common"),
        ({"email": EMAIL, "password": PASSWORD, "language": "de"}, "language", None),
        ({"email": EMAIL, "password": PASSWORD, "role": "operator"}, "role", "unknown"),
    ],
)
async def test_a_wrong_field_is_named_and_not_repeated(identity, body, field, rule) -> None:
    answer = await identity.post("/registrations", body)
    assert answer.status_code == 422, answer.text
    [error] = answer.json()["errors"]
    assert error["field"] == field
    assert rule is None or error["rule"] == rule
    assert "kort" not in answer.text
    assert await identity.mails() == []


async def test_the_password_rule_answers_the_same_for_a_known_address(identity) -> None:
    await identity.candidate(EMAIL)
    known, unknown = await identity.register(EMAIL, "kort"), await identity.register("nieuw@voorbeeld.example", "kort")
    assert known.json()["errors"] == unknown.json()["errors"]


async def test_a_blank_at_the_end_belongs_to_a_password(identity) -> None:
    await identity.candidate(EMAIL, "pas fiets brug ")
    assert (await identity.sign_in(EMAIL, "pas fiets brug")).status_code == 401


async def test_without_a_sealing_key_the_mail_waits_encrypted_and_leaves_when_one_comes(identity) -> None:
    keys = await identity.mongo.find("known_sealing_keys", {})
    await identity.mongo.database["known_sealing_keys"].delete_many({})
    await identity.register(EMAIL)
    assert await identity.mails() == []
    assert "fatima" not in str(await identity.mongo.find("waiting_events", {}))
    await identity.mongo.database["known_sealing_keys"].insert_many(keys)
    assert await identity.run_job("release-waiting") == 1
    assert (await identity.mails())[0].address == EMAIL


async def test_known_and_unknown_addresses_cost_one_hash_each(identity, monkeypatch) -> None:
    """The time of the answer tells nothing: both ways pay for Argon2 and write, and then wait for the same floor."""
    from identity.passwords.service import Passwords

    await identity.candidate(EMAIL)
    hashed = []
    real = Passwords.hash

    async def counting(self, password):
        hashed.append(password)
        return await real(self, password)

    monkeypatch.setattr(Passwords, "hash", counting)
    await identity.register(EMAIL)
    await identity.register("nieuw@voorbeeld.example")
    assert len(hashed) == 2


async def test_the_answer_does_not_come_before_the_floor(identity, monkeypatch) -> None:
    from identity.throttling.service import no_sooner_than

    loop = asyncio.get_running_loop()
    started = loop.time()
    with pytest.raises(ValueError, match="refused"):
        async with no_sooner_than(timedelta(milliseconds=80)):
            raise ValueError("refused")
    assert loop.time() - started >= 0.08
