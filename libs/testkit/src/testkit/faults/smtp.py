"""Faults of the mail server: it refuses, defers, rejects, hangs, answers too late or hangs up; see `postoffice.py`."""

import asyncio
from random import Random

from testkit.faults.between import MAIL, asked
from testkit.faults.fault import Fault, Strike
from testkit.faults.mails import REJECTED
from testkit.faults.postoffice import Kind, Mood
from testkit.faults.proxy import Rule
from testkit.faults.site import Site

TIMEOUT = 3.0
"""NOTIFICATIONS_SMTP_TIMEOUT of the instance, in `stack.toml`."""
MEANS: dict[Kind, str] = {
    "defer-recipient": "said 450 to recipients",
    "defer": "said 451 after DATA",
    "reject-recipient": "said 550 to recipients",
    "reject": "said 554 after DATA",
    "hang": "took mails and said nothing",
    "hang-untaken": "said nothing after DATA and took nothing",
    "late": "took mails and said so after the time-out",
    "close": "took mails and hung up",
    "close-untaken": "hung up after DATA and took nothing",
}


def _strike(kind: Kind) -> Strike:
    async def strike(site: Site, dice: Random) -> str:
        mood = Mood(kind, times=dice.randint(1, 3), seconds=TIMEOUT + dice.uniform(0.2, 1))
        seconds = dice.uniform(3, 6)
        async with asked(site.instance, mood):
            await asyncio.sleep(seconds)
        return f"the mail server {MEANS[kind]}, at most {mood.times} times in {seconds:.1f} s"

    return strike


async def refuses(site: Site, dice: Random) -> str:
    """Let the mail server take no connections, and drop those that there are."""
    seconds = dice.uniform(2, 6)
    async with asked(site.instance, Rule("cut", MAIL)):
        await asyncio.sleep(seconds)
    return f"the mail server refused connections for {seconds:.1f} s"


def _excuses(kind: Kind) -> frozenset[str]:
    return frozenset({REJECTED} if kind.startswith("reject") else {})


FAULTS = (Fault("smtp-refuses", refuses), *(Fault(f"smtp-{kind}", _strike(kind), excuses=_excuses(kind)) for kind in MEANS))
