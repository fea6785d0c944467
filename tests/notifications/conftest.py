"""A mail server to script, and the service's own parts on a database of the test's own."""

import asyncio
import json
from base64 import b64decode, b64encode
from collections import deque
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from types import SimpleNamespace

import httpx
import pytest
from aiosmtpd.smtp import SMTP
from chassis import outbox
from chassis.ids import new_id
from chassis.inbox import Incoming
from chassis.resources import connect
from chassis.sealing import PRIVATE, turn_sealing_keys
from contracts.identity.account import AccountEvent
from contracts.identity.contact import ContactEvent
from contracts.identity.organisation import OrganisationEvent
from contracts.kinds import Sealed
from contracts.notifications.sealing_key import NotificationsSealingKeyEvent
from contracts.profiles.mail_request import ProfilesMailRequestEvent
from contracts.profiles.vacancy import SAMPLES, VacancyEvent
from nacl.public import PublicKey, SealedBox
from notifications.app import INDEXES, build_api, make_consumer, make_sender, smtp_mailer, use_cases
from notifications.settings import NotificationsSettings
from pydantic_core import to_json
from pymongo import MongoClient
from testkit.deliveries import Delivery, decoded
from testkit.fanning import fan_out
from testkit.keys import Signer, folder_of_keys
from testkit.parts import fresh_name

KEY = b64encode(b"k" * 32).decode()
DROP = "drop the connection"


class Postbox:
    """A real SMTP server: keeps what it took, and answers RCPT and DATA as it was told (250 when it was not)."""

    def __init__(self) -> None:
        self.mails, self.sessions, self._protocols = [], 0, []
        self.to_rcpt, self.to_data, self.to_rset = deque(), deque(), deque()
        self.port, self._server = 0, None

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        self._server.close()
        for protocol in self._protocols:
            if protocol.transport is not None:
                protocol.transport.abort()
        await self._server.wait_closed()

    def _serve(self):
        self.sessions += 1
        protocol = SMTP(self, enable_SMTPUTF8=True, hostname="postbox.example")
        self._protocols.append(protocol)
        return protocol

    async def handle_RCPT(self, _server, _session, envelope, address, _options):  # noqa: N802 - aiosmtpd's name
        answer = self.to_rcpt.popleft() if self.to_rcpt else "250 OK"
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_RSET(self, _server, _session, _envelope):  # noqa: N802 - aiosmtpd's name
        return self.to_rset.popleft() if self.to_rset else "250 OK"

    async def handle_DATA(self, server, _session, envelope):  # noqa: N802 - aiosmtpd's name
        answer = self.to_data.popleft() if self.to_data else "250 OK"
        if callable(answer):
            answer = answer()
        if answer == DROP or answer.startswith("250"):
            mail = message_from_bytes(envelope.content, policy=default)
            self.mails.append(mail)
        if answer == DROP:
            server.transport.abort()
            return "421 gone"
        return answer


class World:
    """Notifications without a broker: events are applied as its consumer does, mails are sent as its sender does."""

    def __init__(self, settings: NotificationsSettings) -> None:
        self.settings, self.made = settings, connect(settings)
        self.mongo, self.keyring, self.clock = self.made.mongo, self.made.keyring, self.made.clock
        self.parts = use_cases(self.made)
        self.consumer = make_consumer(self.parts)
        self._sequences: dict[tuple[type, str], int] = {}

    async def start(self) -> None:
        await self.mongo.ensure_indexes(outbox.INDEXES, *INDEXES)
        await self.turn_keys()

    async def turn_keys(self) -> None:
        async def lagging() -> bool:
            return False

        await turn_sealing_keys(self.mongo, self.keyring, NotificationsSealingKeyEvent, lagging)

    def turn_days(self, days: int) -> None:
        self.settings.clock_file.write_text(str(days * 86_400))

    def sender(self, mailer=None, **changes):
        sender = make_sender(self.parts, mailer or smtp_mailer(self.settings))
        return sender.__class__(**{**sender.__dict__, **changes})

    async def seal(self, **details) -> Sealed:
        rows = await self.keyring.mongo.find(PRIVATE, {}, sort=[("_id", -1)], limit=1)
        box = SealedBox(PublicKey(b64decode(rows[0]["public_key"]))).encrypt(to_json(details))
        return Sealed(key_id=rows[0]["key_id"], box=b64encode(box).decode())

    def incoming(self, event, *, key=None, event_type=None, sequence=None) -> Incoming:
        event_type, key = event_type or type(event), key or event.key
        known = self._sequences.get((event_type, key), 0)
        number = self._sequences[event_type, key] = sequence or known + 1
        return decoded(self.consumer, Delivery(event_type, key, number, event))

    async def hear(self, *events) -> None:
        """Apply events in one batch, each with the next sequence of its key."""
        await self.consumer.apply([one if isinstance(one, Incoming) else self.incoming(one) for one in events])

    async def hear_tombstone(self, event_type, key: str) -> None:
        await self.hear(self.incoming(None, key=key, event_type=event_type))

    async def contact(self, subject: str, address: str, language: str = "nl") -> ContactEvent:
        return ContactEvent(account=subject, sealed=await self.seal(address=address), language=language)

    async def ask(self, subject: str, **changes) -> ProfilesMailRequestEvent:
        """A must-arrive mail of profiles: 'is your profile up to date?'."""
        fields = {
            "cause": f"profiles:ask:{subject}:1",
            "subject": subject,
            "template": "renewal-asked",
            "language": "nl",
            "facts": {"visible-until": "2027-03-01", "period-days": "28"},
            "sealed": await self.seal(secret="s3cret"),
            "address": "account",
        }
        return ProfilesMailRequestEvent.model_validate(fields | changes)

    async def renewed(self, subject: str) -> ProfilesMailRequestEvent:
        """An at-most-once mail of profiles: 'your profile stays'."""
        cause = f"profiles:renewed:{subject}:1"
        facts = {"visible-until": "2028-03-01"}
        return await self.ask(subject, cause=cause, template="profile-renewed", facts=facts, sealed=None)

    async def tell(self) -> int:
        """Send the mails about what is under way and due, and return how many went."""
        await self.fan_out()
        return await self.sender().round()

    async def fan_out(self) -> None:
        """Fan out what is under way, and ask for the mails that are due."""
        await fan_out(self.mongo, self.parts.fanout)

    async def mail(self, cause: str):
        return await self.mongo.find_one("mails", {"_id": cause})

    async def deliveries(self, cause: str) -> list[dict]:
        rows = await self.mongo.find("outbox", {"topic": "notifications.delivery.v1", "key": cause})
        return [json.loads(row["body"]) for row in rows]

    async def close(self) -> None:
        await self.made.close()


