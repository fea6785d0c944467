"""Our own processes: two per service, each told by its environment where everything is and by files what is secret."""

import sys
from pathlib import Path

from localstack import kafka, mongo
from localstack.layout import Instance, services, stack
from localstack.secretfiles import key_file, key_folder, note, secret_file


def command(instance: Instance, service: str, process: str) -> list[str]:
    """What starts a service's `api` or `worker`: its own module, or the launcher that the instance names."""
    launcher = instance.told.get("launcher")
    return [sys.executable, "-m", *([launcher] if launcher else []), service, process]


def environment(instance: Instance, service: str) -> dict[str, str]:
    """The variables that the service's settings read, each with its prefix."""
    own = stack()["services"][service].get("environment", {}) | instance.told.get("environment", {}).get(service, {})
    ports = {part: instance.dial(part) for part in stack()["ports"]}
    values = {
        "PRODUCTION": "false",
        "CLOCK_FILE": str(clock_file(instance)),
        "MONGO_URL_FILE": str(_url_file(instance, service)),
        "KEYRING_URL_FILE": str(_url_file(instance, f"{service}_keyring")),
        "MASTER_KEYS": str(key_folder(instance, f"{service}-master-keys")),
        "HASH_KEY_FILE": str(key_file(instance, f"{service}-hash-key")),
        "KAFKA": kafka.bootstrap(instance),
        "KAFKA_USER": service,
        "KAFKA_PASSWORD_FILE": str(secret_file(instance, kafka.secret_name(service))),
        "KAFKA_SESSION": "PT3S",  # what a killed worker held is taken over sooner than in production
        "RELAY_LEASE": "PT3S",
        "ERASURE_SETTLED": "PT5S",
        "PUBLIC_URL": public_url(instance),
        "PORT": str(instance.service_port(service, "api")),
        "WORKER_PORT": str(instance.service_port(service, "worker")),
        **_tracing(instance),
        **{name: value.format(**ports) for name, value in own.items()},
    }
    return {f"{service.upper()}_{name}": value for name, value in values.items()}


def collector_url(instance: Instance) -> str:
    """Where a collector may take the spans of this instance; empty when it records none."""
    return f"http://127.0.0.1:{instance.port('otlp')}" if instance.told.get("traces") else ""


def public_url(instance: Instance) -> str:
    """Where people reach the gateway."""
    return f"http://127.0.0.1:{instance.port('gateway')}"


def health_urls(instance: Instance) -> dict[str, str]:
    """Where each of our processes tells how it is, by the process's name; `/live` or `/ready` is to be added."""
    return {
        f"{service}-{process}": f"http://127.0.0.1:{instance.service_port(service, process)}/health"
        for service in services()
        for process in ("api", "worker")
    }


def clock_file(instance: Instance) -> Path:
    """The file with the seconds by which this instance's domain time is ahead."""
    return instance.folder / "clock"


def _tracing(instance: Instance) -> dict[str, str]:
    endpoint = collector_url(instance)
    return {"OTLP_ENDPOINT": endpoint, "TRACE_RATIO": "1", "TRACE_REQUESTS": "1000"} if endpoint else {}


def _url_file(instance: Instance, user: str) -> Path:
    return note(instance, f"mongo-url-{user}", mongo.url(instance, user, user))
