"""How the names of topics begin that a service owns. Kafka lets it write below these, and nobody else."""

OUTWARD = {"notifications": ("outward.", "organisation.")}
"""What organisations' systems follow, which one service writes."""


def owner_of(topic: str) -> str:
    """Return the service that writes a topic, by the topic's name."""
    outward = (service for service, prefixes in OUTWARD.items() if topic.startswith(prefixes))
    return next(outward, topic.partition(".")[0])


def prefixes_of(service: str) -> tuple[str, ...]:
    """Return the beginnings of a service's topics; each ends with a dot, or `organisation.1` would open `organisation.10`."""
    return (f"{service}.", *OUTWARD.get(service, ()))
