"""Faults of time: domain time jumps weeks, a machine's clock goes wrong in both directions, the scheduler was away for days."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from random import Random

from chassis.tokens import LEEWAY
from localstack.layout import services
from localstack.turning import TurnError

from testkit.faults.fault import Fault
from testkit.faults.mails import JUMPED
from testkit.faults.process import Reins
from testkit.faults.site import Site

AWAY = timedelta(days=3)
WRONG = 600.0
"""So many seconds a clock may be wrong; one that issues or checks tokens only by their leeway."""


async def turn(site: Site, by: timedelta) -> None:
    """Turn domain time; processes that are down just now live in it when they are back."""
    with suppress(TurnError):
        await asyncio.to_thread(site.stack.turn, by)


async def weeks_forward(site: Site, dice: Random) -> str:
    """Let domain time jump."""
    weeks = dice.randint(1, 4)
    await turn(site, timedelta(weeks=weeks))
    return f"domain time jumped {weeks} weeks"


async def machine_clock(site: Site, dice: Random) -> str:
    """Let one process's machine clock jump away and back."""
    process, there = dice.choice(site.processes), dice.choice([-1, 1])
    most = WRONG if process.endswith("-worker") and process != "identity-worker" else LEEWAY - 1
    wrong, seconds = there * dice.uniform(1, most), dice.uniform(2, 5)
    reins = Reins(site.instance, process)
    reins.set_clock(wrong)
    try:
        await asyncio.sleep(seconds)
    finally:
        reins.set_clock(0)
    return f"the clock of {process} was {wrong:+.0f} s wrong for {seconds:.1f} s"


async def scheduler_away(site: Site, dice: Random) -> str:
    """Let a service's jobs not run for three days of domain time."""
    service = dice.choice(services())
    worker = f"{service}-worker"
    reins, roles = Reins(site.instance, worker), ["consume", "relay", *(["mail"] if service == "notifications" else [])]
    reins.tell("roles", *roles)
    try:
        await site.restart(worker)
        await turn(site, AWAY)
        await asyncio.sleep(dice.uniform(0.5, 2))
    finally:
        reins.tell("roles")
        await site.restart(worker)
    return f"the jobs of {service} were away for {AWAY.days} days"


FAULTS = (
    Fault("clock-weeks-forward", weeks_forward, excuses=frozenset({JUMPED})),
    Fault("clock-machine", machine_clock),
    Fault("clock-scheduler-away", scheduler_away, heavy=True),
)
