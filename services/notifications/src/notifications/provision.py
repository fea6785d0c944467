"""`python -m notifications provision`: let an organisation's systems follow, end that, or bring what they may read up to date.

It needs the credential of an administrator of Kafka, which no service has. So a worker can ask systems to forget and say what
is wrong, but what Kafka lets them read changes only here.
"""

import argparse
import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from chassis.ids import new_secret
from chassis.kafka import Kafka, ensure_topics
from chassis.mongo import Mongo, transact
from chassis.provisioning import Administrator, Grants, follower_grants
from chassis.resources import WORKER_PATIENCE, connect
from chassis.terminal import say
from chassis.uow import UnitOfWork
from contracts.notifications.bank import BankEvent
from contracts.notifications.organisation import ForOrganisationEvent
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from notifications.app import INDEXES, use_cases
from notifications.outward import store
from notifications.outward.service import Outward
from notifications.settings import NotificationsSettings

HELP = "let an organisation's systems follow the bank at Kafka, or end that"
CREDENTIAL = (
    "The administrator of Kafka is named by KAFKA_ADMIN_USER, with KAFKA_ADMIN_PASSWORD or KAFKA_ADMIN_PASSWORD_FILE. "
    "Exit codes: 0 done; 1 refused, and why is said; 2 the command line is wrong."
)


class AdministratorSettings(BaseSettings):
    """The administrator's credential: of whoever types the command, and of no service."""

    model_config = SettingsConfigDict(env_prefix="KAFKA_ADMIN_")

    user: str = Field(min_length=1)
    password: SecretStr | None = None
    password_file: Path | None = None

    def login(self, settings: NotificationsSettings) -> Kafka:
        """Return the way to the service's brokers, as the administrator."""
        given = self.password.get_secret_value() if self.password else ""
        password = self.password_file.read_text().strip() if self.password_file else given
        return Kafka(settings.kafka, self.user, password, settings.kafka_tls)


class RefusedError(Exception):
    """It is not done, for this reason."""


def user_of(organisation: str) -> str:
    """Return the name of an organisation's user at Kafka; its groups begin with it and a dot."""
    return f"organisation.{organisation}"


def grants(organisation: str, *, bank: bool) -> Grants:
    """Return all that an organisation's systems may do: read their own topic, and the bank's while they may see it."""
    below = f"{user_of(organisation)}."
    topics = [BankEvent.topic.name] if bank else []
    return follower_grants(user_of(organisation), topics=topics, below=[below], groups_below=below)


@dataclass(frozen=True)
class Provisioning:
    """Makes and ends what an organisation's systems may do at Kafka, and keeps in the database who follows."""

    mongo: Mongo
    outward: Outward
    login: Kafka
    administrator: Administrator

    @classmethod
    def over(cls, mongo: Mongo, outward: Outward, login: Kafka) -> Self:
        """Return it for an administrator's login."""
        return cls(mongo, outward, login, Administrator(login))

    async def admit(self, organisation: str, *, new_password: bool = False) -> str | None:
        """Let an organisation's systems follow; return the password when one was made, which is kept nowhere.

        The topic comes first, then the row by which the worker writes there, then the user: a crash in between leaves nobody who
        follows and is asked nothing. A user is known by its grants, which come last: nobody is left with a password that
        was never handed over.

        Raises:
            RefusedError: There is no such organisation, or it may not see the bank.
        """
        known = await store.organisation(self.mongo, organisation)
        if known is None or not known["access"]:
            raise RefusedError("no organisation of this id that may see the bank has been heard of")
        await ensure_topics(self.login, [BankEvent.topic, ForOrganisationEvent.topic.of(organisation)])
        await self._keep(organisation, reads_bank=True)
        user, given = user_of(organisation), grants(organisation, bank=True)
        if await asyncio.to_thread(self.administrator.grants, user) and not new_password:
            await asyncio.to_thread(self.administrator.allow, user, given)
            return None
        password = new_secret()
        await asyncio.to_thread(self.administrator.admit, user, password, given)
        return password

    async def revoke(self, organisation: str) -> int:
        """Let an organisation's systems in no more and ask them nothing; return how much they had not acknowledged."""
        await asyncio.to_thread(self.administrator.expel, user_of(organisation))
        left = await self.outward.dismiss(self.mongo, organisation)
        await transact(self.mongo, _removing(organisation))
        return left

    async def reconcile(self) -> dict[str, bool]:
        """Let every follower read what it may see now, and return for each whether that is the bank's topic."""
        found = {row["_id"]: bool(row["access"]) for row in await store.followers(self.mongo)}
        for organisation, access in found.items():
            await asyncio.to_thread(self.administrator.allow, user_of(organisation), grants(organisation, bank=access))
            await self._keep(organisation, reads_bank=access)
        return found

    async def _keep(self, organisation: str, *, reads_bank: bool) -> None:
        async def work(uow: UnitOfWork) -> None:
            store.put_follower(uow, organisation, reads_bank=reads_bank)

        await transact(self.mongo, work)


