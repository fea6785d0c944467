"""Runs a service's worker in a consumer group of its own: `python -m testkit.bench.worker <service> <group>`.

The service's own group belongs to whoever runs the service on this Kafka.
"""

import sys
from importlib import import_module

from chassis.process import run_worker
from chassis.settings import load


def main() -> None:
    """Run it."""
    service, group = sys.argv[1:]
    settings = load(getattr(import_module(f"{service}.settings"), f"{service.capitalize()}Settings"))
    build = import_module(f"{service}.app").build_worker
    run_worker(lambda: build(settings, group=group), settings)


if __name__ == "__main__":
    main()
