"""Each way in which a change of an event can break somebody, named; and the changes that break nobody."""

from collections.abc import Callable
from datetime import date
from typing import Any, Literal

import pytest
from contracts.compatibility import EVERYBODY, TODAYS, YESTERDAYS, breaks
from contracts.envelope import STREAM, Body, Event, Topic
from contracts.kinds import Code, Id
from contracts.schemas import Schema, schema_of
from pydantic import Field, create_model

TOPIC = Topic("sample.thing.v1", kind=STREAM, key="thing", says="A thing.", followed_by=(), tombstone="Forget it.")


class Part(Body):
    code: Code
    weight: int


class Base(Event):
    topic = TOPIC


FIELDS: dict[str, Any] = {
    "thing": (Id, ...),
    "state": (Literal["open", "closed"], ...),
    "count": (int, ...),
    "size": (int | None, ...),
    "note": (Id | None, None),
    "flag": (bool, False),
    "parts": (tuple[Part, ...], ...),
    "best": (Part | None, None),
    "words": (dict[Code, Id], Field(default_factory=dict)),
    "share": (float, ...),
    "when": (date | Code, ...),
    "level": (int, Field(ge=1, le=10)),
}


class SmallerPart(Body):
    code: Code


class LargerPart(Part):
    colour: Code


class OpenerPart(Part):
    colour: Code | None = None


def schema(**changes: Any) -> Schema:
    """The base event's schema with some fields changed; None removes one."""
    fields = {name: kind for name, kind in (FIELDS | changes).items() if kind is not None}
    return schema_of(create_model("Thing", __base__=Base, **fields))


BREAKING: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "field removed": ({"count": None}, "count", "removed or renamed", EVERYBODY),
    "field renamed": ({"count": None, "number": (int, 0)}, "count", "removed or renamed", EVERYBODY),
    "optional field removed": ({"note": None}, "note", "removed or renamed", EVERYBODY),
    "field of a list's items removed": ({"parts": (tuple[SmallerPart, ...], ...)}, "parts[].weight", "removed", EVERYBODY),
    "field of an optional part removed": ({"best": (SmallerPart | None, None)}, "best.weight", "removed", EVERYBODY),
    "default changed": ({"flag": (bool, True)}, "flag", "default changed from False to True", EVERYBODY),
    "new required field": ({"colour": (Code, ...)}, "colour", "required", TODAYS),
    "new required field in a list's items": ({"parts": (tuple[LargerPart, ...], ...)}, "parts[].colour", "required", TODAYS),
    "new required field in an optional part": ({"best": (LargerPart | None, None)}, "best.colour", "required", TODAYS),
    "optional field made required": ({"flag": (bool, ...)}, "flag", "required", TODAYS),
    "required field made optional": ({"count": (int, 0)}, "count", "not always written", YESTERDAYS),
    "type changed": ({"count": (Id, ...)}, "count", "string is written, but integer is read", YESTERDAYS),
    "type widened": ({"count": (float, ...)}, "count", "number is written, but integer is read", YESTERDAYS),
    "type narrowed": ({"share": (int, ...)}, "share", "number is written, but integer is read", TODAYS),
    "made nullable": ({"count": (int | None, ...)}, "count", "null is written, but integer is read", YESTERDAYS),
    "no longer nullable": ({"size": (int, ...)}, "size", "null is written, but integer is read", TODAYS),
    "value added": ({"state": (Literal["open", "closed", "lost"], ...)}, "state", "value 'lost' is written", YESTERDAYS),
    "value removed": ({"state": (Literal["open"], ...)}, "state", "value 'closed' is written", TODAYS),
    "closed choice opened": ({"state": (Code, ...)}, "state", "any value is written", YESTERDAYS),
    "pattern changed": ({"thing": (Code, ...)}, "thing", "pattern", YESTERDAYS),
    "pattern changed in a choice": ({"note": (Code | None, None)}, "note", "pattern", TODAYS),
    "upper limit raised": ({"level": (int, Field(ge=1, le=20))}, "level", "maximum 20 is written", YESTERDAYS),
    "upper limit lowered": ({"level": (int, Field(ge=1, le=5))}, "level", "maximum 10 is written", TODAYS),
    "lower limit lowered": ({"level": (int, Field(ge=0, le=10))}, "level", "minimum 0 is written", YESTERDAYS),
    "lower limit raised": ({"level": (int, Field(ge=2, le=10))}, "level", "minimum 1 is written", TODAYS),
    "limit put on": ({"count": (int, Field(ge=0))}, "count", "minimum None is written", TODAYS),
    "unknown limit put on": ({"count": (int, Field(multiple_of=5))}, "count", "multipleOf None is written", TODAYS),
    "names of a map changed": ({"words": (dict[Id, Id], {})}, "words", "names like", YESTERDAYS),
    "choice of types exchanged": (
        {"size": (bool | None, ...)},
        "size",
        "boolean is written, but integer or null is read",
        YESTERDAYS,
    ),
    "values of a map changed": ({"words": (dict[Code, int], Field(default_factory=dict))}, "words[]", "integer", YESTERDAYS),
    "list made shorter": ({"parts": (tuple[Part, ...], Field(max_length=3))}, "parts", "maxItems None is written", TODAYS),
}


BOTH_WAYS = {
    "type changed",
    "pattern changed",
    "pattern changed in a choice",
    "names of a map changed",
    "values of a map changed",
    "choice of types exchanged",
}


@pytest.mark.parametrize("name", BREAKING)
def test_a_breaking_change_is_named_with_its_place_and_whom_it_breaks(name: str) -> None:
    changes, where, what, whom = BREAKING[name]
    found = breaks(schema(), schema(**changes))
    assert any(one.where == where and what in one.what and one.whom == whom for one in found), [str(one) for one in found]
    assert {one.where for one in found} == {where}
    assert {one.whom for one in found} == ({YESTERDAYS, TODAYS} if name in BOTH_WAYS else {whom})


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"colour": (Code | None, None)},
        {"colour": (Literal["red"], "red")},
        {"parts": (tuple[OpenerPart, ...], ...)},
        {"count": (int, Field(description="said better"))},
    ],
    ids=["nothing", "optional field", "field with a default", "optional field in a list's items", "description"],
)
def test_a_change_that_breaks_nobody_passes(changes: dict[str, Any]) -> None:
    assert breaks(schema(), schema(**changes)) == []


@pytest.mark.parametrize("fact", ["kind", "key", "partitions"])
def test_a_topic_keeps_its_kind_key_and_partitions(fact: str) -> None:
    changed = schema()
    changed["x-topic"] = {**changed["x-topic"], fact: "other"}
    assert [one.where for one in breaks(schema(), changed)] == ["topic"]


def test_a_removed_field_is_named_once() -> None:
    assert len(breaks(schema(), schema(count=None))) == 1


def _set(name: str, value: Any) -> Callable[[Schema], None]:
    def change(document: Schema) -> None:
        document["properties"]["thing"][name] = value

    return change


@pytest.mark.parametrize("change", [_set("title", "Other"), _set("x-holds", "other"), _set("examples", ["a"])])
def test_what_only_people_read_may_change(change: Callable[[Schema], None]) -> None:
    changed = schema()
    change(changed)
    assert breaks(schema(), changed) == []
