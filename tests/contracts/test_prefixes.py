"""Each topic lies below a prefix of its owner and of nobody else; that is what Kafka's grants are made of."""

import pytest
from contracts.prefixes import prefixes_of
from contracts.topics import SERVICES, TOPICS


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_only_its_owner_writes_a_topic(topic) -> None:
    assert [service for service in SERVICES if topic.name.startswith(prefixes_of(service))] == [topic.owner]


def test_no_prefix_begins_like_another() -> None:
    every = [prefix for service in SERVICES for prefix in prefixes_of(service)]
    assert all(prefix.endswith(".") for prefix in every)
    assert [(a, b) for a in every for b in every if a != b and a.startswith(b)] == []
