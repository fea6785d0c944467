"""The sample of an organisation's system: it follows with its own credential, forgets what it is told to, and says so."""

import asyncio
from contextlib import asynccontextmanager

import httpx
import pytest
from chassis.ids import new_handle
from chassis.kafka import Kafka, ensure_topics
from chassis.provisioning import Administrator
from contracts.notifications.bank import BankEvent
from contracts.notifications.organisation import EVERY_HANDLE, ForOrganisationEvent
from localstack.subscriber import Subscriber, Told
from notifications.provision import grants, user_of
from testkit.deliveries import saying
from testkit.parts import fresh_name
from testkit.probe import send_raw
from testkit.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.timeout(90)]


class Portal:
    """Answers as the portal does, and keeps what was acknowledged."""

    def __init__(self) -> None:
        self.acknowledged: list[str] = []

    def answer(self, request: httpx.Request) -> httpx.Response:
        assert request.method == "POST"
        if request.url.path.endswith("/oauth/token"):
            assert request.headers["authorization"].startswith("Basic ")
            assert request.content == b"grant_type=client_credentials&scope=bank%3Afollow"
            return httpx.Response(200, json={"access_token": "t0ken"})
        assert request.headers["authorization"] == "Bearer t0ken"
        self.acknowledged.append(request.url.path)
        return httpx.Response(204)


class Setting:
    """An organisation that was let in, its subscriber, and what is said to it."""

    def __init__(self, kafka: Kafka) -> None:
        self.kafka, self.name, self.portal = kafka, fresh_name("1").replace("-", ""), Portal()
        self.topic = ForOrganisationEvent.topic.of(self.name)
        Administrator(kafka).admit(user_of(self.name), "a password", grants(self.name, bank=True))

    @asynccontextmanager
    async def following(self):
        told = Told(
            organisation=self.name, kafka=self.kafka.servers, kafka_password="a password",
            portal="http://portal", client="client", client_secret="secret",
        )  # fmt: skip
        transport = httpx.MockTransport(self.portal.answer)
        async with httpx.AsyncClient(transport=transport, base_url=told.portal) as portal:
            subscriber = Subscriber(told, portal)
            running = asyncio.create_task(subscriber.run())
            yield subscriber
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    async def of_bank(self, handle: str, state: str, sequence: int) -> None:
        link = f"/api/profiles/v1/bank/profiles/{handle}"
        event = BankEvent.model_validate({"handle": handle, "state": state, "visible_groups": (), "link": link})
        one = saying(event, sequence)
        await send_raw(self.kafka, BankEvent.topic.name, handle.encode(), event.model_dump_json().encode(), one.headers())

    async def forget(self, handle: str, up_to: int) -> None:
        body = {"handle": handle, "says": "forget", "up_to": up_to, "acknowledge_before": "2027-03-05T09:30:00Z", "reminder": 0}
        event = ForOrganisationEvent.model_validate(body)
        headers = saying(event, 1).headers()
        await send_raw(self.kafka, self.topic.name, handle.encode(), event.model_dump_json().encode(), headers)

    def acknowledged(self, handle: str) -> int:
        path = f"/api/notifications/v1/organisations/{self.name}/forgets/{handle}/acknowledgement"
        return self.portal.acknowledged.count(path)


@pytest.fixture
async def setting(kafka: Kafka) -> Setting:
    made = Setting(kafka)
    await ensure_topics(kafka, [BankEvent.topic, made.topic])
    return made


async def test_it_holds_who_is_there_and_forgets_and_acknowledges_who_is_gone(setting: Setting) -> None:
    stays, goes, back = new_handle(), new_handle(), new_handle()
    async with setting.following() as subscriber:
        for handle in (stays, goes, back):
            await setting.of_bank(handle, "appeared", 1)
        await eventually(lambda: {stays, goes, back} <= subscriber.held.keys(), timeout=30)
        await setting.of_bank(back, "appeared", 3)
        await eventually(lambda: subscriber.held[back]["sequence"] == 3, timeout=30)
        await setting.forget(goes, 2)
        await setting.forget(back, 2)
        await eventually(lambda: setting.acknowledged(goes) and setting.acknowledged(back), timeout=30)
        assert goes not in subscriber.held
        assert {stays, back} <= subscriber.held.keys()
        await setting.of_bank(stays, "gone", 2)
        await eventually(lambda: stays not in subscriber.held, timeout=30)
        await setting.forget(EVERY_HANDLE, 0)
        await eventually(lambda: setting.acknowledged(EVERY_HANDLE), timeout=30)
        assert subscriber.held == {}


async def test_it_is_told_again_after_each_start_what_is_there_and_what_to_forget(setting: Setting) -> None:
    handle, stays = new_handle(), new_handle()
    await setting.of_bank(stays, "appeared", 1)
    await setting.forget(handle, 2)
    for starts in (1, 2):
        async with setting.following() as subscriber:
            await eventually(lambda starts=starts: setting.acknowledged(handle) == starts, timeout=30)
            await eventually(lambda subscriber=subscriber: stays in subscriber.held, timeout=30)
