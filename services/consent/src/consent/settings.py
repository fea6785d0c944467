"""What the consent service is told at its start."""

from chassis.settings import ServiceSettings
from pydantic import Field
from pydantic_settings import SettingsConfigDict


class ConsentSettings(ServiceSettings):
    """The shared settings, and who stands beside the privacy statement."""

    model_config = SettingsConfigDict(env_prefix="CONSENT_")

    operator: str = Field("Beheer Kandidatenbank", description="Who runs the portal, as the privacy statement names them.")
    privacy_contact: str = Field(
        "privacy@kandidatenbank.example", description="Where people turn with questions about their details."
    )
