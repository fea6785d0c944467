"""The rules of routes as values."""

import pytest
from chassis.http.guards import Access, member, public, purposes, roles, scope, signed_in
from chassis.tokens import Caller

CALLERS = {
    "visitor": Caller.visitor(),
    "candidate": Caller("p1", "candidate"),
    "recruiter": Caller("p2", "recruiter", org="o1"),
    "bank recruiter": Caller("p3", "recruiter", org="o1", bank=True),
    "stranger": Caller("p4", "recruiter", org="o2", bank=True),
    "system": Caller("c1", "system", org="o1", scopes=frozenset({"vacancies:write"})),
    "operator": Caller("p5", "operator"),
    "forged": Caller("p6", "superuser", org="o1", bank=True, scopes=frozenset({"vacancies:write"})),
}


@pytest.mark.parametrize(
    ("access", "allowed"),
    [
        (Access(), set()),
        (public(), set(CALLERS)),
        (signed_in(), {"candidate", "recruiter", "bank recruiter", "stranger", "operator"}),
        (roles("candidate"), {"candidate"}),
        (roles("recruiter", bank=True), {"bank recruiter", "stranger"}),
        (roles("candidate", "operator"), {"candidate", "operator"}),
        (member("recruiter", of="organisation"), {"recruiter", "bank recruiter"}),
        (scope("vacancies:write"), {"system"}),
        (scope("vacancies:read"), set()),
        (scope("vacancies:write", of="organisation"), {"system"}),
        (scope("vacancies:write", bank=True), set()),
        (roles("operator") | scope("vacancies:write"), {"operator", "system"}),
    ],
)
def test_a_rule_allows_whom_it_names_and_nobody_else(access: Access, allowed: set[str]) -> None:
    assert {who for who, caller in CALLERS.items() if access.allows(caller, {"organisation": "o1"})} == allowed


def test_a_rule_about_an_organisation_allows_nobody_where_the_path_names_none() -> None:
    assert not member("recruiter", of="organisation").allows(CALLERS["recruiter"], {})


@pytest.mark.parametrize(
    "make", [lambda: roles("wizard"), lambda: roles(), lambda: roles("system"), lambda: purposes("curiosity")]
)
def test_what_is_not_in_the_closed_lists_builds_no_rule(make: object) -> None:
    with pytest.raises(ValueError, match="closed list"):
        make()
