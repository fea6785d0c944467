"""What the profiles service is told at its start."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Self

from chassis.settings import Duration, ServiceSettings
from pydantic import Field, model_validator
from pydantic_settings import SettingsConfigDict

from profiles.budgets.model import Scope
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

    views_per_recruiter: int = Field(
        100, ge=1, description="Profiles that a recruiter may see in a day; twenty rows of results are one. Beyond: frozen."
    )
    views_per_organisation: int = Field(500, ge=1, description="The same for all recruiters of an organisation together.")

    access_log_sealed_every: Duration = Field(
        timedelta(minutes=1), description="How often the worker seals the rows of the access log into a signed block."
    )
    access_log_kept: Duration = Field(
        timedelta(days=730), description="How long rows of the access log are kept after sealing (domain time, whole days)."
    )

    budgets_kept: Duration = Field(
        timedelta(days=1), description="How long the count of a day is kept after that day (domain time, whole days)."
    )
    freezes_kept: Duration = Field(
        timedelta(days=730), description="How long a freeze is kept after it was lifted (domain time, whole days)."
    )
    terms_every: Duration = Field(timedelta(minutes=1), description="How often the worker looks for what is past its term.")

    @model_validator(mode="after")
    def _what_is_kept_is_kept_for_days(self) -> Self:
        for name in ("access_log_kept", "budgets_kept", "freezes_kept"):
            term = getattr(self, name)
            if term % _DAY or term < _DAY:
                raise ValueError(f"{name}: whole days")
        return self

    @model_validator(mode="after")
    def _reminders_lie_in_the_period(self) -> Self:
        terms = (self.second_reminder, self.first_reminder, self.renewal_period)
        if any(term % _DAY for term in terms) or not terms[0] < terms[1] < terms[2]:
            raise ValueError("whole days, and second_reminder < first_reminder < renewal_period")
        return self

    @property
    def views(self) -> Mapping[Scope, int]:
        """Return how many views a day allows."""
        return {Scope.RECRUITER: self.views_per_recruiter, Scope.ORGANISATION: self.views_per_organisation}

    @property
    def terms(self) -> Terms:
        """Return the terms of a profile's year."""
        return Terms(self.renewal_period, self.first_reminder, self.second_reminder)
