"""Every route, every role, every owner (R1, R33): the real applications answer as the table in matrix.md says."""

import re
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import pytest
from chassis.http.guards import is_litestars_own
from chassis.http.purposes import PURPOSES

FILE = Path(__file__).with_name("matrix.md")
ROLES = ("visitor", "candidate", "recruiter", "hiring-manager", "administrator", "system", "privacy-officer", "operator")
HEAD = ("route", "about", "purpose", "case", *ROLES)
SERVICES = ("identity", "profiles", "consent", "notifications")
EVERY = "every service"
ABOUT = {"everybody's", "own", "organisation's", "people's", "operations"}
CASES = {"", "there", "own", "same", "organisation", "other", "nobody"}
ANSWERS = {"yes", "401", "403", "404"}
CALLED_IN = {400, 409, 410, 412, 415, 422, 428}
"""Answers of a use case to a request that the rule let through; a read that is let through succeeds."""


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    service: str
    methods: tuple[str, ...]
    path: str
    about: str
    purpose: str
    case: str
    answers: dict[str, str]


def rows() -> list[Row]:
    """Read the table; a line that leaves its first cells empty goes on with the route above it."""
    found: list[Row] = []
    service, route = "", ("", "", "")
    for line in FILE.read_text("utf-8").splitlines():
        if line.startswith("## "):
            service = line[3:].strip()
        cells = [cell.strip().strip("`") for cell in line.strip().strip("|").split("|")]
        if not line.startswith("|") or cells[0] == HEAD[0] or (set(cells[0]) <= {"-"} and cells[0]):
            continue
        assert len(cells) == len(HEAD), line
        route = tuple(cells[:3]) if cells[0] else route
        *methods, path = route[0].split()
        answers = dict(zip(ROLES, cells[4:], strict=True))
        found.append(Row(service, tuple(methods), path, *route[1:], cells[3], answers))
    return found


def rows_of(service: str) -> list[Row]:
    return [row for row in rows() if row.service in {service, EVERY}]


def routes_of(system) -> dict[tuple[str, str], dict]:
    """(method, path) -> what the route states about itself."""
    return {
        (method, route.path.removeprefix(system.prefix) or "/"): handler.opt
        for route in system.app.routes
        for handler in getattr(route, "route_handlers", ())
        if not is_litestars_own(handler)
        for method in handler.http_methods - {"OPTIONS"}
    }


def test_the_table_can_be_read_and_says_only_what_it_may() -> None:
    table = rows()
    assert {row.service for row in table} == {*SERVICES, EVERY}
    for row in table:
        assert row.about in ABOUT, row
        assert row.case in CASES, row
        assert set(row.answers.values()) <= ANSWERS, row
        assert not row.purpose or row.purpose in PURPOSES, row
    asked = [(row.service, method, row.path, row.case) for row in table for method in row.methods]
    assert len(asked) == len(set(asked))


def test_what_is_about_people_states_a_purpose_and_nothing_else_does() -> None:
    assert [row for row in rows() if bool(row.purpose) != (row.about == "people's")] == []


@pytest.mark.parametrize("system", SERVICES, indirect=True)
async def test_every_route_has_a_row_and_every_row_a_route(system) -> None:
    listed = {(method, row.path): row for row in rows_of(system.service) for method in row.methods}
    routes = routes_of(system)
    assert sorted(set(routes) - set(listed)) == [], "routes without a row in tests/access/matrix.md"
    assert sorted(set(listed) - set(routes)) == [], "rows in tests/access/matrix.md without a route"
    stated = {route: ", ".join(opt.get("purposes") or ()) for route, opt in routes.items()}
    assert {route: row.purpose for route, row in listed.items()} == stated
    several = [path for path in {path for _, path in routes} if re.search(r"\{(?!path)", path)]
    assert {
        path for path in several if not {row.case for row in rows_of(system.service) if row.path == path} & {"nobody"}
    } == set()


@pytest.mark.parametrize("system", SERVICES, indirect=True)
async def test_each_role_is_answered_as_the_table_says(system) -> None:
    wrong, said = [], []
    for row in rows_of(system.service):
        for method in row.methods:
            for role, expected in row.answers.items():
                answer = await system.ask(method, row.path, row.case, role, row.purpose)
                if _answered(method, answer) != expected:
                    wrong.append(f"{method} {row.path} ({row.case}) as {role}: {answer.status_code}, not {expected}")
                if row.about != "people's":
                    said.extend(f"{method} {row.path} tells a {role} of somebody else" for _ in _strangers(system, role, answer))
    assert wrong == []
    assert said == []


@pytest.mark.parametrize("system", sorted({row.service for row in rows() if row.purpose}), indirect=True)
async def test_people_are_read_for_a_permitted_purpose_only(system) -> None:
    for row in (row for row in rows_of(system.service) if row.purpose):
        for purpose in ("", "curiosity", *(set(PURPOSES) - {row.purpose})):
            answers = [await system.ask(method, row.path, row.case, role, purpose) for method in row.methods for role in ROLES]
            assert {answer.status_code for answer in answers} <= {401, 403}, (row.path, purpose)


@pytest.mark.parametrize("system", SERVICES, indirect=True)
async def test_a_token_that_is_not_accepted_is_no_better_than_none(system) -> None:
    for row in rows_of(system.service):
        for method in row.methods if row.answers["visitor"] == "401" else ():
            for token in ("onzin", "a.b.c"):
                headers = {"Authorization": f"Bearer {token}"}
                answer = await system.client.request(
                    method, system.address(row.path, row.case, "visitor"), headers=headers, json={}
                )
                assert answer.status_code == 401, (method, row.path)
                assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("system", ["profiles"], indirect=True)
async def test_the_table_is_about_somebody_who_can_be_seen(system) -> None:
    """Or the search for what is told of people would find nothing whatever was told."""
    answer = await system.ask("GET", "/bank/profiles/{handle:str}", "other", "recruiter", "candidate-search")
    assert len(_strangers(system, "recruiter", answer)) >= 2


def test_the_table_is_sorted_by_route() -> None:
    for _, table in groupby(rows(), key=lambda row: row.service):
        paths = [row.path for row in table]
        assert paths == sorted(paths)


def _answered(method: str, answer) -> str:
    if answer.is_success or (method not in {"GET", "HEAD"} and answer.status_code in CALLED_IN):
        return "yes"
    return str(answer.status_code)


def _strangers(system, role: str, answer) -> list[str]:
    """What an answer tells of people who did not ask for it."""
    texts = [text for subject, told in system.private.items() if subject != system.subjects[role] for text in told]
    return [text for text in texts if text in answer.text]
