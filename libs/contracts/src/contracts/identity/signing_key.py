"""The public keys of access tokens, so that every service checks tokens while identity is down."""

from datetime import UTC, datetime
from typing import ClassVar

from pydantic import model_validator

from contracts.envelope import STREAM, Event, Topic
from contracts.kinds import Id, Key, Moment


class SigningKeyEvent(Event):
    """A public key (Ed25519) that signs access tokens within its validity (machine time).

    Happens an hour before a key's first use; the very first key is used at once. A consumer accepts tokens under this key id
    that were issued between the two moments, and no others.
    """

    topic: ClassVar[Topic] = Topic(
        "identity.signing-key.v1",
        kind=STREAM,
        key="key id",
        says="A public key of access tokens with its validity, announced before its use.",
        tombstone="The key is withdrawn: refuse every token under it at once.",
        followed_by=("profiles", "consent", "notifications"),
        partitions=1,
    )

    kid: Id
    x: Key
    """The JWK's `x`: the public key, 32 bytes in base64url without padding (kty OKP, crv Ed25519)."""
    not_before: Moment
    not_after: Moment

    @model_validator(mode="after")
    def _moments_are_in_order(self) -> "SigningKeyEvent":
        if self.not_before >= self.not_after:
            raise ValueError("not_before lies before not_after")
        return self

    @property
    def key(self) -> str:
        """The key's id."""
        return self.kid


SAMPLES = (
    SigningKeyEvent(
        kid="2026-03-02-a1",
        x="11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
        not_before=datetime(2026, 3, 2, 9, tzinfo=UTC),
        not_after=datetime(2026, 4, 2, 9, tzinfo=UTC),
    ),
)
