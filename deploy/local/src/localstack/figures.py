"""What the workers' pages of metrics say, in one line per service: `make status` shows it below the processes."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import httpx
from chassis.clock import Clock
from prometheus_client.parser import text_string_to_metric_families

from localstack.layout import Instance, services

HEAD = ("service", "outbox", "oldest", "lag", "dead letters", "parked", "mails", "jobs")
UNKNOWN = "?"
LATE = 10
"""A job is late after so many of its intervals, and a minute, without success."""


@dataclass(frozen=True)
class Page:
    """One page of metrics."""

    values: dict[str, dict[tuple[str, ...], float]]
    """By metric, and by the values of its labels in the order of their names."""

    @classmethod
    def read(cls, text: str) -> "Page":
        """Read a page in Prometheus' text format."""
        values: dict[str, dict[tuple[str, ...], float]] = {}
        for sample in (one for family in text_string_to_metric_families(text) for one in family.samples):
            values.setdefault(sample.name, {})[tuple(value for _, value in sorted(sample.labels.items()))] = sample.value
        return cls(values)

    def get(self, name: str, *labels: str) -> float | None:
        """Return one value, or None where the page does not tell it."""
        return self.all(name).get(labels)

    def all(self, name: str) -> dict[tuple[str, ...], float]:
        """Return all values of a metric."""
        return self.values.get(f"kandidatenbank_{name}", {})


def rows(instance: Instance) -> list[tuple[str, ...]]:
    """One row per service, from what its worker tells just now; a worker that does not answer says so in its row."""
    with ThreadPoolExecutor() as together:
        pages = together.map(lambda service: scraped(instance.service_port(service, "worker")), services())
        return [row(service, page) for service, page in zip(services(), pages, strict=True)]


def scraped(port: int) -> Page | None:
    """Return the page of the process on that port, or None when it does not answer."""
    try:
        return Page.read(httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=8, trust_env=False).raise_for_status().text)
    except (httpx.HTTPError, ValueError):
        return None


def row(service: str, page: Page | None) -> tuple[str, ...]:
    """The cells of a service."""
    if page is None:
        return (service, "worker does not answer", *[""] * (len(HEAD) - 2))
    oldest = page.get("outbox_oldest_seconds")
    return (
        service,
        _number(page.get("outbox_rows")),
        UNKNOWN if oldest is None else f"{oldest:.0f} s",
        _lag(page),
        _sum(page, "dead_letters"),
        _sum(page, "parked_keys"),
        _number(page.get("mails_waiting")) if page.get("unread", "mails") is not None else "-",
        _jobs(page, Clock().machine().timestamp()),
    )


def _lag(page: Page) -> str:
    """Return the lag, with what stands in its way; unknown while one topic's is."""
    known = _sum(page, "consumer_lag_events") if page.get("unread", "events") == 0 else UNKNOWN
    if page.get("consumer_flooded"):
        return f"{known} stopped by a flood"
    halted = page.get("consumer_halted_partitions")
    return f"{known} ({halted:.0f} halted)" if halted else known


def _sum(page: Page, name: str) -> str:
    found = page.all(name)
    return _number(sum(found.values()) if found else None)


def _number(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.0f}"


def _jobs(page: Page, now: float) -> str:
    """Return which jobs are late, or within how many seconds all were done; and which have not run yet in this process."""
    every, done = page.all("job_interval_seconds"), page.all("job_last_success_time_seconds")
    if not every:
        return UNKNOWN
    late = [f"{name[0]} ({now - at:.0f} s)" for name, at in sorted(done.items()) if now - at > 60 + LATE * every[name]]
    never = sorted(name[0] for name in every.keys() - done.keys())
    said = [f"late: {', '.join(late)}"] if late else []
    if done and not late:
        said.append(f"{len(done)}, each done in the last {max(now - at for at in done.values()):.0f} s")
    if never:
        said.append(f"not yet: {', '.join(never)}")
    return "; ".join(said)
