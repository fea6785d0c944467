"""A service's composition root by the service's name, for tools that run any of them."""

from collections.abc import Callable
from importlib import import_module

from chassis.settings import ServiceSettings, load
from chassis.worker import Worker


def settings_of(service: str) -> ServiceSettings:
    """Read a service's settings from the environment."""
    settings: type[ServiceSettings] = getattr(import_module(f"{service}.settings"), f"{service.capitalize()}Settings")
    return load(settings)


def worker_of(service: str) -> Callable[..., Worker]:
    """Return what builds a service's worker."""
    build: Callable[..., Worker] = import_module(f"{service}.app").build_worker
    return build
