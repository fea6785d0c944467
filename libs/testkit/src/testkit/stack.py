"""The whole system for tests in tests/e2e and for the demo: where it is, how to turn its time and how to restart a process."""

import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from chassis.clock import Clock
from chassis.kafka import Kafka
from localstack import kafka, mail, mongo, services, supervise
from localstack.instance import ensure, renew
from localstack.layout import Instance
from localstack.programs import BACKING, programs
from localstack.turning import turn
from pymongo import MongoClient


@dataclass(frozen=True)
class Stack:
    """One running instance of the local stack."""

    instance: Instance

    @property
    def gateway(self) -> str:
        """The gateway's address; paths begin with `/api/<service>/v1/`."""
        return services.public_url(self.instance)

    @property
    def mails(self) -> str:
        """The mail catcher's address."""
        return mail.web_url(self.instance)

    @property
    def kafka(self) -> Kafka:
        """Kafka, as its administrator."""
        return kafka.login(self.instance)

    @property
    def clock(self) -> Clock:
        """Domain time, as the processes of this instance read it."""
        return Clock(services.clock_file(self.instance))

    def mongo_url(self, user: str = "root") -> str:
        """The connection string of a user: `root`, `<service>` or `<service>_keyring`."""
        return mongo.url(self.instance, user)

    def environment(self, service: str) -> dict[str, str]:
        """The variables with which a service's commands and processes run in this instance."""
        return services.environment(self.instance, service)

    def process_environment(self, service: str) -> dict[str, str]:
        """The whole environment for a process that takes part in this instance; `make stop` ends it too."""
        return {**os.environ, supervise.MARK: str(self.instance.folder), **self.environment(service)}

    def turn(self, by: timedelta) -> datetime:
        """Turn domain time forward; returns when every process lives in it."""
        return turn(self.instance, by)

    def ready(self, process: str) -> bool:
        """Whether a process says that it is ready, whoever started it."""
        return next(program for program in programs(self.instance) if program.name == process).ready()

    def pid(self, process: str) -> int:
        """The process id of `<service>-api` or `<service>-worker`, 0 when it does not run."""
        return int(supervise.states(self.instance)[process]["pid"])

    def stop(self, *processes: str) -> None:
        """Stop processes, so that a test can run one of its own in their place, or act while they are down."""
        supervise.stop(self.instance, *processes)

    def unsent(self, service: str) -> int:
        """How many events a service still has in its outbox."""
        with MongoClient[dict[str, Any]](self.mongo_url(service)) as client:
            return client[service]["outbox"].count_documents({})

    def launch(self, process: str) -> None:
        """Start a process without waiting for it."""
        supervise.start(self.instance, process)

    def start(self, *processes: str) -> None:
        """Start processes and wait until they are ready."""
        ensure(self.instance, processes)


@pytest.fixture(scope="session")
def stack() -> Stack:
    """The instance `e2e`, with the code as it is now; it stays for the next run, `make stop` ends it."""
    instance = Instance("e2e")
    ensure(instance, BACKING)
    renew(instance)
    ensure(instance)
    return Stack(instance)
