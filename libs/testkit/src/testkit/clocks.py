"""A clock without a file, for tests in one process."""

from datetime import UTC, datetime, timedelta

from chassis.clock import Clock


class TurnedClock(Clock):
    """Domain time that begins on a noon, and machine time; a test moves each alone."""

    turned = timedelta()
    ahead = timedelta()

    def now(self) -> datetime:
        """Return the domain's time."""
        return datetime(2027, 3, 1, 12, tzinfo=UTC) + self.turned

    def machine(self) -> datetime:
        """Return the machine's time."""
        return super().machine() + self.ahead
