"""What the profiles service is told at its start."""

from datetime import timedelta
from typing import Self

from chassis.settings import Duration, ServiceSettings
from pydantic import Field, model_validator
from pydantic_settings import SettingsConfigDict

from profiles.lifecycle.model import Terms

_DAY = timedelta(days=1)


class ProfilesSettings(ServiceSettings):
    """The shared settings, and the terms of a profile's year (domain time, whole days)."""

    model_config = SettingsConfigDict(env_prefix="PROFILES_")

    renewal_period: Duration = Field(timedelta(days=28), description="How long a candidate can answer after the year.")
    first_reminder: Duration = Field(timedelta(days=14), description="The first reminder comes so long before the period's end.")
    second_reminder: Duration = Field(timedelta(days=3), description="The second reminder comes so long before the period's end.")
    sweep_every: Duration = Field(timedelta(seconds=2), description="How often the worker looks for what time has made due.")

    consent_fresh: Duration = Field(
        timedelta(minutes=15), description="The bank shows nobody when consents may be older than this (machine time)."
    )

    @model_validator(mode="after")
    def _reminders_lie_in_the_period(self) -> Self:
        terms = (self.second_reminder, self.first_reminder, self.renewal_period)
        if any(term % _DAY for term in terms) or not terms[0] < terms[1] < terms[2]:
            raise ValueError("whole days, and second_reminder < first_reminder < renewal_period")
        return self

    @property
    def terms(self) -> Terms:
        """Return the terms of a profile's year."""
        return Terms(self.renewal_period, self.first_reminder, self.second_reminder)
