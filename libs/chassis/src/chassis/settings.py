"""Settings come from the environment only, are checked at start and never change after it.

Every service has one class of its own below `ServiceSettings` with its prefix. A secret has no default and may come from
a file (`IDENTITY_HASH_KEY_FILE`). A variable with the prefix that nobody reads is a typing error and refused. Messages
name variables and rules, never values.
"""

import os
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar

from pydantic import AfterValidator, Field, SecretStr, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_core import to_jsonable_python
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from chassis.terminal import say

T = TypeVar("T", bound="ServiceSettings")


class SettingsError(SystemExit):
    """The environment does not hold what the service needs: uncaught, it ends the process with its message and status 1."""


def _positive(value: timedelta) -> timedelta:
    if value <= timedelta():
        raise ValueError("must be longer than nothing")
    return value


Duration = Annotated[timedelta, AfterValidator(_positive)]


class _SecretFiles(PydanticBaseSettingsSource):
    """Reads `<NAME>_FILE` for secret fields, as container platforms mount them."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Return the file's content without the line's end that editors leave, or None."""
        path = os.environ.get(f"{variable(self.settings_cls, field_name)}_FILE")
        if path is None or not _is_secret(field):
            return None, field_name, False
        try:
            return Path(path).read_text().strip(), field_name, False
        except OSError as error:
            raise SettingsError(f"{variable(self.settings_cls, field_name)}_FILE cannot be read: {error.strerror}") from None

    def __call__(self) -> dict[str, Any]:
        """Return what was found."""
        found = {name: self.get_field_value(field, name)[0] for name, field in self.settings_cls.model_fields.items()}
        return {name: value for name, value in found.items() if value is not None}


class ServiceSettings(BaseSettings):
    """What every service needs to be told. A service adds its own fields and sets `env_prefix`."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, env_ignore_empty=True)

    production: bool = Field(True, description="Refuses what only a local stack may have: a clock that can be turned.")
    clock_file: Path | None = Field(None, description="File with the seconds that domain time is ahead; never in production.")

    mongo_url: SecretStr = Field(description="MongoDB replica set with the service's own user.")
    mongo_database: str = Field("", description="Database of the service; by default the service's name.")
    keyring_url: SecretStr = Field(description="MongoDB with the user that may read and destroy data keys.")
    keyring_database: str = Field("", description="Database of the data keys; by default the service's name with `_keyring`.")
    mongo_patience: Duration = Field(timedelta(seconds=3), description="How long one call looks for a usable MongoDB server.")
    master_keys: Path | None = Field(
        None, description="Folder of the master keys, one file a week; without it, Vault holds them."
    )
    vault_url: str = Field("", description="Vault or OpenBao, whose transit engine wraps the data keys; `https://host:8200`.")
    vault_mount: str = Field("transit", description="Where the transit engine is mounted.")
    vault_key: str = Field("", description="Name of the transit key; by default the service's name.")
    vault_token: SecretStr | None = Field(None, description="Token that may use that key, and rotate and trim it.")
    vault_patience: Duration = Field(timedelta(seconds=2), description="How long one call to Vault may take.")
    hash_key: SecretStr = Field(description="32 bytes, base64: keys the hashes by which values are found. Never changes.")

    kafka: str = Field("127.0.0.1:9092", description="Kafka's bootstrap servers, host:port, separated by commas.")
    kafka_user: str = Field("", description="The service's own user at Kafka (SCRAM-SHA-512). Required in production.")
    kafka_password: SecretStr | None = Field(None, description="That user's password.")
    kafka_tls: bool = Field(False, description="Whether the brokers speak TLS, with certificates that this machine trusts.")
    kafka_session: Duration = Field(timedelta(seconds=10), description="A consumer that is silent for so long leaves the group.")
    kafka_heartbeat: Duration = Field(timedelta(seconds=1), description="How often a consumer says that it is there.")
    consumer_batch: int = Field(500, ge=1, le=500, description="Most records that one transaction applies.")
    erasure_settled: Duration = Field(
        timedelta(seconds=30), description="An erasure looks again after so long: whatever was on its way has ended by then."
    )
    relay_lease: Duration = Field(timedelta(seconds=10), description="How long a worker holds an outbox slot without renewing.")
    relay_poll: Duration = Field(timedelta(seconds=2), description="The slow look at the outbox behind the change stream.")
    relay_batch: int = Field(250, ge=1, le=1000, description="Most rows that the relay publishes in one Kafka transaction.")

    public_url: str = Field("http://127.0.0.1:8000", description="Where people reach the gateway; links start with it.")
    host: str = Field("127.0.0.1", description="Address on which the process listens.")
    port: int = Field(8080, ge=0, le=65535, description="Port of the API process.")
    worker_port: int = Field(8081, ge=0, le=65535, description="Port of the worker's health pages.")
    stop_patience: Duration = Field(timedelta(seconds=20), description="How long a stopping process may finish what it holds.")
    known_poll: Duration = Field(
        timedelta(seconds=1), description="How often signing keys, ended sessions and destroyed data keys are read again."
    )

    otlp_endpoint: str = Field("", description="OpenTelemetry collector (OTLP over HTTP); without it no span is recorded.")
    trace_ratio: float = Field(0.1, ge=0, le=1, description="Part of the traces begun here that is recorded; others keep theirs.")
    trace_requests: int = Field(50, ge=0, description="Most requests per second whose trace is recorded, whoever asks for it.")

    log_level: str = Field("info", pattern="^(debug|info|warning|error)$", description="Least level that is logged.")
    log_json: bool = Field(True, description="JSON lines; off for a person who reads along.")

    @model_validator(mode="before")
    @classmethod
    def _name_databases(cls, data: dict[str, Any]) -> dict[str, Any]:
        names = {"mongo_database": cls.service(), "keyring_database": f"{cls.service()}_keyring", "vault_key": cls.service()}
        return {**data, **{field: data.get(field) or name for field, name in names.items()}}

    @model_validator(mode="after")
    def _refuse_turned_clock(self) -> Self:
        if self.production and self.clock_file is not None:
            raise ValueError(f"{variable(type(self), 'clock_file')} is refused in production")
        return self

    @model_validator(mode="after")
    def _choose_key_service(self) -> Self:
        folder, url, token = (variable(type(self), field) for field in ("master_keys", "vault_url", "vault_token"))
        if (self.master_keys is None) == (not self.vault_url):
            raise ValueError(f"either {folder} or {url} must say where the master keys are")
        if self.vault_url and self.vault_token is None:
            raise ValueError(f"{url} needs {token}")
        if self.vault_url and self.clock_file is not None:
            raise ValueError(f"{url} does not go with a clock that can be turned: Vault counts its weeks by its own")
        return self

    @model_validator(mode="after")
    def _refuse_nobody(self) -> Self:
        user, password = (variable(type(self), field) for field in ("kafka_user", "kafka_password"))
        if bool(self.kafka_user) != bool(self.kafka_password):
            raise ValueError(f"{user} and {password} go together")
        if self.production and not self.kafka_user:
            raise ValueError(f"{user} is needed in production")
        return self

    @classmethod
    def service(cls) -> str:
        """Return the service's name, which its prefix spells."""
        return cls.model_config["env_prefix"].rstrip("_").lower()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments (tests) go before variables, variables before files; no `.env` is read behind anybody's back."""
        return init_settings, env_settings, _SecretFiles(settings_cls)


