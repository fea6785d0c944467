"""'Mail this template to this person, because …': how a service asks notifications for a mail."""

from datetime import timedelta
from typing import Literal

from pydantic import Field, model_validator

from contracts.envelope import HAPPENING, Body, Event, Topic
from contracts.kinds import Code, Fact, Id, Language, Sealed


class MailDetails(Body):
    """What lies inside a mail request's sealed box, as JSON. It is no event and stands readable in no log."""

    address: str | None = None
    """Where to mail to, while there is no account whose contact notifications knows."""
    greeting: str | None = None
    """The name by which the mail greets; without it, it greets nobody by name."""
    secret: str | None = None
    """The secret at the end of the mail's link; its owner keeps only a hash."""


class MailRequestEvent(Event):
    """A mail is wanted, once per cause.

    Happens when the asker's state has reached the step that the cause names. A consumer may conclude that the step was reached
    when it was asked, not that it still holds.
    """

    cause: Id
    """Why, as `<service>:<what>:<id>:<cycle>`: the same cause is mailed once, however often it is asked."""
    subject: Id
    """To whom."""
    template: Code
    language: Language
    """The language to write in when the person's account does not say."""
    facts: dict[Code, Fact] = Field(default_factory=dict)
    """What the template shows and anybody may know; nothing personal."""
    sealed: Sealed | None = None
    """`MailDetails`, sealed to notifications."""
    address: Literal["account", "sealed"]
    """Mail to the account's address, which may arrive later than this, or to the sealed one."""

    @model_validator(mode="after")
    def _sealed_address_needs_a_box(self) -> "MailRequestEvent":
        if self.address == "sealed" and self.sealed is None:
            raise ValueError("a sealed address needs a sealed box")
        return self

    @property
    def key(self) -> str:
        """The cause."""
        return self.cause


def topic(service: str) -> Topic:
    """The topic on which this service asks for mails."""
    return Topic(
        f"{service}.mail-request.v1",
        kind=HAPPENING,
        key="cause",
        says="Mail this template to this person, because of this cause; what only the mail may know is sealed.",
        followed_by=("notifications",),
        kept=timedelta(days=30),
    )


def sample(service: str) -> dict[str, object]:
    """Values of a request to an address that no account has yet."""
    return {
        "cause": f"{service}:confirm:0198c0de-0000-7000-8000-000000000001:1",
        "subject": "0198c0de-0000-7000-8000-000000000001",
        "template": "confirm-address",
        "language": "nl",
        "facts": {"valid-until": "2026-05-01"},
        "sealed": {"key_id": "0198c0de-0000-7000-8000-00000000000a", "box": "c2VhbGVkIGJveA=="},
        "address": "sealed",
    }
