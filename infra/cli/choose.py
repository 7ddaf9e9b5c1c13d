"""What people type for a thing of a list, and for a moment."""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final, TypeVar

from shared.errors import InvalidInput, NotFound

T = TypeVar("T")

MILLISECONDS: Final = 1000
UNITS: Final = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_AGO: Final = re.compile(r"([0-9]{1,6})([smhd])")


def one_of(found: Sequence[T], given: str, kind: str, *, identity: Callable[[T], str], name: Callable[[T], str]) -> T:
    """The one whose id is `given`, or whose name is, or whose id alone begins so. `kind` is what they are called.

    Raises NotFound, and InvalidInput when several are meant.
    """
    by_name = [each for each in found if name(each) == given]
    by_beginning = [each for each in found if given and identity(each).startswith(given)]
    exact = [each for each in by_beginning if identity(each) == given]
    meant = exact or by_name or by_beginning
    if not meant:
        raise NotFound(f"no {kind} '{given}'")
    if len(meant) > 1:
        ids = ", ".join(identity(each) for each in meant)
        raise InvalidInput(f"'{given}' is more than one {kind}: {ids}")
    return meant[0]


def moment(text: str, now_ms: int, option: str) -> int:
    """Epoch milliseconds of a date, a time, or how long ago it was; without a zone it is UTC. Raises InvalidInput."""
    ago = _AGO.fullmatch(text.strip())
    if ago is not None:
        return now_ms - int(ago[1]) * UNITS[ago[2]]
    try:
        at = datetime.fromisoformat(text.strip())
        return round((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * MILLISECONDS)
    except (ValueError, OverflowError):
        raise InvalidInput(f"{option}: a time such as 2026-11-22, 2026-11-22T09:30+09:00 or 2h is expected") from None


def typed(at_ms: int) -> str:
    """A time as `moment` reads it back."""
    return datetime.fromtimestamp(at_ms / MILLISECONDS, UTC).isoformat(timespec="milliseconds")


def shown(at_ms: int | None) -> str:
    """A time in a table."""
    return "-" if at_ms is None else f"{datetime.fromtimestamp(at_ms / MILLISECONDS, UTC):%Y-%m-%d %H:%M:%S}"
