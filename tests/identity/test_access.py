"""R33: what each route asks of its caller, and that nothing is allowed without a rule."""

import pytest
from chassis.http.app import handlers_of

PREFIX = "/api/identity/v1"
PUBLIC = {
    ("POST", "/registrations"),
    ("GET", "/pages/confirm/{secret:str}"),
    ("HEAD", "/pages/confirm/{secret:str}"),
    ("POST", "/pages/confirm/{secret:str}"),
    ("GET", "/pages/invitation/{secret:str}"),
    ("HEAD", "/pages/invitation/{secret:str}"),
    ("POST", "/pages/invitation/{secret:str}"),
    ("POST", "/sessions"),
    ("POST", "/sessions/refresh"),
    ("POST", "/oauth/token"),
    ("GET", "/organisations"),
    ("GET", "/organisations/{organisation:str}"),
    ("GET", "/jwks"),
}


def routes(app) -> dict[tuple[str, str], object]:
    found = {}
    for route in app.routes:
        for handler in getattr(route, "route_handlers", ()):
            for method in handler.http_methods:
                if method != "OPTIONS" and handler.fn.__module__.startswith("identity."):
                    found[(method, route.path.removeprefix(PREFIX))] = handler.opt["access"]
    return found


async def test_exactly_these_routes_are_open_to_everybody(identity) -> None:
    assert {route for route, access in routes(identity.app).items() if access.everybody} == PUBLIC
    assert len(handlers_of(identity.app)) >= len(PUBLIC)


@pytest.mark.parametrize("token", [None, "onzin", "a.b.c"])
async def test_no_other_route_answers_without_an_accepted_token(identity, token) -> None:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    for method, path in sorted(set(routes(identity.app)) - PUBLIC):
        answer = await identity.client.request(method, PREFIX + path.replace(":str", ""), headers=headers, json={})
        assert answer.status_code == 401, (method, path)
        assert answer.headers["content-type"] == "application/problem+json"
