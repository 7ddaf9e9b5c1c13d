"""Months and hours as an installation's people read them on their clocks."""

from datetime import datetime, timedelta, timezone, tzinfo
from functools import cache
from typing import Final

from shared.errors import MalgilError

DEFAULT_ZONE: Final = "Asia/Seoul"
_SEOUL: Final = timezone(timedelta(hours=9), DEFAULT_ZONE)
"""Nine hours since 1988, in summer too: the database of zones is not needed, and not loaded."""
MILLISECONDS: Final = 1_000
LAST_MONTH: Final = 12


class UsageCalendar:
    """The calendar of a time zone (a name of the IANA database). Raises MalgilError for an unknown one."""

    def __init__(self, zone_name: str = DEFAULT_ZONE) -> None:
        self.zone_name = zone_name
        self._zone = zone_of(zone_name)

    def month_of(self, at_ms: int) -> int:
        """yyyymm: 202611."""
        at = self._clock(at_ms)
        return at.year * 100 + at.month

    def hour_of(self, at_ms: int) -> str:
        """The hour on the clock: "2026-11-21T09". Where clocks are put back, the hour that comes twice is one."""
        return self._clock(at_ms).isoformat()[:13]

    def _clock(self, at_ms: int) -> datetime:
        return datetime.fromtimestamp(at_ms // MILLISECONDS, self._zone)


def month_before(month: int) -> int:
    """202612 of 202701."""
    return month - 1 if month % 100 > 1 else month - 89


def month_after(month: int) -> int:
    """202701 of 202612."""
    return month + 1 if month % 100 < LAST_MONTH else month + 89


def month_text(month: int) -> str:
    """ "2026-11" of 202611."""
    return f"{month // 100}-{month % 100:02d}"


@cache
def zone_of(name: str) -> tzinfo:
    """A time zone by its name in the IANA database. Raises MalgilError for an unknown one."""
    if name == DEFAULT_ZONE:
        return _SEOUL
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - see _SEOUL

    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as exc:  # not in the database, not a name at all, a folder of it
        raise MalgilError(
            f"time zone '{name}' is unknown; a name like {DEFAULT_ZONE} or Europe/Berlin is meant"
        ) from exc


SEOUL: Final = UsageCalendar()
