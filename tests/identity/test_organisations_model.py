"""Members, their roles, and the one who must not go."""

import pytest
from identity.organisations.model import (
    LastAdministratorError,
    MemberRole,
    NotAMemberError,
    Organisation,
    PublicFacts,
    acting_role,
)

R, H, A = MemberRole.RECRUITER, MemberRole.HIRING_MANAGER, MemberRole.ADMINISTRATOR
FACTS = PublicFacts(
    "Werkplaats Noord", "Kade 1", "9711 AA", "Groningen", "NL", "Zoekt mensen.", "Looks for people.", "p@x.example"
)
EMPTY = Organisation(id="o", sequence=1, facts=FACTS, bank_access=False)


def test_a_member_has_exactly_the_roles_given_last() -> None:
    organisation = EMPTY.with_member("a", [H, R, R]).with_member("a", [A])
    assert organisation.roles_of("a") == (A,)
    assert organisation.roles_of("stranger") == ()


def test_the_last_administrator_stays() -> None:
    organisation = EMPTY.with_member("a", [A]).with_member("b", [R])
    with pytest.raises(LastAdministratorError):
        organisation.without_member("a")
    with pytest.raises(LastAdministratorError):
        organisation.with_member("a", [R])
    assert organisation.with_member("b", [A]).without_member("a").roles_of("b") == (A,)


def test_an_organisation_without_administrator_is_the_operators_to_change() -> None:
    organisation = EMPTY.with_member("a", [R])
    assert organisation.without_member("a").members == ()


def test_a_stranger_cannot_be_removed() -> None:
    with pytest.raises(NotAMemberError):
        EMPTY.without_member("a")


@pytest.mark.parametrize(
    ("roles", "wanted", "acting"),
    [((), None, None), ((), R, None), ((A, R), None, R), ((A, R), A, A), ((R,), A, None), ((H,), None, H)],
)
def test_a_member_acts_in_one_role_and_only_in_their_own(roles, wanted, acting) -> None:
    assert acting_role(roles, wanted) is acting
