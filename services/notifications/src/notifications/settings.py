"""What the notifications service is told at its start."""

from datetime import timedelta

from chassis.settings import Duration, ServiceSettings
from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict


class NotificationsSettings(ServiceSettings):
    """The shared settings, the mail server, and notifications' own terms (machine time)."""

    model_config = SettingsConfigDict(env_prefix="NOTIFICATIONS_")

    smtp_host: str = Field("127.0.0.1", description="The mail server that takes our mails.")
    smtp_port: int = Field(1025, ge=1, le=65535, description="Its port.")
    smtp_tls: str = Field("none", pattern="^(none|starttls|implicit)$", description="none, starttls or implicit.")
    smtp_username: str | None = Field(None, description="User name at the mail server, if it wants one.")
    smtp_password: SecretStr | None = Field(None, description="Password at the mail server.")
    smtp_timeout: Duration = Field(timedelta(seconds=30), description="How long one answer of the mail server is waited for.")
    smtp_connections: int = Field(1, ge=1, le=20, description="Connections to the mail server, each sending one mail at a time.")

    mail_from: str = Field("portaal@kandidatenbank.example", description="The sender's address; its domain is in message ids.")
    mail_from_name: str = Field("Kandidatenbank", description="The sender's name.")
    mail_reply_to: str = Field("vragen@kandidatenbank.example", description="Where answers to mails go.")
    mail_poll: Duration = Field(timedelta(milliseconds=500), description="How often the queue is looked at while nothing is due.")
    mail_lease: Duration = Field(
        timedelta(minutes=5), description="A sender that died holds its mails for so long; ten times smtp_timeout or more."
    )
    mail_first_retry: Duration = Field(timedelta(seconds=30), description="Wait before the second try; it doubles from there.")
    mail_longest_retry: Duration = Field(timedelta(hours=1), description="Most time between two tries.")
    mail_give_up_after: Duration = Field(timedelta(days=4), description="A mail that could not be sent for so long is given up.")

    forget_within: Duration = Field(
        timedelta(hours=72), description="Time in which an organisation's systems say that they forgot a handle (domain time)."
    )
    match_shares: int = Field(
        4, ge=1, le=256, description="Shares in which saved searches are matched: as many workers can match at once."
    )
    searches_per_person: int = Field(20, ge=1, le=100, description="Most saved searches of one person.")
