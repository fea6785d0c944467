"""What every event module keeps to: meaning stated, owner's samples, tolerant and immutable models."""

import importlib
import json
import pkgutil
import re
from typing import get_args

import contracts
import pytest
from contracts.envelope import HAPPENING, STREAM, Event, Topic
from contracts.profiles.vacancy import EQF, Level
from contracts.topics import BY_NAME, EVENTS, FAMILIES, SERVICES, TOPICS, event_on, followed_by, owned_by
from pydantic import ValidationError

MODULES = [
    importlib.import_module(found.name)
    for found in pkgutil.walk_packages(contracts.__path__, "contracts.")
    if not found.ispkg and found.name.split(".")[1] in SERVICES
]
SAMPLES = [sample for module in MODULES for sample in module.SAMPLES]
each_event = pytest.mark.parametrize("event", [*EVENTS, *FAMILIES], ids=lambda event: event.topic.name)
each_sample = pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: f"{sample.topic.name}-{sample.key}")


def test_the_catalogue_names_every_event_once() -> None:
    defined = {type(sample) for sample in SAMPLES}
    assert len(EVENTS) == len(set(EVENTS)) == len(BY_NAME)
    assert all(event_on(event.topic.name) is event for event in EVENTS)
    assert defined == {*EVENTS, *FAMILIES}


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_an_event_lies_in_the_module_of_its_topic(module) -> None:
    topic = module.SAMPLES[0].topic
    assert module.__name__ == f"contracts.{topic.owner}.{topic.stream.replace('-', '_')}"
    assert topic.owner in SERVICES


@each_event
def test_an_event_says_when_it_happens_and_to_whom(event: type[Event]) -> None:
    inherited = " ".join(parent.__doc__ or "" for parent in event.__mro__ if issubclass(parent, Event))
    assert "Happens " in inherited
    assert event.topic.says.endswith(".")
    assert event.topic.key
    assert set(event.topic.followed_by) <= set(SERVICES) - {event.topic.owner}
    assert bool(event.topic.tombstone) == (event.topic.kind is STREAM)


@each_sample
def test_a_sample_survives_the_journey(sample: Event) -> None:
    assert type(sample).model_validate_json(sample.model_dump_json()) == sample


@each_sample
def test_a_key_is_an_id_of_reasonable_length(sample: Event) -> None:
    assert re.fullmatch(r"[A-Za-z0-9._:~-]{1,200}", sample.key)


@each_sample
def test_a_reader_ignores_what_a_newer_producer_adds(sample: Event) -> None:
    body = json.loads(sample.model_dump_json()) | {"said_by_a_newer_producer": {"more": 1}}
    assert type(sample).model_validate_json(json.dumps(body)) == sample


@each_sample
def test_every_field_without_a_default_is_needed(sample: Event) -> None:
    needed = [name for name, field in type(sample).model_fields.items() if field.is_required()]
    for name in needed:
        body = json.loads(sample.model_dump_json())
        del body[name]
        with pytest.raises(ValidationError):
            type(sample).model_validate_json(json.dumps(body))
    assert needed


@each_sample
def test_an_event_does_not_change(sample: Event) -> None:
    with pytest.raises(ValidationError):
        setattr(sample, next(iter(type(sample).model_fields)), "other")


def test_a_person_decides_per_purpose_and_controller() -> None:
    decision = next(sample for sample in SAMPLES if sample.topic.name == "consent.decision.v1")
    other = decision.model_copy(update={"controller": "0198c0de-0000-7000-8000-000000000009"})
    assert other.key != decision.key == f"{decision.subject}:{decision.purpose}:portal"


def test_a_dead_letter_without_a_usable_key_is_keyed_by_its_position() -> None:
    letter = next(sample for sample in SAMPLES if sample.topic.name == "profiles.dead-letter.v1")
    assert letter.key == letter.origin_key
    assert letter.model_copy(update={"origin_key": None}).key == "identity.account.v1:3:41"


