"""The figures below `make status`: what a worker tells, what it does not, and a worker that tells nothing."""

import httpx
import pytest
from chassis.clock import Clock
from localstack import figures, supervise, table
from localstack.figures import HEAD, Page, row, scraped
from localstack.layout import Instance, services

HEALTHY = """
kandidatenbank_outbox_rows 12
kandidatenbank_outbox_oldest_seconds 3.4
kandidatenbank_consumer_lag_events{topic="a.b.v1"} 2
kandidatenbank_consumer_lag_events{topic="a.c.v1"} 5
kandidatenbank_consumer_halted_partitions 0
kandidatenbank_consumer_flooded 0
kandidatenbank_dead_letters{reason="malformed"} 1
kandidatenbank_dead_letters{reason="invalid"} 2
kandidatenbank_parked_keys{reason="failed"} 4
kandidatenbank_mails_waiting 9
kandidatenbank_unread{source="events"} 0
kandidatenbank_unread{source="mails"} 0
"""


def cells(text: str) -> dict[str, str]:
    return dict(zip(HEAD, row("consent", Page.read(text)), strict=True))


def jobs(every: dict[str, int], ago: dict[str, int]) -> str:
    """The page's lines for jobs with these intervals, of which some were done so many seconds ago."""
    now = Clock().machine().timestamp()
    intervals = [f'kandidatenbank_job_interval_seconds{{name="{name}"}} {one}\n' for name, one in every.items()]
    done = [f'kandidatenbank_job_last_success_time_seconds{{name="{name}"}} {now - one}\n' for name, one in ago.items()]
    return "".join(intervals + done)


def test_a_service_is_told_in_one_line() -> None:
    assert cells(HEALTHY + jobs({"sweep": 2, "destroy-keys": 2}, {"sweep": 1, "destroy-keys": 30})) == {
        "service": "consent",
        "outbox": "12",
        "oldest": "3 s",
        "lag": "7",
        "dead letters": "3",
        "parked": "4",
        "mails": "9",
        "jobs": "2, each done in the last 30 s",
    }


def test_jobs_that_are_late_and_those_that_have_not_run_yet_are_named() -> None:
    shown = cells(jobs({"never": 2, "sweep": 2}, {"sweep": 90}))
    assert shown["jobs"] == "late: sweep (90 s); not yet: never"


def test_a_job_that_has_not_run_yet_makes_none_late() -> None:
    shown = cells(jobs({"hourly": 3600, "sweep": 2}, {"sweep": 3}))
    assert shown["jobs"] == "1, each done in the last 3 s; not yet: hourly"


def test_what_a_worker_could_not_read_is_unknown_and_not_nothing() -> None:
    shown = cells('kandidatenbank_unread{source="events"} 1\nkandidatenbank_consumer_lag_events{topic="a"} 0\n')
    assert {shown[name] for name in ("outbox", "oldest", "lag", "dead letters", "parked", "jobs")} == {"?"}
    assert shown["mails"] == "-"  # only notifications has any
    assert cells('kandidatenbank_unread{source="mails"} 1\n')["mails"] == "?"


@pytest.mark.parametrize(
    ("trouble", "lag"),
    [
        ("kandidatenbank_consumer_halted_partitions 3", "7 (3 halted)"),
        ("kandidatenbank_consumer_flooded 1", "7 stopped by a flood"),
    ],
)
def test_what_stands_in_the_way_of_events_is_said(trouble: str, lag: str) -> None:
    name = trouble.split()[0]
    lines = [line for line in HEALTHY.splitlines() if not line.startswith(name)]
    assert cells("\n".join([*lines, trouble, ""]))["lag"] == lag


def test_a_worker_that_is_away_says_so_in_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> httpx.Response:
        raise httpx.ConnectError("refused")

    monkeypatch.setattr(httpx, "get", refuse)
    assert scraped(1) is None
    assert row("consent", None)[:2] == ("consent", "worker does not answer")


def test_the_figures_stand_below_the_processes_of_an_instance_that_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervise, "running", lambda _: True)
    monkeypatch.setattr(supervise, "states", lambda _: {"kafka": {"statename": "EXITED", "pid": 0, "start": 0, "now": 0}})
    monkeypatch.setattr(figures, "scraped", lambda _port: None)
    lines = table.table(Instance("main"))
    assert lines[-len(services()) - 1].split()[:2] == ["service", "outbox"]
    assert [line.split()[0] for line in lines[-len(services()) :]] == services()
    assert all(line.endswith("worker does not answer") for line in lines[-len(services()) :])
    assert not any("service" in line for line in table.table(Instance("test")))  # it has no services of ours
