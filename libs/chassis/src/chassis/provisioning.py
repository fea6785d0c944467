"""Users of Kafka and what each may do. Only whoever holds the administrator's credential makes them; no service does.

Needs the extra `provisioning` of this package: aiokafka's client knows neither users nor grants.
"""

from collections.abc import Iterable, Set
from typing import Any

from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from chassis.ids import new_secret
from chassis.kafka import Kafka

Grants = Set[AclBinding]
PATIENCE = 20.0
_SCRAM = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
"""Kafka's least number of rounds: passwords are random and long, so more would only slow down every connection."""
_ENDS = (".", "-")
_WRITING = (AclOperation.WRITE, AclOperation.CREATE)


def service_grants(service: str, *, writes: Iterable[str], follows: Iterable[str]) -> Grants:
    """Return all that a service needs: to make and write topics below prefixes, to follow others' topics in its own group.

    Writing includes what an idempotent producer asks for, and each right includes seeing what it is about.
    """
    written = [_below(service, ResourceType.TOPIC, prefix, right) for prefix in writes for right in _WRITING]
    followed = [may_follow(service, topic) for topic in follows]
    relayed = _below(service, ResourceType.TRANSACTIONAL_ID, f"{service}-", AclOperation.WRITE)
    return frozenset([*written, *followed, relayed, _one(service, ResourceType.GROUP, service, AclOperation.READ)])


def follower_grants(user: str, *, topics: Iterable[str], below: Iterable[str], groups_below: str) -> Grants:
    """Return what a system of somebody else's needs: to follow these topics and all below prefixes, in groups of its own."""
    named = [may_follow(user, topic) for topic in topics]
    prefixed = [_below(user, ResourceType.TOPIC, prefix, AclOperation.READ) for prefix in below]
    return frozenset([*named, *prefixed, _below(user, ResourceType.GROUP, groups_below, AclOperation.READ)])


def may_follow(user: str, topic: str) -> AclBinding:
    """Return the right to read one topic."""
    return _one(user, ResourceType.TOPIC, topic, AclOperation.READ)


def _one(user: str, kind: ResourceType, name: str, right: AclOperation) -> AclBinding:
    return _binding(user, kind, name, ResourcePatternType.LITERAL, right)


def _below(user: str, kind: ResourceType, prefix: str, right: AclOperation) -> AclBinding:
    if not prefix.endswith(_ENDS):
        raise ValueError(f"{prefix!r} would open what only begins like it: a prefix ends with one of {_ENDS}")
    return _binding(user, kind, prefix, ResourcePatternType.PREFIXED, right)


def _binding(user: str, kind: ResourceType, name: str, pattern: ResourcePatternType, right: AclOperation) -> AclBinding:
    return AclBinding(kind, name, pattern, f"User:{user}", "*", right, AclPermissionType.ALLOW)


class Administrator:
    """Makes users; what it does twice is done once."""

    def __init__(self, kafka: Kafka) -> None:
        quiet = {"log_level": 4}  # librdkafka tells warnings, not that it closes
        login = {"sasl.mechanism": "SCRAM-SHA-512", "sasl.username": kafka.user, "sasl.password": kafka.password}
        protocol = "SASL_SSL" if kafka.tls else "SASL_PLAINTEXT"
        self._client = AdminClient({"bootstrap.servers": kafka.servers, "security.protocol": protocol, **login, **quiet})

    def admit(self, user: str, password: str, grants: Grants) -> None:
        """Let a user in with this password and let it do exactly this, whatever it was or might do before."""
        upsertion = UserScramCredentialUpsertion(user, _SCRAM, password.encode())
        _done(self._client.alter_user_scram_credentials([upsertion], request_timeout=PATIENCE))
        self.allow(user, grants)

    def expel(self, user: str) -> None:
        """Let a user in no more and take all that it may do, there or not. What is connected stays so, and may nothing.

        It keeps a password that nobody knows. Of Kafka 4.3 nobody may be deleted: a broker that starts before its first snapshot
        can lose every user then (`ScramDelta.apply` forgets a mechanism where the deletion is the first of its changes).
        """
        self.admit(user, new_secret(), frozenset())

    def allow(self, user: str, grants: Grants) -> None:
        """Let a user do exactly this."""
        given = self.grants(user)
        if missing := grants - given:
            _done(self._client.create_acls(list(missing), request_timeout=PATIENCE))
        if extra := given - grants:
            _done(self._client.delete_acls([_filter(one) for one in extra], request_timeout=PATIENCE))

    def grants(self, user: str) -> Grants:
        """Return what a user may do."""
        every: Any = (
            ResourceType.ANY,
            None,
            ResourcePatternType.ANY,
            f"User:{user}",
            None,
            AclOperation.ANY,
            AclPermissionType.ANY,
        )
        return frozenset(self._client.describe_acls(AclBindingFilter(*every), request_timeout=PATIENCE).result())


def _filter(one: AclBinding) -> AclBindingFilter:
    return AclBindingFilter(
        one.restype, one.name, one.resource_pattern_type, one.principal, one.host, one.operation, one.permission_type
    )


def _done(answers: dict[Any, Any]) -> None:
    """Wait for each answer; one that is a refusal is raised."""
    for answer in answers.values():
        answer.result()
