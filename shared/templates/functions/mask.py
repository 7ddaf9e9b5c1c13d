"""MASK(text, schedule?): text that only the end user reads in clear."""

import re
from typing import Any, Final

from shared.templates.environment import Mask, MaskedText, RenderEnvironment
from shared.templates.errors import TemplateError
from shared.values import UNDEFINED, to_text

_SCHEDULE: Final = re.compile(r"\s*([0-9]{1,6})\s*([smhd])\s*")
_UNIT_MS: Final = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


def mask(_environment: RenderEnvironment, value: Any, schedule: Any = UNDEFINED) -> MaskedText:
    """The text, hidden from everybody but the end user: at once, or from "10m", "6h", "7d" after sending on.

    Raises TemplateError when the schedule is not a whole number and one of s, m, h, d.
    """
    return _masked(to_text(value), _after_ms(to_text(schedule)))


def mask_like(sources: list[MaskedText], text: str) -> MaskedText:
    """Text made from masked text, hidden as a whole as soon as any of its sources is (and as itself, if masked)."""
    own = text.masks if isinstance(text, MaskedText) else ()
    delays = [mask.after_ms for source in sources for mask in source.masks] + [mask.after_ms for mask in own]
    if not delays:
        return MaskedText(text, ())
    later = [delay for delay in delays if delay is not None]
    return _masked(text, min(later) if len(later) == len(delays) else None)


def _masked(text: str, after_ms: int | None) -> MaskedText:
    return MaskedText(text, (Mask(0, len(text), after_ms),) if text else ())


def _after_ms(schedule: str) -> int | None:
    if not schedule.strip():
        return None
    match = _SCHEDULE.fullmatch(schedule)
    if match is None:
        message = 'MASK takes a schedule such as "10m", "6h" or "7d"'
        raise TemplateError(message, schedule=schedule[:100])
    return int(match[1]) * _UNIT_MS[match[2]]
