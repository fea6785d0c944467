"""What the identity service is told at its start."""

from datetime import timedelta

from chassis.settings import Duration, ServiceSettings
from pydantic import Field
from pydantic_settings import SettingsConfigDict


class IdentitySettings(ServiceSettings):
    """The shared settings and identity's own terms. Machine time, except where a description says domain time."""

    model_config = SettingsConfigDict(env_prefix="IDENTITY_")

    access_token_life: Duration = Field(timedelta(minutes=10), description="Life of an access token.")
    refresh_idle: Duration = Field(timedelta(days=30), description="A session that is not used for so long is over.")
    refresh_absolute: Duration = Field(timedelta(days=90), description="A session never lives longer.")
    refresh_grace: Duration = Field(
        timedelta(seconds=30), description="A replaced refresh token is still answered, for lost races."
    )

    confirmation_valid: Duration = Field(timedelta(hours=48), description="A link in a mail works for so long (domain time).")
    unconfirmed_kept: Duration = Field(timedelta(days=7), description="Unconfirmed details are erased after it (domain time).")
    mails_per_day: int = Field(5, ge=1, description="Most confirmation mails to one address in 24 hours (domain time).")

    signing_key_life: Duration = Field(timedelta(days=30), description="A signing key is used for so long.")
    signing_key_notice: Duration = Field(timedelta(hours=1), description="A new signing key is announced so long before its use.")

    argon2_memory: int = Field(19_456, ge=8_192, description="KiB of memory for one password hash (OWASP: 19456 with 2 passes).")
    argon2_passes: int = Field(2, ge=1, description="Passes of one password hash.")
    argon2_threads: int = Field(2, ge=1, description="Most password hashes that one process computes at once.")
    answer_floor: timedelta = Field(
        timedelta(milliseconds=300),
        description="Registration and sign-in answer no sooner, so that their time does not tell whether an address is known.",
    )
    trusted_proxies: int = Field(
        1, ge=0, description="Proxies in front that add to X-Forwarded-For; 0 reads the connection's own."
    )
