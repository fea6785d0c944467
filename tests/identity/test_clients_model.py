"""Scopes: never more than the client has."""

from datetime import UTC, datetime

import pytest
from identity.clients.model import Client, OAuthError, OAuthFault, Scope, granted

NOW = datetime(2026, 5, 1, tzinfo=UTC)
CLIENT = Client("c", 1, "o", "ATS", (Scope.VACANCIES_WRITE,), "hash", NOW, "operator")


@pytest.mark.parametrize("asked", [None, "", " ", "vacancies:write", "vacancies:write vacancies:write"])
def test_a_client_gets_its_scopes(asked) -> None:
    assert granted(CLIENT, asked) == (Scope.VACANCIES_WRITE,)


@pytest.mark.parametrize("asked", ["vacancies:read", "vacancies:write vacancies:read", "operator", "VACANCIES:WRITE", "a\tb"])
def test_a_scope_that_it_does_not_have_refuses_the_whole_token(asked) -> None:
    with pytest.raises(OAuthError) as refused:
        granted(CLIENT, asked)
    assert refused.value.fault is OAuthFault.INVALID_SCOPE


def test_a_revoked_client_has_no_secret_left_and_keeps_its_first_end() -> None:
    gone = CLIENT.revoked(NOW)
    assert not gone.usable
    assert gone.secret_hash == ""
    assert gone.revoked(datetime(2027, 1, 1, tzinfo=UTC)).revoked_at == NOW
