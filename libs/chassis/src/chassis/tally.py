"""What one try to apply a batch came to: counted while it runs, told once per topic when it is committed.

Counting each event for itself would cost more than reading it.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from chassis import metrics
from chassis.inbox import Incoming, Poison


class Tally:
    """The events whose handler ran, those that joined a parked key, and the seconds in handlers, by topic."""

    def __init__(self) -> None:
        self.applied, self.waiting, self.seconds = Counter[str](), Counter[str](), defaultdict[str, float](float)

    def tell(self, events: Sequence[Incoming[Any]], poisons: Sequence[Poison]) -> None:
        """Count what was committed."""
        for topic, all_ in Counter(item.topic for item in events).items():
            applied, waiting = self.applied[topic], self.waiting[topic]
            for outcome, count in (("applied", applied), ("waiting", waiting), ("repeated", all_ - applied - waiting)):
                metrics.CONSUMER_EVENTS.labels(topic, outcome).inc(count)
            metrics.CONSUMER_HANDLER.labels(topic).inc(self.seconds[topic])
        for poison in poisons:
            metrics.CONSUMER_EVENTS.labels(poison.record.topic, poison.reason).inc()
