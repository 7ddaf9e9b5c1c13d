"""DATE(value?, format?, timezone?): a point in time as text, formatted as Moment.js does."""

from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, Final
from zoneinfo import ZoneInfo

from shared.templates.environment import RenderEnvironment
from shared.templates.functions.date_format import format_date
from shared.templates.functions.date_parse import FIRST_MS, LAST_MS, epoch_ms
from shared.values import UNDEFINED, to_text

INVALID_DATE: Final = "Invalid date"
"""What Moment.js prints for anything that is no date."""

MAX_ZONE_LENGTH: Final = 64
"""No time zone has a longer name (the longest of the tz database has 32 characters)."""

KEPT_ZONES: Final = 256
"""Names kept with what they mean; names that come from end users' data must not grow the memory."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def date(
    environment: RenderEnvironment, value: Any = UNDEFINED, pattern: Any = UNDEFINED, timezone: Any = UNDEFINED
) -> str:
    """The date in that format (Moment.js tokens, Korean or English names by the bot's language) and time zone (UTC).

    value: ISO 8601 text or epoch time, see `epoch_ms`; null or missing is now. Without a format it is ISO 8601: in UTC
    with milliseconds (2018-12-07T05:47:14.667Z), with a time zone in local time and its offset. A time zone that does
    not exist counts as UTC, and what is no date is "Invalid date", both as in Moment.js.
    """
    moment_ms = environment.now_ms if value is None or value is UNDEFINED else epoch_ms(value)
    if moment_ms is None or not FIRST_MS <= moment_ms <= LAST_MS:
        return INVALID_DATE
    moment = _EPOCH + timedelta(milliseconds=moment_ms)
    zone_name = to_text(timezone)
    has_format = pattern is not None and pattern is not UNDEFINED
    if not has_format and not zone_name:
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if zone_name:
        moment = _in_zone(moment, zone_name)
    return format_date(moment, to_text(pattern), environment.language)


def _in_zone(moment: datetime, name: str) -> datetime:
    zone = _zone(name) if len(name) <= MAX_ZONE_LENGTH else None
    return moment if zone is None else moment.astimezone(zone)


# The rules of time zones are files. Reading them is reading data that ships with the product, like a module, and only
# names that the shipped list holds are read, so that no text of an author becomes a path.


@lru_cache(maxsize=KEPT_ZONES)
def _zone(name: str) -> ZoneInfo | None:
    key = _zone_keys().get(_comparable(name))
    return None if key is None else ZoneInfo(key)


@cache
def _zone_keys() -> dict[str, str]:
    return {_comparable(key): key for key in files("tzdata").joinpath("zones").read_text("ascii").split()}


def _comparable(name: str) -> str:
    """Moment Timezone finds Asia/Seoul as asia/seoul and Asia_Seoul too."""
    return name.lower().replace("/", "_")