def account(subject: str, state: str = "confirmed") -> AccountEvent:
    day = datetime(2026, 3, 2, tzinfo=UTC).date()
    return AccountEvent(account=subject, state=state, language="nl", roles=("candidate",), confirmed_on=day)


def organisation(name: str = "Bouwbedrijf De Steiger B.V.") -> OrganisationEvent:
    return OrganisationEvent(organisation=SAMPLES[0].organisation, name=name, state="active", bank_access=True, members=())


def vacancy(**changes) -> VacancyEvent:
    """Werkvoorbereider houtbouw in Amersfoort, 32-40 hours, mbo-4, permanent; a new one each time."""
    return SAMPLES[0].model_copy(update={"vacancy": new_id(), **changes})


@pytest.fixture
async def postbox():
    box = Postbox()
    await box.start()
    yield box
    await box.stop()


@pytest.fixture(scope="session")
def databases(mongo_url):
    """Two databases for all tests of the service: making them anew for each test takes a second."""
    names = fresh_name("notifications"), fresh_name("notifications-keyring")
    with MongoClient(mongo_url) as client:
        yield [client[name] for name in names]
        for name in names:
            client.drop_database(name)


@pytest.fixture
def settings(mongo_url, databases, postbox, tmp_path):
    for database in databases:
        for name in database.list_collection_names():
            database[name].delete_many({})
    return NotificationsSettings(
        production=False,
        clock_file=tmp_path / "clock",
        mongo_url=mongo_url,
        mongo_database=databases[0].name,
        keyring_url=mongo_url,
        keyring_database=databases[1].name,
        master_keys=folder_of_keys(tmp_path),
        hash_key=KEY,
        public_url="https://portal.example",
        smtp_port=postbox.port,
        smtp_timeout=timedelta(seconds=2),
        mail_first_retry=timedelta(milliseconds=20),
        mail_longest_retry=timedelta(milliseconds=50),
        mail_poll=timedelta(milliseconds=20),
        mail_lease=timedelta(seconds=2),
        match_shares=2,
    )


@pytest.fixture
async def world(settings):
    made = World(settings)
    await made.start()
    yield made
    await made.close()


@pytest.fixture
def make():
    """The events of a test: `make.account(…)`, `make.organisation(…)`, `make.vacancy(…)`."""
    return SimpleNamespace(account=account, organisation=organisation, vacancy=vacancy, drop=DROP, name=fresh_name)


@pytest.fixture
def subject() -> str:
    return new_id()


@pytest.fixture
def new(world, make):
    """A vacancy that is published today."""
    return lambda **changes: make.vacancy(**{"published_on": world.clock.today(), "valid_through": None} | changes)


@pytest.fixture
async def person(world, subject, make):
    """Somebody who can be mailed."""
    await world.hear(make.account(subject), await world.contact(subject, "an@x.example"), make.organisation())
    return subject


class Api:
    """The API as people and mail programs reach it: over HTTP, with tokens that a known key signed."""

    def __init__(self, world: World) -> None:
        self.world, self._signer = world, Signer(world.settings.public_url)
        self.app = build_api(world.settings, made=world.made)
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="https://portal.example")

    async def start(self) -> None:
        self.app.state.prepared.set()  # the world has made the indexes, and nobody was erased
        await self.world.hear(self._signer.announcement())

    def signed_in(self, subject: str, role: str = "candidate") -> dict[str, str]:
        """The headers of somebody who is signed in."""
        return self._signer.headers(subject, role, org=None if role == "candidate" else "org-1")

    async def save(self, subject: str, **criteria) -> str:
        """Save a search and return its id."""
        body = {"criteria": criteria or {"words": "houtbouw"}}
        answer = await self.http.post("/api/notifications/v1/searches", json=body, headers=self.signed_in(subject))
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]


@pytest.fixture
async def api(world):
    made = Api(world)
    async with made.http:
        await made.start()
        yield made
