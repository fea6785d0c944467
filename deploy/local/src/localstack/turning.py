"""Turns an instance's domain time forward and waits until every process of ours lives in it."""

import time
from datetime import datetime, timedelta

import httpx
from chassis.clock import Clock

from localstack.layout import Instance
from localstack.services import clock_file, health_urls

PATIENCE = 15.0


class TurnError(Exception):
    """The clock was not turned, or a process has not seen it; the text says which."""


def turn(instance: Instance, by: timedelta) -> datetime:
    """Add to the offset; returns domain time when every process answers with it."""
    if by < timedelta():
        raise TurnError("time only goes forward")
    path = clock_file(instance)
    path.parent.mkdir(parents=True, exist_ok=True)
    # whoever reads while this is written sees the old file or the new one, never a half
    draft = path.with_name("clock.new")
    draft.write_text(str(int((Clock(path).offset() + by).total_seconds())))
    draft.replace(path)
    moment = Clock(path).now()
    _wait(health_urls(instance), moment)
    return moment


def _wait(urls: dict[str, str], moment: datetime) -> None:
    deadline = time.monotonic() + PATIENCE
    waiting = dict(urls)
    while waiting := {name: url for name, url in waiting.items() if not _reached(f"{url}/live", moment)}:
        if time.monotonic() > deadline:
            raise TurnError(f"the clock is turned, but these do not answer with it: {', '.join(waiting)}")
        time.sleep(0.1)


def _reached(url: str, moment: datetime) -> bool:
    try:
        answer = httpx.get(url, timeout=2, trust_env=False)
        return answer.is_success and datetime.fromisoformat(answer.json()["domain_time"]) >= moment
    except (httpx.HTTPError, KeyError, ValueError):
        return False