def load(cls: type[T]) -> T:
    """Return the settings that the environment holds, or refuse to start with one message about everything wrong."""
    unknown = sorted(_unknown(cls, os.environ))
    if unknown:
        raise SettingsError(f"unknown variables: {', '.join(unknown)}")
    try:
        return cls()
    except ValidationError as error:
        raise SettingsError("; ".join(_complaints(cls, error))) from None


def show(cls: type[ServiceSettings]) -> None:
    """Write all settings, in the order of the class, as the file in `deploy/settings` holds them."""
    for name, field in cls.model_fields.items():
        where, needed = variable(cls, name), field.is_required()
        secret = f" Secret: may lie in a file named by {where}_FILE." if _is_secret(field) else ""
        say(f"# {field.description}{' Required.' if needed else ''}{secret}")
        default = "" if needed else _text(field.default)
        say(f"{where}={default}" if default else f"# {where}=")


def variable(cls: type[BaseSettings], field: str) -> str:
    """Return the environment variable of a field."""
    return f"{cls.model_config['env_prefix']}{field}".upper()


def _text(value: Any) -> str:
    """Return a default as a variable would hold it; durations are ISO 8601 (`P14D`)."""
    found = to_jsonable_python(value)
    return "" if found is None else found if isinstance(found, str) else str(found).lower()


def _is_secret(field: FieldInfo) -> bool:
    return "SecretStr" in str(field.annotation)


def _unknown(cls: type[ServiceSettings], environment: Mapping[str, str]) -> Iterator[str]:
    known = {variable(cls, name) for name in cls.model_fields}
    known |= {f"{variable(cls, name)}_FILE" for name, field in cls.model_fields.items() if _is_secret(field)}
    prefix = cls.model_config["env_prefix"].upper()
    return (name for name in environment if name.upper().startswith(prefix) and name.upper() not in known)


def _complaints(cls: type[ServiceSettings], error: ValidationError) -> Iterator[str]:
    for one in error.errors(include_input=False, include_url=False, include_context=False):
        where = variable(cls, str(one["loc"][0])) if one["loc"] else cls.service()
        yield f"{where}: {one['msg']}"
