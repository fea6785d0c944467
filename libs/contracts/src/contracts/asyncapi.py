"""AsyncAPI 3 documents, one for each service: what it writes and what it reads.

Made from the contracts and not from the consumers: those take raw batches, of which FastStream would say 'array of anything'.
"""

from typing import Any

from contracts import envelope
from contracts.envelope import Event, Topic
from contracts.topics import families_of, followed_by, owned_by

Document = dict[str, Any]

VERSION = "3.0.0"
KAFKA_BINDING = "0.5.0"


def document_of(service: str) -> Document:
    """The AsyncAPI document of one service."""
    written, read = owned_by(service) + families_of(service), followed_by(service)
    return {
        "asyncapi": VERSION,
        "info": {
            "title": f"kandidatenbank {service}",
            "version": "1.0.0",
            "description": f"What {service} writes (send) and follows (receive). No body holds readable personal data.",
        },
        "defaultContentType": envelope.CONTENT_TYPE,
        "channels": {event.topic.name: _channel(event) for event in _once(written + read)},
        "operations": {
            **{f"send.{event.topic.name}": _operation("send", event.topic) for event in written},
            **{f"receive.{event.topic.name}": _operation("receive", event.topic) for event in read},
        },
        "components": _components(_once(written + read)),
    }


def _once(events: tuple[type[Event], ...]) -> tuple[type[Event], ...]:
    return tuple(dict.fromkeys(events))


def _channel(event: type[Event]) -> Document:
    topic = event.topic
    meaning = f"{topic.says} Tombstone: {topic.tombstone}" if topic.tombstone else topic.says
    return {
        "address": topic.name,
        "description": meaning,
        **({"parameters": {"id": {"description": "Whose topic it is."}}} if envelope.PARAMETER in topic.name else {}),
        "messages": {event.__name__: {"$ref": f"#/components/messages/{event.__name__}"}},
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "partitions": topic.partitions,
                "topicConfiguration": _configuration(topic),
                "bindingVersion": KAFKA_BINDING,
            }
        },
    }


def _configuration(topic: Topic) -> Document:
    """What the Kafka binding has words for; compaction lags stand in `Topic.configs` only."""
    configs = topic.configs
    known: Document = {"cleanup.policy": configs["cleanup.policy"].split(",")}
    return known | ({"retention.ms": int(configs["retention.ms"])} if "retention.ms" in configs else {})


def _operation(action: str, topic: Topic) -> Document:
    return {"action": action, "channel": {"$ref": f"#/channels/{topic.name}"}, "summary": topic.says}


def _components(events: tuple[type[Event], ...]) -> Document:
    schemas: Document = {}
    messages: Document = {}
    for event in events:
        body = event.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas |= body.pop("$defs", {})
        schemas[event.__name__] = body
        messages[event.__name__] = _message(event)
    return {"messages": messages, "schemas": dict(sorted(schemas.items()))}


def _message(event: type[Event]) -> Document:
    return {
        "name": event.topic.event_type,
        "title": event.__name__,
        "summary": event.topic.says,
        "contentType": envelope.CONTENT_TYPE,
        "headers": _headers(event.topic),
        "payload": {"$ref": f"#/components/schemas/{event.__name__}"},
        "bindings": {"kafka": {"key": {"type": "string", "description": event.topic.key}, "bindingVersion": KAFKA_BINDING}},
    }


def _headers(topic: Topic) -> Document:
    values: Document = {
        envelope.HEADER_SPEC_VERSION: {"const": envelope.SPEC_VERSION},
        envelope.HEADER_ID: {"description": "UUIDv7, unique per event"},
        envelope.HEADER_SOURCE: {"const": topic.source},
        envelope.HEADER_TYPE: {"const": topic.event_type},
        envelope.HEADER_SUBJECT: {"description": "the key once more"},
        envelope.HEADER_TIME: {"format": "date-time", "description": "machine time of the change; no term is computed from it"},
        envelope.HEADER_SEQUENCE: {"pattern": "^[1-9][0-9]*$", "description": "raised by every change of the aggregate"},
        envelope.HEADER_CONTENT_TYPE: {"const": envelope.CONTENT_TYPE},
        envelope.HEADER_TRACE: {"description": "W3C trace context"},
    }
    strings = {name: {"type": "string", **more} for name, more in values.items()}
    return {"type": "object", "properties": strings, "required": list(envelope.REQUIRED_HEADERS)}
