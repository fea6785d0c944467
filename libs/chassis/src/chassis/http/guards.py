"""Who may call what: each route states its rule in `opt={"access": …}`, and nothing is allowed without one.

    @get("/profiles/{handle:str}", opt={"access": roles("recruiter", bank=True), "purposes": purposes("candidate-search")})

Rules are plain values, so that a test can walk through all routes and print who may do what. Every refusal gives the same
answer, whatever its reason; the reason is logged.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from chassis import metrics
from chassis.http.language import Text
from chassis.http.problems import ForbiddenProblem
from chassis.http.purposes import PEOPLE, PURPOSES, may_state, misfit
from chassis.http.raw import header
from chassis.tokens import Caller

log = structlog.get_logger()
Connection = ASGIConnection[Any, Any, Any, Any]

SYSTEM = "system"
ROLES = PEOPLE | {SYSTEM}


@dataclass(frozen=True)
class Grant:
    """One way to be allowed: all that it names must hold."""

    roles: frozenset[str]
    bank: bool = False
    """The caller's organisation has access to the candidate bank."""
    scope: str | None = None
    """The system client was given this scope."""
    of: str | None = None
    """The path parameter that must be the organisation for which the caller acts."""

    def covers(self, caller: Caller, path: Mapping[str, Any]) -> bool:
        """Tell whether the caller is allowed in this way."""
        return (
            caller.role in self.roles
            and (caller.bank or not self.bank)
            and (self.scope is None or self.scope in caller.scopes)
            and (self.of is None or (caller.org is not None and str(path.get(self.of)) == caller.org))
        )


@dataclass(frozen=True)
class Access:
    """A route's rule: one of its grants must cover the caller, or everybody is welcome."""

    grants: tuple[Grant, ...] = ()
    everybody: bool = False

    def __or__(self, other: "Access") -> "Access":
        """Return the rule that allows what either allows."""
        return Access(self.grants + other.grants, self.everybody or other.everybody)

    def allows(self, caller: Caller, path: Mapping[str, Any]) -> bool:
        """Tell whether the caller may."""
        return self.everybody or any(grant.covers(caller, path) for grant in self.grants)


def public() -> Access:
    """Everybody, signed in or not; a token is not even looked at."""
    return Access(everybody=True)


def signed_in() -> Access:
    """Every person with an account, whatever the role; no system client."""
    return Access((Grant(PEOPLE),))


def roles(*names: str, bank: bool = False) -> Access:
    """People with one of these roles; with `bank` only those whose organisation has access to the candidate bank."""
    return Access((Grant(_known(names, PEOPLE), bank=bank),))


def member(*names: str, of: str) -> Access:
    """People with one of these roles who act for the organisation that the path parameter `of` names."""
    return Access((Grant(_known(names, PEOPLE), of=of),))


def scope(name: str, *, bank: bool = False, of: str | None = None) -> Access:
    """System clients of organisations that were given this scope."""
    return Access((Grant(frozenset({SYSTEM}), bank=bank, scope=name, of=of),))


def purposes(*names: str) -> tuple[str, ...]:
    """Return the purposes that a route permits, for `opt={"purposes": …}`: the header `Purpose` must state one of them."""
    return tuple(sorted(_known(names, frozenset(PURPOSES))))


def flaw(opt: Mapping[str, Any]) -> str | None:
    """Return what is wrong with what a route states about itself, or None: it builds no application then."""
    access, permitted = opt.get("access"), opt.get("purposes")
    if not isinstance(access, Access):
        return "states no rule in opt['access']"
    if not permitted:
        return None
    if access.everybody:
        return "asks everybody for a purpose, and nobody who is not signed in can be held to one"
    return misfit(permitted, [(role, grant.bank) for grant in access.grants for role in sorted(grant.roles)])


class PurposeProblem(ForbiddenProblem):
    """Somebody else's data was asked for without a permitted purpose."""

    code = "purpose"
    title = Text("Noem een toegestaan doel", "State a permitted purpose")


async def authorize(connection: Connection, handler: BaseRouteHandler) -> None:
    """Let the request through when the route's rule and purposes allow it; the application's guard."""
    access = handler.opt.get("access")
    if not isinstance(access, Access):
        if is_litestars_own(handler):
            return
        log.error("route_without_rule", route=connection.scope.get("path_template"))
        raise ForbiddenProblem
    if access.everybody:
        return
    caller = await connection.app.state.tokens.caller(header(connection.scope, b"authorization"))
    connection.scope["user"] = caller
    if not access.allows(caller, connection.path_params):
        _refused(connection, caller, "access")
        raise ForbiddenProblem
    permitted = handler.opt.get("purposes")
    if permitted and not _may_read_for(header(connection.scope, b"purpose"), permitted, caller):
        _refused(connection, caller, "purpose")
        raise PurposeProblem("The header Purpose must state a permitted purpose", header="Purpose", permitted=list(permitted))


def is_litestars_own(handler: BaseRouteHandler) -> bool:
    """Tell whether it is the answer to OPTIONS that Litestar adds to each path: it says which methods there are, no more."""
    return handler.fn.__module__ == "litestar.routes.http"


def caller_of(connection: Connection) -> Caller:
    """Return who calls: a visitor on a public route."""
    caller = connection.scope.get("user")
    return caller if isinstance(caller, Caller) else Caller.visitor()


def _may_read_for(stated: str, permitted: Sequence[str], caller: Caller) -> bool:
    return stated in permitted and may_state(stated, caller.role, bank=caller.bank)


def _refused(connection: Connection, caller: Caller, why: str) -> None:
    metrics.REQUEST_REFUSALS.labels(why).inc()
    log.info(
        "request_refused",
        why=why,
        route=connection.scope.get("path_template"),
        subject=caller.subject,
        role=caller.role,
        org=caller.org,
    )


def _known(names: tuple[str, ...], closed: frozenset[str]) -> frozenset[str]:
    unknown = sorted(set(names) - closed)
    if unknown or not names:
        raise ValueError(f"not in the closed list: {unknown or 'nothing named'}")
    return frozenset(names)
