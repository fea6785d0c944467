"""The table of purposes (R1), and that a route whose callers and purposes do not fit it builds no application."""

import pytest
from chassis.http.guards import Access, flaw, public, purposes, roles, scope, signed_in
from chassis.http.purposes import PEOPLE, PURPOSES, Basis, may_state

STATED_BY = {
    "own-data": set(PEOPLE),
    "candidate-search": {"recruiter"},
    "application-assessment": {"recruiter", "hiring-manager"},
    "contact-candidate": {"recruiter"},
    "hiring-dossier": {"recruiter", "hiring-manager", "administrator"},
    "job-alert": set(),
    "newsletter": set(),
    "announcement": set(),
    "data-subject-request": {"privacy-officer"},
    "break-glass": {"privacy-officer"},
}


def test_the_table_is_the_closed_list_and_says_who_may_state_what() -> None:
    assert {name: set(purpose.stated_by) for name, purpose in PURPOSES.items()} == STATED_BY
    assert all(purpose.opens and purpose.basis in Basis for purpose in PURPOSES.values())


def test_an_operator_has_no_purpose_for_what_is_not_their_own() -> None:
    assert [name for name in PURPOSES if may_state(name, "operator", bank=True)] == ["own-data"]


@pytest.mark.parametrize(
    ("name", "role", "bank", "allowed"),
    [
        ("candidate-search", "recruiter", True, True),
        ("candidate-search", "recruiter", False, False),
        ("candidate-search", "candidate", True, False),
        ("break-glass", "privacy-officer", False, True),
        ("job-alert", "system", True, False),
        ("curiosity", "recruiter", True, False),
    ],
)
def test_a_purpose_is_stated_by_whom_the_table_names_and_nobody_else(name: str, role: str, bank: bool, allowed: bool) -> None:
    assert may_state(name, role, bank=bank) is allowed


@pytest.mark.parametrize(
    ("access", "permitted", "wrong"),
    [
        (roles("recruiter", bank=True), purposes("candidate-search"), None),
        (roles("recruiter", "hiring-manager"), purposes("application-assessment"), None),
        (roles("recruiter", "hiring-manager"), purposes("application-assessment", "contact-candidate"), None),
        (signed_in(), (), None),
        (roles("recruiter"), purposes("candidate-search"), "recruiter without access to the bank may state none"),
        (roles("operator", "recruiter", bank=True), purposes("candidate-search"), "operator may state none"),
        (roles("recruiter", bank=True) | scope("bank:read"), purposes("candidate-search"), "system without access"),
        (roles("hiring-manager"), purposes("application-assessment", "break-glass"), "may state break-glass"),
        (roles("recruiter"), purposes("newsletter"), "may state none"),
        (public(), purposes("own-data"), "asks everybody"),
        (None, (), "states no rule"),
    ],
)
def test_a_route_whose_callers_may_not_state_its_purposes_is_a_mistake(
    access: Access | None, permitted: tuple[str, ...], wrong: str | None
) -> None:
    found = flaw({"access": access, "purposes": permitted})
    assert found == wrong if wrong is None else wrong in str(found)
