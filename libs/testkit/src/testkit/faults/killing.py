"""Processes that die, and workers that sleep: SIGKILL, SIGTERM and then SIGKILL, deaths at named points, SIGSTOP and SIGCONT."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from random import Random

from localstack.layout import services

from testkit.faults.broker import STARTS_WITHIN
from testkit.faults.clocks import turn
from testkit.faults.fault import Fault
from testkit.faults.ledger import now
from testkit.faults.mails import JUMPED
from testkit.faults.process import Reins
from testkit.faults.second import second_worker
from testkit.faults.site import Site
from testkit.waiting import eventually

WORKERS_POINTS = ("after-commit", "before-offsets", "before-delete")
SWEEPERS = ("identity", "profiles")
"""Services whose jobs have something to do when a year has passed."""
A_YEAR = timedelta(days=367)
SLEEP = (4.5, 7.0)
"""Seconds of a stopped worker: more than its session at the broker and its leases (3 s on the local stack)."""
MAIL_SLEEP = (9.0, 11.0)
"""More than a sender's lease of its mails, too."""


async def kill(site: Site, random: Random, process: str) -> str:
    """Kill a process outright, sometimes twice."""
    times = random.choice((1, 1, 2))
    for _ in range(times):
        await site.signal(process, signal.SIGKILL)
        await asyncio.sleep(random.uniform(2.5, 3.5) if times > 1 else 0)
    return f"SIGKILL to {process}, {times} times"


async def terminate(site: Site, random: Random, process: str) -> str:
    """Ask a process to end, and kill it before it is through."""
    wait = random.uniform(0.05, 2)
    pid = await site.signal(process, signal.SIGTERM)
    await asyncio.sleep(wait)
    died = site.send(pid, signal.SIGKILL)
    return f"SIGTERM to {process}, {'SIGKILL' if died else 'gone'} after {wait:.2f} s"


async def die_at(site: Site, random: Random, process: str, point: str) -> str:
    """Let a process kill itself when it next comes to a point; one that does not come there lives on."""
    reins, wait = Reins(site.instance, process), random.uniform(3, 5)
    reins.arm(point)
    with suppress(AssertionError):  # not every point is passed in so short a time
        await eventually(lambda: not reins.armed(point), timeout=wait)
    return f"{process} did not come to {point}" if reins.disarm(point) else f"{process} killed itself {point}"


async def die_in_mid_sweep(site: Site, random: Random, service: str) -> str:
    """Let a year pass, so that a sweep has much to do, and let the worker die after one step of it."""
    reins = Reins(site.instance, f"{service}-worker")
    reins.arm("mid-job")
    await turn(site, A_YEAR)
    with suppress(AssertionError):  # nobody may be there whose year is over
        await eventually(lambda: not reins.armed("mid-job"), timeout=random.uniform(6, 8))
    told = "did not come to" if reins.disarm("mid-job") else "killed itself in"
    return f"a year passed, and {service}-worker {told} the middle of a sweep"


async def sleep(site: Site, random: Random, service: str) -> str:
    """Stop a worker for longer than its leases, while another one takes over what it held; then wake it."""
    process = f"{service}-worker"
    seconds = random.uniform(*(MAIL_SLEEP if service == "notifications" else SLEEP))
    async with second_worker(site, service):
        pid = await site.signal(process, signal.SIGSTOP)
        try:
            await asyncio.sleep(seconds)
        finally:
            site.send(pid, signal.SIGCONT)
        await asyncio.sleep(random.uniform(0.5, 1.5))  # both are awake, and the second one ends
    return f"SIGSTOP to {process} for {seconds:.1f} s beside a second one"


async def kafka_away(site: Site, random: Random) -> str:
    """Kill Kafka and leave it away for long; the APIs go on."""
    seconds = random.uniform(20, 40)
    await site.signal("kafka", signal.SIGKILL)
    await site.stop("kafka")
    begun = now()
    try:
        await asyncio.sleep(seconds)
        site.away.append((begun, now()))
    finally:
        await site.launch("kafka")
    await eventually(partial(site.ready, "kafka"), timeout=STARTS_WITHIN)
    return f"Kafka killed, and away for {seconds:.0f} s"


async def kafka_killed(site: Site, random: Random) -> str:
    """Kill Kafka; the supervisor starts it again."""
    await site.signal("kafka", signal.SIGKILL)
    await eventually(partial(site.ready, "kafka"), timeout=STARTS_WITHIN)
    return "Kafka killed"


def _named(name: str, strike: Callable[..., Awaitable[str]], **told: str) -> Fault:
    return Fault(f"{name}-{'-'.join(told.values())}", partial(strike, **told))


PROCESSES = [f"{service}-{process}" for service in services() for process in ("api", "worker")]
KILLED = (
    *(_named("kill", kill, process=process) for process in [*PROCESSES, "gateway"]),
    *(_named("terminate", terminate, process=process) for process in PROCESSES),
    *(_named("die", die_at, process=f"{service}-worker", point=point) for service in services() for point in WORKERS_POINTS),
    *(
        Fault(f"die-{name}-worker-mid-job", partial(die_in_mid_sweep, service=name), heavy=True, excuses=frozenset({JUMPED}))
        for name in SWEEPERS
    ),
    *(_named("die", die_at, process=f"{service}-api", point="after-commit") for service in services()),
)
ASLEEP = tuple(_named("sleep", sleep, service=service) for service in services())
KAFKA = (Fault("kafka-killed", kafka_killed, heavy=True), Fault("kafka-away", kafka_away, heavy=True))
