"""All faults there are, by kind: a row of the table in docs/architecture/faults.md is a kind here."""

from testkit.faults import clocks, database, killing, network, poison, smtp, versions
from testkit.faults.fault import Fault

KINDS: dict[str, tuple[Fault, ...]] = {
    "killed": killing.KILLED,
    "asleep": killing.ASLEEP,
    "kafka": killing.KAFKA,
    "primary": database.PRIMARY,
    "commands": database.COMMANDS,
    "network": network.FAULTS,
    "smtp": smtp.FAULTS,
    "clocks": clocks.FAULTS,
    "versions": versions.FAULTS,
    "poison": poison.FAULTS,
}


def by_name() -> dict[str, Fault]:
    """Every fault by its name."""
    return {fault.name: fault for faults in KINDS.values() for fault in faults}