def _removing(organisation: str) -> Callable[[UnitOfWork], Any]:
    async def work(uow: UnitOfWork) -> None:
        store.remove_follower(uow, organisation)

    return work


def arguments(parser: argparse.ArgumentParser) -> None:
    """Say what can be typed after `provision`."""
    parser.epilog = CREDENTIAL
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--organisation", metavar="ID", help="whose systems")
    what.add_argument("--reconcile", action="store_true", help="let all followers read what their organisations may see now")
    parser.add_argument("--revoke", action="store_true", help="let the organisation's systems in no more")
    parser.add_argument("--new-password", action="store_true", help="make another password for a user that is there")
    parser.add_argument("--password-to", type=Path, metavar="FILE", help="write the password there (0600) instead of printing it")
    parser.add_argument("--dry-run", action="store_true", help="say what would be done")


def run(settings: NotificationsSettings, asked: argparse.Namespace) -> None:
    """Do what was typed; the exit status tells."""
    if asked.dry_run:
        say(f"nothing was done; this would {_meant(asked)}")
        return
    try:
        asyncio.run(_run(settings, asked))
    except RefusedError as error:
        say(str(error))
        raise SystemExit(1) from None


def _meant(asked: argparse.Namespace) -> str:
    if asked.reconcile:
        return "let every follower read its own topic, and outward.bank.v1 where its organisation may see the bank"
    user, topic = user_of(asked.organisation), ForOrganisationEvent.topic.of(asked.organisation).name
    if asked.revoke:
        return f"remove the user {user} and all that it may do, and withdraw what it was asked to forget"
    reads = f"which reads {BankEvent.topic.name} and all below {user}. in groups below {user}."
    return f"make the topic {topic} and the user {user}, {reads}"


async def _run(settings: NotificationsSettings, asked: argparse.Namespace) -> None:
    made = connect(settings, patience=WORKER_PATIENCE)
    try:
        await made.mongo.ensure_indexes(*INDEXES)
        login = AdministratorSettings().login(settings)
        await _do(Provisioning.over(made.mongo, use_cases(made).outward, login), asked)
    finally:
        await made.close()


async def _do(work: Provisioning, asked: argparse.Namespace) -> None:
    if asked.reconcile:
        for organisation, access in (await work.reconcile()).items():
            say(f"{organisation} {'reads the bank and its own topic' if access else 'reads only its own topic'}")
    elif asked.revoke:
        left = await work.revoke(asked.organisation)
        say(f"{user_of(asked.organisation)} is let in no more; it had not acknowledged {left} handles")
    else:
        _hand_over(await work.admit(asked.organisation, new_password=asked.new_password), asked)


def _hand_over(password: str | None, asked: argparse.Namespace) -> None:
    user = user_of(asked.organisation)
    if password is None:
        say(f"{user} was there, and may do what it should; its password is the one that it had")
    elif asked.password_to is None:
        say(f"{user} {password}")
    else:
        asked.password_to.touch(mode=0o600)
        asked.password_to.chmod(0o600)
        asked.password_to.write_text(password)
        say(f"{user}: its password stands in {asked.password_to}")
