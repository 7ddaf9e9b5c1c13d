"""Calling helpers as the renderer does."""

from collections.abc import Callable
from typing import Any

from shared.templates.environment import RenderEnvironment
from shared.templates.functions import CALLS

NOW_MS = 1_544_161_634_667
"""2018-12-07T05:47:14.667Z"""


def call(
    name: str, *arguments: Any, language: str = "ko", random: Callable[[], float] = lambda: 0.5, now_ms: int = NOW_MS
) -> Any:
    return CALLS[name].call(list(arguments), RenderEnvironment(now_ms, random, language))
