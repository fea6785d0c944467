"""Keys that other services announce, with the halves that only they have."""

import base64
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from chassis.clock import Clock
from chassis.ids import new_id
from chassis.tokens import Caller, encode
from contracts.identity.signing_key import SigningKeyEvent
from contracts.notifications.sealing_key import NotificationsSealingKeyEvent
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from nacl.public import PrivateKey


def folder_of_keys(parent: Path) -> Path:
    """Return a folder for master keys, made when it is not there yet; the first key comes by itself."""
    folder = parent / "master-keys"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


class Signer:
    """Signs access tokens as identity does; a service takes them once it has heard the announcement."""

    def __init__(self, issuer: str) -> None:
        self._issuer, self._kid, self._private = issuer, new_id(), Ed25519PrivateKey.generate()

    def announcement(self) -> SigningKeyEvent:
        """Return what identity says of the key."""
        x = base64.urlsafe_b64encode(self._private.public_key().public_bytes_raw()).rstrip(b"=").decode()
        now = Clock().machine()
        return SigningKeyEvent(kid=self._kid, x=x, not_before=now - timedelta(days=1), not_after=now + timedelta(days=30))

    def headers(self, subject: str, role: str = "candidate", **claims: Any) -> dict[str, str]:
        """Return the headers of somebody who is signed in."""
        return {"Authorization": f"Bearer {self.token(subject, role, **claims)}"}

    def token(self, subject: str, role: str = "candidate", *, session: str | None = None, **claims: Any) -> str:
        """Return an access token, of a session of its own when none is named."""
        now = Clock().machine()
        return encode(
            Caller(subject, role, session=session or new_id(), **claims),
            kid=self._kid,
            key=self._private,
            issuer=self._issuer,
            token_id=new_id(),
            issued=now,
            expires=now + timedelta(minutes=10),
        )


def sealing_key(private: PrivateKey, first_day: date) -> NotificationsSealingKeyEvent:
    """Return what notifications says of a key that it made for a week."""
    return NotificationsSealingKeyEvent(
        key_id=new_id(),
        public_key=base64.b64encode(bytes(private.public_key)).decode(),
        first_day=first_day,
        used_until=first_day + timedelta(days=6),
        destroyed_on=first_day + timedelta(days=14),
    )
