"""What stands between the services and their parts in an instance that has it, and passes on what comes: the fault suite's."""

import sys

from localstack.layout import Instance, stack
from localstack.mongo import NODES, nodes


def command(instance: Instance) -> list[str]:
    """What starts it: for each part, the port at which it listens and the one to which it passes on."""
    parts = [part for part in stack()["between"]["parts"] if part not in NODES or part in nodes(instance)]
    routes = [f"{part}={instance.dial(part)}:{instance.port(part)}" for part in parts]
    return [sys.executable, "-m", instance.told["between"], instance.name, *routes]
