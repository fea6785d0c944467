"""Organisations, their access to the bank, and who acts for them."""

from typing import ClassVar, Literal

from contracts.envelope import STREAM, Body, Event, Topic
from contracts.kinds import Id, Words

OrganisationRole = Literal["recruiter", "hiring-manager", "administrator"]


class Member(Body):
    """An account that acts for the organisation."""

    account: Id
    roles: tuple[OrganisationRole, ...]


class OrganisationEvent(Event):
    """The state of an organisation.

    Happens when it is made, when its access changes, when it is suspended and when members come, go or change roles. A consumer
    may conclude that nobody acts for a `suspended` organisation, and that who is not listed is no member.
    """

    topic: ClassVar[Topic] = Topic(
        "identity.organisation.v1",
        kind=STREAM,
        key="organisation",
        says="An organisation's name and state, its access to the bank, its members' ids and roles.",
        tombstone="The organisation is gone: nobody acts for it, forget it.",
        followed_by=("profiles", "notifications"),
    )

    organisation: Id
    name: Words
    state: Literal["active", "suspended"]
    bank_access: bool
    members: tuple[Member, ...]

    @property
    def key(self) -> str:
        """The organisation."""
        return self.organisation


SAMPLES = (
    OrganisationEvent(
        organisation="0198c0de-0000-7000-8000-000000000009",
        name="Bouwbedrijf De Steiger B.V.",
        state="active",
        bank_access=True,
        members=(Member(account="0198c0de-0000-7000-8000-000000000003", roles=("recruiter", "administrator")),),
    ),
)
