"""The page behind an unsubscribe link: looking changes nothing, and who made the link up learns nothing."""

import pytest

pytestmark = pytest.mark.integration
PAGES = "https://portal.example/api/notifications/v1/pages/unsubscribe"


@pytest.fixture
async def link(world, api, subject):
    return world.parts.unsubscribing.link(await api.save(subject))


async def state(world, subject):
    (row,) = await world.mongo.find("searches", {"subject": subject})
    return row["state"], row["sequence"]


async def test_a_scanner_that_only_looks_changes_nothing(world, api, link, subject):
    for _ in range(5):
        shown = await api.http.get(link)
        assert (await api.http.head(link)).status_code == 200
    assert "<form" in shown.text
    assert "Ja, meld mij af" in shown.text
    assert await state(world, subject) == ("active", 1)


@pytest.mark.parametrize(
    "body",
    [
        {"data": {"List-Unsubscribe": "One-Click"}},
        {"files": {"List-Unsubscribe": (None, "One-Click")}},
        {"content": b""},
    ],
)
async def test_the_mail_programs_post_and_the_button_both_act(world, api, link, subject, body):
    done = await api.http.post(link, **body)
    assert done.status_code == 200
    assert await state(world, subject) == ("stopped", 2)


async def test_unsubscribing_again_or_from_a_removed_search_answers_the_same(world, api, link, subject):
    answers = [await api.http.post(link) for _ in range(2)]
    assert await state(world, subject) == ("stopped", 2)
    path = "/api/notifications/v1/searches/" + link.rpartition("/")[2].partition(".")[0]
    await api.http.delete(path, headers=api.signed_in(subject) | {"If-Match": '"2"'})
    answers.append(await api.http.post(link))
    assert {(answer.status_code, answer.text) for answer in answers} == {(200, answers[0].text)}


async def test_a_stopped_search_can_be_resumed_by_its_owner(world, api, link, subject):
    await api.http.post(link)
    path = "/api/notifications/v1/searches/" + link.rpartition("/")[2].partition(".")[0]
    body = {"criteria": {"words": "houtbouw"}, "frequency": "immediate", "active": True}
    await api.http.put(path, json=body, headers=api.signed_in(subject) | {"If-Match": '"2"'})
    assert await state(world, subject) == ("active", 3)


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
async def test_a_made_up_link_is_refused(world, api, link, subject, method):
    made_up = link[:-1] + ("A" if link[-1] != "A" else "B")
    for address in (made_up, f"{PAGES}/x", f"{PAGES}/x.y"):
        assert (await api.http.request(method, address)).status_code == 404
    assert await state(world, subject) == ("active", 1)


async def test_the_page_speaks_english_when_asked_and_lets_nothing_in(api, link):
    shown = await api.http.get(link, headers={"Accept-Language": "en"})
    assert "Yes, unsubscribe me" in shown.text
    assert "<script" not in shown.text
    assert "default-src 'none'" in shown.headers["content-security-policy"]
    assert shown.headers["cache-control"] == "no-store"
