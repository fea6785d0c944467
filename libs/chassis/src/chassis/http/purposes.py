"""For which purposes somebody may read what is not their own: a closed list, and nothing is read beyond it (R1).

This table is the only place that says who may state what. A route permits some of these purposes; the guard takes a purpose
when the route permits it and the table lets the caller state it. A purpose that nobody may state is the system's own.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

PEOPLE: Final = frozenset({"candidate", "recruiter", "hiring-manager", "administrator", "privacy-officer", "operator"})
"""Roles of people. Operators see ids, counts and states: no purpose lets them read about anybody."""


class Basis(StrEnum):
    """What makes a reading lawful."""

    OWN = "the person reads about themselves"
    CONSENT_FOR_THE_BANK = "consent for the bank"
    BEFORE_A_CONTRACT = "steps before a contract"
    CONSENT_PER_CHANNEL = "consent per channel"
    CONTRACT = "contract"
    CONSENT_OR_CONTRACT = "consent; contract"
    OBLIGATION = "legal obligation"
    OBLIGATION_OR_CONTRACT = "legal obligation; contract"
    STATED_REASON = "stated with a reason, told to the person and reviewed by another officer"


@dataclass(frozen=True)
class Purpose:
    """One purpose: who may state it, and what it opens."""

    name: str
    basis: Basis
    stated_by: frozenset[str]
    opens: str
    bank: bool = False
    """Only for an organisation with access to the candidate bank."""

    def may_be_stated(self, role: str, *, bank: bool) -> bool:
        """Tell whether somebody in this role, of an organisation with or without access to the bank, may state it."""
        return role in self.stated_by and (bank or not self.bank)


def _by(*roles: str) -> frozenset[str]:
    return frozenset(roles)


_TABLE = (
    Purpose("own-data", Basis.OWN, PEOPLE, "everything about themselves, always; needs no header"),
    Purpose(
        "candidate-search",
        Basis.CONSENT_FOR_THE_BANK,
        _by("recruiter"),
        "searchable and visible fields of active profiles",
        bank=True,
    ),
    Purpose(
        "application-assessment",
        Basis.BEFORE_A_CONTRACT,
        _by("recruiter", "hiring-manager"),
        "an application's snapshot, letter and documents, for the vacancy's named contacts and its manager",
    ),
    Purpose(
        "contact-candidate",
        Basis.CONSENT_PER_CHANNEL,
        _by("recruiter"),
        "a relayed message to whom they may see; the address only where it is visible",
    ),
    Purpose(
        "hiring-dossier",
        Basis.OBLIGATION_OR_CONTRACT,
        _by("recruiter", "hiring-manager", "administrator"),
        "a dossier, for its named handlers",
    ),
    Purpose("job-alert", Basis.CONSENT_OR_CONTRACT, _by(), "address and language, for the system itself"),
    Purpose("newsletter", Basis.CONSENT_OR_CONTRACT, _by(), "address and language, for the system itself"),
    Purpose("announcement", Basis.CONSENT_OR_CONTRACT, _by(), "address and language, for the system itself"),
    Purpose("data-subject-request", Basis.OBLIGATION, _by("privacy-officer"), "what an open request covers"),
    Purpose("break-glass", Basis.STATED_REASON, _by("privacy-officer"), "anything, for an hour"),
)
PURPOSES: Final[Mapping[str, Purpose]] = {purpose.name: purpose for purpose in _TABLE}


def may_state(name: str, role: str, *, bank: bool) -> bool:
    """Tell whether a purpose is in the table and may be stated by somebody in this role."""
    return name in PURPOSES and PURPOSES[name].may_be_stated(role, bank=bank)


def misfit(permitted: Iterable[str], grants: Iterable[tuple[str, bool]]) -> str | None:
    """Return what is wrong with a route that permits these purposes to callers of these kinds (role, bank), or None.

    A caller whom the route lets in but who may state none of its purposes could never be answered; a purpose that no caller of
    the route may state is a promise about nobody. Both are mistakes about who may read what.
    """
    purposes, callers = list(permitted), list(grants)
    for role, bank in callers:
        if not any(may_state(name, role, bank=bank) for name in purposes):
            return f"{role}{'' if bank else ' without access to the bank'} may state none of {', '.join(purposes)}"
    for name in purposes:
        if not any(may_state(name, role, bank=bank) for role, bank in callers):
            return f"nobody whom the rule lets in may state {name}"
    return None
