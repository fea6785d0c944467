"""The catalogue's 'followed by' is what the services really subscribe to."""

import importlib
import importlib.util

import pytest
from contracts.topics import SERVICES, event_on, followed_by


def subscriptions(service: str) -> set[str]:
    """The topics in this service's list of subscriptions."""
    if importlib.util.find_spec(f"{service}.app") is None:
        pytest.skip(f"{service} has no app yet")
    listed = importlib.import_module(f"{service}.app").SUBSCRIPTIONS
    return {_topic(one) for one in listed}


def _topic(subscription) -> str:
    """A subscription's topic; whose event is the contract's own, so that nobody follows a topic with a model of their own."""
    topic: str = subscription.topic.name
    assert subscription.event is event_on(topic)
    return topic


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_subscribes_to_what_the_catalogue_says(service: str) -> None:
    assert subscriptions(service) == {event.topic.name for event in followed_by(service)}
