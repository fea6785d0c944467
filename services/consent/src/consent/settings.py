"""What the consent service is told at its start."""

from datetime import timedelta

from chassis.settings import Duration, ServiceSettings
from pydantic import Field
from pydantic_settings import SettingsConfigDict


class ConsentSettings(ServiceSettings):
    """The shared settings, and who stands beside the privacy statement."""

    model_config = SettingsConfigDict(env_prefix="CONSENT_")

    operator: str = Field("Beheer Kandidatenbank", description="Who runs the portal, as the privacy statement names them.")
    privacy_contact: str = Field(
        "privacy@kandidatenbank.example", description="Where people turn with questions about their details."
    )
    proof_years: int = Field(
        5, ge=1, le=20, description="Years for which consents that ended and requests that were closed stay provable."
    )
    terms_every: Duration = Field(timedelta(minutes=1), description="How often the worker looks for what is past its term.")
