"""Faults of the network, between one process (or all) and Kafka, MongoDB or the mail server: `between.py` carries their bytes."""

import asyncio
from collections.abc import Sequence
from random import Random

from localstack.layout import services

from testkit.faults.between import MAIL, asked
from testkit.faults.fault import Fault, Strike
from testkit.faults.proxy import Kind, Rule
from testkit.faults.site import Site

ALL = "*-[aw]*"
"""Every `<service>-api` and `<service>-worker`; not the database's own nodes."""
WORKERS = tuple(f"{service}-worker" for service in services())
APIS = tuple(f"{service}-api" for service in services())
WHO: dict[str, Sequence[str]] = {
    "kafka": (*WORKERS, ALL),
    "mongod*": (*WORKERS, *APIS, ALL),
    MAIL: ("notifications-worker",),
}
NAMES = {"kafka": "kafka", "mongod*": "mongodb", MAIL: "smtp"}
KINDS: dict[Kind, tuple[float, float]] = {
    "cut": (0, 0),
    "black-hole": (0, 0),
    "half-open": (0, 0),
    "slow": (0.05, 0.4),
    "trickle": (2e3, 2e4),
}
"""What happens, and between how much and how much of it: seconds of delay, bytes a second."""


def _strike(kind: Kind, part: str) -> Strike:
    async def strike(site: Site, dice: Random) -> str:
        who, seconds = dice.choice(WHO[part]), dice.uniform(1, 5)
        async with asked(site.instance, Rule(kind, part, who, dice.uniform(*KINDS[kind]))) as told:
            await asyncio.sleep(seconds)
        whom = "everybody" if who == ALL else who
        return f"{kind} of {told['met']} lines between {whom} and {NAMES[part]} for {seconds:.1f} s"

    return strike


FAULTS = tuple(
    Fault(f"network-{kind}-{NAMES[part]}", _strike(kind, part), heavy=kind in {"half-open", "black-hole"})
    for kind in KINDS
    for part in WHO
)
