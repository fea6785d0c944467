"""JSON Schemas of the events, as a reader needs them: what it must find, and what it may find."""

import json
from typing import Any

from contracts.envelope import Event, Topic

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema_of(event: type[Event]) -> Schema:
    """The schema of one event's body, with the facts about its topic under `x-topic`."""
    body = event.model_json_schema(mode="validation")
    return {"$schema": DIALECT, "$id": f"urn:kandidatenbank:event:{event.topic.name}", **body, "x-topic": _facts(event.topic)}


def _facts(topic: Topic) -> Schema:
    facts: Schema = {
        "name": topic.name,
        "type": topic.event_type,
        "kind": topic.kind.value,
        "key": topic.key,
        "partitions": topic.partitions,
    }
    return facts | ({"tombstone": topic.tombstone} if topic.tombstone else {})


def as_text(document: Any) -> str:
    """A document as it is checked in: stable, readable in a review."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
