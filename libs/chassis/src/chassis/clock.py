"""Two times, told apart: domain time, which a local stack may turn forward, and machine time, which nobody turns.

Terms, deadlines and dates in documents are domain time; leases, back-off, tokens and record stamps are machine time.
"""

import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

AMSTERDAM = ZoneInfo("Europe/Amsterdam")


class Clock:
    """Reads machine time, and adds the offset that stands in a file (whole seconds, text) to get domain time.

    Without a file the two are equal, which is the only way production runs. The file is looked at on every call, so all
    processes see a turn at once; an offset that shrank is ignored, because domain time never goes back.
    """

    def __init__(self, offset_file: Path | None = None) -> None:
        self._file = offset_file
        self._stamp: int | None = None
        self._offset = timedelta()

    def machine(self) -> datetime:
        """Return the machine's time, aware, UTC."""
        return datetime.now(UTC)

    def now(self) -> datetime:
        """Return domain time, aware, UTC."""
        return self.machine() + self.offset()

    def today(self) -> date:
        """Return the domain's date in Europe/Amsterdam, where the terms are counted."""
        return self.now().astimezone(AMSTERDAM).date()

    def offset(self) -> timedelta:
        """Return how far domain time is ahead of machine time."""
        if self._file is None:
            return self._offset
        try:
            stamp = os.stat(self._file).st_mtime_ns  # noqa: PTH116 - a microsecond on each call, Path.stat costs twice that
        except FileNotFoundError:
            return self._offset
        if stamp != self._stamp:
            seconds = int(self._file.read_text().strip() or 0)
            self._offset = max(self._offset, timedelta(seconds=seconds))
            self._stamp = stamp
        return self._offset


def day_of(moment: datetime) -> date:
    """Return the Amsterdam date of a moment."""
    return moment.astimezone(AMSTERDAM).date()


def year_later(day: date) -> date:
    """Return the same day a year later; 29 February becomes 1 March."""
    return years_later(day, 1)


def years_later(day: date, years: int) -> date:
    """Return the same day so many years later; 29 February becomes 1 March where there is none."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)


def years_before(day: date, years: int) -> date:
    """Return the last day that is so many years ago by now: `years_later` of it has come, of the next day it has not."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return date(day.year - years, 2, 28)
