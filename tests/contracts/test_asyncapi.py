"""The AsyncAPI documents: well formed, complete, and true to the catalogue."""

import re
from typing import Any

import pytest
from contracts.asyncapi import document_of
from contracts.schemas import as_text
from contracts.topics import SERVICES, families_of, followed_by, owned_by
from faststream.specification.asyncapi.v3_0_0.schema import ApplicationSchema

each_service = pytest.mark.parametrize("service", SERVICES)


def resolve(document: dict[str, Any], reference: str) -> Any:
    """What a reference points to."""
    found: Any = document
    for step in reference.removeprefix("#/").split("/"):
        found = found[step]
    return found


@each_service
def test_a_document_is_asyncapi_3(service: str) -> None:
    document = document_of(service)
    parsed = ApplicationSchema.model_validate(document)
    assert parsed.asyncapi == "3.0.0"
    assert set(parsed.channels) == set(document["channels"])


@each_service
def test_every_reference_leads_somewhere(service: str) -> None:
    document = document_of(service)
    references = re.findall(r'"\$ref": "([^"]+)"', as_text(document))
    assert references
    assert all(resolve(document, reference) for reference in references)


@each_service
def test_a_service_sends_what_it_owns_and_receives_what_it_follows(service: str) -> None:
    operations = document_of(service)["operations"].values()
    by_action = {
        action: {one["channel"]["$ref"].removeprefix("#/channels/") for one in operations if one["action"] == action}
        for action in ("send", "receive")
    }
    assert by_action["send"] == {event.topic.name for event in owned_by(service) + families_of(service)}
    assert by_action["receive"] == {event.topic.name for event in followed_by(service)}


def test_a_message_has_its_headers_key_and_payload() -> None:
    document = document_of("notifications")
    channel = document["channels"]["identity.contact.v1"]
    message = resolve(document, channel["messages"]["ContactEvent"]["$ref"])
    assert message["headers"]["properties"]["ce_type"] == {"type": "string", "const": "nl.kandidatenbank.identity.contact.v1"}
    assert "ce_sequence" in message["headers"]["required"]
    assert message["bindings"]["kafka"]["key"]["description"] == "account"
    assert resolve(document, message["payload"]["$ref"])["required"] == ["account", "sealed", "language"]
    assert channel["bindings"]["kafka"]["topicConfiguration"] == {"cleanup.policy": ["compact"]}
    assert "Tombstone: The person is erased" in channel["description"]
