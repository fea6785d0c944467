"""No readable personal data in an event log: every field of every event is of a kind that may stand there."""

from collections.abc import Iterator
from typing import Annotated

import pytest
from contracts.envelope import STREAM, Body, Event, Topic
from contracts.kinds import Code, Holds, Id
from contracts.schemas import Schema, schema_of
from contracts.topics import EVENTS, FAMILIES
from pydantic import StringConstraints

# Text that may stand in a log. A new kind is a decision: name here why it is no personal data.
ALLOWED = {
    "id": "made by a machine, without a meaning of its own",
    "code": "from a list",
    "public key": "public",
    "organisation's words": "published by the organisation itself",
    "organisation's text": "published by the organisation itself",
    "organisation's link": "published by the organisation itself",
    "path": "of our own API, made of words of ours and an id",
    "place": "a town, of a workplace",
    "province": "of a workplace",
    "fact": "what anybody may know, without an address in it",
    "error": "class and code, without an address in it",
    "trace": "made by a machine",
    "sealed box": "only its receiver can read it, and only until its key is destroyed",
}
SUSPECT = ("mail", "name", "address", "telephone", "phone", "birth", "gender", "street", "postal", "photo", "letter", "note")
# Fields that look like a person's and are not.
KNOWN = {
    ("identity.organisation.v1", "name"): "the organisation's",
    ("profiles.vacancy.v1", "place.name"): "the town's",
    ("profiles.vacancy.v1", "also_at.name"): "the town's",
    **{(f"{asker}.mail-request.v1", "address"): "which of two addresses" for asker in ("identity", "profiles", "consent")},
}


def leaves(schema: Schema) -> Iterator[tuple[str, Schema]]:
    """Every field that holds no other field: its path and schema."""
    yield from _leaves(schema, schema, "")


def _leaves(node: Schema, root: Schema, where: str) -> Iterator[tuple[str, Schema]]:
    if "$ref" in node:
        yield from _leaves(root["$defs"][node["$ref"].removeprefix("#/$defs/")], root, where)
    elif "anyOf" in node:
        for choice in node["anyOf"]:
            yield from _leaves(choice, root, where)
    elif node.get("type") == "object":
        # A map without a kind for its names could hold anything in them.
        named = node.get("propertyNames", {}).get("x-holds") in ALLOWED
        inside = {**node.get("properties", {}), **(node.get("patternProperties", {}) if named else {})}
        for name, field in inside.items():
            yield from _leaves(field, root, f"{where}.{name}".lstrip("."))
        if not inside:
            yield where, node
    elif node.get("type") == "array":
        yield from _leaves(node["items"], root, where)
    else:
        yield where, node


def readable(field: Schema) -> bool:
    """Whether somebody could write anything into this field."""
    if "enum" in field or "const" in field:
        return False
    if field.get("type") in {"boolean", "integer", "number", "null"}:
        return False
    if field.get("type") == "string" and field.get("format") in {"date", "date-time"}:
        return False
    return field.get("x-holds") not in ALLOWED


@pytest.mark.parametrize("event", [*EVENTS, *FAMILIES], ids=lambda event: event.topic.name)
def test_every_field_is_of_a_kind_that_may_stand_in_a_log(event: type[Event]) -> None:
    fields = list(leaves(schema_of(event)))
    assert fields
    assert [where for where, field in fields if readable(field)] == []


@pytest.mark.parametrize("event", [*EVENTS, *FAMILIES], ids=lambda event: event.topic.name)
def test_no_field_is_called_like_a_persons_details(event: type[Event]) -> None:
    fields = [where for where, _ in leaves(schema_of(event)) if not where.startswith("facts")]
    suspect = {where for where in fields if any(word in where.lower() for word in SUSPECT)}
    assert {where for where in suspect if (event.topic.name, where) not in KNOWN} == set()


class Part(Body):
    """Something nested."""

    code: Code


@pytest.mark.parametrize(
    ("kind", "refused"),
    [
        (str, True),
        (str | None, True),
        (tuple[str, ...], True),
        (dict[Code, str], True),
        (dict[str, int], True),
        (dict[Annotated[str, StringConstraints(pattern="^.*$")], int], True),
        (dict[Code, int], False),
        (dict[str, object], True),
        (Annotated[str, Holds("somebody's name")], True),
        (bytes, True),
        (object, True),
        (Id, False),
        (Part, False),
        (tuple[Part, ...], False),
        (bool, False),
    ],
    ids=str,
)
def test_this_test_sees_a_field_that_could_hold_anything(kind: object, refused: bool) -> None:
    sample = Topic("sample.thing.v1", kind=STREAM, key="thing", says="A thing.", followed_by=(), tombstone="Forget it.")
    thing = type("Thing", (Event,), {"__annotations__": {"field": kind}, "__module__": __name__, "topic": sample})
    assert any(readable(field) for _, field in leaves(schema_of(thing))) is refused
