"""What every service does with every event that it follows: known or not, gone or not, whatever came first."""

import importlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from chassis.resources import connect
from consent.settings import ConsentSettings
from contracts.consent.request import RequestEvent
from contracts.envelope import STREAM, Event
from contracts.profiles.profile import ProfileEvent
from contracts.topics import SERVICES, followed_by
from identity.settings import IdentitySettings
from notifications.settings import NotificationsSettings
from profiles.settings import ProfilesSettings
from testkit.deliveries import Delivery, arrive, history

SETTINGS = {
    "identity": IdentitySettings,
    "profiles": ProfilesSettings,
    "consent": ConsentSettings,
    "notifications": NotificationsSettings,
}
FOLLOWED = [(service, event) for service in SERVICES for event in followed_by(service)]
LASTING = [(service, RequestEvent) for service in SERVICES] + [("notifications", ProfileEvent)]
"""What a request erased stays erased when the request is over; systems outside still have to forget whose profile is gone."""
STREAMS = [one for one in FOLLOWED if one[1].topic.kind is STREAM and one not in LASTING]


def named(pair: Any) -> str | None:
    return pair if isinstance(pair, str) else pair.topic.name


def sample(event: type[Event]) -> Event:
    one: Event = importlib.import_module(event.__module__).SAMPLES[0]
    return one


@pytest.fixture
async def consuming(common: dict[str, Any], laboratory: Any, request: pytest.FixtureRequest) -> AsyncIterator[Any]:
    """The consumer of the service that the test names, as its composition root makes it, over an empty store."""
    app = importlib.import_module(f"{request.param}.app")
    made = getattr(app, "parts", connect)(SETTINGS[request.param](**common))
    lab = laboratory(made.mongo, made.keyring)
    await lab.begin_again()
    await made.mongo.ensure_indexes(*app.INDEXES)
    lab.consumer = app.build_worker(SETTINGS[request.param](**common), made=made).consumer
    yield lab
    await made.close()


async def after(lab: Any, *deliveries: Delivery) -> dict[str, Any]:
    """Return the state after these, one by one; a profile's handle is made by chance."""
    await lab.begin_again()
    await arrive(lab.consumer, [[one] for one in deliveries])
    stored: dict[str, Any] = await lab.stored()
    assert not {"parked", "dead_letters"} & stored.keys()
    for row in stored.get("profiles", {}).values():
        row.pop("handle")
    return stored


@pytest.mark.parametrize(("consuming", "event"), STREAMS, ids=named, indirect=["consuming"])
async def test_a_tombstone_means_forget_whatever_came_before_it_or_comes_after(consuming: Any, event: type[Event]) -> None:
    said, gone = history(sample(event), then_gone=True)
    forgotten = await after(consuming, gone)
    assert await after(consuming, said, gone) == forgotten
    assert await after(consuming, gone, said) == forgotten
    assert await after(consuming, said, gone, said, gone) == forgotten


@pytest.mark.parametrize(("consuming", "event"), FOLLOWED, ids=named, indirect=["consuming"])
async def test_news_of_somebody_unknown_is_no_error_and_again_changes_nothing(consuming: Any, event: type[Event]) -> None:
    [said] = history(sample(event))
    once = await after(consuming, said)
    assert await after(consuming, said, said, said) == once
    assert once["inbox"] == {f"{event.topic.name}|{said.key}": {"sequence": 1}}
