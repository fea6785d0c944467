"""What is counted, and what the pages under `/metrics` say: every metric that all services have stands here, and nowhere else.

Labels come from closed sets: topics, routes' templates, names of jobs. Which service and process it is, the scraper's own
labels say. What must be asked (the database, the consumer's positions) is a `State`: read anew for each scrape, and left out
when it could not be read, because an old number would look like a fresh one.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping

import structlog
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

log = structlog.get_logger()

CONTENT_TYPE = CONTENT_TYPE_LATEST
PATIENCE = 3.0
"""Seconds in which a reading must have answered: longer than a check of readiness may take, far shorter than a scrape."""
REGISTRY = CollectorRegistry()
Reading = Callable[[], Awaitable[None]]
"""Reads states and holds them."""

disable_created_metrics()  # type: ignore[no-untyped-call]  # the library carries no type for it
ProcessCollector(registry=REGISTRY)


class State(Collector):
    """A gauge that is read for each scrape, and is absent when it is not known."""

    made: list["State"] = []  # noqa: RUF012 - all of them, so that a scrape begins with none known

    def __init__(self, name: str, help_: str, labels: tuple[str, ...] = ()) -> None:
        self.name, self.help, self.labels = name, help_, labels
        self._held: dict[tuple[str, ...], float] = {}
        self.made.append(self)
        REGISTRY.register(self)

    def hold(self, value: float, *labels: str) -> None:
        """Say what was read just now."""
        self._held[labels] = value

    def forget(self) -> None:
        """Know nothing."""
        self._held.clear()

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Give name and labels, for the registry."""
        yield GaugeMetricFamily(self.name, self.help, labels=self.labels)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Give what is held."""
        family = GaugeMetricFamily(self.name, self.help, labels=self.labels)
        for labels, value in self._held.items():
            family.add_metric(labels, value)
        yield family


def counter(name: str, help_: str, *labels: str, values: Iterable[str] = ()) -> Counter:
    """Return a counter; its name ends in `_total` where it is read.

    `values` are those of its only label: they begin at 0, or the first of a kind would come from nowhere and be no increase.
    """
    made = Counter(name, help_, labels, registry=REGISTRY)
    for value in values:
        made.labels(value)
    return made


def gauge(name: str, help_: str, *labels: str) -> Gauge:
    """Return a gauge that this process itself sets."""
    return Gauge(name, help_, labels, registry=REGISTRY)


def histogram(name: str, help_: str, *labels: str, buckets: tuple[float, ...]) -> Histogram:
    """Return a histogram of seconds."""
    return Histogram(name, help_, labels, registry=REGISTRY, buckets=buckets)


REQUEST_SECONDS = histogram(
    "kandidatenbank_http_request_seconds",
    "Time to answer a request, by the route's template and the class of its status.",
    "method",
    "route",
    "status",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
REQUEST_REFUSALS = counter(
    "kandidatenbank_http_refusals", "Requests refused by a guard.", "reason", values=("token", "access", "purpose")
)

OUTBOX_ROWS = State("kandidatenbank_outbox_rows", "Events that wait in the outbox; counting stops at 100000.")
OUTBOX_OLDEST = State("kandidatenbank_outbox_oldest_seconds", "Age of the oldest event in the outbox; 0 when it is empty.")
RELAY_EVENTS = counter("kandidatenbank_relay_events", "Events that this worker published and the broker acknowledged.")
RELAY_FAILURES = counter("kandidatenbank_relay_failures", "Batches of an outbox slot that could not be published or deleted.")
RELAY_SLOTS = State("kandidatenbank_relay_slots", "Outbox slots that this worker serves.")
RELAY_FAILING = State("kandidatenbank_relay_failing_slots", "Slots of this worker whose last batch failed.")

CONSUMER_EVENTS = counter(
    "kandidatenbank_consumer_events",
    "Events by what became of them: applied, repeated, waiting behind a parked key, parked, malformed, invalid, unknown.",
    "topic",
    "outcome",
)
CONSUMER_HANDLER = counter("kandidatenbank_consumer_handler_seconds", "Time spent in the handler of a topic's events.", "topic")
CONSUMER_BATCH = histogram(
    "kandidatenbank_consumer_batch_seconds",
    "Time to apply a batch, its transaction included: done, failed, or waits (trouble around us).",
    "outcome",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
CONSUMER_RETRIES = counter("kandidatenbank_consumer_retries", "Further tries of events whose handler failed.", "topic")
CONSUMER_HALTS = counter("kandidatenbank_consumer_halts", "Times that a partition was put back to wait.", "topic")
CONSUMER_PARTITIONS = State("kandidatenbank_consumer_partitions", "Partitions that this worker consumes.", ("topic",))
CONSUMER_LAG = State("kandidatenbank_consumer_lag_events", "Events of this worker's partitions that are not done.", ("topic",))
CONSUMER_OLDEST = State(
    "kandidatenbank_consumer_oldest_seconds", "Age of the oldest event that was received and is not done.", ("topic",)
)
CONSUMER_HALTED = State("kandidatenbank_consumer_halted_partitions", "Partitions that wait for database or broker.")
CONSUMER_FLOODED = State("kandidatenbank_consumer_flooded", "1 when too many keys were parked and the consumer stopped.")
FRESHNESS = State(
    "kandidatenbank_freshness_seconds", "Time since the consumers were last seen at the end of a watched topic.", ("topic",)
)

DEAD_LETTERS = State("kandidatenbank_dead_letters", "Records set aside; counting stops at 10000.", ("reason",))
DEAD_LETTERS_OLDEST = State("kandidatenbank_dead_letters_oldest_seconds", "Age of the oldest record set aside.", ("reason",))
PARKED = State("kandidatenbank_parked_keys", "Keys that wait for an operator; counting stops at 10000.", ("reason",))
PARKED_OLDEST = State("kandidatenbank_parked_oldest_seconds", "Age of the oldest parked key.", ("reason",))

JOB_EVERY = gauge("kandidatenbank_job_interval_seconds", "How often a job is meant to run.", "name")
JOB_SUCCESS = gauge("kandidatenbank_job_last_success_time_seconds", "When a job last ended well in this worker.", "name")
JOB_SECONDS = gauge("kandidatenbank_job_last_duration_seconds", "How long a job's last run took in this worker.", "name")
JOB_RUNS = counter("kandidatenbank_job_runs", "Runs of a job: done or failed.", "name", "outcome")
JOB_ROWS = counter("kandidatenbank_job_rows", "How much a job found due and did.", "name")

UNUSABLE_KEYS = counter(
    "kandidatenbank_unusable_keys", "Times that a wrapped key did not open.", "reason", values=("epoch-missing", "unreadable")
)
KEYS_TO_MOVE = State("kandidatenbank_keys_under_old_epochs", "Wrapped keys that wait to be moved to the newest epoch.")
EPOCHS_KEPT = State("kandidatenbank_master_keys_kept", "Master keys that are held past the day of their destruction.")

TASK_CRASHES = counter("kandidatenbank_task_crashes", "Background tasks that crashed and were started again.", "task")
MISSING = State("kandidatenbank_missing", "1 for a dependency that readiness misses.", ("dependency",))
UNREAD = State("kandidatenbank_unread", "1 for a source that this scrape could not read; what it tells is left out.", ("source",))


async def scrape(readings: Mapping[str, Reading]) -> bytes:
    """Read all states and return the whole page. What cannot be read in time is left out, and said so."""
    for state in State.made:
        state.forget()
    answered = await asyncio.gather(*(_answers(source, reading) for source, reading in readings.items()))
    for source, there in zip(readings, answered, strict=True):
        UNREAD.hold(0 if there else 1, source)
    return generate_latest(REGISTRY)


async def _answers(source: str, reading: Reading) -> bool:
    try:
        async with asyncio.timeout(PATIENCE):
            await reading()
    except Exception as error:  # noqa: BLE001 - whatever it is, the page says what is known and names what is not
        log.warning("metrics_unread", source=source, error=type(error).__name__)
        return False
    return True
