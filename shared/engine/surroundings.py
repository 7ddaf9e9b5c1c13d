"""Everything a step may know of the world around it, given by the caller."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

NANOSECONDS: Final = 1_000_000
"""Nanoseconds in a millisecond."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Who talks where, and the time and chance of this one step.

    `clock_ns` is a monotonic clock and `deadline_ns` a point on it (None: no hurry). `new_conversation_id` is used
    when a conversation begins. `params` are what the channel knows of the person; they join the conversation's.
    """

    platform: str
    user_key: str
    end_user_id: str | None
    new_conversation_id: str
    now_ms: int
    random: Callable[[], float]
    clock_ns: Callable[[], int]
    deadline_ns: int | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    language: str = "ko"

    def milliseconds_left(self) -> float:
        if self.deadline_ns is None:
            return float("inf")
        return (self.deadline_ns - self.clock_ns()) / NANOSECONDS