@pytest.mark.parametrize(
    ("topic", "changes"),
    [
        ("identity.mail-request.v1", {"sealed": None}),
        ("identity.mail-request.v1", {"facts": {"greeting": "jan@voorbeeld.example"}}),
        ("identity.signing-key.v1", {"not_after": "2026-03-01T00:00:00Z"}),
        ("identity.signing-key.v1", {"not_before": "2026-03-01T00:00:00"}),
        ("identity.account.v1", {"account": "jan@voorbeeld.example"}),
        ("identity.account.v1", {"account": ""}),
        ("identity.account.v1", {"state": "sleeping"}),
        ("identity.account.v1", {"confirmed_on": "2026-02-30"}),
        ("consent.decision.v1", {"purpose": "candidate-profiling"}),
        ("notifications.sealing-key.v1", {"destroyed_on": "2026-03-08"}),
        ("profiles.vacancy.v1", {"hours_min": 41}),
        ("profiles.vacancy.v1", {"url": "javascript:alert(1)"}),
        ("profiles.dead-letter.v1", {"reason": "bored"}),
        ("profiles.dead-letter.v1", {"error": "no address jan@voorbeeld.example"}),
    ],
)
def test_a_wrong_body_is_refused(topic: str, changes: dict[str, object]) -> None:
    sample = next(sample for sample in SAMPLES if sample.topic.name == topic)
    body = json.loads(sample.model_dump_json()) | changes
    with pytest.raises(ValidationError):
        type(sample).model_validate_json(json.dumps(body))


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_the_broker_keeps_a_topic_by_its_kind(topic: Topic) -> None:
    day = 24 * 3600 * 1000
    compacted = {"min.compaction.lag.ms": "0", "max.compaction.lag.ms": str(day)}
    if topic.name == "identity.session.v1":
        assert topic.configs == {"cleanup.policy": "compact,delete", "retention.ms": str(day), **compacted}
    elif topic.kind is STREAM:
        assert topic.configs == {"cleanup.policy": "compact", **compacted}
    else:
        assert topic.configs == {"cleanup.policy": "delete", "retention.ms": str(30 * day)}


def test_what_follows_from_a_topics_name() -> None:
    topic = event_on("notifications.sealing-key.v1").topic
    assert (topic.owner, topic.stream, topic.version) == ("notifications", "sealing-key", 1)
    assert topic.event_type == "nl.kandidatenbank.notifications.sealing-key.v1"
    assert topic.source == "/notifications"


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "identity.account"},
        {"name": "identity.account.v"},
        {"name": "identity.account.more.v1"},
        {"tombstone": ""},
        {"kind": HAPPENING},
        {"kind": HAPPENING, "tombstone": ""},
    ],
)
def test_a_topic_that_leaves_a_consumer_guessing_is_refused(wrong: dict[str, object]) -> None:
    right = {"name": "a.b.v1", "kind": STREAM, "key": "b", "says": "B.", "followed_by": (), "tombstone": "Forget."}
    assert Topic(**right).name == "a.b.v1"
    with pytest.raises(ValueError, match=r"\w+"):
        Topic(**(right | wrong))


def test_a_family_has_a_topic_for_each_receiver_and_one_type_of_event() -> None:
    family = FAMILIES[0].topic
    one = family.of("0198c0de-0000-7000-8000-000000000009")
    assert one.name == "organisation.0198c0de-0000-7000-8000-000000000009.v1"
    assert one.event_type == family.event_type == "nl.kandidatenbank.organisation.v1"
    assert (one.owner, one.stream, one.source) == ("notifications", "organisation", "/notifications")
    assert (one.configs, one.partitions) == (family.configs, family.partitions)


@pytest.mark.parametrize("receiver", ["", "a.v1", "a.b", "*", "{id}", "jan@voorbeeld.example"])
def test_a_receiver_whose_topic_would_be_another_is_refused(receiver: str) -> None:
    with pytest.raises(ValueError, match="no topic of"):
        FAMILIES[0].topic.of(receiver)


def test_a_topic_that_is_no_family_has_no_receivers() -> None:
    with pytest.raises(ValueError, match="no topic of"):
        event_on("identity.account.v1").topic.of("1")


def test_who_writes_and_who_reads() -> None:
    assert {event.topic.name for event in followed_by("identity")} == {
        "notifications.sealing-key.v1",
        "notifications.reseal.v1",
        "consent.request.v1",
    }
    assert {event for service in SERVICES for event in owned_by(service)} == set(EVENTS)


def test_every_level_of_education_can_be_compared() -> None:
    assert get_args(Level) == tuple(EQF)
    assert EQF["mbo-4"] < EQF["hbo-bachelor"] == EQF["wo-bachelor"] < EQF["wo-master"]
