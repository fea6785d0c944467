"""Which changes of a schema break somebody, and whom.

Events stay in the log and services are not upgraded together, so two pairs have to work: yesterday's consumers read what is
written today, and today's consumers read what was written yesterday (a rebuilt projection reads everything). Unknown fields are
ignored by every consumer. What remains free is to add a field that has a default. Rules that only a model's validator knows
stand in no schema and are not seen here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Schema = dict[str, Any]

YESTERDAYS = "yesterday's consumers"
TODAYS = "today's consumers of yesterday's events"
EVERYBODY = "everybody"

_ANNOTATIONS = {"title", "description", "examples", "default", "$schema", "$id", "$defs", "x-topic", "x-holds"}
_LOWER = {"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"}
_UPPER = {"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"}
_NESTED = {"type", "enum", "const", "anyOf", "properties", "required", "items", "patternProperties", "additionalProperties"}
_TOPIC_FACTS = {"kind": "a consumer reads it differently", "key": "sequences are kept per key", "partitions": "keys would move"}


@dataclass(frozen=True, order=True)
class Break:
    """One change that breaks somebody."""

    where: str
    what: str
    whom: str

    def __str__(self) -> str:
        """One line for people."""
        return f"{self.where}: {self.what} (breaks {self.whom})"


def breaks(old: Schema, new: Schema) -> list[Break]:
    """Every breaking change between a released schema and today's."""
    was, now = _resolved(old, old), _resolved(new, new)
    found = {Break(where, what, EVERYBODY) for where, what in [*_topic(old, new), *_gone(was, now, ""), *_defaults(was, now, "")]}
    found |= {Break(where, what, YESTERDAYS) for where, what in _refusals(was, now, "")}
    found |= {Break(where, what, TODAYS) for where, what in _refusals(now, was, "")}
    gone = {one.where for one in found if one.whom is EVERYBODY}
    return sorted(one for one in found if one.whom is EVERYBODY or one.where not in gone)


Reason = tuple[str, str]


def _resolved(node: Any, root: Schema) -> Any:
    """The schema with every reference replaced by what it refers to."""
    if isinstance(node, list):
        return [_resolved(item, root) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        target = root["$defs"][node["$ref"].removeprefix("#/$defs/")]
        return _resolved({**target, **{name: value for name, value in node.items() if name != "$ref"}}, root)
    return {name: _resolved(value, root) for name, value in node.items() if name != "$defs"}


def _topic(old: Schema, new: Schema) -> Iterator[Reason]:
    was, now = old.get("x-topic", {}), new.get("x-topic", {})
    for fact, why in _TOPIC_FACTS.items():
        if was.get(fact) != now.get(fact):
            yield "topic", f"{fact} changed from {was.get(fact)!r} to {now.get(fact)!r}: {why}"


def _gone(old: Schema, new: Schema, where: str) -> Iterator[Reason]:
    """Fields that are no longer there, under that name."""
    for place, was, now in _fields(old, new, where):
        if now is None:
            yield place, "field removed or renamed"
        else:
            yield from _gone(was, now, place)


def _defaults(old: Schema, new: Schema, where: str) -> Iterator[Reason]:
    """What the absence of a field means must not change."""
    for place, was, now in _fields(old, new, where):
        if now is None:
            continue
        if "default" in was and "default" in now and was["default"] != now["default"]:
            yield place, f"default changed from {was['default']!r} to {now['default']!r}"
        yield from _defaults(was, now, place)


def _fields(old: Schema, new: Schema, where: str) -> Iterator[tuple[str, Schema, Schema | None]]:
    """The fields of all objects at this place, through lists and choices: where, as it was, as it is."""
    today = dict(_properties(new, where))
    for place, was in _properties(old, where):
        yield place, was, today.get(place)


def _properties(node: Schema, where: str) -> Iterator[tuple[str, Schema]]:
    for name, schema in node.get("properties", {}).items():
        yield _join(where, name), schema
    for choice in node.get("anyOf", []):
        yield from _properties(choice, where)
    if isinstance(node.get("items"), dict):
        yield from _properties(node["items"], f"{where}[]")


def _refusals(reader: Schema, writer: Schema, where: str) -> Iterator[Reason]:
    """Why a reader with the one schema may refuse what a writer with the other may write."""
    understood = _choices(reader)
    for choice in _choices(writer):
        alike = [list(_refusals_of_one(candidate, choice, where)) for candidate in understood if _type_fits(candidate, choice)]
        if not alike:
            yield where, f"{_named(choice)} is written, but {' or '.join(map(_named, understood))} is read"
        elif all(alike):
            yield from alike[0]


def _choices(node: Schema) -> list[Schema]:
    choices: list[Schema] = node.get("anyOf", [node])
    return choices


def _named(node: Schema) -> str:
    return str(node.get("enum", node.get("const", node.get("format", node.get("type", "anything")))))


def _refusals_of_one(reader: Schema, writer: Schema, where: str) -> Iterator[Reason]:
    yield from _values(reader, writer, where)
    yield from _limits(reader, writer, where)
    yield from _object(reader, writer, where)
    for keyword in ("items", "additionalProperties"):
        if isinstance(reader.get(keyword), dict):
            yield from _refusals(reader[keyword], writer.get(keyword) or {}, f"{where}[]")
    yield from _maps(reader, writer, where)


def _type_fits(reader: Schema, writer: Schema) -> bool:
    wanted, given = reader.get("type"), writer.get("type")
    return wanted is None or wanted == given or (wanted == "number" and given == "integer")


def _values(reader: Schema, writer: Schema, where: str) -> Iterator[Reason]:
    wanted, given = _closed(reader), _closed(writer)
    if wanted is None:
        return
    if given is None:
        yield where, f"any value is written, but only {wanted} are read"
        return
    for value in given:
        if value not in wanted:
            yield where, f"value {value!r} is written, but only {wanted} are read"


def _closed(node: Schema) -> list[Any] | None:
    """The values of a closed choice; None when it is open."""
    if "const" in node:
        return [node["const"]]
    values: list[Any] | None = node.get("enum")
    return values


def _limits(reader: Schema, writer: Schema, where: str) -> Iterator[Reason]:
    if _closed(writer) is not None:
        return
    for keyword in sorted(set(reader) - _ANNOTATIONS - _NESTED):
        if not _within(keyword, reader[keyword], writer.get(keyword)):
            yield where, f"{keyword} {writer.get(keyword)!r} is written, but {keyword} {reader[keyword]!r} is read"


def _within(keyword: str, wanted: Any, given: Any) -> bool:
    if given is None:
        return False
    if keyword in _LOWER:
        return bool(given >= wanted)
    if keyword in _UPPER:
        return bool(given <= wanted)
    # A pattern, a format or a keyword that this check does not know: only the same one is surely safe.
    return bool(given == wanted)


def _object(reader: Schema, writer: Schema, where: str) -> Iterator[Reason]:
    given, always = writer.get("properties", {}), writer.get("required", [])
    for name, wanted in reader.get("properties", {}).items():
        if name in reader.get("required", []) and name not in always:
            yield _join(where, name), "is read as required, but is not always written"
        if name in given:
            yield from _refusals(wanted, given[name], _join(where, name))


def _maps(reader: Schema, writer: Schema, where: str) -> Iterator[Reason]:
    wanted, given = reader.get("patternProperties", {}), writer.get("patternProperties", {})
    if wanted and set(wanted) != set(given):
        yield where, f"names like {sorted(given)} are written, but {sorted(wanted)} are read"
        return
    for pattern, values in wanted.items():
        yield from _refusals(values, given[pattern], f"{where}[]")


def _join(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name
