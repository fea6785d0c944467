"""The bank's side of a profile's change."""

from collections.abc import Mapping
from typing import Any

from chassis.uow import UnitOfWork

Told = Mapping[str, Mapping[str, Any]]


async def project(uow: UnitOfWork, *, subject: str, handle: str, seen: Told | None) -> None:
    """Show `seen` under `handle` and nothing else of this subject; None: not in the bank (`profiles.records.Project`)."""
