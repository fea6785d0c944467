"""Runs a service's worker in a consumer group of its own: `python -m testkit.bench.worker <service> <group>`.

The service's own group belongs to whoever runs the service on this Kafka.
"""

import sys

from chassis.process import run_worker

from testkit.roots import settings_of, worker_of


def main() -> None:
    """Run it."""
    service, group = sys.argv[1:]
    settings, build = settings_of(service), worker_of(service)
    run_worker(lambda: build(settings, group=group), settings)


if __name__ == "__main__":
    main()
