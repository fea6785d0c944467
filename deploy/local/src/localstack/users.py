"""Kafka's users: one per service, with a password of the instance's own and exactly what the contracts give it."""

from chassis.provisioning import Administrator, Grants, may_follow, service_grants
from contracts.prefixes import prefixes_of
from contracts.topics import followed_by

from localstack import kafka
from localstack.layout import Instance, services
from localstack.secretfiles import secret


def create(instance: Instance) -> None:
    """Make them, or bring what they may do up to date."""
    administrator = Administrator(kafka.login(instance))
    for service in services():
        administrator.admit(service, secret(instance, kafka.secret_name(service)), grants(service))


def let_follow(instance: Instance, service: str, topic: str) -> None:
    """Let a service follow a topic that the contracts do not name, until its grants are brought up to date again."""
    Administrator(kafka.login(instance)).allow(service, grants(service) | {may_follow(service, topic)})


def grants(service: str) -> Grants:
    """What a service may do at Kafka."""
    follows = [event.topic.name for event in followed_by(service)]
    return service_grants(service, writes=prefixes_of(service), follows=follows)
